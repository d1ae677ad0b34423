"""What one troublemaker does to the delay of everybody else.

    python -m benchmarks.hostile [--quick] [--seconds N]

Rooms of two talk to each other, as in `benchmarks.latency`, in packets of 10 ms: undisturbed; while
one client sends 10,000 malformed messages a second; and while somebody takes 1,000 seats, begins a
DTLS handshake from each and goes on with none. The attacker has a process of its own, on the same
machine: what it takes of the CPU counts against the server.
"""

import asyncio
from contextlib import ExitStack

from benchmarks.harness.options import parse_options, run
from benchmarks.harness.report import print_result, print_table, quantiles
from benchmarks.latency import measure
from benchmarks.load.attacks import Attack, attacked, begin_handshakes, send_malformed
from benchmarks.load.doors import SocketIoDoor

ROOMS = 5
PTIME_MS = 10
TARGET_MS = 5.0
_ATTACKS: dict[str, Attack | None] = {
    "undisturbed": None,
    "malformed messages": send_malformed,
    "half-open handshakes": begin_handshakes,
}


async def main() -> None:
    """Measure and tell the result."""
    options = parse_options("delay of everybody else under attack", 12, 5)
    figures: dict[str, dict[str, object]] = {}
    p95s: dict[str, float] = {}
    environment = {"WEBRTC_PTIME_MS": str(PTIME_MS), "WEBRTC_MEDIA_WORKERS": "1"}
    async with options.server(environment) as server:
        for name, attack in _ATTACKS.items():
            with ExitStack() as stack:
                end = stack.enter_context(attacked(attack, server.base_url)) if attack else None
                delays = await measure(
                    SocketIoDoor(server.base_url), PTIME_MS, options.seconds, rooms=ROOMS
                )
                count = await asyncio.to_thread(end) if end is not None else 0
            found = quantiles(delays.delays_ms)
            p95s[name] = found["p95"] or float("nan")
            figures[name.replace(" ", "_")] = {
                **found,
                "attacks": count,
                "bad_share": round(delays.bad_share, 5),
            }
            await asyncio.sleep(1.0)
    base = p95s["undisturbed"]
    print_table(
        f"Delay in {ROOMS} rooms of 2 under attack, ms",
        ["", "p95", "more than undisturbed", "target"],
        [[name, p95, p95 - base, TARGET_MS] for name, p95 in p95s.items()],
    )
    print_result("hostile", figures)


if __name__ == "__main__":
    run(main)
