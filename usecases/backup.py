"""Keeping copies of everything that can't be made again, and making an installation from one.

A place of backups (a folder, or a bucket) holds the documents under their keys, each once, and below `records/` for
each copy three files: the record, the list of documents that it names, and last a manifest, without which it is no
copy. Keys are kept apart: whoever has a copy alone can answer for nobody.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.documents.opening import open_store
from adapters.documents.store import DamagedDocument, DocumentStore, NamedFiles
from adapters.record_copies import copy_record, holds_anything, put_record_back
from adapters.workspace import Workspace, open_workspace
from labels.errors import Fault, InvalidInput, NotAllowed, NotAsWritten, NotFound
from labels.keyring import FORMER, KEY, key_mark
from labels.mending import UseAnotherKey
from labels.record.documents import named_documents
from labels.record.engine import Record, open_engine, open_record
from labels.record.installation import forget_key
from labels.record.migrating import revision_of, revisions
from labels.record.schema import Application, Journal
from labels.settings import SIGNING_FORMER, Settings
from usecases.erasures import add_to, noted_by, read_register
from usecases.privacy import ErasedAgain, erase_again

RECORDS = "records"
_KEYS = "keys.gz"
_MANIFEST = "manifest.json"
_HEADS = "journal-heads.txt"
_ERASURES = "erasures.txt"
_BEGUN = "begun"
_NAMED = "%Y%m%dT%H%M%SZ"
_LONGEST = timedelta(days=1)
"""So long a copy may be under way; one without a manifest after that was broken off."""


class Place(DocumentStore, NamedFiles, Protocol):
    """Where copies are kept."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of the record, as its manifest tells."""

    name: str
    """The instant at which it was begun: `20261130T131500Z`."""
    made_at: datetime
    database: str
    """`sqlite` or `postgresql`: it can be put back into one of the same kind."""
    revision: str
    """Of the record's schema; a later version of this program brings it up to date."""
    sha256: str
    """Of the packed record."""
    documents: int
    key: str
    """What tells whether a key is the one of that time; the key can't be found out by it."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What making a copy came to."""

    copy: Copy
    added: int
    """Documents that the place did not have."""
    missing: tuple[str, ...]
    """Documents that the record names and the store does not have, or has damaged, by key."""
    removed: tuple[str, ...]
    """Copies that were too old, by name."""
    register: str = ""
    """What is wrong with the register of erasures; the copy is whole all the same."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What an installation has that was made from a copy."""

    copy: Copy
    applications: int
    documents: int
    entries: int
    """Of the journal."""
    missing: tuple[str, ...]
    """Documents that the copy's record names and the place does not have, or has damaged."""
    again: tuple[ErasedAgain, ...] = ()
    """Who was erased after the copy was made."""
    damaged: tuple[str, ...] = ()
    """The first line that can't be read of each register of erasures, here and in the copies of the place: file and number."""


def open_place(where: str, settings: Settings) -> Place:
    """The place of backups that somebody names: a folder, or `s3://bucket/prefix` with the settings' own S3 server.

    Raises:
        InvalidInput: it is neither, or the place of the documents themselves.
    """
    uri = where if "://" in where else Path(where).expanduser().absolute().as_uri()
    if urlsplit(uri).scheme not in ("file", "s3"):
        raise InvalidInput("backup", [Fault(where, "is no folder and no s3://bucket/prefix.")])
    if uri.rstrip("/") == settings.documents_uri.rstrip("/"):
        problem = "is where the documents themselves are."
        raise InvalidInput("backup", [Fault(where, problem, "Keep copies elsewhere.")])
    place: Place = open_store(settings.model_copy(update={"documents": uri}))  # type: ignore[assignment]  # both stores are
    return place


def copies(place: Place) -> list[Copy]:
    """The whole copies of a place, the oldest first.

    Raises:
        OutOfReach: the place does not answer.
    """
    with tempfile.TemporaryDirectory() as folder:
        return [_read_manifest(place, name, Path(folder)) for name in _whole(place)]


def _whole(place: Place) -> list[str]:
    """The names of the whole copies of a place, the oldest first."""
    return sorted(name.split("/")[1] for name in place.names(RECORDS) if name.endswith(f"/{_MANIFEST}"))


def _read_manifest(place: Place, name: str, folder: Path) -> Copy:
    path = folder / _MANIFEST
    place.fetch(f"{RECORDS}/{name}/{_MANIFEST}", path)
    try:
        told = json.loads(path.read_text("utf-8"))
        return Copy(**told | {"made_at": datetime.fromisoformat(told["made_at"])})
    except (TypeError, KeyError, ValueError) as error:
        problem = f"is no manifest of a copy ({error})."
        remedy = f"Take {RECORDS}/{name} out of the place, or name another copy (labels restore PLACE --copy NAME)."
        raise InvalidInput("backup", [Fault(f"{RECORDS}/{name}/{_MANIFEST}", problem, remedy)]) from None


# Keeping ----------------------------------------------------------------------------------------


def back_up(here: Workspace, place: Place, *, keep: timedelta | None = None) -> Backup:
    """Copies the record as it is now and the documents that the place does not have; others go on working.

    The record comes first: what it names lies in the store by then. With `keep`, older copies are removed, and the
    documents that no copy names any more; the one that was just made always stays.

    Raises:
        OutOfReach: the record, the store or the place does not answer; there is no new copy then.
    """
    now = here.now()
    with tempfile.TemporaryDirectory(dir=here.settings.home) as scratch:
        folder = Path(scratch)
        begins = f"{RECORDS}/{now.astimezone(UTC):{_NAMED}}"
        (folder / _BEGUN).touch()
        place.keep(f"{begins}/{_BEGUN}", folder / _BEGUN)
        with here.record.reading() as session:
            before = set(claimed(session))
        copy_record(here.record.engine, folder / "record")
        with here.record.reading() as session:
            after = set(claimed(session))
            revision = revision_of(session.connection()) or ""
        added, lacking = _carry(sorted(before | after), here.documents, place)
        missing = tuple(key for key in lacking if key in after)  # others were taken out meanwhile
        keys = sorted((before | after) - (set(lacking) - after))
        packed = folder / "record.gz"
        with (folder / "record").open("rb") as plain, gzip.open(packed, "wb", compresslevel=5) as file:
            shutil.copyfileobj(plain, file)
        with gzip.open(folder / _KEYS, "wt", encoding="ascii") as listed:
            listed.writelines(f"{key}\n" for key in keys)
        copy = Copy(
            name=begins.removeprefix(f"{RECORDS}/"),
            made_at=now,
            database=here.record.engine.dialect.name,
            revision=revision,
            sha256=_digest(packed),
            documents=len(keys),
            key=key_mark(here.key),
        )
        place.keep(f"{begins}/record.gz", packed)
        place.keep(f"{begins}/{_KEYS}", folder / _KEYS)
        if here.settings.heads_file.exists():
            place.keep(f"{begins}/{_HEADS}", here.settings.heads_file)
        register = _keep_erasures(here, place, begins, folder)
        manifest = folder / _MANIFEST
        manifest.write_text(json.dumps(asdict(copy) | {"made_at": now.isoformat()}, indent=2), "utf-8")
        place.keep(f"{begins}/{_MANIFEST}", manifest)
        removed = _thin_out(place, copy, now - keep, folder) if keep is not None else ()
    return Backup(copy, added, missing, removed, register)


def _keep_erasures(here: Workspace, place: Place, begins: str, folder: Path) -> str:
    """Keeps the register of erasures as it is, with what the record knows; what is wrong with it.

    Where it can't be reached, what the record knows is kept alone.
    """
    file, known = here.settings.erasures_file, noted_by(here)
    try:
        add_to(file, known)
        damage = read_register(file).damage
        wrong = str(damage) if damage else ""
    except InvalidInput as error:
        file, wrong = folder / _ERASURES, str(error.faults[0])
        add_to(file, known)
    if file.exists():
        place.keep(f"{begins}/{_ERASURES}", file)
    return wrong


def copy_keys(settings: Settings, folder: Path) -> list[Path]:
    """Copies the keys of an installation into a folder of their own; returns the files, which only their owner reads.

    A key that comes from the environment alone is in no file, and is left out.

    Raises:
        OSError: the folder can't be written.
    """
    found = [
        settings.home / KEY,
        settings.home / FORMER,
        settings.home / SIGNING_FORMER,
        settings.signing_key,
        settings.signing_chain,
        settings.signing_former,
    ]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept: list[Path] = []
    for path in found:
        if path is not None and path.is_file():
            target = folder / path.name
            while target in kept:  # of the same name, from another folder
                target = target.with_name(f"other-{target.name}")
            target.unlink(missing_ok=True)
            target.touch(mode=0o600)
            target.write_bytes(path.read_bytes())
            kept.append(target)
    return kept


def claimed(session: Session) -> list[str]:
    """The documents that a record names, by key; not those that were erased."""
    named = named_documents()
    return list(session.scalars(sa.select(named.c.key).order_by(named.c.key)))


def _carry(keys: Iterable[str], source: DocumentStore, target: DocumentStore) -> tuple[int, tuple[str, ...]]:
    """Puts the documents that the target lacks there; how many, and which the source could not give."""
    added, missing = 0, []
    for key in keys:
        if target.exists(key):
            continue
        try:
            target.put(source.get(key), "application/octet-stream")
            added += 1
        except (NotFound, DamagedDocument):
            missing.append(key)
    return added, tuple(missing)


def _thin_out(place: Place, newest: Copy, before: datetime, folder: Path) -> tuple[str, ...]:
    """Removes the copies made before an instant, then the documents that were theirs alone."""
    every = copies(place)
    if _clear_unfinished(place, {newest.name, *(one.name for one in every)}, newest.made_at):
        return ()  # another one is under way, and may name what would go
    old = [one for one in every if one.made_at < before and one.name != newest.name]
    if not old:
        return ()
    staying = {key for one in every if one not in old for key in _named_by(place, one, folder)}
    leaving = {key for one in old for key in _named_by(place, one, folder)} - staying
    for one in old:
        # The manifest first: a copy that is half removed is none.
        place.drop(f"{RECORDS}/{one.name}/{_MANIFEST}")
        _drop_all(place, one.name)
    for key in sorted(leaving):
        place.erase(key)
    return tuple(one.name for one in old)


def _clear_unfinished(place: Place, whole: set[str], now: datetime) -> bool:
    """Removes copies that were broken off long ago; whether there is one that may be under way still."""
    under_way = False
    for name in sorted({name.split("/")[1] for name in place.names(RECORDS)} - whole):
        if name > f"{(now - _LONGEST).astimezone(UTC):{_NAMED}}":
            under_way = True
        else:
            _drop_all(place, name)
    return under_way


def _drop_all(place: Place, copy: str) -> None:
    for name in place.names(f"{RECORDS}/{copy}"):
        place.drop(name)


def _named_by(place: Place, copy: Copy, folder: Path) -> list[str]:
    path = folder / f"{copy.name}-{_KEYS}"
    place.fetch(f"{RECORDS}/{copy.name}/{_KEYS}", path)
    with gzip.open(path, "rt", encoding="ascii") as listed:
        return listed.read().split()


# Making an installation from it -----------------------------------------------------------------


def restore(settings: Settings, place: Place, name: str = "", *, another_key: bool = False) -> Restored:
    """Makes the installation of these settings from a copy: the newest, or the one of that name.

    Documents come first and the record last, so that what ends half-way is no installation and may be done again.

    Raises:
        NotFound: the place has no such copy.
        NotAllowed: there is a record already, or the key is another than that of the copy.
        NotAsWritten: the copy is not what was kept.
        InvalidInput: the copy is of another kind of database, or of a later version of this program; or the register
            of erasures that is here can't be read or written.
        OutOfReach: the record, the store or the place does not answer.
    """
    copy = _meant(place, name)
    engine = open_engine(settings.record_url)
    try:
        _fits(settings, engine, copy, another_key=another_key)
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=settings.home) as scratch:
            folder = Path(scratch)
            packed, plain = folder / "record.gz", folder / "record"
            place.fetch(f"{RECORDS}/{copy.name}/record.gz", packed)
            if _digest(packed) != copy.sha256:
                raise NotAsWritten(
                    f"The record of the copy {copy.name} is not what was kept. Take another one."
                )
            with gzip.open(packed, "rb") as file, plain.open("wb") as target:
                shutil.copyfileobj(file, target)
            _, missing = _carry(_named_by(place, copy, folder), place, open_store(settings))
            # First: upkeep does what is not done here.
            damaged = _put_erasures_back(settings.erasures_file, place, folder)
            put_record_back(engine, plain)
            _put_heads_back(settings.heads_file, place, copy)
    finally:
        engine.dispose()
    record = open_record(settings)
    if another_key:
        with record.writing() as session:
            forget_key(session)
    again = tuple(erase_again(open_workspace(settings)))
    return replace(_counted(record, copy, missing), again=again, damaged=damaged)


def _put_heads_back(file: Path, place: Place, copy: Copy) -> None:
    """Heads that are noted here already stay: they may be of later than the copy, and tell so."""
    heads = f"{RECORDS}/{copy.name}/{_HEADS}"
    if file.exists() or heads not in place.names(f"{RECORDS}/{copy.name}"):
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    place.fetch(heads, file)
    file.chmod(0o600)


def _put_erasures_back(file: Path, place: Place, folder: Path) -> tuple[str, ...]:
    """What any copy of the place tells of erasures, also a later one than that which is restored; what of it, and of
    the file that is here, could not be read."""
    damaged = [read_register(file).damage]
    for name in place.names(RECORDS):
        if name.endswith(f"/{_ERASURES}"):
            place.fetch(name, folder / _ERASURES)
            try:
                found = read_register(folder / _ERASURES, name)
            except InvalidInput as error:
                damaged += error.faults
                continue
            add_to(file, found.noted)
            damaged.append(found.damage)
    return tuple(one.where for one in damaged if one)


def _meant(place: Place, name: str) -> Copy:
    """The copy of that name, or the newest; one that is damaged keeps no other from being restored."""
    found = _whole(place)
    if not found:
        raise NotFound(f"There is no copy in {place}.")
    if name and name not in found:
        raise NotFound(f"There is no copy {name} in {place}. There are: {', '.join(found)}.")
    with tempfile.TemporaryDirectory() as folder:
        return _read_manifest(place, name or found[-1], Path(folder))


def _fits(settings: Settings, engine: sa.Engine, copy: Copy, *, another_key: bool) -> None:
    """That a copy can become the installation of these settings."""
    kind = engine.dialect.name
    if kind != copy.database:
        problem = f"is a record on {kind}, and the copy is of one on {copy.database}."
        raise InvalidInput(
            "restore", [Fault("LABELS_DATABASE_URL", problem, "Name a database of that kind.")]
        )
    if copy.revision not in revisions():
        problem = f"was made by a later version of this program (schema {copy.revision})."
        raise InvalidInput(
            "restore", [Fault(copy.name, problem, "Use the version that made it, or a later one.")]
        )
    if holds_anything(engine):
        raise NotAllowed(
            "There is a record here already, and it stays as it is. Restore into an empty home or database; what is "
            "here can be moved aside."
        )
    if not another_key and not settings.has_key:
        raise NotAllowed(
            "The key of the copy is not here, without which the codes in mail and on pupils' certificates are "
            f"void. Put secret.key into {settings.home}, or set LABELS_SECRET. With another one, people ask for new codes.",
            UseAnotherKey(),
        )
    if not another_key and copy.key not in map(key_mark, settings.keyring.every):
        raise NotAllowed(
            "The key here is another than that of the copy: the codes in mail and on pupils' certificates would be "
            "void. Take the key of that time. With another one, people ask for new codes.",
            UseAnotherKey(),
        )


def _counted(record: Record, copy: Copy, missing: Sequence[str]) -> Restored:
    with record.reading() as session:

        def count(table: type[Application] | type[Journal]) -> int:
            return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0

        return Restored(copy, count(Application), len(claimed(session)), count(Journal), tuple(missing))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
