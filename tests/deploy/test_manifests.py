"""What is deployed on Kubernetes fits together, and fits the server."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from tests.deploy.monitoring_kinds import KINDS, check_kind
from tests.support.front import running_front
from webrtc.api.app import routes_of
from webrtc.settings import load
from webrtc.settings_table import VARIABLES

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = ["local", "production", "relay-only"]
ADAPTER = yaml.safe_load((ROOT / "deploy/k8s/prometheus-adapter.yaml").read_text("utf-8"))
NAMES = {variable.name for variable in VARIABLES}

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")


class Manifests:
    """All objects of an overlay."""

    def __init__(self, overlay: str) -> None:
        built = subprocess.run(
            ["kubectl", "kustomize", str(ROOT / "deploy/k8s/overlays" / overlay)],
            check=True,
            capture_output=True,
            timeout=60,
        )
        self.overlay = overlay
        self.all = [one for one in yaml.safe_load_all(built.stdout) if one]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.all if one["kind"] == kind]

    def one(self, kind: str, name: str) -> dict[str, Any]:
        (found,) = [one for one in self.of(kind) if one["metadata"]["name"] == name]
        return found

    @property
    def pod(self) -> dict[str, Any]:
        return self.one("Deployment", "ag06-mixer")["spec"]["template"]

    @property
    def mixer(self) -> dict[str, Any]:
        (container,) = self.pod["spec"]["containers"]
        return container

    @property
    def environment(self) -> dict[str, str]:
        """What the server is given, with something that may be where a cluster decides."""
        decided = dict(self.one("ConfigMap", "ag06-mixer")["data"])
        made_up = {
            "WEBRTC_ANNOUNCED_IPS": "192.0.2.1",
            "REDIS_URL": "rediss://:x@redis.example/0",
            "WEBRTC_ICE_SERVERS": '[{"urls": "turn:a", "username": "b", "credential": "c"}]',
            "WEBRTC_AUTH_SECRET": "x" * 32,
            "WEBRTC_OPERATOR_TOKEN": "y" * 32,
        }
        return decided | {one["name"]: made_up[one["name"]] for one in self.mixer["env"]}


@pytest.fixture(scope="module", params=OVERLAYS)
def manifests(request: pytest.FixtureRequest) -> Manifests:
    return Manifests(request.param)


def matches(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return selector.items() <= labels.items()


def test_every_object_is_in_the_namespace_and_there_once(manifests: Manifests) -> None:
    names = [(one["kind"], one["metadata"]["name"]) for one in manifests.all]
    assert len(set(names)) == len(names)
    assert names.count(("Namespace", "ag06")) == 1
    for one in manifests.all:
        assert one["kind"] == "Namespace" or one["metadata"]["namespace"] == "ag06"


def test_the_server_takes_the_settings_that_it_is_given(manifests: Manifests) -> None:
    settings = load(manifests.environment)
    assert settings.redis is not None
    assert settings.replica  # each pod has a name of its own
    assert settings.wants_tokens is (manifests.overlay != "local")
    for one in (*manifests.mixer["env"], *manifests.one("ConfigMap", "ag06-mixer")["data"]):
        assert (one["name"] if isinstance(one, dict) else one) in NAMES


def test_the_pod_has_the_ports_that_the_server_opens(manifests: Manifests) -> None:
    settings = load(manifests.environment)
    udp = {settings.media_port_of(index) for index in range(settings.media_workers)}
    ports = {(one["protocol"], one["containerPort"]) for one in manifests.mixer["ports"]}
    tcp = {("TCP", settings.signaling_port), ("TCP", settings.static_port)}
    assert ports >= tcp | {("UDP", port) for port in udp}
    cpus = int(manifests.mixer["resources"]["limits"]["cpu"])
    assert settings.media_workers == max(1, cpus - 1)


def test_services_find_pods_and_their_ports(manifests: Manifests) -> None:
    pods = [one["spec"]["template"] for one in manifests.of("Deployment")]
    for service in manifests.of("Service"):
        found = [
            pod for pod in pods if matches(service["spec"]["selector"], pod["metadata"]["labels"])
        ]
        assert len(found) == 1, service["metadata"]["name"]
        named = {port["name"] for port in found[0]["spec"]["containers"][0]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= named
    for deployment in manifests.of("Deployment"):
        spec = deployment["spec"]
        assert matches(spec["selector"]["matchLabels"], spec["template"]["metadata"]["labels"])


def test_whatever_else_selects_pods_selects_the_mixers(manifests: Manifests) -> None:
    labels = manifests.pod["metadata"]["labels"]
    for budget in manifests.of("PodDisruptionBudget"):
        assert matches(budget["spec"]["selector"]["matchLabels"], labels)
    policy = manifests.one("NetworkPolicy", "ag06-mixer")
    assert matches(policy["spec"]["podSelector"]["matchLabels"], labels)
    (rule,) = manifests.pod["spec"]["affinity"]["podAntiAffinity"][
        "requiredDuringSchedulingIgnoredDuringExecution"
    ]
    assert matches(rule["labelSelector"]["matchLabels"], labels)
    assert rule["topologyKey"] == "kubernetes.io/hostname"


def test_monitoring_and_ingress_lead_to_the_service(manifests: Manifests) -> None:
    service = manifests.one("Service", "ag06-mixer")
    ports = {port["name"] for port in service["spec"]["ports"]}
    for monitor in manifests.of("ServiceMonitor"):
        selector = monitor["spec"]["selector"]["matchLabels"]
        assert matches(selector, service["metadata"]["labels"])
        assert {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} <= ports
    for ingress in manifests.of("Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                assert path["backend"]["service"]["name"] == "ag06-mixer"
                assert path["backend"]["service"]["port"]["name"] in ports
    for scaler in manifests.of("HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        assert manifests.one(target["kind"], target["name"])
        assert scaler["spec"]["minReplicas"] <= scaler["spec"]["maxReplicas"]


def test_kinds_without_a_schema_of_kubernetes_have_the_fields_of_the_operators(
    manifests: Manifests,
) -> None:
    for one in manifests.all:
        if one["apiVersion"].startswith("monitoring.coreos.com/"):
            check_kind(one)
    found = {one["kind"] for one in manifests.all} & KINDS.keys()
    assert found == (set() if manifests.overlay == "local" else KINDS.keys())


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("ServiceMonitor", ("spec", "endpoints", 0, "interval"), "15 seconds"),
        ("ServiceMonitor", ("spec", "endpoints", 0, "port"), 8080),
        ("ServiceMonitor", ("spec", "selectors"), {}),
        ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "for"), 60),
        ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "severity"), "critical"),
        ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "expr"), ""),
    ],
)
def test_a_wrong_field_of_these_kinds_is_found(
    kind: str, path: tuple[str | int, ...], value: object
) -> None:
    (broken,) = Manifests("production").of(kind)
    at: Any = broken
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    with pytest.raises(msgspec.ValidationError):
        check_kind(broken)


async def test_prometheus_may_read_what_it_is_led_to(manifests: Manifests, tmp_path: Path) -> None:
    given = manifests.environment
    refs = {one["name"]: one["valueFrom"] for one in manifests.mixer["env"]}
    held = {
        (ref["secretKeyRef"]["name"], ref["secretKeyRef"]["key"]): given[name]
        for name, ref in refs.items()
        if "secretKeyRef" in ref
    }
    tokens = {
        "auth_secret": given.get("WEBRTC_AUTH_SECRET"),
        "operator_token": given.get("WEBRTC_OPERATOR_TOKEN"),
    }
    async with running_front(tmp_path, **tokens) as front:
        for monitor in manifests.of("ServiceMonitor"):
            for endpoint in monitor["spec"]["endpoints"]:
                shown = endpoint["authorization"]
                secret = held[shown["credentials"]["name"], shown["credentials"]["key"]]
                headers = {"Authorization": f"{shown['type']} {secret}"}
                async with front.http.get(endpoint["path"], headers=headers) as response:
                    assert response.status == 200
                async with front.http.get(endpoint["path"]) as response:
                    assert response.status == 401


def test_the_autoscaler_asks_for_what_the_adapter_is_told(manifests: Manifests) -> None:
    rules = {one["name"]["as"]: one for one in ADAPTER["rules"]["custom"]}
    for scaler in manifests.of("HorizontalPodAutoscaler"):
        asked = {
            one["pods"]["metric"]["name"]
            for one in scaler["spec"]["metrics"]
            if one["type"] == "Pods"
        }
        assert asked == rules.keys()
    for rule in rules.values():
        series = rule["seriesQuery"].partition("{")[0]
        assert re.fullmatch(rule["name"]["matches"], series)


def test_media_is_let_through(manifests: Manifests) -> None:
    settings = load(manifests.environment)
    policy = manifests.one("NetworkPolicy", "ag06-mixer")["spec"]
    opened = [port for rule in policy["ingress"] for port in rule["ports"]]
    for protocol, port in [
        ("TCP", settings.signaling_port),
        ("TCP", settings.static_port),
        *(("UDP", settings.media_port_of(index)) for index in range(settings.media_workers)),
    ]:
        assert any(
            one["protocol"] == protocol and one["port"] <= port <= one.get("endPort", one["port"])
            for one in opened
        )


async def test_probes_ask_for_what_the_server_answers(manifests: Manifests, tmp_path: Path) -> None:
    named = {port["name"]: port["containerPort"] for port in manifests.mixer["ports"]}
    async with running_front(tmp_path) as front:
        desk, dispatcher = front.front.desk, front.front.dispatcher
        routes = {route.path for route in routes_of(desk, dispatcher, front.front.signaling)}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            asked = manifests.mixer[probe]["httpGet"]
            assert asked["path"] in routes
            assert asked["port"] in named
        assert manifests.mixer["livenessProbe"]["httpGet"]["path"] == "/health"
        assert manifests.mixer["readinessProbe"]["httpGet"]["path"] == "/health/ready"
        text = await (await front.http.get("/metrics")).text()
        check_metrics(manifests, text)


def check_metrics(manifests: Manifests, text: str) -> None:
    known = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    histograms = re.findall(r"^# TYPE (\S+) histogram", text, re.MULTILINE)
    known |= {f"{name}_bucket" for name in histograms}
    known |= {"ag06_redis_connected", "ag06_redis_losses_total"}  # with Redis only
    for used in expressions(manifests):
        names = set(re.findall(r"\bag06_[a-z_]+", used))
        assert names <= known, names - known


def expressions(manifests: Manifests) -> Iterator[str]:
    for rule in ADAPTER["rules"]["custom"]:
        yield rule["seriesQuery"]
    for rules in manifests.of("PrometheusRule"):
        for group in rules["spec"]["groups"]:
            for rule in group["rules"]:
                assert rule["annotations"]["summary"]
                yield rule["expr"]
    for config in manifests.of("ConfigMap"):
        if "ag06-mixer.json" in config["data"]:
            for panel in json.loads(config["data"]["ag06-mixer.json"])["panels"]:
                yield from (target["expr"] for target in panel["targets"])


def test_pods_are_drained_before_they_are_killed(manifests: Manifests) -> None:
    settings = load(manifests.environment)
    assert settings.drain_s > 0
    assert manifests.pod["spec"]["terminationGracePeriodSeconds"] >= settings.drain_s + 10
    update = manifests.one("Deployment", "ag06-mixer")["spec"]["strategy"]["rollingUpdate"]
    assert update == {"maxSurge": 0, "maxUnavailable": 1}


def test_pods_may_do_no_more_than_they_have_to(manifests: Manifests) -> None:
    for deployment in manifests.of("Deployment"):
        spec = deployment["spec"]["template"]["spec"]
        assert spec["enableServiceLinks"] is False
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            allowed = container["securityContext"]
            assert allowed["allowPrivilegeEscalation"] is False
            assert allowed["readOnlyRootFilesystem"] is True
            assert allowed["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["requests"] == container["resources"]["limits"]
            mounts = {mount["name"] for mount in container["volumeMounts"]}
            assert mounts == {volume["name"] for volume in spec["volumes"]}


def test_secrets_are_referred_to_and_not_written_down(manifests: Manifests) -> None:
    for container in [
        one
        for deployment in manifests.of("Deployment")
        for one in deployment["spec"]["template"]["spec"]["containers"]
    ]:
        for variable in container.get("env", []):
            assert "value" not in variable
    secrets = manifests.of("Secret")
    assert len(secrets) == (1 if manifests.overlay == "local" else 0)


def test_media_goes_where_the_overlay_says() -> None:
    direct, relayed = Manifests("production"), Manifests("relay-only")
    assert direct.pod["spec"]["hostNetwork"] is True
    assert "hostNetwork" not in relayed.pod["spec"]
    announced = {one["name"]: one for one in relayed.mixer["env"]}["WEBRTC_ANNOUNCED_IPS"]
    assert announced["valueFrom"]["fieldRef"]["fieldPath"] == "status.podIP"
    turn = relayed.one("Deployment", "ag06-coturn")["spec"]["template"]["spec"]
    assert turn["hostNetwork"] is True
    assert "WEBRTC_ICE_SERVERS" in {one["name"] for one in relayed.mixer["env"]}
