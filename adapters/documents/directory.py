"""The document store of one machine: a folder in which a crash leaves whole documents only."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit
from urllib.request import url2pathname

from adapters.documents.store import Stored, checked_content, checked_key, is_key, key_of
from labels.errors import Fault, InvalidInput, NotFound, OutOfReach
from labels.settings import Settings

READ_ONLY = 0o400
_DRAFT = ".incoming-"
_ASIDE = ".leaving-"
_FORGOTTEN = timedelta(hours=1)
"""So old is only what a killed process left: a draft, or a document that was to be deleted."""


class DirectoryStore:
    """Documents as read-only files in `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The store in the folder that `LABELS_DOCUMENTS` names, or in the one of the embedded default.

        Raises:
            InvalidInput: the URI names no folder of this machine.
        """
        parts = urlsplit(settings.documents_uri)
        path = Path(url2pathname(parts.path))
        if parts.netloc not in ("", "localhost") or not path.is_absolute():
            problem = f"{settings.documents_uri} is not a folder of this machine; expected file:///folder."
            raise InvalidInput("settings", [Fault("LABELS_DOCUMENTS", problem)])
        return cls(path)

    def __str__(self) -> str:
        return f"the document folder {self.root}"

    def put(self, content: bytes, media_type: str) -> str:
        """As promised by `DocumentStore.put`: on disk, whole and named before this returns."""
        key = key_of(content)
        path = self.root / key
        with self._reached():
            self._make_folder(path.parent)
            if not _put_again(path):
                self._write_once(path, content)
            _sync(path.parent)  # also where another writer won, and may not have come so far
        self.get(key)
        return key

    def get(self, key: str) -> bytes:
        """As promised by `DocumentStore.get`."""
        with self._reached():
            try:
                content = (self.root / checked_key(key)).read_bytes()
            except FileNotFoundError:
                raise NotFound(f"There is no document {key} in {self}.") from None
        return checked_content(key, content, str(self))

    def exists(self, key: str) -> bool:
        """As promised by `DocumentStore.exists`."""
        with self._reached():
            return is_key(key) and (self.root / key).is_file()

    def erase(self, key: str) -> bool:
        """As promised by `DocumentStore.erase`: gone from the folder, durably, before this returns."""
        path = self.root / checked_key(key)
        with self._reached():
            there = False
            for one in (path, *path.parent.glob(f"{_ASIDE}{path.name}-*")):
                with suppress(FileNotFoundError):
                    one.unlink()
                    there = True
            if there:
                _sync(path.parent)
        return there

    def erase_older(self, key: str, before: datetime) -> bool:
        """As promised by `DocumentStore.erase_older`: it is out of sight while its age is looked at once more, so that
        whoever puts it again meanwhile writes it anew."""
        path = self.root / checked_key(key)
        aside = path.parent / f"{_ASIDE}{path.name}-{os.getpid()}-{secrets.token_hex(8)}"
        with self._reached():
            try:
                if _put_at(path) >= before:
                    return False
                path.rename(aside)
            except FileNotFoundError:
                return False
            try:
                if _put_at(aside) >= before:
                    with suppress(FileExistsError):
                        os.link(aside, path)
                    return False
            except FileNotFoundError:  # erased meanwhile
                return False
            finally:
                aside.unlink(missing_ok=True)
                _sync(path.parent)
        return True

    def stored(self) -> Iterator[Stored]:
        """As promised by `DocumentStore.stored`. What a killed process left is put in order before."""
        every = f"{key_of(b'').partition('/')[0]}/*/"
        with self._reached():
            for pattern in (f"{_DRAFT}*", f"{_ASIDE}*"):
                for path in self.root.glob(every + pattern):
                    with suppress(FileNotFoundError):
                        _put_in_order(path)
            for path in self.root.glob(f"{every}*"):
                key = path.relative_to(self.root).as_posix()
                if is_key(key):
                    with suppress(FileNotFoundError):
                        yield Stored(key, path.stat().st_size, _put_at(path))

    def keep(self, name: str, path: Path) -> None:
        """As promised by `NamedFiles.keep`."""
        target = self.root / name
        with self._reached():
            self._make_folder(target.parent)
            draft = target.parent / f"{_DRAFT}{os.getpid()}-{secrets.token_hex(8)}"
            try:
                with path.open("rb") as source, open(draft, "xb", opener=_for_the_owner) as file:
                    shutil.copyfileobj(source, file)
                    file.flush()
                    os.fsync(file.fileno())
                draft.replace(target)
            finally:
                draft.unlink(missing_ok=True)
            _sync(target.parent)

    def fetch(self, name: str, path: Path) -> None:
        """As promised by `NamedFiles.fetch`."""
        with self._reached():
            try:
                shutil.copyfile(self.root / name, path)
            except FileNotFoundError:
                raise NotFound(f"There is no {name} in {self}.") from None

    def names(self, folder: str) -> list[str]:
        """As promised by `NamedFiles.names`."""
        with self._reached():
            found = (self.root / folder).rglob("*") if (self.root / folder).is_dir() else ()
            files = (path for path in found if path.is_file() and not path.name.startswith("."))
            return sorted(path.relative_to(self.root).as_posix() for path in files)

    def drop(self, name: str) -> None:
        """As promised by `NamedFiles.drop`."""
        with self._reached():
            (self.root / name).unlink(missing_ok=True)
            _sync((self.root / name).parent)

    def _write_once(self, path: Path, content: bytes) -> None:
        """The content goes into a file of another name first, so that it is never seen unfinished."""
        draft = path.parent / f"{_DRAFT}{os.getpid()}-{secrets.token_hex(8)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, READ_ONLY)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            with suppress(FileExistsError):  # another writer was first; `put` looks at what it wrote
                os.link(draft, path)
        finally:
            draft.unlink(missing_ok=True)

    def _make_folder(self, folder: Path) -> None:
        """The folder and its parents, each entered durably in its own parent."""
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync(folder.parent)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            raise OutOfReach(str(self), f"{error.strerror or error}{where}.") from error


def _put_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _put_in_order(left: Path) -> None:
    """Deletes a forgotten draft, and gives a document that was left aside its name again: somebody may have put it again
    since, and it is found by whoever deletes it."""
    if datetime.now(UTC) - datetime.fromtimestamp(left.stat().st_ctime, UTC) < _FORGOTTEN:
        return
    if left.name.startswith(_ASIDE):
        with suppress(FileExistsError):
            os.link(left, left.with_name(left.name.removeprefix(_ASIDE).partition("-")[0]))
    left.unlink()
    _sync(left.parent)


def _put_again(path: Path) -> bool:
    """Whether the document is there already; it counts as put now."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _for_the_owner(path: str, flags: int) -> int:
    return os.open(path, flags, READ_ONLY)


def _sync(folder: Path) -> None:
    """Make what the folder lists survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
