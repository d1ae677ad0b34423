"""What a collector of OpenTelemetry's is sent, by the real server and the real SDK."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
import socketio
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.patience import PATIENCE_S
from tests.support.redis_server import RedisServer
from tests.support.server import LiveServer
from webrtc import preflight, tracing
from webrtc.settings import Settings, StartError

NAME = "Ada Lovelace-Byron"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


class Collector:
    """Takes traces by OTLP over HTTP.

    Attributes:
        url: where.
        spans: by name, in the order in which they came.
        services: what their senders call themselves.
    """

    def __init__(self) -> None:
        self.url = ""
        self.spans: dict[str, list[Span]] = {}
        self.services: set[str] = set()
        self._changed = asyncio.Condition()

    async def take(self, request: web.Request) -> web.Response:
        told = ExportTraceServiceRequest.FromString(await request.read())
        for resource in told.resource_spans:
            for one in resource.resource.attributes:
                if one.key == "service.name":
                    self.services.add(one.value.string_value)
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans.setdefault(span.name, []).append(span)
        async with self._changed:
            self._changed.notify_all()
        return web.Response()

    async def get(self, *names: str) -> list[Span]:
        """Wait for spans with these names; return the first of each."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: all(name in self.spans for name in names))
        return [self.spans[name][0] for name in names]


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    there = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", there.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    there.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield there
    await runner.cleanup()


def attributes(span: Span) -> dict[str, object]:
    return {
        one.key: one.value.string_value or one.value.int_value or one.value.double_value
        for one in span.attributes
    }


@pytest.mark.server
async def test_events_and_requests_are_traced_with_what_they_waited_for(
    collector: Collector,
) -> None:
    async with RedisServer() as redis:
        server = await LiveServer.start(
            WEBRTC_HOST="127.0.0.1",
            WEBRTC_MEDIA_WORKERS="1",
            REDIS_URL=redis.url,
            LOG_FORMAT="json",
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            OTEL_BSP_SCHEDULE_DELAY="100",
        )
        try:
            async with socketio.AsyncSimpleClient() as client, aiohttp.ClientSession() as http:
                await client.connect(
                    server.page_url, transports=["websocket"], wait_timeout=PATIENCE_S
                )
                joined = await client.call("join_room", {"room_id": "studio", "name": NAME})
                await client.call("offer", {"type": "offer", "sdp": "v=0 no description"})
                headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
                async with http.get(
                    f"{server.api_url}/api/rooms/studio", headers=headers
                ) as answer:
                    assert answer.status == 200
                await server.program.line_with('"request": "join_room"')
                join, write, offer, asked, request = await collector.get(
                    *("join_room", "redis write", "offer"),
                    *("worker Offer", "GET /api/rooms/{room_id}"),
                )
        finally:
            await server.program.end()
    assert collector.services == {"ag06-mixer"}
    assert (write.trace_id, write.parent_span_id) == (join.trace_id, join.span_id)
    assert (asked.trace_id, asked.parent_span_id) == (offer.trace_id, offer.span_id)
    assert join.trace_id != offer.trace_id
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    told = attributes(join)
    assert told["ag06.participant_id"] == joined["participant_id"]
    assert (told["ag06.room_id"], told["ag06.outcome"]) == ("studio", "ok")
    assert attributes(offer)["ag06.outcome"] != "ok"
    assert attributes(request)["http.response.status_code"] == 200
    assert f'"trace_id": "{join.trace_id.hex()}"' in server.program.text
    assert NAME not in str(collector.spans)
    assert "Traceback" not in server.program.text


@pytest.mark.server
@pytest.mark.parametrize("answers", ["refuses", "hangs"])
async def test_a_collector_that_is_away_is_no_harm(answers: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:  # whom nobody answers
        port = listener.getsockname()[1] if answers == "hangs" else 9
        await _visit(f"http://127.0.0.1:{port}")


async def _visit(endpoint: str) -> None:
    server = await LiveServer.start(
        WEBRTC_HOST="127.0.0.1",
        WEBRTC_MEDIA_WORKERS="1",
        OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
        OTEL_BSP_SCHEDULE_DELAY="100",
    )
    try:
        async with socketio.AsyncSimpleClient() as client:
            await client.connect(server.page_url, transports=["websocket"], wait_timeout=PATIENCE_S)
            assert (await client.call("join_room", {"room_id": "studio"}))["ok"]
            assert (await client.call("leave_room"))["ok"]
        await server.stop()  # within the time that it is given
    finally:
        await server.program.end()
    assert "Traceback" not in server.program.text


def test_missing_packages_are_told_before_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    preflight.check_tracing()
    monkeypatch.setitem(os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    preflight.check_tracing()
    monkeypatch.setattr(tracing, "find_spec", lambda name: None)
    with pytest.raises(StartError, match=r"requirements-tracing\.txt"):
        preflight.check_tracing()


def test_what_is_not_traced_has_no_ids() -> None:
    with tracing.traced(Settings().replica), tracing.span("work") as span:
        span.tell(ag06__room_id="studio")
        span.fail("refused")
        headers: dict[str, str] = {}
        tracing.carry(headers)
    assert headers == {}
    assert tracing.ids() == {}
