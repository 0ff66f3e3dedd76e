"""Pictures of the report for the documentation: ``python -m bench.report_pictures docs/pictures``.

Runs the demonstration, works on some of its cases, and photographs each question's section in a
real browser without a network.
"""

from __future__ import annotations

import argparse
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from insight.figures import figures
from insight.report import page
from insight.scope import WEEK, Scope
from outcry.analysts import frames
from outcry.demo import AS_OF, run_demo
from outcry.settings import load_settings
from tests.servers.browser import running_browser
from triage.claims import act, claim_next
from triage.contacts import Outcome, learn

NOW: Final = AS_OF + timedelta(hours=6)
MOST: Final = 150_000
"""Bytes of a picture."""
TALLEST: Final = 900


def main() -> None:
    """Write a picture for each section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as place:
        home = Path(place) / "home"
        run_demo(home)
        work(home)
        with frames(home) as data:
            scope = Scope("Kestrelline: the week to 20 November 2026", NOW - WEEK, NOW)
            made = page(figures(data, scope, {"router": ("modem",)}), NOW)
        file = Path(place) / "report.html"
        file.write_text(made, encoding="utf-8")
        photograph(file, folder)


def work(home: Path) -> None:
    """An agent reaches six customers of the demonstration, one every twenty minutes."""
    settings = load_settings(home)
    rules, who = settings.rules, "lindiwe"
    outcomes: list[Outcome | None] = ["resolved"] * 3 + ["not a complaint", None, None]
    store = settings.open_store()
    try:
        for number, outcome in enumerate(outcomes):
            now = AS_OF + timedelta(minutes=20 * number)
            ticket = claim_next(store, who, now, rules)
            if ticket is None:
                raise SystemExit("nobody waits in the demonstration: it has changed")
            later = now + timedelta(minutes=10)
            reached = act(store, ticket.ticket, "contact", who, later, rules)
            if outcome is not None:
                learn(store, reached, outcome, who, later)
                act(store, ticket.ticket, "resolve", who, later, rules, outcome)
    finally:
        store.close()


def photograph(file: Path, folder: Path) -> None:
    """One PNG a section, cut off where it gets too tall for a page of documentation."""
    with running_browser() as browser:
        context = browser.new_context(offline=True, viewport={"width": 980, "height": TALLEST})
        shown = context.new_page()
        shown.goto(file.as_uri())
        for section in shown.locator("main section").all():
            name = section.get_attribute("aria-labelledby")
            box = section.bounding_box()
            assert box is not None
            clip = {**box, "height": min(box["height"], TALLEST)}
            path = folder / f"report-{name}.png"
            shown.screenshot(path=path, clip=clip, full_page=True)  # type: ignore[arg-type]
            size = path.stat().st_size
            print(f"{path}: {size // 1000} kB")
            if size > MOST:
                raise SystemExit(f"{path} has more than {MOST // 1000} kB: make it smaller")
        context.close()


if __name__ == "__main__":
    main()
