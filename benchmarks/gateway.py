"""The UDP gateway: what 100 clients in one room cost, and how long sound takes through it.

    python -m benchmarks.gateway [--quick] [--clients N]

Every client sends chunks of samples all the time, as clients of the old kind do: three of them
voices, the others a room's noise at −55 dBFS, so that nobody's chunks are digital silence. For the
delay, one client sends clicks into a room of two. A click's time is that of its sample in the
stream: chunk time plus its place in the chunk, at both ends.
"""

import argparse
import asyncio
import contextlib
import os
import socket
import time
from dataclasses import dataclass, field

import numpy as np

from benchmarks.harness.report import print_result, print_table, quantiles
from benchmarks.harness.server import our_server
from gateway.wire.datagrams import CHUNK_S, CHUNK_SAMPLES, RATE_HZ
from gateway.wire.lines import Hello, Ping, Pong, Welcome, read_server_line, write_line

TALKERS = 3
TARGET_SHARE = 0.35
TARGET_MS = 1000 * CHUNK_S + 15
_CHUNKS = 64


@dataclass
class Client(asyncio.DatagramProtocol):
    """Sends one chunk after another, in time; keeps what comes."""

    port: int
    chunks: list[bytes]
    room: str
    keeps: bool = False
    sent: list[float] = field(default_factory=list)
    heard: list[tuple[float, bytes]] = field(default_factory=list)
    count: int = 0

    async def join(self) -> None:
        """Say hello and begin."""
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(write_line(Hello(room_id=self.room)))
        welcome = read_server_line(await self.reader.readline())
        assert isinstance(welcome, Welcome), welcome
        self.id = welcome.client_id.encode()
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(
            lambda: self, remote_addr=("127.0.0.1", welcome.udp_port)
        )
        self.tasks = [asyncio.create_task(self._speak()), asyncio.create_task(self._answer())]

    async def leave(self) -> None:
        """End."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.writer.close()
        self.transport.close()

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Count a chunk, and keep it where wanted."""
        self.count += 1
        if self.keeps:
            self.heard.append((time.monotonic(), data))

    async def _speak(self) -> None:
        begin_s, number = time.monotonic() + CHUNK_S * np.random.default_rng().random(), 0
        while True:
            await asyncio.sleep(begin_s + number * CHUNK_S - time.monotonic())
            self.sent.append(time.monotonic())
            self.transport.sendto(self.id + self.chunks[number % len(self.chunks)])
            number += 1

    async def _answer(self) -> None:
        while line := await self.reader.readline():
            if isinstance(read_server_line(line), Ping):
                self.writer.write(write_line(Pong()))


def noise(level_dbfs: float, seed: int) -> list[bytes]:
    """Return chunks of noise at a level."""
    samples = np.random.default_rng(seed).normal(0, 1, (_CHUNKS, CHUNK_SAMPLES))
    scaled = np.clip(samples * 10 ** (level_dbfs / 20) * 32767, -32767, 32767)
    return [chunk.tobytes() for chunk in scaled.astype("<i2")]


def clicks() -> tuple[list[bytes], list[int]]:
    """Return chunks with one click in every 16th, and where it is."""
    random = np.random.default_rng(7)
    chunks, places = [], []
    for number in range(16 * _CHUNKS):
        chunk = np.zeros(CHUNK_SAMPLES, "<i2")
        place = int(random.integers(CHUNK_SAMPLES)) if number % 16 == 0 else -1
        if place >= 0:
            chunk[place] = 30_000
        chunks.append(chunk.tobytes())
        places.append(place)
    return chunks, places


def delays_ms(speaker: Client, places: list[int], listener: Client) -> np.ndarray:
    """Return the delay of each click that was heard."""
    clicked = [
        sent_s + places[number % len(places)] / RATE_HZ
        for number, sent_s in enumerate(speaker.sent)
        if places[number % len(places)] >= 0
    ]
    delays = []
    for time_s, data in listener.heard:
        samples = np.abs(np.frombuffer(data, "<i2").astype(int))
        if samples.max() > 8_000:
            heard_s = time_s + int(samples.argmax()) / RATE_HZ
            before = [at for at in clicked if at < heard_s]
            if before:
                delays.append(1000 * (heard_s - before[-1]))
    return np.array(delays)


def free_port() -> int:
    """Return a port that TCP and UDP have free."""
    with socket.create_server(("127.0.0.1", 0)) as tcp:
        return int(tcp.getsockname()[1])


async def main() -> None:
    """Measure and tell the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--clients", type=int, default=100)
    given = parser.parse_args()
    seconds = 6 if given.quick else 20
    with contextlib.suppress(PermissionError):  # sound cards are on time, other work or not
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    port = free_port()
    environment = {"WEBRTC_UDP_GATEWAY_PORT": str(port), "WEBRTC_MEDIA_WORKERS": "1"}
    async with our_server(environment) as server:
        chunks, places = clicks()
        pair = [Client(port, chunks, "two"), Client(port, noise(-100, 1), "two", keeps=True)]
        for client in pair:
            await client.join()
        await asyncio.sleep(seconds)
        for client in pair:
            await client.leave()
        # The buffer's first seconds and the click that opened the room's ears are left out.
        delays = delays_ms(pair[0], places, pair[1])[3:]
        voices = [noise(-20 if i < TALKERS else -55, i) for i in range(given.clients)]
        crowd = [Client(port, voice, "crowd") for voice in voices]
        for client in crowd:
            await client.join()
        await asyncio.sleep(4)
        before, counted = server.usage(), sum(client.count for client in crowd)
        began_s = time.monotonic()
        await asyncio.sleep(seconds)
        took_s = time.monotonic() - began_s
        share = (server.usage().cpu_s - before.cpu_s) / took_s
        chunks_heard = (sum(client.count for client in crowd) - counted) / took_s * CHUNK_S
        for client in crowd:
            await client.leave()
    delay = quantiles(delays)
    print_table(
        "UDP gateway",
        ["clients", "core %", "target", "chunks heard %", "delay p50 ms", "p95", "target"],
        [
            [
                given.clients,
                100 * share,
                100 * TARGET_SHARE,
                100 * chunks_heard / given.clients,
                delay["p50"],
                delay["p95"],
                TARGET_MS,
            ]
        ],
    )
    print_result(
        "gateway",
        {
            "clients": given.clients,
            "core_share": round(share, 4),
            "chunks_heard": round(chunks_heard / given.clients, 4),
            "delay_ms": delay,
            "clicks": int(delays.size),
        },
    )


if __name__ == "__main__":
    asyncio.run(main())
