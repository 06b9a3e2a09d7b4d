"""How long the main job takes and how much memory it needs, beside what the machine itself can do in the same run.

    python benchmarks/main_job.py [runs]

Each run times, as whole processes and in turn: a yardstick (import numpy and polars, sort 20 million random numbers)
and `synth generate --authorities 22 --year 2023`. Printed are medians and the median of the ratios pair by pair: the
ratio holds when the machine's speed drifts, the seconds do not.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time

_YARDSTICK = "import numpy, polars; numpy.random.default_rng(1).random(20_000_000).sort()"


def _run(*command: str) -> tuple[float, float]:
    """Return wall seconds and peak memory in MB of one finished process."""
    begun = time.perf_counter()
    process = os.posix_spawn(sys.executable, [sys.executable, *command], os.environ)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise SystemExit(f"{command}: exit status {status}")
    return time.perf_counter() - begun, usage.ru_maxrss / 1024


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    seconds, memory, ratios, bases = [], [], [], []
    with tempfile.TemporaryDirectory() as out:
        for _ in range(runs):
            base, _peak = _run("-c", _YARDSTICK)
            job, peak = _run(
                "-m", "synth", "generate", "--authorities", "22", "--year", "2023", "--quiet", "--out", out
            )
            bases.append(base)
            seconds.append(job)
            memory.append(peak)
            ratios.append(job / base)
    print(f"yardstick {statistics.median(bases):.2f} s (min {min(bases):.2f}, max {max(bases):.2f})")
    middle = statistics.median(seconds)
    print(f"main job  {middle:.2f} s (min {min(seconds):.2f}, max {max(seconds):.2f}), peak {max(memory):.0f} MB")
    print(f"ratio     {statistics.median(ratios):.2f} (min {min(ratios):.2f}, max {max(ratios):.2f})")


if __name__ == "__main__":
    main()
