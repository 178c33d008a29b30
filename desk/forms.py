"""What a form brought: read with bounds on size and time, and as plain text."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from desk.arriving import Counted
from labels.applications.uploads.limits import MIB
from labels.words.text import clean, one_line

LARGEST = MIB
"""Bytes of a form without files, and of the fields of one with files: they are in memory."""
SMALL = 64 * 1024
"""Bytes of a form that is read from anybody, and not counted."""
FIELDS = 500
FILES = 20
"""Files that one form may bring; each is open while the form arrives."""
AS_LONG_AS = 900.0
"""Seconds for all of it: 20 MB take so long at 180 kbit/s. How slow it may be on the way is the connection's to say."""


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form, as they were sent."""

    data: FormData

    def text(self, name: str, most: int = 40_000) -> str:
        """What was typed in a field, without what acts unseen; cut beyond so many characters."""
        value = self.data.get(name, "")
        return clean(value[:most]) if isinstance(value, str) else ""

    def line(self, name: str, most: int = 300) -> str:
        """What was typed in a field of one line."""
        return one_line(self.text(name, most * 4), most)

    def has(self, name: str) -> bool:
        """Whether a field was sent at all: a box that was ticked, a button that was pressed."""
        return name in self.data

    def all(self, name: str) -> list[str]:
        """Every value of a field that can be sent several times."""
        return [clean(one[:2000]) for one in self.data.getlist(name) if isinstance(one, str)]

    def files(self, name: str) -> list[UploadFile]:
        """The files that were chosen in a field; one without a name is none."""
        return [one for one in self.data.getlist(name) if isinstance(one, UploadFile) and one.filename]

    @property
    def brings_files(self) -> bool:
        """Whether a file came along."""
        return any(isinstance(one, UploadFile) and one.filename for _, one in self.data.multi_items())

    def names(self) -> Iterator[str]:
        """The names of the fields that were sent."""
        return iter(dict.fromkeys(self.data.keys()))

    def kept(self) -> dict[str, str | list[str]]:
        """The fields as a JSON value, without files and the session's own."""
        fields: dict[str, str | list[str]] = {}
        for name in self.names():
            if name == TOKEN:
                continue
            values = [one for one in self.data.getlist(name) if isinstance(one, str)]
            fields[name] = values[0] if len(values) == 1 else values
        return fields


TOKEN = "form_token"
"""The field by which a form of ours is known."""


class _Parts(MultiPartParser):
    """A form of parts, of which files are in memory only as long as they are small, and fields within one bound."""

    spool_max_size = SMALL
    _in_memory = 0
    _header = b""
    _told = b""
    _is_file = False

    def on_part_begin(self) -> None:
        self._header, self._told, self._is_file = b"", b"", False
        super().on_part_begin()

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if not self._is_file:
            self._takes(end - start)
        super().on_part_data(data, start, end)

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._takes(end - start)
        self._header += data[start:end]
        super().on_header_field(data, start, end)

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._takes(end - start)
        self._told += data[start:end]
        super().on_header_value(data, start, end)

    def on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._is_file = b"filename" in parse_options_header(self._told)[1]
        self._header = self._told = b""
        super().on_header_end()

    def _takes(self, size: int) -> None:
        self._in_memory += size
        if self._in_memory > LARGEST:
            raise HTTPException(413)


def announced(request: Request) -> int | None:
    """The bytes of a request's body as its head has them; None where it does not say."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() and len(length) < 16 else None


async def read_form(
    request: Request,
    *,
    largest: int = LARGEST,
    files: int = 0,
    in_memory: bool = False,
    count: Counted = lambda size: None,
) -> Form:
    """The form of a request; its files are on the disk, but for what is to be in memory alone.

    Args:
        request: what arrives.
        largest: bytes of all of it.
        files: how many files it may bring.
        in_memory: whether nothing of it may be written to the disk.
        count: is told of each piece.

    Raises:
        HTTPException: it is larger than `largest` (413), came too slowly (408), or is no form (400); or `count` does.
    """
    kind, _ = parse_options_header(request.headers.get("content-type"))
    parts = kind == b"multipart/form-data"
    most = largest if parts else min(largest, LARGEST)
    if (announced(request) or 0) > most:
        raise HTTPException(413)
    try:
        async with asyncio.timeout(AS_LONG_AS), contextlib.aclosing(bounded(request, most, count)) as stream:
            if parts:
                parser = _Parts(request.headers, stream, max_files=files, max_fields=FIELDS)
                if in_memory:
                    parser.spool_max_size = most + 1
                return Form(await parser.parse())
            if kind == b"application/x-www-form-urlencoded":
                return Form(
                    await FormParser(
                        request.headers, stream, max_fields=FIELDS, max_part_size=LARGEST
                    ).parse()
                )
            return Form(FormData())
    except TimeoutError:
        raise HTTPException(408) from None
    except (ClientDisconnect, MultiPartException):
        raise HTTPException(400) from None


async def bounded(request: Request, most: int, count: Counted) -> AsyncGenerator[bytes, None]:
    """The pieces of a request's body, as they arrive.

    Raises:
        HTTPException: they are more than `most` bytes (413); or `count`, which is told of each, does.
    """
    arrived = 0
    async with contextlib.aclosing(request.stream()) as stream:
        async for piece in stream:
            arrived += len(piece)
            if arrived > most:
                raise HTTPException(413)
            count(len(piece))
            yield piece
