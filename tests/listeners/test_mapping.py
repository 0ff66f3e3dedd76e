"""One item that cannot be understood does not cost the others."""

from __future__ import annotations

from typing import Any

import pytest

from listeners.mapping import map_again, map_items
from tests.listeners.fakes import NOW, TARGET, FakeListener, mention


def test_each_kind_of_trouble_with_an_item_is_one_reject_in_one_line() -> None:
    def mapper(item: Any) -> Any:
        if item == "left out":
            return None
        if item == "number":
            return mention("1", lang=7)
        if item == "surrogate":
            return mention("1", "\ud800")
        return mention(item["id"])

    items = [{"id": "1"}, {}, None, "left out", {"id": ""}, "number", "surrogate", {"id": "2"}]
    records, rejects = map_items(
        items, mapper, listener=FakeListener(lambda state: []), target=TARGET, at=NOW
    )
    assert [record.native_id for record in records] == ["1", "2"]
    assert [reject.error for reject in rejects] == [
        "'id' is missing",
        "TypeError: 'NoneType' object is not subscriptable",
        "a mention needs a source and a native_id",
        "Expected `str | null`, got `int` - at `$.lang`",
        "'utf-8' codec can't encode character '\\ud800' in position 0: surrogates not allowed",
    ]
    assert rejects[0].raw == {}
    assert rejects[0].listener == "fake/1"


def test_an_item_that_is_mapped_again_is_checked_as_at_first() -> None:
    assert map_again("1", mention).native_id == "1"
    with pytest.raises(ValueError, match="got `int`"):
        map_again("1", lambda item: mention(item, lang=7))
    with pytest.raises(ValueError, match="'id' is missing"):
        map_again({}, lambda item: mention(item["id"]))
    with pytest.raises(ValueError, match="leave it out"):
        map_again("1", lambda item: None)
