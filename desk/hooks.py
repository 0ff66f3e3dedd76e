"""Webhooks out: what people do with cases at the desk, signed, retried, and sent again on demand.

The delivery is put into the store before the change is made, and names the change by its time
and author. When it is sent, the history says whether the change was made and what it was: so
nothing that was done goes untold, whenever the desk dies, and nothing is told that was not done.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
import msgspec

from desk.deployment import DeskSettings, HookSettings
from desk.live import Desk
from triage.deliveries import Delivery, SendLater, SendRefused, Worked, enqueue, work
from triage.signing import SIGNATURE, TIMESTAMP, signature
from triage.store.base import Store

TIMEOUT_S = 10
SETTLED = timedelta(seconds=30)
"""A change that is not in the history after so long was never made."""
BUSY = (408, 425, 429)
NOTHING = "nothing to tell"


def system_of(name: str) -> str:
    """What the queue of a hook is called."""
    return f"hook {name}"


def announce(desk: Desk, store: Store, ticket: str, by: str, now: datetime) -> None:
    """Promise each hook to tell what ``by`` does with a ticket at ``now``."""
    hooks = desk.deployment.settings.hooks
    if not hooks:
        return
    enqueue(
        store,
        [
            Delivery(
                key=f"hook/{name}/{ticket}/{now.isoformat()}/{by}",
                system=system_of(name),
                about=ticket,
                payload={"ticket": ticket, "by": by, "at": now.isoformat()},
                made_at=now,
                next_at=now,
            )
            for name in sorted(hooks)
        ],
    )


def send_all(
    settings: DeskSettings, store: Store, now: datetime, client: httpx.Client | None = None
) -> dict[str, Worked]:
    """Send what is due to each hook; what was done, by hook."""
    done = {}
    with client or httpx.Client(timeout=TIMEOUT_S, follow_redirects=False) as web:
        for name, hook in sorted(settings.hooks.items()):
            sender = _sender(store, hook, settings.hook_secret or "", now, web)
            done[name] = work(store, system_of(name), sender, now)
    return done


def _sender(
    store: Store, hook: HookSettings, secret: str, now: datetime, web: httpx.Client
) -> Callable[[Delivery], str]:
    def send(one: Delivery) -> str:
        body = _body(store, hook, one, now)
        if body is None:
            return NOTHING
        return _post(hook.url, secret, one, body, web)

    return send


def _body(store: Store, hook: HookSettings, one: Delivery, now: datetime) -> bytes | None:
    """What is sent; None if the change was never made, or the hook does not want it.

    Raises:
        SendLater: if it may still be being made.
    """
    at = datetime.fromisoformat(one.payload["at"])
    made = [
        event
        for event in store.events(one.about)
        if event.at == at and event.by == one.payload["by"]
    ]
    if not made and now - at < SETTLED:
        raise SendLater("the change is being made", SETTLED)
    wanted = [event for event in made if not hook.events or event.kind in hook.events]
    if not wanted:
        return None
    entry = store.tickets([one.about]).get(one.about)
    ticket = entry.ticket if entry is not None else None
    return msgspec.json.encode(
        {
            "id": one.key,
            "ticket": one.about,
            "status": ticket.status if ticket else None,
            "priority": ticket.priority if ticket else None,
            "tier": ticket.tier if ticket else None,
            "department": ticket.department if ticket else None,
            "events": wanted,
        }
    )


def _post(url: str, secret: str, one: Delivery, body: bytes, web: httpx.Client) -> str:
    # The receiver compares the time with its own clock, so that it is the real one.
    stamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": one.key.encode("ascii", "backslashreplace").decode(),
        TIMESTAMP: stamp,
        SIGNATURE: signature(secret, stamp, body),
    }
    try:
        answer = web.post(url, content=body, headers=headers)
    except httpx.InvalidURL:
        raise SendRefused("the hook's url is no address: correct it in the settings") from None
    except httpx.HTTPError as error:
        raise SendLater(f"the hook does not answer ({type(error).__name__})") from None
    if answer.status_code in BUSY or answer.status_code >= 500:
        raise SendLater(f"the hook is busy ({answer.status_code})")
    if answer.status_code >= 300:
        raise SendRefused(f"the hook refuses ({answer.status_code}): correct it, then send again")
    return str(answer.status_code)
