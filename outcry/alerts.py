"""Telling the people on duty, once, by webhook, by e-mail, or both.

Of a new incident, of a source that used to be heard and is silent, of how the day went.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from email.message import EmailMessage
from functools import partial
from typing import Any

import httpx
import msgspec

from listeners.coverage import Alert as Silence
from triage.deliveries import Delivery, SendLater, SendRefused, Worked, enqueue, work
from triage.incident import Incident
from triage.store.base import Store

WEBHOOK, EMAIL = "webhook", "email"
TIMEOUT_S = 15
BUSY = (408, 425, 429)


class AlertSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The operator's ``[alerts]``; addresses that are secrets come from the environment."""

    webhook: str | None = None
    """An https address that takes a POST of JSON, with a line of words as ``text``."""
    email_to: tuple[str, ...] = ()
    email_from: str = ""
    smtp: str = "localhost:25"
    smtp_user: str | None = None
    smtp_password: str | None = None


def alert(
    settings: AlertSettings,
    store: Store,
    found: Iterable[Incident],
    now: datetime,
    *,
    silent: Iterable[Silence] = (),
) -> Worked:
    """Send one alert for each incident that nobody was told of, and what still waits.

    An incident that changes alerts nobody again: its alert is known by the incident's id, and
    that of a source that fell silent by the window since when it is.
    """
    news = [_of_incident(one) for one in found if one.kind == "burst" and one.state == "open"]
    return tell(settings, store, [*news, *map(_of_silence, silent)], now)


class News(msgspec.Struct, frozen=True, kw_only=True):
    """Something to tell."""

    about: str
    """What it is known by: it is told once."""
    subject: str
    payload: dict[str, Any]
    """The ``text``, and what a machine may want to know beside it."""


def tell(settings: AlertSettings, store: Store, news: Iterable[News], now: datetime) -> Worked:
    """Tell what was not told, on every way that the settings name, and send what still waits."""
    told = list(news)
    ways: dict[str, Callable[[Delivery], str]] = {}
    if settings.webhook:
        ways[WEBHOOK] = partial(_post, settings.webhook)
    if settings.email_to:
        ways[EMAIL] = partial(mail, settings)
    done = Worked()
    for way, send in ways.items():
        enqueue(store, [_delivery(one, way, now) for one in told])
        _add(done, work(store, way, send, now))
    return done


def words(incident: Incident) -> str:
    """The incident in one line."""
    return (
        f"{incident.severity} incident {incident.incident}: {incident.title}. "
        f"{incident.customers} customers on {', '.join(incident.sources)} since "
        f"{incident.first_at:%H:%M} UTC, where {incident.expected:.2g} reports were expected; "
        f"{incident.department or 'no department'}"
    )


def _of_incident(incident: Incident) -> News:
    return News(
        about=incident.incident,
        subject=f"{incident.severity} incident: {incident.title}",
        payload={
            "text": words(incident),
            "incident": incident.incident,
            "severity": incident.severity,
            "title": incident.title,
            "customers": incident.customers,
            "department": incident.department,
            "first_at": incident.first_at.isoformat(),
        },
    )


def _of_silence(silence: Silence) -> News:
    target = f"{silence.source}/{silence.target}"
    return News(
        about=f"silence/{target}/{silence.since}",
        subject=f"{target} is silent",
        payload={
            "text": f"{target} is silent since {silence.since}: {silence.words}",
            "source": silence.source,
            "target": silence.target,
            "since": silence.since,
        },
    )


def _delivery(news: News, system: str, now: datetime) -> Delivery:
    return Delivery(
        key=f"alert/{system}/{news.about}",
        system=system,
        about=news.about,
        payload={"subject": news.subject, **news.payload},
        made_at=now,
        next_at=now,
    )


def _add(report: Worked, more: Worked) -> None:
    report.sent += more.sent
    report.waiting += more.waiting
    report.failed += more.failed
    report.errors += more.errors


def _post(address: str, one: Delivery) -> str:
    try:
        answer = httpx.post(
            address, json=one.payload, headers={"Idempotency-Key": one.key}, timeout=TIMEOUT_S
        )
    except httpx.InvalidURL:
        raise SendRefused("OUTCRY_ALERT_WEBHOOK is no address: correct it") from None
    except httpx.HTTPError as error:
        raise SendLater(f"the alert's webhook does not answer ({type(error).__name__})") from None
    if answer.status_code in BUSY or answer.status_code >= 500:
        after = answer.headers.get("retry-after", "")
        wait = timedelta(seconds=min(int(after), 21600)) if after.isdecimal() else None
        raise SendLater(f"the alert's webhook is busy ({answer.status_code})", wait)
    if answer.status_code >= 300:
        raise SendRefused(
            f"the alert's webhook refuses ({answer.status_code}): correct OUTCRY_ALERT_WEBHOOK"
        )
    return str(answer.status_code)


def mail(settings: AlertSettings, one: Delivery) -> str:
    """Send a delivery's ``subject`` and ``text`` to those of the settings; its message id.

    Raises:
        SendLater, SendRefused: if the server does not answer, or refuses.
    """
    letter = EmailMessage()
    letter["Subject"] = f"Outcry: {one.payload['subject']}"
    letter["From"] = settings.email_from or settings.email_to[0]
    letter["To"] = ", ".join(settings.email_to)
    letter["Message-ID"] = f"<{one.key.replace('/', '.')}@outcry>"
    letter.set_content(one.payload["text"])
    host, _, port = settings.smtp.partition(":")
    try:
        with smtplib.SMTP(host, int(port or 25), timeout=TIMEOUT_S) as server:
            if settings.smtp_user:
                server.starttls()
                server.login(settings.smtp_user, settings.smtp_password or "")
            server.send_message(letter)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPAuthenticationError) as error:
        raise SendRefused(f"the mail server refuses the alert ({type(error).__name__})") from None
    except (smtplib.SMTPException, OSError) as error:
        raise SendLater(f"the mail server does not answer ({type(error).__name__})") from None
    return str(letter["Message-ID"])
