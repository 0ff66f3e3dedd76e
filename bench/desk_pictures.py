"""Pictures of the desk for the documentation, of the demonstration.

``python -m bench.desk_pictures`` writes them.

Needs the extras ``desk`` and ``dev``, and Chromium.
"""

from __future__ import annotations

import socket
import struct
import sys
import tempfile
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import uvicorn
from playwright.sync_api import Browser, Page

from desk.accounts import add_user
from desk.app import create_app
from outcry.demo import AS_OF, run_demo
from outcry.front import deployment_of
from outcry.sections import StoreSettings
from outcry.settings import load_settings
from tests.servers.browser import running_browser
from triage import claims, incidents
from triage.store.base import QueueFilter, Store

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
PASSWORD = "only for these pictures"
NOW = AS_OF + timedelta(minutes=4)
LARGEST = 150_000
WIDE = (1100, 720)
_PNG = b"\x89PNG\r\n\x1a\n"
NARROW = (390, 844)


@contextmanager
def served(home: Path) -> Iterator[tuple[str, Store]]:
    """The desk on the demonstration: its address and its store."""
    settings = msgspec.structs.replace(load_settings(home), store=StoreSettings())
    store = settings.open_store()
    app = create_app(deployment_of(settings), lambda: NOW)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=[[listening]])
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", store
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
        store.close()


def prepare(store: Store, home: Path) -> dict[str, str]:
    """People at work: what is to be seen, by name."""
    rules = load_settings(home).rules
    add_user(store, "lindiwe", ("agent", "lead"), PASSWORD, AS_OF)
    add_user(store, "sipho", ("agent",), PASSWORD, AS_OF)
    found = store.queue(QueueFilter(), size=50).tickets
    mine = next(one.ticket.ticket for one in found if one.ticket.incident is None)
    story = next(
        (one.ticket.ticket for one in found if len(one.ticket.threads) > 1), found[0].ticket.ticket
    )
    claims.act(store, story, "claim", "lindiwe", NOW, rules)
    taken = [one.ticket.ticket for one in found if one.ticket.ticket not in (mine, story)]
    for name in taken[1:3]:
        claims.act(store, name, "claim", "sipho", NOW, rules)
    (incident, *_) = [one.incident for one in incidents.incidents(store)]
    incidents.act_on(store, incident, "confirm", "lindiwe", NOW)
    words = "the fibre fault in Doornvlei"
    incidents.act_on(store, incident, "fix", "lindiwe", NOW, words)
    customer = next(one.ticket.customer for one in found if one.ticket.ticket == story)
    return {"case": story, "incident": incident, "customer": customer}


def take(browser: Browser, address: str, seen: dict[str, str], folder: Path) -> Iterator[Path]:
    """A picture of each page; the paths."""
    pages = {
        "queue": "/queue?whose=all&live=off",
        "case": f"/cases/{seen['case']}",
        "incidents": "/incidents",
        "incident": f"/incidents/{seen['incident']}",
        "customers": "/customers",
        "customer": f"/customers/{seen['customer']}",
        "coverage": "/coverage?unit=month&period=2026-11",
        "team": "/team",
        "settings": "/settings",
    }
    yield from _shots(browser, address, pages, folder, WIDE, "", "light")
    both = {name: pages[name] for name in ("queue", "case")}
    yield from _shots(browser, address, both, folder, WIDE, "-dark", "dark")
    yield from _shots(browser, address, both, folder, NARROW, "-narrow", "light")


def _shots(
    browser: Browser,
    address: str,
    pages: dict[str, str],
    folder: Path,
    size: tuple[int, int],
    suffix: str,
    scheme: str,
) -> Iterator[Path]:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    try:
        page = context.new_page()
        page.goto(f"{address}/sign-in")
        if not suffix:
            yield _picture(page, folder / "desk-sign-in.png")
        page.fill("#name", "lindiwe")
        page.fill("#password", PASSWORD)
        page.click("main button")
        page.wait_for_url("**/queue")
        for name, path in pages.items():
            page.goto(address + path)
            if name == "incident" and not suffix:
                page.get_by_role("button", name="Make the list").click()
                page.get_by_text("The list is up to date.").wait_for()
                page.goto(address + path)
            yield _picture(page, folder / f"desk-{name}{suffix}.png")
    finally:
        context.close()


def _picture(page: Page, path: Path) -> Path:
    path.write_bytes(packed(page.screenshot()))
    size = path.stat().st_size
    print(f"{path.name}  {size // 1000} kB")
    if size > LARGEST:
        raise SystemExit(f"{path.name} has {size} bytes: more than {LARGEST}")
    return path


def packed(png: bytes) -> bytes:
    """The same picture with its pixels compressed as far as that goes."""
    chunks: list[tuple[bytes, bytes]] = []
    at = len(_PNG)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        chunks.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += 12 + length
    pixels = zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT"))
    (head, *_), ending = chunks, (b"IEND", b"")
    body = (head, (b"IDAT", zlib.compress(pixels, 9)), ending)
    return _PNG + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in body
    )


def main(folder: Path = FOLDER) -> int:
    """Write them all."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        home = run_demo(Path(scratch) / "home").home
        with served(home) as (address, store), running_browser() as browser:
            seen = prepare(store, home)
            count = sum(1 for _ in take(browser, address, seen, folder))
    print(f"{count} pictures in {folder.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
