"""Documents that nobody claims are deleted: what a command that was killed, or a form that was never sent, left in the store."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.documents.store import NamedFiles, Stored, is_key
from adapters.files import place as put_in_place
from adapters.workspace import Workspace
from labels.clock import BRUSSELS, wall_clock
from labels.errors import NotAllowed, NotFound
from labels.record.documents import unnamed
from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import KeptForm, StoreOwner
from labels.sessions.session import LASTS
from usecases.backup import RECORDS, Place, claimed
from usecases.privacy import NIGHT

GRACE = LASTS + timedelta(days=1)
"""So old a document has to be: a form whose files are stored already can be open for as long as a session lasts."""
_OWNER = "owner.json"
"""The file in the store that says whose it is."""
HOME_WORD = "store.word"
"""The file in the home with the word by which the store knows it. No backup has it."""
_HALF_A_DAY = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Cleared:
    """What clearing a store came to, or would come to."""

    stored: int
    """Documents in the store."""
    claimed: int
    """Those that the record names, stored or not."""
    young: int
    """Documents that nobody claims yet, which are not old enough."""
    deleted: int
    bytes: int


def clear(here: Workspace, *, dry: bool = False, adopt: bool = False, now: datetime | None = None) -> Cleared:
    """Deletes the documents of the store that nobody claims and that are older than `GRACE`.

    Args:
        dry: only count; nothing is deleted, and nothing is noted.
        adopt: the store is this record's from now on, whatever it says itself, and this home may clear it. The first
            time in each home it has to be said; a dry run may look before.
        now: the instant by which a document's age is told; by default the machine's, as the store has it.

    Raises:
        NotAllowed: the store is a place of backups, belongs to another record, or was never cleared from this home.
        OutOfReach: the record or the store does not answer; what was deleted is deleted.
    """
    before = (now or wall_clock()) - GRACE
    place = cast("Place", here.documents)  # both stores are
    if place.names(RECORDS):
        raise NotAllowed(f"{here.documents} is a place of backups. Nothing was deleted.")
    if not adopt:
        _is_ours(here, place, dry=dry)
    with here.record.reading() as session:
        named = {*claimed(session), *_in_forms(session)}
    found, count, young = [], 0, 0
    for one in here.documents.stored():
        count += 1
        if one.key in named:
            continue
        if one.put_at < before:
            found.append(one)
        else:
            young += 1
    if dry:
        return Cleared(count, len(named), young, len(found), sum(one.size for one in found))
    _take_over(here, place)
    gone = [one for one in found if _delete(here, one, before)]
    size = sum(one.size for one in gone)
    _finish(here, len(gone), size)
    return Cleared(count, len(named), young, len(gone), size)


def clear_nightly(here: Workspace) -> Cleared | None:
    """The same at night, once, where the settings have it; None where nothing was due."""
    if here.settings.unclaimed != "nightly" or here.now().astimezone(BRUSSELS).hour != NIGHT:
        return None
    with here.record.reading() as session:
        owner = session.get(StoreOwner, here.settings.documents_uri)
        if owner and owner.cleared_at and here.now() - owner.cleared_at < _HALF_A_DAY:
            return None
    return clear(here)


def _delete(here: Workspace, one: Stored, before: datetime) -> bool:
    """Deletes a document unless somebody claimed it, or put it there again, since the store was listed."""
    with here.record.reading() as session:
        if not unnamed(session, {one.key}):
            return False
    return here.documents.erase_older(one.key, before)


def _in_forms(session: Session) -> Iterator[str]:
    """The documents of forms that are kept for somebody whose session had run out, by key."""
    for fields in session.scalars(sa.select(KeptForm.fields)):
        for value in fields.values():
            for word in value if isinstance(value, list) else [value]:
                yield from _keys_in(word)


def _keys_in(word: Any) -> Iterator[str]:
    """The key in a signed word of a form (`desk.my_application.files_kept`); whose signature it is does not matter here."""
    if not isinstance(word, str) or "." not in word:
        return
    payload = word.partition(".")[0]
    try:
        said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error):
        return
    if isinstance(said, list):
        yield from (one for one in said if isinstance(one, str) and is_key(one))


# Whose store it is --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Said:
    """Whose the store says that it is."""

    word: str = ""
    """That of its record; empty where it says nothing."""
    homes: tuple[str, ...] = ()
    """The words of the homes from which it was said to be that record's."""


def _is_ours(here: Workspace, place: Place, *, dry: bool) -> None:
    """That no other record clears this store.

    A copy of the record that went on by itself says another word by then; one that did not has another home.
    """
    said = _said(place)
    with here.record.reading() as session:
        owner = session.get(StoreOwner, here.settings.documents_uri)
        ours = {owner.word, owner.former} if owner else {""}
    if said.word not in ours:
        raise NotAllowed(
            f"{here.documents} belongs to another record, or this one is a copy of it. Nothing was deleted. Where it is "
            "this record's alone, as after the loss of a machine: labels gc --adopt"
        )
    if not dry and _word_of(here.settings.home) not in said.homes:
        raise NotAllowed(
            f"{here.documents} was never cleared from this home: it may be another installation's. Nothing was deleted. "
            "See what would be with labels gc --dry-run. Where it is this record's alone: labels gc --adopt"
        )


def _said(place: NamedFiles) -> _Said:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / _OWNER
        try:
            place.fetch(_OWNER, path)
            told = json.loads(path.read_text("utf-8"))
            return _Said(str(told["owner"]), tuple(str(one) for one in told.get("homes", ())))
        except NotFound:
            return _Said()
        except (ValueError, KeyError, TypeError, AttributeError):
            return _Said("unreadable")


def _word_of(home: Path) -> str:
    """The word by which this home is known, which no copy of the record has; empty where it has none yet."""
    try:
        return (home / HOME_WORD).read_text("utf-8").strip()
    except FileNotFoundError:
        return ""


def _take_over(here: Workspace, place: Place) -> None:
    """A new word in the record, then in the store: interrupted in between, the store says the former one."""
    said, word = _said(place), secrets.token_hex(16)
    mine = _word_of(here.settings.home)
    if not mine:
        mine = secrets.token_hex(16)
        put_in_place(here.settings.home / HOME_WORD, f"{mine}\n".encode())
    with here.record.writing() as session:
        owner = session.get(StoreOwner, here.settings.documents_uri)
        known = said.homes if owner and said.word in (owner.word, owner.former) else ()
        session.merge(
            StoreOwner(
                store=here.settings.documents_uri,
                word=word,
                former=said.word,
                cleared_at=owner.cleared_at if owner else None,
            )
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / _OWNER
        path.write_text(json.dumps({"owner": word, "homes": sorted({*known, mine})}) + "\n", "utf-8")
        place.keep(_OWNER, path)


def _finish(here: Workspace, deleted: int, size: int) -> None:
    with here.record.writing() as session:
        turn = here.turn(session)
        session.get_one(StoreOwner, here.settings.documents_uri).cleared_at = turn.now
        if deleted:
            note(turn, None, SYSTEM, Event.CLEARED_THE_STORE, documents=deleted, bytes=size)
