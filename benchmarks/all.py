"""Every benchmark, one after the other, each in a process of its own."""

import argparse
import subprocess
import sys

BENCHMARKS = (
    "latency",
    "capacity",
    "memory",
    "breaking_point",
    "listeners",
    "joins",
    "hostile",
    "idle",
    "loss",
    "browser_loop",
    "selection",
    "forward",
    "gateway",
    "desktop",
    "mixdown",
    "desk",
    "dsp",
    "dsp_quality",
    "replicas",
    "failover",
    "rolling_restart",
    "redis_outage",
    "bus_frame",
    "cluster_model",
    "peers",
)


def main() -> int:
    """Run them all; return how many failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer, smaller and shorter steps")
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=BENCHMARKS)
    arguments = parser.parse_args()
    failed = []
    for name in arguments.only:
        print(f"\n==== {name}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}"]
        if arguments.quick:
            command.append("--quick")
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
