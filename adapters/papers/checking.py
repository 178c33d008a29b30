"""What a file that somebody holds says of itself: its digest, the codes in it, and what was appended to it.

Nothing here trusts the file to be a PDF, or whole: it is searched for what it holds and never interpreted.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from adapters.papers.signing import look_at_signature
from adapters.workspace import Workspace
from labels.errors import Fault, InvalidInput
from labels.files import contents
from labels.papers.codes import codes_in
from labels.papers.verifying import (
    CUT_OFF,
    EMPTY,
    ENCRYPTED,
    NO_PDF,
    STRANGER,
    TOO_LARGE,
    Found,
    PaperState,
    Verification,
    by_file,
    has_signed,
    leaked_since,
    signed_with_leaked,
)
from labels.words.sentences import one_after_another

LARGEST = 10 * 1024 * 1024
"""Bytes: no paper of ours has a hundredth of it."""
_STREAMS, _UNPACKED, _ALTOGETHER = 400, 2_000_000, 16_000_000
"""How many compressed parts are looked into, how far into each, and how far into all: no paper of ours has a
tenth of it."""
_CHUNK = 256
_CODES, _REVISIONS = 20, 20

_STREAM = re.compile(rb"stream\r?\n")
_PAGE = re.compile(r"/Type\s*/Page\b")
_END = re.compile(rb"%%EOF[ \t]*(?:\r\n|\n|\r)?")


def check_file(here: Workspace, path: Path) -> Verification:
    """What the record says of a file.

    Raises:
        InvalidInput: it can't be read.
    """
    try:
        content = contents(path, LARGEST)
    except OSError as error:
        raise InvalidInput(str(path), [Fault("(whole file)", f"can't be read: {error.strerror}.")]) from None
    return check_content(here, content, here.now())


def check_content(here: Workspace, content: bytes, now: datetime) -> Verification:
    """What the record says of a file's content; any bytes will do."""
    found = look_into(content)
    with here.record.reading() as session:
        verdict = by_file(session, found, here.stamp, now=now)
        # Whoever signed what is none of ours is of no interest; and such a file may be made to take long.
        signature = None if verdict.state is PaperState.UNKNOWN else look_at_signature(content)
        if signature is None:
            return verdict
        ours = has_signed(session, signature.fingerprint)
        leaked = leaked_since(session, signature.fingerprint)
    why = signature.view.why if ours else one_after_another(signature.view.why, STRANGER)
    if leaked:
        why = one_after_another(why, signed_with_leaked(leaked))
    view = signature.view.model_copy(update={"ours": ours, "why": why})
    return verdict.model_copy(update={"signature": view})


def look_into(content: bytes) -> Found:
    """What stands in a file, whoever made it."""
    digest = hashlib.sha256(content).hexdigest()
    if len(content) > LARGEST:
        return Found(digest, unreadable=TOO_LARGE)
    if not content:
        return Found(digest, unreadable=EMPTY)
    codes: dict[str, None] = {}
    pages = 0
    for text in _texts(content):
        pages += sum(1 for _ in _PAGE.finditer(text))
        for code in itertools.islice(codes_in(text), _CODES):
            if len(codes) < _CODES:
                codes.setdefault(code)
    unreadable = None
    if b"%PDF-" not in content[:1024]:
        unreadable = NO_PDF
    elif not codes and b"/Encrypt" in content:
        unreadable = ENCRYPTED
    elif not codes and not _END.search(content[-2048:]):
        unreadable = CUT_OFF
    return Found(digest, earlier=_earlier(content), codes=tuple(codes), pages=pages, unreadable=unreadable)


def _earlier(content: bytes) -> tuple[str, ...]:
    """The digests of the file up to each end that it has had, the latest first."""
    running, place, digests = hashlib.sha256(), 0, []
    for end in _END.finditer(content):
        for stop in dict.fromkeys((end.start() + 5, end.end())):
            if stop < len(content):
                running.update(content[place:stop])
                place = stop
                digests.append(running.copy().hexdigest())
        if len(digests) >= 2 * _REVISIONS:
            break
    return tuple(reversed(digests))


def _texts(content: bytes) -> Iterator[str]:
    """The file as it is, and each of its compressed parts, unpacked as far as is bearable."""
    yield content.decode("latin-1")
    left = _ALTOGETHER
    for start in itertools.islice(_STREAM.finditer(content), _STREAMS):
        part = _unpacked(content[start.end() : start.end() + _UNPACKED])
        yield part.decode("latin-1")
        left -= len(part)
        if left <= 0:
            return


def _unpacked(packed: bytes) -> bytes:
    """What a compressed part says, as far as it is whole: a byte that was changed spoils only what follows it."""
    unpacker, parts, length = zlib.decompressobj(), [], 0
    for place in range(0, len(packed), _CHUNK):
        try:
            parts.append(unpacker.decompress(packed[place : place + _CHUNK], _UNPACKED - length))
        except zlib.error:
            break
        length += len(parts[-1])
        if unpacker.eof or length >= _UNPACKED:
            break
    return b"".join(parts)
