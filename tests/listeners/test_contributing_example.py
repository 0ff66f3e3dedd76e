"""The listener that CONTRIBUTING shows works as it stands there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from listeners.contract import Target
from listeners.landing import Landing
from listeners.registry import load
from listeners.run import collect
from tests.listeners.fakes import NOW, budget, rejected, stored
from tests.servers.web import Answer, Request, serving

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"


def townhall(request: Request) -> Answer:
    """Nine topics in pages of two; the fifth has no text."""
    before = int(request.query.get("before") or 10)
    topics = [
        {"id": n, "text": f"Topic {n}", "by": "ann", "at": f"2026-01-02T11:0{n}:00+00:00"}
        for n in range(before - 1, max(0, before - 3), -1)
    ]
    for topic in topics:
        if topic["id"] == 5:
            del topic["text"]
    last = topics[-1]["id"] if topics else None
    return Answer(json.dumps({"topics": topics, "next": None if last == 1 else last}).encode())


def test_the_example_collects_every_topic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (code,) = [block for block in blocks if "class Townhall" in block]
    body = code[code.index("class Townhall") :]
    assert len([line for line in body.splitlines() if line.strip()]) <= 31
    (tmp_path / "townhall_of_the_docs.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    listener = load("townhall_of_the_docs", "Townhall")
    landing = Landing(tmp_path / "landing")
    with serving(townhall) as url:
        target = Target(source="townhall", key="town", params={"url": url})
        cut = collect(listener, target, landing, "w1", budget(2, now=NOW))
        row = collect(listener, target, landing, "w1", budget(now=NOW))
    assert (cut.outcome, row.outcome, row.new, row.rejected) == ("partial", "ok", 8, 1)
    assert {record.native_id for record in stored(landing)} == set("12346789")
    assert [reject.error for reject in rejected(landing)] == ["'text' is missing"]
