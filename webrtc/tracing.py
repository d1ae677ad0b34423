"""Traces of requests for OpenTelemetry: what the front process spends a request's time on.

Off, and without cost, unless `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`
is set; other settings are OpenTelemetry's own (its "Environment Variable Specification"). Spans
are handed to a thread that sends them in batches; when the collector lags, at most 2,048 wait and
further ones are dropped by the SDK.

A client's event begins a trace. A REST request goes on with the trace that its `traceparent` names
(W3C Trace Context), and a request that is passed on to another replica takes it along. What is
asked of a media worker is a span of the front process's: nothing runs in the worker, which has no
time for it.

Attributes hold what log lines may hold: ids, reason codes, figures.
"""

import os
import threading
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

Kind = Literal["server", "client"]

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_FLUSH_S: Final = 2.0
MISSING: Final = (
    "OTEL_EXPORTER_OTLP_ENDPOINT wants packages that are missing: run "
    "`python3 -m pip install -r requirements-tracing.txt`."
)
_tracer: "Tracer | None" = None


class Span:
    """What may be told of something while it is done; this one tells nobody."""

    def tell(self, **attributes: str | int | float) -> None:
        """Add attributes; `__` in their names stands for a dot, and "" is left out."""

    def fail(self, reason: str) -> None:
        """Say that it came to nothing."""


class _RealSpan(Span):
    def __init__(self, span: Any) -> None:
        self._span = span

    def tell(self, **attributes: str | int | float) -> None:
        for name, value in attributes.items():
            if value != "":
                self._span.set_attribute(name.replace("__", "."), value)

    def fail(self, reason: str) -> None:
        from opentelemetry.trace import Status, StatusCode

        self._span.set_status(Status(StatusCode.ERROR, reason))


_SILENT: Final = Span()


def is_wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether the environment names a collector."""
    return any(environment.get(name) for name in _ENDPOINTS)


def is_installed() -> bool:
    """Return whether the packages are there that this needs."""
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False


@contextmanager
def traced(replica: str) -> Iterator[None]:
    """Trace while the context lasts, if that is wanted; what waits at its end is sent for 2 s.

    Args:
        replica: this server's name among those that share rooms, "" if it is alone.

    Raises:
        ModuleNotFoundError: the packages that this needs are missing (`is_installed`).
    """
    global _tracer  # noqa: PLW0603 — like logging: one for the process, used everywhere
    if not is_wanted():
        yield
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = {"service.name": os.environ.get("OTEL_SERVICE_NAME") or "ag06-mixer"}
    if replica:
        named["service.instance.id"] = replica
    provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = provider.get_tracer("ag06-mixer")
    try:
        yield
    finally:
        _tracer = None
        # A collector that hangs must not hold up the end: the thread is left behind.
        ending = threading.Thread(target=provider.shutdown, name="last traces", daemon=True)
        ending.start()
        ending.join(_FLUSH_S)


@contextmanager
def span(
    name: str, kind: Kind = "client", headers: Mapping[str, str] | None = None
) -> Iterator[Span]:
    """Trace what is done in the context; an exception that leaves it is its failure.

    Args:
        name: of what is done; never what a client made up.
        kind: whether we serve somebody or ask somebody.
        headers: of a request that may go on with a trace of before.
    """
    if _tracer is None:
        yield _SILENT
        return
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    before = None
    if headers is not None:
        carried = {key.lower(): value for key, value in headers.items()}
        before = TraceContextTextMapPropagator().extract(carried)
    with _tracer.start_as_current_span(
        name,
        before,
        SpanKind.SERVER if kind == "server" else SpanKind.CLIENT,
        record_exception=False,  # its text may hold anything
        set_status_on_exception=False,
    ) as current:
        real = _RealSpan(current)
        try:
            yield real
        except Exception as error:
            real.fail(type(error).__name__)
            raise


def carry(headers: MutableMapping[str, str]) -> None:
    """Let a request to another replica take the trace of this moment along."""
    if _tracer is None:
        return
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    TraceContextTextMapPropagator().inject(headers)


def ids() -> dict[str, str]:
    """Return `trace_id` and `span_id` of this moment for log lines, if anything is traced."""
    if _tracer is None:
        return {}
    from opentelemetry.trace import format_span_id, format_trace_id, get_current_span

    context = get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {
        "trace_id": format_trace_id(context.trace_id),
        "span_id": format_span_id(context.span_id),
    }
