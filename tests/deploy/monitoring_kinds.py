"""Fields of the Prometheus operator's kinds that we use, as monitoring.coreos.com/v1 has them.

Its own definitions are half a megabyte of somebody else's; these are the few that deploy/k8s needs.
What is not named is refused: whoever uses more adds it here, with its documentation at hand.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, convert

Duration = Annotated[
    str,
    Meta(pattern=r"^(0|((\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?))$", min_length=1),
]
LabelName = Annotated[str, Meta(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]
Text = Annotated[str, Meta(min_length=1)]


class Metadata(Struct, forbid_unknown_fields=True):
    """Of any object."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
    namespace: Text
    labels: dict[str, str] = {}


class Selector(Struct, forbid_unknown_fields=True):
    """Which services are meant."""

    matchLabels: Annotated[dict[str, str], Meta(min_length=1)]  # noqa: N815


class SecretKey(Struct, forbid_unknown_fields=True):
    """Where a secret stands, in the monitor's namespace."""

    name: Text
    key: Text


class Authorization(Struct, forbid_unknown_fields=True):
    """What Prometheus shows; `type` is the scheme of the header."""

    credentials: SecretKey
    type: Text = "Bearer"


class Endpoint(Struct, forbid_unknown_fields=True):
    """What of a service is asked, and how often."""

    port: Text
    path: Annotated[str, Meta(pattern="^/")] = "/metrics"
    interval: Duration | None = None
    authorization: Authorization | None = None


class MonitorSpec(Struct, forbid_unknown_fields=True):
    """Of a ServiceMonitor."""

    selector: Selector
    endpoints: Annotated[list[Endpoint], Meta(min_length=1)]


class ServiceMonitor(Struct, forbid_unknown_fields=True):
    """What Prometheus asks."""

    apiVersion: Literal["monitoring.coreos.com/v1"]  # noqa: N815
    kind: Literal["ServiceMonitor"]
    metadata: Metadata
    spec: MonitorSpec


class Alert(Struct, forbid_unknown_fields=True, rename={"for_": "for"}):
    """One rule."""

    alert: Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
    expr: Text
    for_: Duration | None = None
    labels: dict[LabelName, str] = {}
    annotations: dict[LabelName, str] = {}


class Group(Struct, forbid_unknown_fields=True):
    """Rules that are looked at one after the other."""

    name: Text
    rules: Annotated[list[Alert], Meta(min_length=1)]
    interval: Duration | None = None


class RuleSpec(Struct, forbid_unknown_fields=True):
    """Of a PrometheusRule."""

    groups: Annotated[list[Group], Meta(min_length=1)]


class PrometheusRule(Struct, forbid_unknown_fields=True):
    """When somebody is called."""

    apiVersion: Literal["monitoring.coreos.com/v1"]  # noqa: N815
    kind: Literal["PrometheusRule"]
    metadata: Metadata
    spec: RuleSpec


KINDS: dict[str, type[Struct]] = {one.__name__: one for one in (ServiceMonitor, PrometheusRule)}


def check_kind(built: dict[str, Any]) -> None:
    """Hold an object of one of these kinds against it.

    Raises:
        msgspec.ValidationError: It has another field, lacks one, or one is not of its type.
    """
    found = convert(built, KINDS[built["kind"]], strict=True)
    if isinstance(found, PrometheusRule):
        names = [group.name for group in found.spec.groups]
        assert len(set(names)) == len(names), "two groups of one name"
