"""Nothing that an analyst's key can read holds what the vault holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.insight.kibana.filled import Filled
from triage.store.base import Identity
from triage.store.shelf import SHELVES
from triage.vault import Reference

pytestmark = pytest.mark.elasticsearch

ROLE = Path(__file__).parents[3] / "deploy" / "roles" / "outcry_analyst.json"


def vault_values(filled: Filled) -> set[str]:
    """Every name, handle, id and address of an account, and every number that somebody wrote."""
    found: set[str] = set()
    for hit in everything(filled, f"{filled.prefix}-identities"):
        person = msgspec.convert(hit["_source"], Identity)
        for one in (person, *person.accounts):
            found |= {v for v in (one.handle, one.name, one.native_id, one.url) if v}
    for kept in filled.store.shelf("reference"):
        reference = msgspec.json.decode(kept.body, type=Reference)
        found |= {words for _, words in reference.items}
    return found


def everything(filled: Filled, index: str) -> Iterator[dict[str, Any]]:
    filled.cluster.refresh(index, always=True)
    names = filled.cluster.call(lambda client: client.indices.get(index=index))
    for name in names:
        query, order = {"match_all": {}}, [{"_seq_no": "asc"}]
        yield from (dict(hit) for hit in filled.cluster.hits(name, query, order))


def words_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from words_of(part)
    elif isinstance(value, list):
        for part in value:
            yield from words_of(part)


def found_in(values: set[str], texts: list[str]) -> set[str]:
    """Values that stand in any of the texts as whole words, however they are written."""
    lines = "\n".join(texts).casefold()
    return {
        value
        for value in values
        if re.search(rf"(?<!\w){re.escape(value.casefold().removeprefix('@'))}(?!\w)", lines)
    }


def readable(filled: Filled) -> list[str]:
    """The patterns of the shipped role, for this prefix."""
    role = json.loads(ROLE.read_text())
    names = [name for group in role["indices"] for name in group["names"]]
    assert all(name.startswith("outcry-") for name in names)
    return [name.replace("outcry-", f"{filled.prefix}-", 1) for name in names]


def test_no_value_of_the_vault_is_in_an_index_that_analysts_read(demonstrated: Filled) -> None:
    values = vault_values(demonstrated)
    assert len(values) > 50
    hits = [hit for name in readable(demonstrated) for hit in everything(demonstrated, name)]
    kinds = {hit["_index"].removeprefix(f"{demonstrated.prefix}-analysis-") for hit in hits}
    assert {"tickets", "ticket-events", "incidents", "ledger", "outcomes", "vectors"} < kinds
    assert found_in(values, [word for hit in hits for word in words_of(hit["_source"])]) == set()


def test_the_search_would_have_found_them_where_agents_look(demonstrated: Filled) -> None:
    hits = everything(demonstrated, f"{demonstrated.prefix}-mentions-*")
    texts = [word for hit in hits for word in words_of(hit["_source"])]
    assert found_in(vault_values(demonstrated), texts) != set()


def test_what_agents_wrote_by_hand_and_their_names_are_left_out(demonstrated: Filled) -> None:
    hits = [hit for name in readable(demonstrated) for hit in everything(demonstrated, name)]
    texts = [word for hit in hits for word in words_of(hit["_source"])]
    assert found_in({"agent-a", "agent-b", "agent-c", "called them"}, texts) == set()


def test_the_role_reads_no_index_that_holds_the_vault(demonstrated: Filled) -> None:
    patterns = [re.compile(name.replace("*", ".*")) for name in readable(demonstrated)]
    held = {f"{demonstrated.prefix}-{index}" for index in (*SHELVES.values(), "identities")}
    assert not [name for name in held if any(one.fullmatch(name) for one in patterns)]
