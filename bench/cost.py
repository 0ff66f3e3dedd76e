"""Whole-process peak memory and rates of each stage: ``python -m bench.cost [MENTIONS ...]``.

Each stage runs as a process of its own, as the command line runs it, on a generated
stream (`bench.stream`) into the embedded store. Peak memory is what the operating system
accounted for the finished process; rates include its start-up.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

from bench.stream import ACCOUNT, write_stream

OUTCRY = (sys.executable, "-m", "outcry")
MAP = ("native_id=id", "text=text", "created_at=created_at", "author.handle=author",
       "author.followers=followers", "parent_id=parent_id")  # fmt: skip


def main() -> None:
    """Print one line a stage and size, and how peak memory grew from the first size to the last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[10_000, 200_000], metavar="MENTIONS")
    sizes = parser.parse_args().sizes
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'mentions':>9}  {'stage':7} {'seconds':>8} {'mentions/s':>11} {'peak MB':>8}")
    peaks: dict[str, list[float]] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            for stage, seconds, peak in _measure(Path(folder), size):
                peaks.setdefault(stage, []).append(peak)
                rate = size / seconds
                print(f"{size:9,}  {stage:7} {seconds:8.1f} {rate:11,.0f} {peak:8.0f}", flush=True)
    for stage, seen in peaks.items():
        print(f"peak of {stage}: {seen[-1] / seen[0]:.2f} times from {sizes[0]:,} to {sizes[-1]:,}")


def _measure(folder: Path, size: int) -> list[tuple[str, float, float]]:
    stream, home = folder / "stream.csv", folder / "home"
    write_stream(stream, size)
    home.mkdir()
    (home / "outcry.toml").write_text(f'[brand]\naccounts = ["*:{ACCOUNT}"]\n')
    maps = [word for pair in MAP for word in ("--map", pair)]
    stages = {
        "import": ("import", str(stream), *maps),
        "score": ("score",),
        "triage": ("triage", "--as-of", "2026-05-07T00:00:00+00:00"),
    }
    return [(name, *_run(home, *words)) for name, words in stages.items()]


def _run(home: Path, *words: str) -> tuple[float, float]:
    """Seconds and peak megabytes of one whole process."""
    start = time.perf_counter()
    pid = os.posix_spawn(
        OUTCRY[0],
        [*OUTCRY, "--home", str(home), *words],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"bench: {' '.join(words)} ended with {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
