"""What a form brought: read with bounds on size and time, and as plain text."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from labels.words.text import clean, one_line

LARGEST = 1024 * 1024
"""Bytes of a form without files."""
FIELDS = 500
SILENCE = 30.0
"""Seconds within which the next piece must arrive."""
AS_LONG_AS = 900.0
"""Seconds for all of it: 20 MB take so long at 180 kbit/s."""


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


async def read_form(request: Request, *, largest: int = LARGEST, files: int = 0) -> Form:
    """The form of a request.

    Raises:
        HTTPException: it is larger than `largest` (413), came too slowly (408), or is no form (400).
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > largest:
        raise HTTPException(413)
    try:
        async with asyncio.timeout(AS_LONG_AS):
            bounded = Request(request.scope, _bounded(request.receive, largest))
            return Form(await bounded.form(max_files=files, max_fields=FIELDS, max_part_size=LARGEST))
    except TimeoutError:
        raise HTTPException(408) from None
    except ClientDisconnect:
        raise HTTPException(400) from None


def _bounded(receive: Receive, largest: int) -> Receive:
    arrived = 0

    async def take() -> Message:
        nonlocal arrived
        async with asyncio.timeout(SILENCE):
            message = await receive()
        arrived += len(message.get("body", b""))
        if arrived > largest:
            raise HTTPException(413)
        return message

    return take
