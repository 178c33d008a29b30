"""Telling platforms that something happened: webhooks, from the journal, until it was taken."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable
from concurrent.futures import wait
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import sqlalchemy as sa

from adapters.threads import begun
from adapters.webhooks import WITHIN, NotSent, resolved, send
from adapters.workspace import Workspace
from labels.clock import in_words
from labels.errors import Fault, InvalidInput, OutOfReach
from labels.platform import keys, webhooks
from labels.platform.signing import signatures
from labels.platform.webhooks import Added, Claimed, Happened, Waiting
from labels.record.schema import Journal, Organisation, PlatformWebhook
from labels.record.sealing import settled
from labels.turn import Door
from labels.views.changes import changes, how_many

GONE = 410
"""With this a receiver says that nothing is to be told there any more."""
TOGETHER = 500
"""Changes that are entered in one transaction."""
PATIENCE = 1.0
"""Seconds for which transactions that are being written are waited for."""
RECEIVERS_AT_ONCE = 4
SHARE = 20.0
"""Seconds of a round after which nothing more is begun for a receiver: what is left waits for the next round."""


@dataclass(frozen=True, slots=True)
class Called:
    """What became of what was to be told."""

    told: int = 0
    failed: int = 0

    def __str__(self) -> str:
        return f"{self.told} told, {self.failed} failed"


def add(here: Workspace, organisation: str, address: str, *, door: Door = Door.COMMAND_LINE) -> Added:
    """A webhook of an organisation, which is told what happens from now on.

    Raises:
        InvalidInput: the address may not be called, or is not found.
        NotFound, NotAllowed: as `labels.platform.webhooks.add`.
        OutOfReach: transactions are being written for too long.
    """
    private = here.settings.webhooks == "private"
    address = webhooks.checked(address, plain=private)
    parts = urlsplit(address)
    try:
        resolved(parts.hostname or "", parts.port or 443, private=private)
    except NotSent as error:
        raise InvalidInput("webhook", [Fault("address", f"{error}")]) from None
    position = settled(here.record, PATIENCE)
    if position is None:
        raise OutOfReach("The record", "It is being written to.")
    with here.record.writing() as session:
        return webhooks.add(here.turn(session, door), organisation, address, position)


def listed(here: Workspace, organisation: str = "") -> list[tuple[PlatformWebhook, Waiting | None]]:
    """All webhooks, or an organisation's, each with how it is; nothing is known of one that has ended.

    Raises:
        NotFound: there is no such organisation.
    """
    with here.record.reading() as session:
        how = {one.webhook: one for one in webhooks.waiting(session)}
        return [(row, how.get(row.id)) for row in webhooks.listed(session, organisation)]


def rotate(here: Workspace, identifier: str, *, door: Door = Door.COMMAND_LINE) -> Added:
    """Another secret for a webhook.

    Raises:
        NotFound, NotAllowed: as `labels.platform.webhooks.rotate`.
    """
    with here.record.writing() as session:
        return webhooks.rotate(here.turn(session, door), identifier)


def end(here: Workspace, identifier: str, *, door: Door = Door.COMMAND_LINE) -> PlatformWebhook:
    """Ends a webhook.

    Raises:
        NotFound: there is none of that id.
    """
    with here.record.writing() as session:
        return webhooks.end(here.turn(session, door), identifier)


def waiting(here: Workspace, identifier: str) -> Waiting | None:
    """How a webhook is; nothing is known of one that has ended."""
    with here.record.reading() as session:
        return next((one for one in webhooks.waiting(session) if one.webhook == identifier), None)


def replay(here: Workspace, identifier: str, since: datetime | None) -> tuple[PlatformWebhook, int]:
    """Has a webhook told again what happened since an instant, or what was given up; how many changes that are.

    Raises:
        InvalidInput: the instant is still to come.
        NotFound, NotAllowed: as `labels.platform.webhooks.replay`.
    """
    if since is not None and since > here.now():
        raise InvalidInput("webhook", [Fault("since", f"{in_words(since)} is still to come.")])
    with here.record.writing() as session:
        position = last = 0
        if since is not None:
            before = sa.select(sa.func.min(Journal.id)).where(Journal.at >= since)
            first = session.scalar(before)
            last = session.scalar(sa.select(sa.func.max(Journal.id))) or 0
            position = first - 1 if first is not None else last
        done = webhooks.replay(here.turn(session), identifier, since, position)
        if since is None:
            return done.row, done.given_up
        of = session.get_one(Organisation, done.row.organisation)
        whose = None if of.kind == "CSS" else frozenset((of.id,))
        return done.row, how_many(session, whose, done.row.position, last)


def tell(
    here: Workspace,
    *,
    within: float = WITHIN,
    trusted: ssl.SSLContext | None = None,
    seconds: Callable[[], float] = time.monotonic,
) -> Called:
    """Tells everything that is due, unless the settings say that nobody is told; safe at any time, twice at once, and to be killed at any point.

    What was taken and not marked is told again, under the same id. A receiver that fails is not asked again in the
    same round, and one that is slow has no more than its share of it; meanwhile the others are told.

    Raises:
        OutOfReach: the record does not answer.
    """
    if here.settings.webhooks == "off":
        return Called()
    _enter(here)
    with here.record.reading() as session:
        due = webhooks.due(session, here.now())
    entries: dict[str, list[int]] = {}
    for webhook, entry in due:
        entries.setdefault(webhook, []).append(entry)

    def told(webhook: str) -> Called:
        number, until = 0, seconds() + SHARE
        for entry in entries[webhook]:
            if seconds() >= until:
                break
            with here.record.writing() as session:
                claimed = webhooks.claim(here.turn(session), webhook, entry)
            if claimed is None:
                continue
            if not _told(here, claimed, within, trusted):
                return Called(number, 1)
            number += 1
        return Called(number)

    left = iter(entries)

    def some() -> list[Called]:
        return [told(webhook) for webhook in left]

    if len(entries) < 2:
        done = some()
    else:
        # Whoever ends the program waits for no receiver.
        threads = [begun(some, "webhooks") for _ in range(min(RECEIVERS_AT_ONCE, len(entries)))]
        wait(threads)
        done = [one for each in threads for one in each.result()]
    return Called(sum(one.told for one in done), sum(one.failed for one in done))


def forget_told(here: Workspace) -> None:
    """Deletes what was told long ago."""
    with here.record.writing() as session:
        webhooks.forget_told(here.turn(session))


def _enter(here: Workspace) -> None:
    """Enters what has happened since for each webhook."""
    with here.record.reading() as session:
        last = session.scalar(sa.select(sa.func.max(Journal.id))) or 0
        if not webhooks.behind(session, last):
            return
    until = settled(here.record, PATIENCE)
    if until is None:
        return
    while True:
        with here.record.reading() as session:
            behind = webhooks.behind(session, until)
        moved = False
        for webhook, organisation, central, position in behind:
            whose = None if central else frozenset((organisation,))
            with here.record.writing() as session:
                found = changes(session, whose, position, until, TOGETHER)
                end = found[-1].number if len(found) == TOGETHER else until
                events = [
                    Happened(one.number, one.at, one.what, one.application, one.organisation, one.label)
                    for one in found
                ]
                moved |= webhooks.enter(here.turn(session), webhook, position, end, events)
        if not moved:
            return


def _told(here: Workspace, claimed: Claimed, within: float, trusted: ssl.SSLContext | None) -> bool:
    body, headers = message_of(here, claimed)
    try:
        status = send(
            claimed.address,
            body,
            headers,
            private=here.settings.webhooks == "private",
            within=within,
            trusted=trusted,
        )
        why = "" if 200 <= status < 300 else f"It answered {status}."
    except NotSent as error:
        status, why = 0, f"{error}"
    with here.record.writing() as session:
        turn = here.turn(session)
        if not why:
            webhooks.mark_told(turn, claimed)
        else:
            webhooks.mark_failed(turn, claimed, why)
            if status == GONE:
                webhooks.end(
                    turn, claimed.webhook, because="It answered 410: nothing is to be told there any more."
                )
    return not why


def message_of(here: Workspace, claimed: Claimed) -> tuple[bytes, dict[str, str]]:
    """What is told, numbers alone, and the head that it goes with."""
    event = claimed.event
    key = keys.sealed(here.keyring.of(event.at), claimed.whose, event.entry)
    told = {
        "type": event.what,
        "timestamp": event.at.isoformat(),
        "data": {
            "key": key,
            "case": event.application,
            "organisation": event.organisation,
            "label": event.label,
        },
    }
    body = json.dumps(told, separators=(",", ":")).encode()
    message, now = f"evt_{key}", int(here.now().timestamp())
    return body, {
        "webhook-id": message,
        "webhook-timestamp": str(now),
        "webhook-signature": signatures(claimed.secrets, message, now, body),
        "user-agent": "eTwinning-labels",
    }
