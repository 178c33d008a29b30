"""Rehearsals that are asked for at the desk: each in a process of its own, in a folder below the home, kept for some days.

A folder of an organisation's has one for each rehearsal: `wishes.json`, what it said so far, and `played`, which
`rehearse` makes. A lock that only the process holds tells whether it is under way, however it ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from adapters.files import place
from adapters.supervision import handed_on, supervised
from adapters.workspace import Workspace
from labels.errors import NotAllowed, NotFound
from labels.settings import PROJECT, Settings
from labels.views.rehearsal import Rehearsal
from labels.words.sentences import say
from usecases.rehearsing.rehearsal import REPORT, Wishes

KEPT = timedelta(days=30)
"""After that a rehearsal is removed."""
MOST_AT_ONCE = 2
"""Processes of rehearsals, of all organisations together: others have work to do, too."""
MOST_OF_ONE = 20
"""Rehearsals of one organisation that are kept; the oldest goes first."""
LOOKED_AGAIN, LOOKED_AGAIN_AFTER = 4, 0.05
"""How often, and after how many seconds, a lock is tried again that a page may be looking at."""
PLAYED, WISHES, SAID, LOCK = "played", "wishes.json", "said.txt", "lock"
BEGINNING = ".beginning"
"""The lock of whoever begins one, beside the organisations' folders."""
_NAME = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}", re.ASCII)
_ORGANISATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Kept:
    """A rehearsal, as its folder tells."""

    folder: Path
    by: str
    """The name of whoever asked for it."""
    made_at: datetime
    wishes: Wishes
    under_way: bool
    said: str
    """The last line of what it said."""
    report: Rehearsal | None

    @property
    def name(self) -> str:
        """By which it is named in an address."""
        return self.folder.name

    @property
    def forgotten_on(self) -> datetime:
        """When it is removed."""
        return self.made_at + KEPT

    def files(self) -> list[str]:
        """What there is to look at: `1-as-it-is/mail/20260316-….eml`."""
        played = self.folder / PLAYED
        found = (path for folder in ("mail", "papers", "") for path in played.glob(f"*/{folder}/*"))
        names = (path.relative_to(played) for path in found if path.is_file())
        return sorted(str(name) for name in names if name.suffix in (".eml", ".pdf", ".csv"))

    def read(self, name: str) -> bytes:
        """One of these files.

        Raises:
            NotFound: there is none of that name.
        """
        if name not in self.files():
            raise NotFound("There is nothing here.")
        return (self.folder / PLAYED / name).read_bytes()


def _home(settings: Settings) -> Path:
    return settings.home / "rehearsals"


def _of(here: Workspace, organisation: str) -> Path:
    if not _ORGANISATION.fullmatch(organisation):
        raise NotFound("There is nothing here.")
    return _home(here.settings) / organisation


def kept(here: Workspace, organisation: str) -> list[Kept]:
    """An organisation's rehearsals, the newest first; what is too old is removed."""
    found = [one for one in map(_read, _folders(_of(here, organisation))) if one is not None]
    found.sort(key=lambda one: one.name, reverse=True)
    now, staying = here.now(), []
    for number, one in enumerate(found):
        if not one.under_way and (one.forgotten_on < now or number >= MOST_OF_ONE):
            shutil.rmtree(one.folder, ignore_errors=True)
        else:
            staying.append(one)
    return staying


def one_of(here: Workspace, organisation: str, name: str) -> Kept:
    """One rehearsal of an organisation.

    Raises:
        NotFound: there is none of that name.
    """
    folder = _of(here, organisation) / name
    found = _read(folder) if _NAME.fullmatch(name) and folder.is_dir() else None
    if found is None:
        raise NotFound("There is nothing here.")
    return found


def remove(here: Workspace, organisation: str, name: str) -> None:
    """Removes a rehearsal.

    Raises:
        NotFound: there is none of that name.
        NotAllowed: it is under way.
    """
    found = one_of(here, organisation, name)
    if found.under_way:
        raise NotAllowed(say("It is under way. It can be removed once it has ended."))
    shutil.rmtree(found.folder, ignore_errors=True)


def start(here: Workspace, organisation: str, wishes: Wishes, by: str) -> str:
    """Has a rehearsal played by a process of its own; by which name it is found.

    Raises:
        NotAllowed: one of this organisation's is under way, or as many as may be of others.
    """
    folders = _of(here, organisation)
    folders.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _one_at_a_time(_home(here.settings) / BEGINNING), _lock(folders / LOCK) as lock:
        if lock is None:
            raise NotAllowed(
                say("A rehearsal of your organisation is under way. Look at it, or wait until it has ended.")
            )
        if sum(_held(one / LOCK) for one in _home(here.settings).iterdir() if one != folders) >= MOST_AT_ONCE:
            raise NotAllowed(
                say("Other organisations’ rehearsals are under way. Please try again in half an hour.")
            )
        kept(here, organisation)
        folder = folders / f"{here.now():%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        folder.mkdir(mode=0o700)
        asked = {"by": by, "made_at": here.now().isoformat(), "wishes": asdict(wishes)}
        place(folder / WISHES, json.dumps(asked, default=str).encode())
        descriptors, variables = handed_on()
        others = {name: value for name, value in os.environ.items() if not name.upper().startswith("LABELS_")}
        with (folder / SAID).open("wb") as said:
            subprocess.Popen(  # ends with its supervisor, and tells by the lock that it has
                supervised("usecases.rehearsing", str(folder)),
                cwd=PROJECT,
                env=others | here.settings.exported() | variables,
                pass_fds=[lock, *descriptors],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )
    return folder.name


def wished(folder: Path) -> tuple[str, datetime, Wishes]:
    """Who asked for the rehearsal of a folder, when, and for what.

    Raises:
        OSError: there is no such file.
        ValueError: it is not what `start` writes.
    """
    asked = json.loads((folder / WISHES).read_text("utf-8"))
    given = asked["wishes"]
    wishes = Wishes(
        **given
        | {
            "reviewers": tuple(given["reviewers"]),
            "last_days": tuple(map(date.fromisoformat, given["last_days"])),
            "rules": None,
        }
    )
    return asked["by"], datetime.fromisoformat(asked["made_at"]), wishes


def _folders(folder: Path) -> list[Path]:
    return [one for one in folder.iterdir() if _NAME.fullmatch(one.name)] if folder.is_dir() else []


def _read(folder: Path) -> Kept | None:
    try:
        by, made_at, wishes = wished(folder)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    report = None
    with contextlib.suppress(OSError, ValueError):
        report = Rehearsal.model_validate_json((folder / PLAYED / REPORT).read_text("utf-8"))
    newest = max(_folders(folder.parent), key=lambda one: one.name)
    under_way = report is None and folder == newest and _held(folder.parent / LOCK)
    lines = (folder / SAID).read_text("utf-8", "replace").splitlines() if (folder / SAID).is_file() else []
    return Kept(folder, by, made_at, wishes, under_way, lines[-1] if lines else "", report)


@contextlib.contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Waits until nobody else begins: of several that count at once, each would see the others' locks, and all be refused."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[int | None]:
    """The lock for whoever plays: its descriptor, or None where somebody plays; a process that inherits it has it, too."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield descriptor if _patiently_locked(descriptor) else None
    finally:
        os.close(descriptor)


def _patiently_locked(descriptor: int) -> bool:
    """Whether we have the lock now. Pages that look at it (`_held`) share it for a moment, which is waited for."""
    for _ in range(LOOKED_AGAIN):
        if _locked(descriptor, fcntl.LOCK_EX):
            return True
        time.sleep(LOOKED_AGAIN_AFTER)
    return _locked(descriptor, fcntl.LOCK_EX)


def _locked(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _held(path: Path) -> bool:
    """Whether somebody plays. Whoever else looks at the same moment does not count: all of them share the lock."""
    if not path.is_file():
        return False
    descriptor = os.open(path, os.O_RDWR)
    try:
        return not _locked(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)
