"""A deployment to run: a brand of our own invention, and what its forum's feed says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.servers.web import Answer, Request

WINDOW = "2026-05-04T10:15:00Z"
KEY = "2026-05-04T10:15:00"
"""The partition of that window, as the scheduler writes it."""

COMPLAINTS = {
    "mira": "My Lanternline router has been broken for three days and nobody answers. "
    "This is the worst service I have ever had, I want my money back!",
    "oskar": "You charged me twice this month and your support hung up on me. "
    "Terrible company, I am furious and I will cancel.",
}
_OTHERS = {
    "ines": "Thank you so much, the engineer was friendly and everything works. Great service!",
    "Lanternline": "Sorry for the terrible outage and the failed bills, we are working on it.",
}


def feed(_: Request) -> Answer:
    """Two complaints, praise, and a post of the brand's own."""
    items = "".join(
        f"<item><guid isPermaLink='false'>post-{number}</guid>"
        f"<link>http://forum.example/{number}</link><author>{who}</author>"
        f"<pubDate>Mon, 04 May 2026 10:1{number}:00 GMT</pubDate>"
        f"<description>{text}</description></item>"
        for number, (who, text) in enumerate((COMPLAINTS | _OTHERS).items(), start=5)
    )
    document = (
        "<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel>"
        f"<title>Forum</title><language>en</language>{items}</channel></rss>"
    )
    return Answer(document.encode(), headers={"Content-Type": "application/rss+xml"})


def settle(home: Path, targets: Sequence[str] = (), store: str = "") -> Path:
    """A home with settings: ``targets`` are bodies of ``[[targets]]``, ``store`` of ``[store]``."""
    home.mkdir()
    tables = "".join(f"\n[[targets]]\n{target}" for target in targets)
    listen = '[listen]\nallow_networks = ["127.0.0.0/8"]\n'
    brand = '[brand]\nname = "Lanternline"\n'
    (home / "outcry.toml").write_text(f"{brand}[store]\n{store}\n{listen}{tables}")
    return home


def forum(url: str) -> str:
    """The target that reads the feed at ``url``."""
    return (
        f'source = "rss"\nkey = "forum"\nurl = "{url}/feed"\nkind = "post"\n'
        'owners = ["Lanternline"]\n'
    )
