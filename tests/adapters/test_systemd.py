"""What systemd hands over is taken as its manual says, and it is told what it waits for."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.systemd import sockets_handed_over, tell_systemd
from labels.errors import InvalidInput
from labels.settings import PROJECT
from tests.support.patience import PATIENCE

NAMES = ("desk", "gate")


def handed(
    listeners: list[socket.socket], names: str, *, program: str, owner: str = "$$"
) -> subprocess.CompletedProcess[str]:
    """A program of Python's that a shell starts with these sockets, as systemd does: from number three on, by their names."""
    moves = " ".join(f"{3 + place}<&{one.fileno()}" for place, one in enumerate(listeners))
    script = (
        f'export LISTEN_PID={owner} LISTEN_FDS={len(listeners)} LISTEN_FDNAMES={names}; exec "$@" {moves}'
    )
    return subprocess.run(
        ["bash", "-c", script, "bash", sys.executable, "-c", program],
        pass_fds=[one.fileno() for one in listeners],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


TAKES = (
    "import os; from adapters.systemd import sockets_handed_over as take; "
    f"print({{name: one.getsockname()[1] for name, one in take({NAMES}).items()}}, 'LISTEN_FDS' in os.environ)"
)


def test_sockets_are_taken_by_their_names_whatever_their_order() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gate, socket.create_server(("127.0.0.1", 0)) as desk:
        taken = handed([gate, desk], "gate:desk", program=TAKES)
        ports = {"gate": gate.getsockname()[1], "desk": desk.getsockname()[1]}
    assert taken.stdout.strip() == f"{ports} False", taken.stderr


def test_what_was_handed_to_another_process_is_left_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as desk:
        taken = handed([desk], "desk", program=TAKES, owner="1")
    assert taken.stdout.strip() == "{} False", taken.stderr


@pytest.mark.parametrize("names", ["labels.socket", "desk:desk", "unknown"])
def test_a_socket_that_nobody_can_be_given_is_told(names: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        taken = handed([one, other], names, program=TAKES)
    assert taken.returncode == 1
    assert "expected each of desk, gate at most once. Name it in its .socket unit." in taken.stderr


def test_a_socket_without_an_address_and_a_port_is_told(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "s"))
        taken = handed([one], "desk", program=TAKES)
    assert "the socket desk is no TCP socket" in taken.stderr


def test_without_systemd_nothing_is_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET"):
        monkeypatch.delenv(name, raising=False)
    assert sockets_handed_over(NAMES) == {}
    tell_systemd("READY=1")  # and nobody hears it


def test_a_socket_of_something_else_than_a_number_is_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", "many")
    assert sockets_handed_over(NAMES) == {}


def test_systemd_is_told_that_the_service_is_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        tell_systemd("READY=1")
        assert systemd.recv(100) == b"READY=1"
    tell_systemd("WATCHDOG=1")  # it went away: nothing of ours ends by that


@pytest.mark.slow
def test_nobody_waits_for_a_systemd_that_does_not_listen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as full, contextlib.suppress(BlockingIOError):
            full.setblocking(False)
            while True:
                full.sendto(b"X=1", str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        tell_systemd("WATCHDOG=1")  # and comes back


def test_bad_names_raise_what_commands_word(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PID": str(os.getpid()), "FDS": "1", "FDNAMES": "web"}.items():
        monkeypatch.setenv(f"LISTEN_{name}", value)
    with pytest.raises(InvalidInput, match="'web'"):
        sockets_handed_over(NAMES)
