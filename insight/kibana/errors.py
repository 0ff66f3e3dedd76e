"""What can go wrong with boards.

KibanaError              the files cannot be used as they are
├── KibanaRefused        Kibana or Elasticsearch says no
└── KibanaUnavailable    it does not answer
"""

from __future__ import annotations


class KibanaError(Exception):
    """A saved object cannot be used; the message names it and says what to mend."""


class KibanaRefused(KibanaError):
    """The server refuses what it was sent, or who sends it."""


class KibanaUnavailable(KibanaError):
    """The server does not answer: try again later."""
