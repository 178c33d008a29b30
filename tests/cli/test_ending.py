"""Nothing stays behind: whatever a command's end is, what it has started ends with it, and is not started again."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

import cli.keeping
import cli.processes
import cli.services
from adapters.parts import read_parts
from adapters.workspace import Workspace, open_workspace
from cli.keeping import kept_alive, pause_before
from cli.processes import Services
from cli.services import run_services
from labels.settings import PROJECT, Settings
from tests.support.patience import PATIENCE, until
from tests.support.processes import alive
from tests.support.supervised import COMMAND, EACH
from usecases.recovering import Recovered

NAMES = ("server", "worker")


def started(folder: Path, *names: str) -> list[int]:
    """The numbers of all processes that the named ones come to, once they are there."""
    files = [folder / f"{name}{part}" for name in names for part in EACH]
    until(lambda: all(file.exists() for file in files), "all processes have started", every=0.02)
    return [int(file.read_text()) for file in files]


def gone(pids: list[int]) -> None:
    until(lambda: not any(map(alive, pids)), f"none of {pids} is there any more", every=0.02)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Services]:
    """Services whose processes do nothing but start others."""
    settings = Settings(_env_file=None, home=tmp_path)
    running = Services(settings, "http://127.0.0.1:9/api", {"PATH": os.environ["PATH"]})
    yield running
    running.stop()


def start(running: Services, *names: str) -> list[int]:
    for name in names:
        running.start(name, [*COMMAND, str(running.settings.home), name])
    return started(running.settings.home, *names)


# An end that somebody chose ----------------------------------------------------------------------


@pytest.mark.slow
def test_everything_that_was_started_is_gone_when_the_services_have_stopped(running: Services) -> None:
    pids = start(running, *NAMES)
    running.stop()
    gone(pids)


def test_what_a_killed_worker_left_is_gone_when_the_services_have_stopped(running: Services) -> None:
    pids = start(running, *NAMES)
    os.kill(running.processes["worker"].pid, signal.SIGKILL)
    running.stop()
    gone(pids)


def test_a_process_that_ended_by_itself_is_started_again_without_what_it_left(running: Services) -> None:
    former = start(running, "worker")
    assert not running.start_again("worker"), "it runs"
    os.kill(running.processes["worker"].pid, signal.SIGKILL)
    until(lambda: running.died("worker"), "it has ended")
    for part in EACH:
        (running.settings.home / f"worker{part}").unlink()
    assert running.start_again("worker")
    gone(former[:2])  # the former one and its group
    pids = started(running.settings.home, "worker")
    running.stop()
    gone([*former, *pids])


def test_a_process_that_ends_while_everything_is_stopped_is_not_started_again(
    running: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = start(running, *NAMES)
    ends, tried = cli.processes._ends, []

    def watched(process: subprocess.Popen[bytes], within: float) -> bool:
        ended = ends(process, within)
        tried.append(running.start_again("worker"))  # as whoever keeps it alive does at this very moment
        return ended

    monkeypatch.setattr(cli.processes, "_ends", watched)
    running.stop()
    assert tried == [False, False]
    gone(pids)
    with pytest.raises(RuntimeError, match="everything is being stopped"):
        running.start("worker", COMMAND)


@pytest.mark.slow
def test_of_a_start_and_a_stop_at_once_nothing_stays(
    running: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stop comes while the process is about to be there, but nobody knows of it yet."""
    pids, about_to_start, popen = start(running, *NAMES), threading.Event(), subprocess.Popen
    made: list[subprocess.Popen[bytes]] = []

    def slow(*given: object, **named: object) -> subprocess.Popen[bytes]:
        about_to_start.set()
        stopping.join(0.5)  # as long as it takes to stop, unless stopping waits for this
        made.append(popen(*given, **named))  # type: ignore[call-overload]  # handed on as they came
        return made[-1]

    os.kill(running.processes["worker"].pid, signal.SIGKILL)
    until(lambda: running.died("worker"), "it has ended")

    def stop() -> None:
        about_to_start.wait()
        running.stop()

    stopping = threading.Thread(target=stop)
    stopping.start()
    monkeypatch.setattr(subprocess, "Popen", slow)
    assert running.start_again("worker")
    stopping.join()
    gone([*pids, *(one.pid for one in made)])
    assert len(made) == 1


def test_whoever_keeps_the_services_alive_is_gone_before_they_are_stopped(running: Services) -> None:
    pids, stop, here = start(running, *NAMES), threading.Event(), cast("Workspace", None)
    with pytest.raises(ValueError, match="the demo fails"), kept_alive(running, here, stop):
        raise ValueError("the demo fails")
    assert stop.is_set()
    assert "keeper" not in {thread.name for thread in threading.enumerate()}
    running.stop()
    gone(pids)


@pytest.mark.slow
def test_what_the_machine_has_no_room_for_is_started_again_later(
    running: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever makes the desk fill the machine has ended the desk, and never the process that starts it again."""
    [former, *_] = start(running, "desk")
    stop, here, popen = threading.Event(), cast("Workspace", None), subprocess.Popen
    refused = iter(
        [OSError(errno.ENOMEM, "Cannot allocate memory"), OSError(errno.EMFILE, "Too many open files")]
    )

    def full(*given: object, **named: object) -> subprocess.Popen[bytes]:
        for error in refused:
            raise error
        begun: subprocess.Popen[bytes] = popen(*given, **named)  # type: ignore[call-overload]  # as they came
        return begun

    monkeypatch.setattr(subprocess, "Popen", full)
    with kept_alive(running, here, stop):
        (running.settings.home / "desk").unlink()
        os.kill(former, signal.SIGKILL)
        until(lambda: (running.settings.home / "desk").exists(), "it was started again")
        assert not stop.is_set()


@pytest.mark.slow
def test_doors_are_started_again_while_the_server_comes_up(running: Services) -> None:
    """Nobody stands before a closed door because Prefect takes its time."""
    start(running, "desk")
    running.start("server", ["sleep", "3600"])  # and answers nothing
    stop, here, desk = threading.Event(), cast("Workspace", None), running.processes["desk"]
    with kept_alive(running, here, stop):
        for name in ("server", "desk"):
            os.kill(running.processes[name].pid, signal.SIGKILL)
        until(lambda: running.processes["desk"] is not desk, "the desk is started again")


@pytest.mark.slow
def test_a_server_that_dies_whenever_it_is_started_ends_nobody_and_is_tried_with_growing_pauses(
    running: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    [worker, *_] = start(running, "worker")
    running.start("server", ["false"])
    stop, here = threading.Event(), cast("Workspace", None)
    with kept_alive(running, here, stop):
        until(
            lambda: (one := read_parts(running.settings.home).get("server")) and one.in_a_row >= 3,
            "it is tried",
        )
        assert not stop.is_set()
        assert alive(worker), "the worker is left alone"
        parts = read_parts(running.settings.home)
    assert parts["worker"].running
    assert parts["server"].ended == "exit code 1"
    told = capsys.readouterr().err
    assert "The server ended unexpectedly (exit code 1) and is started again now." in told
    assert "is started again in 1 s." in told


def test_pauses_grow_to_a_minute_and_no_further() -> None:
    assert [pause_before(times) for times in (1, 2, 3, 4, 8, 9, 10_000)] == [0, 1, 2, 4, 60, 60, 60]


@pytest.mark.slow
def test_nothing_that_goes_wrong_while_the_services_are_looked_after_ends_that(
    running: Services, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full disk, for example, on which it can't be noted how the processes are."""
    [former, *_] = start(running, "desk")
    stop, here, full = threading.Event(), cast("Workspace", None), threading.Event()

    def refused(*_: object) -> None:
        full.set()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cli.keeping, "write_parts", refused)
    with kept_alive(running, here, stop):
        until(full.is_set, "the disk is full")
        (running.settings.home / "desk").unlink()
        os.kill(former, signal.SIGKILL)
        until(lambda: (running.settings.home / "desk").exists(), "it was started again")
        assert not stop.is_set()
    assert capsys.readouterr().err.count("No space left on device") == 1, "it is told once"


@pytest.mark.slow
def test_a_long_recovery_at_the_start_keeps_systemd_from_nothing_that_it_waits_for(
    running: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prefect's database was lost: every open application gets a run, while people have their desk."""
    here, stop, goes_on = open_workspace(running.settings), threading.Event(), threading.Event()
    heard: list[str] = []

    def systemd(state: str) -> None:
        heard.append(state)
        if "recovery begins" in heard and heard.count("WATCHDOG=1") >= 3:
            goes_on.set()
        if "mail" in heard:
            stop.set()

    def recovers(*_: object) -> list[str]:
        heard.append("recovery begins")
        assert goes_on.wait(PATIENCE), heard
        heard.append("recovery ends")
        return []

    monkeypatch.setattr(cli.services, "load_settings", lambda: running.settings)
    monkeypatch.setattr(cli.services, "ended_by_signal", lambda: contextlib.nullcontext(stop))
    monkeypatch.setattr(cli.services, "services", lambda *_, **__: contextlib.nullcontext((running, here)))
    monkeypatch.setattr(cli.services, "tell_systemd", systemd)
    monkeypatch.setattr(cli.keeping, "tell_systemd", systemd)
    monkeypatch.setattr(cli.keeping, "server_answers", lambda *_: True)
    monkeypatch.setattr(cli.keeping, "prefect_client", contextlib.nullcontext)
    monkeypatch.setattr(cli.keeping, "recover", recovers)
    monkeypatch.setattr(cli.keeping, "send_due", lambda *_: heard.append("mail"))
    run_services()
    assert heard[0] == "READY=1"
    assert heard[-1] == "STOPPING=1"
    begun, ended = heard.index("recovery begins"), heard.index("recovery ends")
    assert "WATCHDOG=1" in heard[begun:ended]
    assert heard.index("mail") > ended


def test_an_application_that_cannot_be_helped_is_not_told_as_brought_back(
    running: Services, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [
        Recovered("NQL-1", "its run goes on"),
        Recovered("NQL-2", "could not be brought back: x", failed=True),
    ]
    monkeypatch.setattr(cli.keeping, "prefect_client", contextlib.nullcontext)
    monkeypatch.setattr(cli.keeping, "end_lost_runs", lambda *_: [])
    monkeypatch.setattr(cli.keeping, "recover", lambda *_: found)
    monkeypatch.setattr(cli.keeping, "catch_up", lambda *_: found)
    keeper = cli.keeping.Keeper(running, open_workspace(running.settings))
    keeper._ends_lost_runs()
    assert capsys.readouterr().err == "1 application(s) were brought back to their step.\n"
    keeper._brings_back()
    told = capsys.readouterr().err
    assert told.startswith("1 application(s) were brought back to their step.\n")
    assert "Not brought back, which is tried again: NQL-2." in told
    monkeypatch.setattr(cli.keeping, "catch_up", lambda *_: found[1:])
    keeper._ends_lost_runs()
    assert not capsys.readouterr().err, "upkeep and `labels stuck` name it, not every minute's look"


# An end that came upon it ------------------------------------------------------------------------


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a supervisor of two processes; it has started all of them when it is handed out."""
    begun: list[subprocess.Popen[bytes]] = []

    def supervise(*deaf: str) -> subprocess.Popen[bytes]:
        begun.append(
            subprocess.Popen(
                [sys.executable, "-m", "tests.support.supervising", str(tmp_path), *deaf],
                cwd=PROJECT,
                stderr=subprocess.DEVNULL,
            )
        )
        started(tmp_path, *NAMES)
        return begun[-1]

    yield supervise
    for one in begun:
        one.kill()
        one.wait()


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (signal.SIGTERM, 0),
        (signal.SIGKILL, -signal.SIGKILL),
        pytest.param(signal.SIGINT, 0, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, 0, marks=pytest.mark.slow),
        pytest.param(signal.SIGQUIT, -signal.SIGQUIT, marks=pytest.mark.slow),
    ],
    ids=lambda given: given.name if isinstance(given, signal.Signals) else "",
)
def test_nothing_outlives_a_supervisor_that_gets_a_signal(
    supervisor: Callable[..., subprocess.Popen[bytes]], tmp_path: Path, number: signal.Signals, status: int
) -> None:
    process = supervisor()
    pids = started(tmp_path, *NAMES)
    process.send_signal(number)
    assert process.wait(PATIENCE) == status
    gone(pids)


@pytest.mark.slow
def test_nothing_outlives_a_supervisor_that_fails(
    supervisor: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    process = supervisor()
    (tmp_path / "fails").touch()
    assert process.wait(PATIENCE) == 1
    gone(started(tmp_path, *NAMES))


@pytest.mark.slow
def test_a_second_ctrl_c_ends_at_once_what_does_not_listen_to_the_first(
    supervisor: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    process = supervisor("deaf")
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    process.send_signal(signal.SIGINT)
    process.wait(PATIENCE)
    gone(started(tmp_path, *NAMES))


@pytest.mark.slow
def test_nothing_is_left_of_processes_that_do_not_listen_when_their_supervisor_is_killed(
    supervisor: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    process = supervisor("deaf")
    process.kill()
    gone(started(tmp_path, *NAMES))
