"""A server's connections: how many there are, how slowly a request may come and an answer go, within short limits."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
import uvicorn
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from cli.services import free_port
from desk.arriving import Arriving
from desk.connections import Limits, bounded_by, limits_within
from labels.applications.uploads.limits import MIB
from tests.support.patience import PATIENCE, until

SHORT = Limits(connections=4, head_within=0.4, silence=0.4, request_within=PATIENCE, look_every=0.05)
NEVER = Limits(4, PATIENCE, silence=PATIENCE, bytes_a_second=0.001, request_within=PATIENCE, look_every=0.05)
LARGE = 64 * MIB
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: "
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def takes_all(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads a body to its end, and answers; `/large` with much."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    body = b"x" * (LARGE if scope["path"] == "/large" else 2)
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


Connects = Callable[[], socket.socket]
Serves = Callable[[Limits], AbstractContextManager[tuple[Connects, uvicorn.Server]]]


@contextlib.contextmanager
def serving(limits: Limits) -> Iterator[tuple[Connects, uvicorn.Server]]:
    """A server with these limits, in a thread."""
    port = free_port()
    config = uvicorn.Config(
        takes_all, port=port, http=bounded_by(limits), log_level="critical", lifespan="off",
        timeout_graceful_shutdown=1, timeout_keep_alive=int(PATIENCE),
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=asyncio.run, args=(server.serve(),), daemon=True)
    thread.start()
    until(lambda: server.started, "the server is up", every=0.01)
    with contextlib.ExitStack() as stack:

        def connects() -> socket.socket:
            return stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))

        yield connects, server
    server.should_exit = True
    thread.join(PATIENCE)


def ends(line: socket.socket) -> bytes:
    """What arrives before the server closes a connection."""
    said = b""
    with contextlib.suppress(ConnectionError):
        while piece := line.recv(65536):
            said += piece[:1000]
    return said


def asks(line: socket.socket) -> bytes:
    line.sendall(GET)
    said = b""
    while not said.endswith(b"\r\n\r\nxx") and (piece := line.recv(1000)):
        said += piece
    return said


@pytest.mark.slow
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GET / HTTP/1.1\r\nHo", id="half a head"),
        pytest.param(HEAD + b"100\r\n\r\nhalf of it", id="half a body"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", id="half a chunk"
        ),
    ],
)
def test_what_is_half_sent_is_closed_on_a_new_connection_and_on_one_that_was_answered(sent: bytes) -> None:
    with serving(SHORT) as (connects, server):
        line, used = connects(), connects()
        assert b"200 OK" in asks(used)
        line.sendall(sent)
        used.sendall(sent)
        assert ends(line) == b""
        assert ends(used) == b""
        assert not server.server_state.connections
        assert b"200 OK" in asks(connects())


@pytest.mark.slow
def test_a_body_that_drips_is_closed() -> None:
    slow = replace(SHORT, silence=PATIENCE, bytes_a_second=1000)
    with serving(slow) as (connects, _):
        line = connects()
        line.sendall(HEAD + b"1000000\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            line.settimeout(0.1)
            for _ in range(int(PATIENCE * 10)):
                line.sendall(b"x")
                with contextlib.suppress(TimeoutError):
                    if line.recv(1) == b"":
                        break
            else:
                pytest.fail("it was let go on")


@pytest.mark.slow
def test_an_answer_that_nobody_takes_is_given_up() -> None:
    with serving(SHORT) as (connects, server):
        line = connects()
        line.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: server.server_state.connections, "it is answered", every=0.01)
        until(lambda: not server.server_state.connections, "it is given up", every=0.05)
        assert b"200 OK" in asks(connects())


@pytest.mark.slow
def test_a_large_answer_is_taken_whole() -> None:
    with serving(SHORT) as (connects, _):
        line = connects()
        line.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        length = 0
        while piece := line.recv(65536):
            length += len(piece)
        assert length > LARGE


@pytest.mark.parametrize("trailing", [False, True])
def test_a_head_beyond_its_bytes_is_refused_wherever_it_stands(trailing: bool) -> None:
    with serving(NEVER) as (connects, server):
        line = connects()
        begun = b"POST / HTTP/1.1\r\nHost: x\r\n"
        line.sendall(
            begun + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: " if trailing else begun + b"X-A: "
        )
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                line.sendall(b"x" * MIB)
            pytest.fail("it was taken")
        until(lambda: not server.server_state.connections, "it is closed", every=0.01)


def test_where_all_are_taken_the_one_that_waited_longest_makes_room() -> None:
    with serving(NEVER) as (connects, server):
        first, *others = [connects() for _ in range(4)]
        until(lambda: len(server.server_state.connections) == 4, "all are connected", every=0.01)
        assert b"200 OK" in asks(first)  # and so it waits the shortest time of all
        assert b"200 OK" in asks(connects())
        assert ends(others[0]) == b""
        for line in (first, *others[1:]):
            assert b"200 OK" in asks(line)


def test_where_all_are_in_the_midst_of_a_request_one_is_told_to_come_again() -> None:
    with serving(NEVER) as (connects, server):
        busy = [connects() for _ in range(4)]
        for line in busy:
            line.sendall(HEAD + b"2\r\n\r\nx")
        until(lambda: len(server.server_state.tasks) == 4, "all are under way", every=0.01)
        said = ends(connects())
        assert said.startswith(b"HTTP/1.1 503")
        assert b"retry-after" in said
        for line in busy:
            line.sendall(b"x")
            assert b"200 OK" in line.recv(1000)
        assert b"200 OK" in asks(connects())


@pytest.mark.parametrize("numbers", [256, 1024, 4096, 20_000, 1_048_576])
def test_connections_and_uploads_fit_into_the_file_numbers_that_there_are(numbers: int) -> None:
    limits, forms = limits_within(numbers)
    assert limits.connections + 20 * forms + 100 < numbers
    assert limits.connections >= numbers // 2 or limits.connections == 4000


# Bodies -------------------------------------------------------------------------------------------


def test_a_persons_bodies_and_everybodys_and_strangers_have_bounds_of_their_own() -> None:
    arriving = Arriving(of_all=100, of_each=40, of_strangers=10, forms=4)
    with (
        arriving.body("ada@school.example") as ada,
        arriving.body("") as stranger,
        arriving.body("bob") as bob,
    ):
        ada(40)
        for count, size in ((ada, 1), (stranger, 11), (bob, 61)):
            with pytest.raises(HTTPException):
                count(size)
        stranger(10)
        bob(40)
        with arriving.body("eve") as eve:
            eve(10)
            with pytest.raises(HTTPException):
                eve(1)
            with pytest.raises(HTTPException), arriving.body("fay"):
                pytest.fail("a fifth body was let in")
    with arriving.body("ada@school.example") as ada:
        ada(40)
