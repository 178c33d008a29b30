"""Connections of the processes that serve people, with a bound on their number, on their times and on what is unread.

uvicorn bounds how long an idle connection is kept and how many requests are answered at once; it does not bound how
many connections there are, how slowly a request arrives, how large its head is, or how slowly an answer is taken.
"""

from __future__ import annotations

import asyncio
import resource
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from desk.forms import FILES

_ASIDE = 112
"""File numbers for the record, documents, logs, and connections that were accepted and not yet counted."""
BACKLOG = 64
"""Connections that are accepted in one go; others wait in the kernel."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a connection may take; seconds and bytes."""

    connections: int = 4000
    head_within: float = 20.0
    """From the start of a connection, or the end of the former answer, to the end of a request's head."""
    head_bytes: int = 64 * 1024
    silence: float = 30.0
    """Without a byte of a body, or with nothing taken of an answer."""
    bytes_a_second: float = 500.0
    """At least, of a body, after the time that its head may take."""
    request_within: float = 1800.0
    """From the end of a request's head to the end of its answer."""
    look_every: float = 2.5


def limits_within(numbers: int) -> tuple[Limits, int]:
    """What fits into so many file numbers: the limits of connections, and how many forms with files may arrive at once."""
    connections = max(8, min(Limits().connections, numbers // 2))
    forms = max(1, min(200, (numbers - connections - _ASIDE) // FILES))
    return Limits(connections), forms


def raised_file_numbers() -> int:
    """Raises the number of open files to what the machine allows this process; returns it."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 1_048_576 if hard == resource.RLIM_INFINITY else hard
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ValueError, OSError):
        return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return wanted


class _At(Enum):
    HEAD = "head"
    """The head of a request is awaited, or has arrived in part."""
    BODY = "body"


_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)
_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Connection(HttpToolsProtocol):
    """A connection within `limits`.

    Where there are as many as may be, the one that has waited longest for a request makes room for the next; where
    each is in the midst of one, the next is told to come again (503).
    """

    limits: ClassVar[Limits]
    waiting: ClassVar[OrderedDict[Connection, None]]
    """Those without a request under way, in the order in which they began to wait."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own
        super().connection_made(transport)
        self._place, self._unread, self._unsent = _At.HEAD, 0, 0
        self._since = self._heard = self._moved = self.loop.time()
        self._body_bytes = 0
        self._look = self.loop.call_later(self.limits.look_every, self._looked)
        if len(self.connections) > self.limits.connections and not self._made_room():
            transport.write(_BUSY)
            transport.close()
            return
        self._waits()

    def _made_room(self) -> bool:
        if not self.waiting:
            return False
        longest, _ = self.waiting.popitem(last=False)
        longest.connections.discard(longest)
        longest.transport.abort()
        return True

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _waits(self) -> None:
        self._since = self.loop.time()
        if self._place is _At.HEAD and not self._answering():
            self.waiting[self] = None
            self.waiting.move_to_end(self)

    def data_received(self, data: bytes) -> None:
        self._heard = self.loop.time()
        self._unread += len(data)
        super().data_received(data)
        if self._unread > self.limits.head_bytes:
            if not self._answering() and not self.transport.is_closing():
                self.transport.write(_LONG)
                self.transport.close()
            else:
                self.transport.abort()

    # What the parser found --------------------------------------------------------------------------

    def on_headers_complete(self) -> None:
        self._place, self._unread, self._body_bytes = _At.BODY, 0, 0
        self.waiting.pop(self, None)
        self._since = self.loop.time()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._place, self._unread = _At.HEAD, 0
        super().on_message_complete()
        if not self._answering():
            self._waits()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._place is _At.HEAD:
            self._waits()

    # Times ------------------------------------------------------------------------------------------

    def _looked(self) -> None:
        if self._too_slow(self.loop.time()):
            self.transport.abort()
        else:
            self._look = self.loop.call_later(self.limits.look_every, self._looked)

    def _too_slow(self, now: float) -> bool:
        limits = self.limits
        unsent = self.transport.get_write_buffer_size()
        if unsent != self._unsent or not unsent:
            self._unsent, self._moved = unsent, now
        if now - self._moved > limits.silence:
            return True
        if self._place is _At.HEAD and not self._answering():
            return not unsent and now - self._since > limits.head_within
        if now - self._since > limits.request_within:
            return True
        if self._place is _At.HEAD or self.flow.read_paused:
            return False
        allowed = limits.head_within + self._body_bytes / limits.bytes_a_second
        return now - self._heard > limits.silence or now - self._since > allowed

    # The end ----------------------------------------------------------------------------------------

    def handle_websocket_upgrade(self) -> None:
        self._ends()
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ends()
        super().connection_lost(exc)

    def _ends(self) -> None:
        self._look.cancel()
        self.waiting.pop(self, None)


def bounded_by(limits: Limits) -> type[Connection]:
    """The protocol of a server whose connections are within these limits."""
    return type("BoundedConnection", (Connection,), {"limits": limits, "waiting": OrderedDict()})
