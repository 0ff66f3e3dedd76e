"""The fields that analysts read, as a page: ``python -m insight.fields`` writes docs/fields.md."""

from __future__ import annotations

import inspect
from pathlib import Path

from triage.facts import FACTS, fields

PAGE = Path(__file__).parents[1] / "docs" / "fields.md"
HEAD = """\
# Fields

What analysts read, index by index. Generated from `triage/facts.py` by `python -m insight.fields`;
change the records, not this page. Times are UTC. A field that is absent is not known: absent is
not zero. Customers are pseudonyms; names, handles, addresses, numbers, notes and agents' names are
in none of these indices, and who a pseudonym is stands where analysts cannot read. Counts and
averages need no runtime field: what ends in `_share` is 1 or 0, so that its average is a share.
"""
TYPES = {
    "keyword": "word",
    "text": "text",
    "long": "whole number",
    "double": "number",
    "boolean": "true or false",
    "date": "time",
    "dense_vector": "number",
}


def page() -> str:
    """The page as Markdown; the same records give the same text."""
    parts = [HEAD]
    for kind, record in FACTS.items():
        index = f"outcry-analysis-{kind}" + ("-YYYY.MM" if kind == "mentions" else "")
        parts.append(
            f"\n## {index}\n\n{inspect.getdoc(record)}\n\n| field | | |\n| --- | --- | --- |\n"
        )
        for field in fields(kind):
            type = TYPES[field.type] + ("s" if field.many else "")
            parts.append(f"| `{field.name}` | {type} | {field.description} |\n")
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
