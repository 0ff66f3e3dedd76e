"""Tickets into a help desk, outcomes back: one small adapter for each system."""

from __future__ import annotations

from outcry.helpdesks.base import Card, Helpdesk, Seen
from outcry.helpdesks.sync import Pulled, pull, push
from outcry.home import SettingsError
from outcry.sections import HelpdeskSettings

__all__ = ["Card", "Helpdesk", "Pulled", "Seen", "adapter", "pull", "push"]


def adapter(settings: HelpdeskSettings) -> Helpdesk:
    """The adapter of the configured help desk.

    Raises:
        SettingsError: if none is configured, or its token is missing.
    """
    from outcry.helpdesks.chatwoot import Chatwoot
    from outcry.helpdesks.zammad import Zammad
    from outcry.helpdesks.zendesk import Zendesk

    if settings.kind is None:
        raise SettingsError('no help desk is set up; add [helpdesk] with kind = "zammad"')
    if not settings.token:
        raise SettingsError("the help desk's token is missing; set OUTCRY_HELPDESK_TOKEN")
    if settings.kind == "zammad":
        return Zammad(settings.url, settings.token, group=settings.inbox or "Users")
    if settings.kind == "chatwoot":
        return Chatwoot(settings.url, settings.token, settings.account, settings.inbox)
    return Zendesk(settings.url, settings.token, user=settings.user)
