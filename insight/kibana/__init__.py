"""Kibana's saved objects: read from ``kibana/``, checked, built, imported; and what panels ask.

`load` and `ndjson` are offline, as is `problems`; `answer` asks Elasticsearch what a panel asks.
"""

from __future__ import annotations

from insight.kibana.check import problems
from insight.kibana.errors import KibanaError, KibanaRefused, KibanaUnavailable
from insight.kibana.files import Saved, load, ndjson

__all__ = [
    "KibanaError",
    "KibanaRefused",
    "KibanaUnavailable",
    "Saved",
    "load",
    "ndjson",
    "problems",
]
