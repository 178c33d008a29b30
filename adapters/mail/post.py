"""Sends what waits in the outbox, with the transport of the settings."""

from __future__ import annotations

from adapters.mail.delivery import Delivered, deliver_due
from adapters.mail.transports import open_transport
from adapters.workspace import Workspace


def send_due(here: Workspace, application: str | None = None, *, reason: str | None = None) -> Delivered:
    """Sends every message that is due, those of one application, or one alone; what can't go out stays."""
    settings = here.settings
    return deliver_due(
        here.record,
        here.documents,
        open_transport(settings),
        keys=here.good_keys,
        sender=settings.sender,
        site=settings.site_url,
        desk=settings.desk_url,
        clock=here.clock,
        application=application,
        reason=reason,
    )
