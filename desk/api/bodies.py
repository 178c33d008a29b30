"""What a request's body has: JSON, read within bounds and without what could be read in two ways."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from typing import Any

from python_multipart.multipart import parse_options_header
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from desk.api.problems import Refused
from desk.arriving import Arriving
from desk.forms import AS_LONG_AS, announced, bounded


async def content_of(request: Request, largest: int, arriving: Arriving, whose: str) -> bytes:
    """The bytes of a body that says that it is JSON.

    Raises:
        Refused: it is something else.
        HTTPException: it is larger than `largest` (413), came too slowly (408), or too many are arriving (503).
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    encoding = request.headers.get("content-encoding", "identity")
    charset = options.get(b"charset", b"utf-8").lower()
    if kind != b"application/json" or charset != b"utf-8" or encoding != "identity":
        raise Refused(
            415,
            "media-type",
            "The body is to be JSON in UTF-8, not compressed: Content-Type: application/json",
        )
    if (announced(request) or 0) > largest:
        raise HTTPException(413)
    pieces = []
    try:
        with arriving.body(whose) as count:
            async with (
                asyncio.timeout(AS_LONG_AS),
                contextlib.aclosing(bounded(request, largest, count)) as stream,
            ):
                async for piece in stream:
                    pieces.append(piece)
    except TimeoutError:
        raise HTTPException(408) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    return b"".join(pieces)


def read_json(content: bytes) -> Any:
    """The JSON value in a body.

    Raises:
        Refused: it is none, or one that programs read in different ways.
    """
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
    except _NotJson as error:
        raise _not_json(f"{error}") from None
    except RecursionError:
        raise _not_json("It is nested too deeply.") from None
    except UnicodeDecodeError:
        raise _not_json("It is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise _not_json(f"At line {error.lineno}, column {error.colno}, it is no JSON.") from None
    except ValueError:  # the only one that is left
        raise _not_json("A number has thousands of digits.") from None


class _NotJson(Exception):
    pass


def _not_json(why: str) -> Refused:
    return Refused(400, "no-json", f"The body can't be understood. {why} Nothing was changed.")


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _NotJson("A name stands twice in one object.")
    return made


def _no_number(text: str) -> None:
    raise _NotJson(f"{text} is no number.")
