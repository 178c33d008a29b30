"""Keys are replaced: the secret key, and the one that papers are signed with.

A secret key is replaced in its file first, which takes effect at once in every process, and then in the record; what a
killed command left to do there, the same command or upkeep does. The signing key is told to the record first.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.files import place
from adapters.papers.signing import Certified, certificates_in, key_in, signer_of
from adapters.workspace import Workspace
from labels.answering.replacing_codes import Ending, end_codes, end_late_codes, what_would_end
from labels.clock import in_words
from labels.errors import Fault, InvalidInput, NotAllowed, NotFound
from labels.keyring import FORMER, KEY, FormerKey, Keyring, former_keys, key_mark, written
from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import Issued, KeyGeneration, KeyKind, Step, StepState
from labels.record.turns import Alone, wait_until_alone
from labels.settings import SIGNING_FORMER
from labels.turn import Turn

SHORTEST = timedelta(days=60)
"""For so long at least what was made with a replaced key counts: links in a decision's mail last no longer."""


_LATE = timedelta(hours=1)
"""For so long after a key was replaced it is looked for codes that a transaction made with the former one."""


@dataclass(frozen=True, slots=True)
class Generation:
    """A key that is in force or was, as `labels keys list` tells."""

    kind: KeyKind
    mark: str
    begun_at: datetime | None
    """None where the record has not seen it."""
    ended_at: datetime | None
    until: datetime | None
    """When what was made with a former secret key counts no more."""
    leaked_from: datetime | None
    here: bool
    """Whether the key, or the certificate of a signing key, is in a file of this machine."""


def generations(here: Workspace) -> list[Generation]:
    """Every key that the record or a file knows, those in force first.

    Raises:
        InvalidInput: a file of keys can't be read.
    """
    ring = here.keyring
    former = {key_mark(one.key): one for one in ring.former}
    signer = signer_of(here.settings)
    certificates = {one.fingerprint for one in certificates_in(_former_file(here))}
    there = {key_mark(ring.key): KeyKind.SECRET} | dict.fromkeys(former, KeyKind.SECRET)
    there |= dict.fromkeys(certificates, KeyKind.SIGNING)
    there |= {signer.fingerprint: KeyKind.SIGNING} if signer else {}
    with here.record.reading() as session:
        noted = {one.mark: one for one in session.scalars(sa.select(KeyGeneration))}
    found = []
    for mark in {**noted, **there}:
        row, old = noted.get(mark), former.get(mark)
        found.append(
            Generation(
                kind=row.kind if row else there[mark],
                mark=mark,
                begun_at=row.begun_at if row else None,
                ended_at=row.ended_at if row else None,
                until=old.until if old else None,
                leaked_from=row.leaked_from if row else None,
                here=mark in there,
            )
        )
    distant = datetime.max.replace(tzinfo=UTC)
    return sorted(found, key=lambda one: (one.kind, one.ended_at or distant), reverse=True)


# The secret key -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SecretPlan:
    """What replacing the secret key would do."""

    former: str
    """The mark of the one in force."""
    leaked: bool
    until: datetime
    """When links, forms and unsent codes of the former one end."""
    ends: Ending | None
    """What ends at once; None where nothing does."""


def plan_secret(here: Workspace, *, leaked: bool, until: datetime | None = None) -> SecretPlan:
    """What replacing the secret key would do; changes nothing.

    Args:
        leaked: others may have it: everything that was made with it, or with one before it, ends at once.
        until: how long it counts otherwise; by default until the last deadline that is open, 60 days at least.

    Raises:
        NotAllowed: the key is no file of this home.
        InvalidInput: `until` is past.
    """
    now = here.now()
    if here.settings.secret:
        raise NotAllowed(
            f"The secret key is LABELS_SECRET in the environment, which no command can change. Put it into "
            f"{here.settings.home / KEY} of each machine, unset LABELS_SECRET, and start again; then it can be replaced."
        )
    if until is not None and until <= now:
        raise InvalidInput("keys", [Fault("--until", "is past.", "Name a later day, or --leaked.")])
    with here.record.reading() as session:
        last = session.scalar(
            sa.select(sa.func.max(Step.due_at)).where(Step.state.in_([StepState.OPEN, StepState.ASKED]))
        )
        ends = what_would_end(session) if leaked else None
    default = max(now + SHORTEST, last or now)
    return SecretPlan(key_mark(here.key), leaked, now if leaked else until or default, ends)


def rotate_secret(here: Workspace, plan: SecretPlan) -> Ending | None:
    """Replaces the secret key as it was planned; what ended with it, if anything did.

    Killed at any moment, the former key or the new one is in force, and the same command or upkeep does the rest.

    Raises:
        NotAllowed: another command replaced it meanwhile.
        OSError: the home can't be written; the former key stays.
    """
    home = here.settings.home
    with _alone(home):
        key = here.key
        if key_mark(key) != plan.former:
            raise NotAllowed("The secret key was replaced meanwhile. Nothing was done: look at it again.")
        take_up(here, adopt=True)
        now = here.now()
        before = [one for one in former_keys(home / FORMER) if one.key != key]
        if plan.leaked:
            before = [_ended(one, now) for one in before]
        place(home / FORMER, written([*before, FormerKey(key, now, plan.until, plan.leaked)]))
        place(home / KEY, secrets.token_urlsafe(32).encode())
    return take_up(here).ended


def _ended(one: FormerKey, now: datetime) -> FormerKey:
    return FormerKey(one.key, one.replaced_at, min(one.until, now), one.leaked)


@dataclass(frozen=True, slots=True)
class TakenUp:
    """What the record came to know of the key in force."""

    ended: Ending | None = None
    stranger: str = ""
    """What is wrong where the record has another key than this home."""


def take_up(here: Workspace, *, adopt: bool = False) -> TakenUp:
    """Tells the record which secret key is in force, and ends what a leaked one has to end; safe at any time.

    Args:
        adopt: also where the record had a key that is not known here.
    """
    with here.record.writing() as session:
        wait_until_alone(session, Alone.TELLING_KEYS)
        ring = here.keyring
        turn = here.turn(session)
        mark = key_mark(ring.key)
        newest = _newest(session, KeyKind.SECRET)
        if newest is not None and newest.mark == mark:
            leaked_keys = [one.key for one in ring.former if one.leaked]
            if leaked_keys and turn.now - newest.begun_at < _LATE:
                end_late_codes(turn, leaked_keys)
            return TakenUp()
        since = _replaced_since(ring, newest)
        if since is None and not adopt:
            return TakenUp(stranger=_STRANGER)
        if newest is not None:
            newest.ended_at = turn.now
        _begin(session, KeyKind.SECRET, mark, turn.now)
        leaked = [one for one in since or () if one.leaked]
        for one in leaked:
            session.merge(_leaked(session, KeyKind.SECRET, key_mark(one.key), one.replaced_at, turn.now))
        ended = end_codes(turn) if leaked else None
        if newest is not None or ring.former:
            _note(turn, KeyKind.SECRET, mark, leaked=bool(leaked))
        return TakenUp(ended)


_STRANGER = (
    "The secret key here is another than the record's: codes that are mailed from here are not known elsewhere, and "
    "pupils' certificates can't be checked. Put the right secret.key back; where it is lost for ever: labels up "
    "--with-another-key, then labels keys rotate secret --do"
)


def _replaced_since(ring: Keyring, newest: KeyGeneration | None) -> Sequence[FormerKey] | None:
    """The keys that were replaced since the record's newest was in force, that one among them; None where it is not
    known here."""
    if newest is None:
        return ring.former
    marks = [key_mark(one.key) for one in ring.former]
    return ring.former[marks.index(newest.mark) :] if newest.mark in marks else None


def end_secret(here: Workspace, mark: str) -> None:
    """Ends what was made with a former secret key now, before its time.

    Raises:
        NotFound: no such former key is here.
    """
    file = here.settings.home / FORMER
    with _alone(here.settings.home):
        now, former = here.now(), former_keys(file)
        if mark not in [key_mark(one.key) for one in former]:
            raise NotFound(f"There is no former secret key {mark} here: labels keys list")
        place(file, written([_ended(one, now) if key_mark(one.key) == mark else one for one in former]))
        with here.record.writing() as session:
            _note(here.turn(session), KeyKind.SECRET, mark, event=Event.ENDED_A_KEY)


# The signing key ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SigningPlan:
    """What replacing the key that papers are signed with would do."""

    former: str
    """The fingerprint of the certificate in force."""
    new: Certified
    leaked_from: datetime | None
    doubtful: tuple[str, ...]
    """The papers that were signed with it since it leaked."""


def plan_signing(here: Workspace, file: Path, leaked_from: datetime | None = None) -> SigningPlan:
    """What replacing the signing key by that of a file would do; changes nothing.

    Raises:
        NotAllowed: no signing key is configured, or it is the same one.
        InvalidInput: the file holds no usable key with a certificate that is valid now, or `leaked_from` is to come.
    """
    if leaked_from is not None and leaked_from > here.now():
        raise InvalidInput("keys", [Fault("--since", "is still to come.", "Name today, or a day before.")])
    new = key_in(file, here.settings, here.now())
    signer = signer_of(here.settings)
    if signer is None:
        raise NotAllowed("No key is in force: name one with LABELS_SIGNING_KEY. There is nothing to replace.")
    if new.fingerprint == signer.fingerprint:
        raise NotAllowed(f"{file} is the key that is in force already.")
    doubtful: Sequence[str] = ()
    if leaked_from:
        with here.record.reading() as session:
            doubtful = session.scalars(
                sa.select(Issued.paper)
                .where(Issued.signer == signer.fingerprint, Issued.issued_at >= leaked_from)
                .order_by(Issued.paper)
            ).all()
    return SigningPlan(signer.fingerprint, new, leaked_from, tuple(doubtful))


def rotate_signing(here: Workspace, plan: SigningPlan) -> None:
    """Replaces the signing key as it was planned. The former certificate stays published, unless it leaked.

    Raises:
        NotAllowed: it was replaced meanwhile.
        OSError: a file can't be written; the former key stays in force.
    """
    with _alone(here.settings.home):
        signer = signer_of(here.settings)
        if signer is None or signer.fingerprint != plan.former:
            raise NotAllowed("The signing key was replaced meanwhile. Nothing was done: look at it again.")
        assert here.settings.signing_key is not None
        with here.record.writing() as session:
            turn = here.turn(session)
            if plan.leaked_from:
                session.merge(_leaked(session, KeyKind.SIGNING, plan.former, plan.leaked_from, turn.now))
            else:
                _begin(session, KeyKind.SIGNING, plan.former, turn.now)
        if plan.leaked_from is None:
            _publish(here, signer.certificate_in_pem, plan.former)
        place(here.settings.signing_key, plan.new.content)
        with here.record.writing() as session:
            turn = here.turn(session)
            session.get_one(KeyGeneration, plan.former).ended_at = turn.now
            _begin(session, KeyKind.SIGNING, plan.new.fingerprint, turn.now)
            leaked = plan.leaked_from is not None
            _note(turn, KeyKind.SIGNING, plan.new.fingerprint, leaked=leaked, papers=len(plan.doubtful))


def end_signing(here: Workspace, fingerprint: str) -> None:
    """Publishes the key of a former certificate no more: credentials that were signed with it prove nothing then.

    Raises:
        NotFound: no such certificate is in the file of this home.
    """
    file = here.settings.home / SIGNING_FORMER
    with _alone(here.settings.home):
        kept = certificates_in(file)
        if fingerprint not in [one.fingerprint for one in kept]:
            raise NotFound(f"There is no former certificate {fingerprint} in {file}: labels keys list")
        place(file, b"".join(one.content for one in kept if one.fingerprint != fingerprint))
        with here.record.writing() as session:
            _note(here.turn(session), KeyKind.SIGNING, fingerprint, event=Event.ENDED_A_KEY)


def _publish(here: Workspace, certificate: bytes, fingerprint: str) -> None:
    """Puts a certificate among the former ones, whose keys stay published."""
    file = here.settings.home / SIGNING_FORMER
    kept = [one for one in certificates_in(file) if one.fingerprint != fingerprint]
    place(file, b"".join([certificate, *(one.content for one in kept)]))


def _former_file(here: Workspace) -> Path:
    return here.settings.home / SIGNING_FORMER


# A former key ends --------------------------------------------------------------------------------

SHORTEST_MARK = 8
"""So many letters of a mark at least name a key."""


def plan_end(here: Workspace, mark: str) -> Generation:
    """The former key of this machine that would end, by the beginning of its mark; changes nothing.

    Raises:
        InvalidInput: that is too short, or the beginning of several.
        NotFound: there is none.
    """
    if len(mark) < SHORTEST_MARK:
        problem = f"expected {SHORTEST_MARK} letters at least of a mark that is listed: labels keys list"
        raise InvalidInput("keys", [Fault("MARK", problem)])
    former = {key_mark(one.key) for one in here.keyring.former}
    former |= {one.fingerprint for one in certificates_in(_former_file(here))}
    found = [one for one in generations(here) if one.mark.startswith(mark) and one.mark in former]
    if not found:
        raise NotFound("There is no former key of that mark here: labels keys list")
    if len(found) > 1:
        raise InvalidInput("keys", [Fault("MARK", f"{len(found)} former keys begin so; write more of it.")])
    return found[0]


def end(here: Workspace, plan: Generation) -> None:
    """Ends a former key now.

    Raises:
        NotFound: as `end_secret` and `end_signing`.
    """
    if plan.kind is KeyKind.SECRET:
        end_secret(here, plan.mark)
    else:
        end_signing(here, plan.mark)


# In the record ------------------------------------------------------------------------------------


def _newest(session: Session, kind: KeyKind) -> KeyGeneration | None:
    return session.scalars(
        sa.select(KeyGeneration)
        .where(KeyGeneration.kind == kind, KeyGeneration.ended_at.is_(None))
        .order_by(KeyGeneration.begun_at.desc())
        .limit(1)
        .with_for_update()
    ).first()


def _begin(session: Session, kind: KeyKind, mark: str, now: datetime) -> None:
    """A key is in force, for the first time or again."""
    row = session.get(KeyGeneration, mark)
    if row is None:
        row = KeyGeneration(mark=mark, kind=kind, begun_at=now, ended_at=None, leaked_from=None)
        session.add(row)
    row.ended_at = None
    session.flush()


def _leaked(session: Session, kind: KeyKind, mark: str, since: datetime, now: datetime) -> KeyGeneration:
    row = session.get(KeyGeneration, mark) or KeyGeneration(mark=mark, kind=kind, begun_at=now, ended_at=None)
    row.leaked_from = since
    return row


def _note(turn: Turn, kind: KeyKind, mark: str, event: Event = Event.REPLACED_A_KEY, **details: Any) -> None:
    note(turn, None, SYSTEM, event, kind=kind.value, mark=mark, **details)


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One command at a time replaces keys on this machine."""
    descriptor = os.open(home / ".keys.lock", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def told(plan: SecretPlan) -> str:
    """What replacing the secret key would do, in words."""
    if plan.ends is None:
        return (
            f"Codes that were mailed stay valid. Links and forms that were made with the key in force, {plan.former}, end "
            f"on {in_words(plan.until)}."
        )
    return (
        f"Everything that was made with the key in force, {plan.former}, or with one before it ends at once: all links, "
        f"{plan.ends.codes} codes of open steps, {plan.ends.others} other codes and {plan.ends.sessions} sessions. "
        f"{plan.ends.people} people get one mail each. Certificates stay as they are."
    )
