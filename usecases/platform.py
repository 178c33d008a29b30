"""What a platform beside us may read, and its tokens: for the HTTP API and the command line."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from adapters.workspace import Workspace
from labels.clock import brussels_day
from labels.errors import NotFound, OutOfReach
from labels.platform import keys, tokens
from labels.platform.tokens import Caller, Made, TokenScope
from labels.record.schema import Application, PlatformToken
from labels.record.sealing import settled
from labels.turn import Door
from labels.views.applications import Applications, Filters, Key, Scope, applications
from labels.views.case import Case, case_for
from labels.views.changes import Told, changes
from labels.views.looker import Audience, Looker

NOBODY_NAMED: frozenset[str] = frozenset()
"""Of no organisation's staff does a platform see the names."""
PATIENCE = 1.0
"""Seconds for which whoever asks for changes waits for transactions that are being written."""


def make_token(
    here: Workspace, organisation: str, scopes: Collection[TokenScope], purpose: str, until: date
) -> Made:
    """A new token of an organisation.

    Raises:
        NotFound, InvalidInput: as `labels.platform.tokens.make`.
    """
    with here.record.writing() as session:
        return tokens.make(here.turn(session, Door.COMMAND_LINE), organisation, scopes, purpose, until)


def tokens_of(here: Workspace, organisation: str = "") -> Sequence[PlatformToken]:
    """All tokens, or an organisation's.

    Raises:
        NotFound: there is no such organisation.
    """
    with here.record.reading() as session:
        return tokens.listed(session, organisation)


def end_token(here: Workspace, number: str) -> PlatformToken:
    """Ends a token at once.

    Raises:
        NotFound, NotAllowed: as `labels.platform.tokens.end`.
    """
    with here.record.writing() as session:
        return tokens.end(here.turn(session, Door.COMMAND_LINE), number)


def caller_with(here: Workspace, token: str) -> Caller | None:
    """Who has a token; None where it is none that counts."""
    with here.record.reading() as session:
        return tokens.caller_with(session, token, here.now())


def is_to_be_noted(here: Workspace, caller: Caller) -> bool:
    """Whether this is the first use of a token today."""
    return caller.used_on != brussels_day(here.now())


def note_used(here: Workspace, caller: Caller) -> None:
    """Keeps that a token was used today; where the record is away, the next request does."""
    with contextlib.suppress(OutOfReach), here.record.writing() as session:
        tokens.note_used(here.turn(session), caller.token)


# What it may read -----------------------------------------------------------------------------------


def cases(here: Workspace, caller: Caller, filters: Filters, after: Key | None, limit: int) -> Applications:
    """A page of an organisation's applications; of the Central Support Service, of all."""
    scope = Scope(caller.organisations, NOBODY_NAMED)
    with here.record.reading() as session:
        return applications(session, scope, here.now(), filters, after=after, limit=limit)


def case(here: Workspace, caller: Caller, number: str) -> Case:
    """Where an application stands, as a coordinator of the organisation sees it.

    Raises:
        NotFound: there is none, or it is another organisation's: nobody learns which.
    """
    with here.record.reading() as session:
        application = session.get(Application, number)
        if application is None or not (caller.central or application.organisation == caller.organisation):
            raise NotFound("There is nothing here.")
        own = application.organisation == caller.organisation
        return case_for(session, number, Looker(Audience.COORDINATOR if own else Audience.CSS))


@dataclass(frozen=True, slots=True)
class Changes:
    """Some changes, each with its key, and where the next ones begin."""

    told: tuple[tuple[str, Told], ...]
    next: str
    more: bool
    """Whether others are there already."""


def changes_after(here: Workspace, caller: Caller, after: str, limit: int) -> Changes:
    """What happened to an organisation's applications after the change with that key; from the beginning where it is empty.

    Raises:
        NotFound: it is no key that was given to this organisation.
    """
    opened = (keys.opened(key, caller.organisation, after) for key in here.keyring.every)
    number = next((one for one in opened if one is not None), None) if after else 0
    if number is None:
        raise NotFound("There is no such key.")
    until = settled(here.record, PATIENCE) or number
    with here.record.reading() as session:
        found = changes(session, caller.organisations, number, until, limit + 1)
    more = len(found) > limit
    found = found[:limit]
    # Where nothing of theirs is left, the next request need not look again at what was others'.
    end = found[-1].number if more else max(number, until)

    ring = here.keyring
    told = tuple((keys.sealed(ring.of(one.at), caller.organisation, one.number), one) for one in found)
    return Changes(told, keys.sealed(ring.key, caller.organisation, end), more)


def newest(here: Workspace, caller: Caller) -> str:
    """The key after which only what is still to happen comes.

    Raises:
        OutOfReach: transactions are being written for too long.
    """
    until = settled(here.record, PATIENCE)
    if until is None:
        raise OutOfReach("The record", "It is being written to.")
    return keys.sealed(here.key, caller.organisation, until)
