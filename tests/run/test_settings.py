"""The environment becomes settings, or one message that names everything wrong with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.redis_connection import RedisAddress
from webrtc.settings import Settings, SettingsError, load
from webrtc.settings_table import VARIABLES
from webrtc.settings_texts import IceServer


def read(**environ: str) -> Settings:
    return load(environ, own_addresses=lambda: ("192.0.2.7", "198.51.100.2"), usable_cpus=lambda: 4)


def refusal(**environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(**environ)
    return str(caught.value)


def test_defaults_of_an_empty_environment() -> None:
    assert read() == Settings(
        host="0.0.0.0",
        signaling_port=8080,
        static_port=8081,
        media_port=40000,
        announced_ips=("192.0.2.7", "198.51.100.2", "127.0.0.1"),
        media_workers=3,
        ptime_ms=None,
        opus_complexity=5,
        realtime=True,
        ice="lite",
        ice_servers=(),
        cors_origins=(),
        log_level="INFO",
    )


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("WEBRTC_HOST", "127.0.0.1", "host", "127.0.0.1"),
        ("WEBRTC_SIGNALING_PORT", "0", "signaling_port", 0),
        ("WEBRTC_STATIC_PORT", "65535", "static_port", 65535),
        ("WEBRTC_MEDIA_PORT", "65533", "media_port", 65533),
        ("WEBRTC_ANNOUNCED_IPS", "203.0.113.7", "announced_ips", ("203.0.113.7",)),
        (
            "WEBRTC_ANNOUNCED_IPS",
            " 203.0.113.7 ,192.168.1.20, 203.0.113.7",
            "announced_ips",
            ("203.0.113.7", "192.168.1.20"),
        ),
        ("WEBRTC_MEDIA_WORKERS", "128", "media_workers", 128),
        ("WEBRTC_PTIME_MS", "auto", "ptime_ms", None),
        ("WEBRTC_PTIME_MS", "10", "ptime_ms", 10),
        ("WEBRTC_PTIME_MS", "20", "ptime_ms", 20),
        ("WEBRTC_OPUS_COMPLEXITY", "0", "opus_complexity", 0),
        ("WEBRTC_OPUS_COMPLEXITY", "10", "opus_complexity", 10),
        ("WEBRTC_REALTIME", "off", "realtime", False),
        ("WEBRTC_ICE", "full", "ice", "full"),
        (
            "WEBRTC_ICE_SERVERS",
            '[{"urls": "stun:stun.example:3478"},'
            ' {"urls": ["turn:a.example", "turns:a.example"], "username": "u", "credential": "c"}]',
            "ice_servers",
            (
                IceServer(("stun:stun.example:3478",)),
                IceServer(("turn:a.example", "turns:a.example"), "u", "c"),
            ),
        ),
        (
            "WEBRTC_CORS_ORIGINS",
            "https://studio.example:8443, http://localhost",
            "cors_origins",
            ("https://studio.example:8443", "http://localhost"),
        ),
        ("WEBRTC_CORS_ORIGINS", "*", "cors_origins", ("*",)),
        ("LOG_LEVEL", "DEBUG", "log_level", "DEBUG"),
    ],
)
def test_a_variable_fills_its_field(name: str, text: str, field: str, value: object) -> None:
    assert getattr(read(**{name: text}), field) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("WEBRTC_HOST", "localhost"),
        ("WEBRTC_HOST", "::"),
        ("WEBRTC_HOST", "0.0.0.0:80"),
        ("WEBRTC_SIGNALING_PORT", "65536"),
        ("WEBRTC_SIGNALING_PORT", "-1"),
        ("WEBRTC_SIGNALING_PORT", "8_080"),
        ("WEBRTC_SIGNALING_PORT", "8080.0"),
        ("WEBRTC_SIGNALING_PORT", "٨٠٨٠"),
        ("WEBRTC_STATIC_PORT", "http"),
        ("WEBRTC_MEDIA_PORT", "40000-40010"),
        ("WEBRTC_ANNOUNCED_IPS", "example.org"),
        ("WEBRTC_ANNOUNCED_IPS", "0.0.0.0"),
        ("WEBRTC_ANNOUNCED_IPS", "224.0.0.1"),
        ("WEBRTC_ANNOUNCED_IPS", ","),
        ("WEBRTC_MEDIA_WORKERS", "0"),
        ("WEBRTC_MEDIA_WORKERS", "129"),
        ("WEBRTC_PTIME_MS", "15"),
        ("WEBRTC_PTIME_MS", "Auto"),
        ("WEBRTC_OPUS_COMPLEXITY", "11"),
        ("WEBRTC_REALTIME", "on"),
        ("WEBRTC_ICE", "trickle"),
        ("WEBRTC_ICE_SERVERS", "stun:stun.example"),
        ("WEBRTC_ICE_SERVERS", "{}"),
        ("WEBRTC_ICE_SERVERS", '["stun:stun.example"]'),
        ("WEBRTC_ICE_SERVERS", '[{"urls": []}]'),
        ("WEBRTC_ICE_SERVERS", '[{"urls": "http://stun.example"}]'),
        ("WEBRTC_ICE_SERVERS", '[{"urls": "stun:a", "credential": 7}]'),
        ("WEBRTC_ICE_SERVERS", '[{"urls": "stun:a", "password": "x"}]'),
        ("WEBRTC_ICE_SERVERS", "[" * 100_000),
        ("WEBRTC_CORS_ORIGINS", "studio.example"),
        ("WEBRTC_CORS_ORIGINS", "https://studio.example/"),
        ("WEBRTC_CORS_ORIGINS", "https://user@studio.example"),
        ("WEBRTC_CORS_ORIGINS", "https://*.example"),
        ("LOG_LEVEL", "info"),
        ("LOG_LEVEL", "NOTSET"),
    ],
)
def test_a_malformed_value_is_named_with_what_it_must_be(name: str, text: str) -> None:
    message = refusal(**{name: text})
    assert f"{name} must be " in message
    assert len(message) < 400


def test_all_problems_are_told_at_once() -> None:
    message = refusal(
        WEBRTC_STATIC_PORT="x", LOG_LEVEL="loud", WEBRTC_COLOUR="red", REDIS_URL="http://a"
    )
    for name in ("WEBRTC_STATIC_PORT", "LOG_LEVEL", "WEBRTC_COLOUR", "REDIS_URL"):
        assert message.count(name) == 1
    assert "\n" not in message


def test_redis_is_found_by_url_or_by_its_parts() -> None:
    assert read().redis is None
    assert read().replica_number == 0
    by_url = read(REDIS_URL="redis://:hush-hush@a:7/1", WEBRTC_REPLICA="anna")
    by_parts = read(
        REDIS_HOST="a",
        REDIS_PORT="7",
        REDIS_PASSWORD="hush-hush",
        REDIS_DB="1",
        WEBRTC_REPLICA="anna",
    )
    assert by_url.redis == by_parts.redis == RedisAddress.parse("redis://:hush-hush@a:7/1")
    assert by_url.replica_number == by_parts.replica_number != 0
    assert "hush-hush" not in repr(by_url) + repr(by_parts)
    assert "hush-hush" not in refusal(REDIS_URL="redis://:hush-hush@a,b")


def test_replicas_that_share_rooms_have_names_of_their_own() -> None:
    names = [read(REDIS_HOST="a").replica for _ in range(2)]
    assert names[0] != names[1]
    assert all(names)
    chosen = read(REDIS_HOST="a")
    assert load(chosen.to_environment()) == chosen


def test_a_misspelt_name_is_told_with_the_right_one() -> None:
    assert "did you mean WEBRTC_STATIC_PORT?" in refusal(WEBRTC_STATICPORT="8081")


def test_names_that_kubernetes_injects_are_told_with_the_remedy() -> None:
    assert "enableServiceLinks: false" in refusal(WEBRTC_PORT_8080_TCP="tcp://10.0.0.1:8080")
    assert "enableServiceLinks: false" in refusal(WEBRTC_SERVICE_HOST="10.0.0.1")


def test_a_credential_is_never_repeated() -> None:
    secret = '[{"urls": "stun:a", "credential": "hush-hush", "typo": 1}]'
    assert "hush-hush" not in refusal(WEBRTC_ICE_SERVERS=secret)
    good = read(WEBRTC_ICE_SERVERS='[{"urls": "stun:a", "credential": "hush-hush"}]')
    assert "hush-hush" not in repr(good)


def test_an_empty_variable_counts_as_unset() -> None:
    assert read(WEBRTC_STATIC_PORT="", WEBRTC_MEDIA_WORKERS=" ", REDIS_URL="") == read()


def test_variables_of_others_are_ignored() -> None:
    assert read(PATH="/bin", REDIS_SENTINEL="x", WEBRTCX="1", webrtc_host="y") == read()


def test_the_two_tcp_ports_must_differ_unless_both_are_free_ones() -> None:
    assert "must differ" in refusal(WEBRTC_SIGNALING_PORT="9000", WEBRTC_STATIC_PORT="9000")
    assert read(WEBRTC_SIGNALING_PORT="0", WEBRTC_STATIC_PORT="0").static_port == 0


def test_every_worker_needs_a_port_that_exists() -> None:
    assert "WEBRTC_MEDIA_PORT is too high" in refusal(
        WEBRTC_MEDIA_PORT="65535", WEBRTC_MEDIA_WORKERS="2"
    )


def test_a_single_bound_address_is_the_one_announced() -> None:
    assert read(WEBRTC_HOST="127.0.0.1").announced_ips == ("127.0.0.1",)
    chosen = read(WEBRTC_HOST="192.0.2.7", WEBRTC_ANNOUNCED_IPS="203.0.113.9")
    assert chosen.announced_ips == ("203.0.113.9",)


@pytest.mark.parametrize(("cpus", "workers"), [(1, 1), (2, 1), (3, 2), (64, 63), (500, 128)])
def test_one_cpu_is_left_to_the_front_process(cpus: int, workers: int) -> None:
    chosen = load({}, own_addresses=lambda: (), usable_cpus=lambda: cpus)
    assert chosen.media_workers == workers


def test_a_host_without_network_announces_loopback() -> None:
    assert load({}, own_addresses=lambda: (), usable_cpus=lambda: 2).announced_ips == ("127.0.0.1",)


@pytest.mark.parametrize(
    "field",
    [
        {"signaling_port": 70000},
        {"ptime_ms": 15},
        {"announced_ips": ()},
        {"host": "::1"},
        {"realtime": "yes"},
    ],
)
def test_no_way_past_the_checks_by_the_constructor(field: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"must|cannot"):
        Settings(**field)  # type: ignore[arg-type]


ports = st.integers(1, 60000)
addresses = st.ip_addresses(v=4).map(str)
usable = st.lists(
    addresses.filter(lambda text: not text.startswith(("0.", "22", "23"))), min_size=1, unique=True
)
urls = st.from_regex(r"(stun|turn)s?:[a-z0-9.:\[\]?=-]{1,20}", fullmatch=True)
words = st.text(max_size=10)
servers = st.builds(
    IceServer,
    st.lists(urls, min_size=1, max_size=3).map(tuple),
    st.none() | words,
    st.none() | words,
)
any_settings = st.builds(
    Settings,
    host=addresses,
    signaling_port=st.just(0) | st.integers(1, 30000),
    static_port=st.just(0) | st.integers(30001, 65535),
    media_port=ports,
    announced_ips=usable.map(tuple),
    media_workers=st.integers(1, 128),
    ptime_ms=st.sampled_from([None, 10, 20]),
    opus_complexity=st.integers(0, 10),
    realtime=st.booleans(),
    ice=st.sampled_from(["lite", "full"]),
    ice_servers=st.lists(servers, max_size=3).map(tuple),
    cors_origins=st.sampled_from([(), ("*",), ("https://a.example", "http://b:81")]),
    log_level=st.sampled_from(["DEBUG", "INFO", "WARNING", "ERROR"]),
)


@given(any_settings)
def test_children_get_equal_settings_through_the_environment(chosen: Settings) -> None:
    def never() -> int:
        raise AssertionError("a child asks no host")

    again = load(chosen.to_environment(), own_addresses=lambda: ("x",), usable_cpus=never)
    assert again == chosen


@given(st.sampled_from([item.name for item in VARIABLES]), st.text(max_size=80))
def test_any_text_is_either_a_value_or_a_clear_refusal(name: str, text: str) -> None:
    try:
        chosen = read(**{name: text})
    except SettingsError as error:
        message = str(error)
    else:
        assert load(chosen.to_environment()) == chosen
        return
    assert name in message
    assert message.endswith(".")


@pytest.mark.parametrize(("text", "port"), [("off", None), ("5002", 5002), ("0", 0)])
def test_the_udp_gateway_is_off_unless_it_has_a_port(text: str, port: int | None) -> None:
    assert load({}).udp_gateway_port is None
    assert load({"WEBRTC_UDP_GATEWAY_PORT": text}).udp_gateway_port == port


@pytest.mark.parametrize("text", ["on", "-1", "65536"])
def test_a_wrong_gateway_port_stops_the_start(text: str) -> None:
    with pytest.raises(SettingsError, match="WEBRTC_UDP_GATEWAY_PORT must be off or a port"):
        load({"WEBRTC_UDP_GATEWAY_PORT": text})


def test_every_worker_needs_a_gateway_port_of_its_own() -> None:
    with pytest.raises(SettingsError, match="WEBRTC_UDP_GATEWAY_PORT is too high"):
        load({"WEBRTC_UDP_GATEWAY_PORT": "65535", "WEBRTC_MEDIA_WORKERS": "2"})


def test_networks_are_simulated_only_when_told() -> None:
    assert load({}).simulated_network == ""
    assert load({"WEBRTC_SIMULATED_NETWORK": "off"}).simulated_network == ""
    assert load({"WEBRTC_SIMULATED_NETWORK": "loss=5"}).simulated_network == "loss=5"
    with pytest.raises(SettingsError, match="WEBRTC_SIMULATED_NETWORK must be off or a network"):
        load({"WEBRTC_SIMULATED_NETWORK": "poor"})
