"""Put every source through every fault, print the matrix and write it into docs/sources.md.

python -m tests.listeners.conformance [SOURCE...]
python -m tests.listeners.conformance --tables    writes the page's tables without a run
python -m tests.listeners.conformance --lines     lines of code of each source
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from listeners.registry import SOURCES, names
from tests.listeners.conformance.desk import Desk, station_of
from tests.listeners.conformance.faults import FAULTS
from tests.listeners.conformance.matrix import PAGE, fault_matrix, lines_of, made
from tests.listeners.fakes import IN_MEMORY


def main(chosen: list[str]) -> int:
    """Run; returns how many cells do not hold. The page is written if all sources were run."""
    if chosen == ["--tables"]:
        PAGE.write_text(made(PAGE.read_text()))
        return 0
    if chosen == ["--lines"]:
        for source in names():
            sys.stdout.write(f"{source:18}{lines_of(SOURCES[source].module):5}\n")
        return 0
    failures = 0
    for source in chosen or names():
        started = time.monotonic()
        for fault, check in FAULTS.items():
            station = station_of(source)
            if fault in station.not_applicable:
                continue
            with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder, station.open():
                try:
                    check(Desk(station, Path(folder)))
                except Exception as error:  # noqa: BLE001 - a cell that fails stops no other
                    failures += 1
                    first = (str(error).splitlines() or [""])[0]
                    sys.stdout.write(f"FAILED {source}, {fault}: {type(error).__name__}: {first}\n")
        lines = lines_of(SOURCES[source].module)
        sys.stdout.write(f"{source}: {time.monotonic() - started:.1f} s, {lines} lines of code\n")
    sys.stdout.write(f"\n{fault_matrix()}\n")
    if not chosen and not failures:
        PAGE.write_text(made(PAGE.read_text()))
        sys.stdout.write(f"\nwritten into {PAGE.name}\n")
    return failures


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
