"""The same comparison on posts that real people wrote, brought in by the import."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.insight.kibana import truth
from tests.insight.kibana.filled import WHOLE, demonstration, filled
from tests.insight.kibana.test_numbers import differences
from tests.insight.kibana.test_privacy import everything, found_in, readable, vault_values, words_of
from tests.servers.elasticsearch import Node

pytestmark = [pytest.mark.elasticsearch, pytest.mark.slow]

ROWS = 400


def threads(folder: Path) -> list[dict[str, Any]]:
    """The first support threads, as canonical mentions of customers and brands."""
    with (folder / "support_threads.csv").open(newline="", encoding="utf-8") as file:
        names = csv.DictReader(file)
        found = []
        for row, _ in zip(names, range(ROWS), strict=False):
            found.append(
                {
                    "source": "x",
                    "native_id": row["tweet_id"],
                    "text": row["text"],
                    "author": {"id": row["author_id"], "handle": row["author_id"]},
                    "created_at": _time(row["created_at"]),
                    "parent_id": row["in_response_to_tweet_id"].partition(".")[0] or None,
                }
            )
    return found


def _time(words: str) -> str:
    return datetime.strptime(words, "%a %b %d %H:%M:%S %z %Y").isoformat()


def test_every_panel_and_the_vault_on_real_rows(
    elasticsearch: Node, labelled_data: Path, tmp_path: Path
) -> None:
    settings, rows = demonstration(tmp_path)
    said = threads(labelled_data)
    names = {row["author"]["handle"] for row in said}
    # Customers have numbers in these data; names are the brands' own accounts.
    ours = tuple(sorted(f"x:{name}" for name in names if not name.isdecimal()))
    rules = msgspec.structs.replace(
        settings.rules, own_accounts=(*settings.rules.own_accounts, *ours)
    )
    settings = msgspec.structs.replace(settings, rules=rules)
    with filled(elasticsearch, settings, [*rows, *said]) as found:
        assert len(truth.frames(settings, found.store)["mentions"]) >= ROWS / 2
        assert differences(found, WHOLE, whole=False) == []
        values = vault_values(found)
        hits = [hit for name in readable(found) for hit in everything(found, name)]
        assert (
            found_in(values, [word for hit in hits for word in words_of(hit["_source"])]) == set()
        )
