"""The process that serves the desk: it comes up by itself, and no requests that are idle, slow or endless end it."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from desk.serving import ARRIVING
from labels.applications.uploads.limits import MIB
from labels.record.engine import close_records
from labels.settings import PROJECT
from tests.cli.conftest import TEACHER, Terminal
from tests.desk.conftest import ORIGIN, Browser
from tests.desk.test_applicant import APPLY, CHECK, filled
from tests.support.patience import until
from tests.support.serving import Served, served

pytestmark = pytest.mark.slow

COLLEAGUE = "t-2@school.example"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("desk")) as one:
        yield one


def closed(line: socket.socket) -> bool:
    """Waits until the desk closes a connection, whatever it says before."""
    with contextlib.suppress(ConnectionError):
        while line.recv(65536):
            pass
    return True


@contextlib.contextmanager
def many(one: Served, number: int, sent: bytes = b"") -> Iterator[list[socket.socket]]:
    """Connections, each of which sends the same and then nothing."""
    with contextlib.ExitStack() as stack:
        lines = []
        for _ in range(number):
            with contextlib.suppress(ConnectionError):  # it was told at once that there are too many
                lines.append(stack.enter_context(one.connected(sent)))
        yield lines


def test_connections_that_say_nothing_are_closed_and_keep_nobody_out(desk: Served) -> None:
    half = b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Le"
    with many(desk, 300) as idle, many(desk, 50, half) as begun:
        assert desk.answers()
        assert closed(idle[0])
        assert closed(begun[0])
    assert desk.answers()


def test_eleven_hundred_idle_connections_with_1024_file_numbers_keep_nobody_out(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2000:
        pytest.skip("this machine does not let a test open so many connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with served(tmp_path, file_numbers=1024) as desk:
            before = len(desk.files()), desk.memory
            with many(desk, 1100):
                until(lambda: len(desk.files()) > 400, "the connections are accepted")
                for _ in range(20):
                    assert desk.answers()
                most = len(desk.files())
                print(f"file numbers {before[0]} -> {most}, memory {before[1]} -> {desk.memory} MB")
                assert most < 700
            assert desk.answers()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_head_without_an_end_is_not_read_to_the_end(desk: Served) -> None:
    before = desk.memory
    line = desk.connected(b"GET /sign-in HTTP/1.1\r\nHost: x\r\nX-Endless: ")
    with line, contextlib.suppress(ConnectionError):
        for _ in range(200):
            line.sendall(b"x" * MIB)
        pytest.fail("two hundred megabytes of a head were taken")
    assert desk.memory < before + 50
    assert desk.answers()


def cookies_of(whose: Browser) -> str:
    return "; ".join(f"{name}={value}" for name, value in whose.client.cookies.items())


def form_of(cookies: str, size: int) -> bytes:
    """The head of a teacher's form with files."""
    head = (
        "POST /projects/P-1/apply HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {size}\r\nCookie: {cookies}\r\n\r\n"
    )
    return head.encode()


def part(name: str) -> bytes:
    return (
        f'--b\r\nContent-Disposition: form-data; name="upload"; filename="{name}"\r\n'
        "Content-Type: application/pdf\r\n\r\n"
    ).encode()


def sent(line: socket.socket, piece: bytes) -> bool:
    """Whether a piece of a body was taken."""
    with contextlib.suppress(ConnectionError, TimeoutError):
        line.sendall(piece)
        return True
    return False


FILES_IN_THREADS = """
import os, threading
from pathlib import Path
from desk.serving import give_memory_back

def memory():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def look():
    for _ in range(6):
        together.wait()
        files = [os.urandom(5 * 2**20) for _ in range(2)]
        small.append([bytes(100_000 + n) for n in range(3)])
        together.wait()
        files.clear()

give_memory_back()
before, small, together = memory(), [], threading.Barrier(8)
threads = [threading.Thread(target=look) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
small.clear()
print((memory() - before) // 2**20)
"""
"""Files of five megabytes are held in eight threads, beside what is smaller; how many megabytes stay afterwards."""


def test_files_that_were_looked_through_leave_no_memory_behind() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILES_IN_THREADS], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 40


FIRST_HAND_IN = """
import json, sys
from starlette.testclient import TestClient
from adapters.workspace import open_workspace
from desk.app import public_app
from desk.serving import load_what_acts_need
from labels.settings import load_settings

given = json.loads(sys.argv[1])
client = TestClient(public_app(open_workspace(load_settings())), base_url=given["origin"], follow_redirects=False)
client.headers.update({"Sec-Fetch-Site": "same-origin", "Cookie": given["cookies"]})
client.get("/help")
if given["loads"]:
    load_what_acts_need()
before = set(sys.modules)
answer = client.post(given["path"], data={"form_token": given["token"], "true": "1"})
assert answer.headers["location"].startswith("/applications/NQL-"), answer.text
print(json.dumps(sorted(set(sys.modules) - before)))
"""
"""The first thing that is sent to a desk is *hand in*; which modules it waits for."""


def test_the_first_teacher_who_hands_in_at_a_desk_waits_for_no_library_to_load(terminal: Terminal) -> None:
    teacher = Browser(terminal.here).signs_in(TEACHER)
    assert teacher.sends(APPLY, filled(keep="1")).status_code == 303
    given = {"origin": ORIGIN, "cookies": cookies_of(teacher), "path": CHECK, "token": teacher.token(CHECK)}
    own = {name: one for name, one in os.environ.items() if not name.startswith(("LABELS_", "PREFECT_"))}

    def loaded(home: Path, *, loads: bool) -> set[str]:
        shutil.copytree(terminal.here.settings.home, home)
        settings = terminal.here.settings.model_copy(update={"home": home})
        program = [sys.executable, "-c", FIRST_HAND_IN, json.dumps(given | {"loads": loads})]
        done = subprocess.run(
            program, cwd=PROJECT, env=own | settings.exported(), stdout=subprocess.PIPE, text=True, check=True
        )
        # To know a text's encoding is no library.
        return {one for one in json.loads(done.stdout.splitlines()[-1]) if not one.startswith("encodings.")}

    home = terminal.here.settings.home
    close_records()  # whose copies would lack what is in the write-ahead log
    assert {"fontTools.ttLib", "holidays"} <= loaded(home.with_name("without"), loads=False)
    assert loaded(home.with_name("with"), loads=True) == set()


def test_sixty_unfinished_uploads_take_disk_within_bounds_and_no_memory(terminal: Terminal) -> None:
    home = terminal.here.settings.home
    teacher, colleague = (Browser(terminal.here).signs_in(one) for one in (TEACHER, COLLEAGUE))
    with (
        served(home, secret="a secret for tests", today="2026-03-16") as desk,
        contextlib.ExitStack() as stack,
    ):
        assert desk.answers()
        before = desk.memory
        ten = b"".join(part(f"{n}.pdf") + b"x" * MIB + b"\r\n" for n in range(10))
        for _ in range(60):
            line = stack.enter_context(desk.connected(form_of(cookies_of(teacher), 100 * MIB)))
            line.settimeout(5)
            sent(line, ten)
        check = b"POST /check HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        for _ in range(60):
            line = stack.enter_context(desk.connected(check + f"Content-Length: {10 * MIB}\r\n\r\n".encode()))
            line.settimeout(5)
            sent(line, part("paper") + b"x" * (9 * MIB))
        assert any(f"/{ARRIVING}/" in one for one in desk.files()), "they are where temporary files are"
        after = desk.memory
        print(f"memory {before} -> {after} MB, with 60 + 60 unfinished uploads of 10 MB")
        assert after < before + 150
        # Others go on meanwhile: a colleague saves, a page comes.
        asked = urllib.request.Request(f"{desk.address}/projects", headers={"Cookie": cookies_of(colleague)})
        with urllib.request.urlopen(asked) as answer:
            assert answer.status == 200


def test_strangers_have_nothing_written_to_the_disk(desk: Served) -> None:
    for cookies in ("", "session=invented"):
        with desk.connected(form_of(cookies, 100 * MIB) + part("a.pdf")) as line:
            assert line.recv(12) == b"HTTP/1.1 303"


def test_no_answer_says_which_program_it_is(desk: Served) -> None:
    with urllib.request.urlopen(f"{desk.address}/sign-in") as answer:
        assert answer.headers["server"] is None
        assert "default-src 'none'" in answer.headers["content-security-policy"]
