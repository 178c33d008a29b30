"""What `./run` does on a machine, seen on a pretended one whose Python and apt-get only take notes."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from labels.settings import PROJECT
from tests.support.patience import PATIENCE, until

WHAT_RUN_CALLS = [
    "sh",
    "env",
    "cat",
    "chmod",
    "cksum",
    "cp",
    "dirname",
    "flock",
    "grep",
    "id",
    "mkdir",
    "mktemp",
    "readlink",
    "rm",
    "sleep",
    "tail",
    "touch",
]

PYTHON = """#!/bin/sh
# Pretends to be Python: makes environments and installs packages by taking notes.
echo "python $*" >>"$NOTES"
case "$*" in
*ensurepip* | *"import venv, pip"*) test -e "$MACHINE/python3-venv" ;;
*" -m venv "*) for folder; do :; done; mkdir -p "$folder/bin"; cp "$0" "$folder/bin/python" ;;
*"--require-hashes"*)
    if [ -e "$MACHINE/offline" ]; then echo "no answer from the index" >&2; exit 1; fi
    if [ -e "$MACHINE/slow" ]; then touch "$MACHINE/installing"; sleep 600; fi ;;
*" -e "*)
    printf '#!/bin/sh\\nprintf "%%s|" labels "$@"\\nexit 7\\n' >"${0%/*}/labels"; chmod +x "${0%/*}/labels" ;;
-V) echo "Python 3.11.2" ;;
*"-m pytest"*) exit 9 ;;
esac
"""

APT_GET = """#!/bin/sh
echo "apt-get $*" >>"$NOTES"
test -e "$MACHINE/lists" || case "$*" in *update*) touch "$MACHINE/lists" ;; *) exit 100 ;; esac
for package; do case $package in python3-venv | lib*) touch "$MACHINE/$package" ;; esac; done
"""

LDCONFIG = """#!/bin/sh
if [ -e "$MACHINE/libpango-1.0-0" ]; then
    echo "libpango-1.0.so.0 libpangoft2-1.0.so.0 libharfbuzz-subset.so.0"
fi
"""


@dataclass
class Machine:
    """A plain Debian, as far as `./run` can see."""

    folder: Path
    checkout: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": str(self.folder / "bin"),
            "MACHINE": str(self.folder),
            "NOTES": str(self.folder / "notes"),
            "TMPDIR": str(self.folder),
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`./run` from elsewhere, as people do."""
        command: list[str | Path] = [self.checkout / "run", *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )

    def notes(self, word: str = "") -> list[str]:
        """The commands that were given so far and have the word in them."""
        path = self.folder / "notes"
        return [line for line in path.read_text().splitlines() if word in line] if path.exists() else []

    def has(self, name: str) -> None:
        (self.folder / name).touch()

    def has_not(self, name: str) -> None:
        (self.folder / name).unlink()

    def program(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def belongs_to_root(self, yes: bool) -> None:
        self.program("id", f"#!/bin/sh\necho {0 if yes else 1000}\n")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "bin").mkdir()
    for name in WHAT_RUN_CALLS:
        if found := shutil.which(name):
            (tmp_path / "bin" / name).symlink_to(found)
    checkout = tmp_path / "a checkout"
    checkout.mkdir()
    for name in ("run", "pyproject.toml"):
        shutil.copy(PROJECT / name, checkout / name)
    shutil.copytree(PROJECT / "requirements", checkout / "requirements")
    machine = Machine(tmp_path, checkout)
    machine.program("python3.11", PYTHON)
    machine.program("apt-get", APT_GET)
    machine.program("ldconfig", LDCONFIG)
    machine.program("dpkg", "#!/bin/sh\n")
    machine.belongs_to_root(True)
    return machine


@pytest.fixture
def equipped(machine: Machine) -> Machine:
    """A machine with everything that comes from Debian."""
    for name in ("python3-venv", "libpango-1.0-0"):
        machine.has(name)
    return machine


def test_the_first_call_sets_up_everything_and_the_command_gets_its_arguments(machine: Machine) -> None:
    done = machine.run("show", "NQL 1", "", "--json")
    assert (done.returncode, done.stdout) == (7, "labels|show|NQL 1||--json|"), done.stderr
    assert "python3-venv libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0" in machine.notes("install")[0]
    assert machine.notes("update"), "a new system has no package lists"
    assert any(
        str(machine.checkout / "requirements/runtime.txt") in note
        for note in machine.notes("--require-hashes")
    )
    assert all("--no-deps" in note for note in machine.notes("--require-hashes")), "only what is locked"


def test_the_second_call_starts_nothing_and_says_nothing(equipped: Machine) -> None:
    equipped.run("demo")
    before = equipped.notes()
    done = equipped.run("demo")
    assert (done.returncode, done.stdout, done.stderr) == (7, "labels|demo|", "")
    assert equipped.notes() == before


def test_no_progress_is_printed_where_a_program_reads(equipped: Machine) -> None:
    done = equipped.run("export")
    assert done.stdout == "labels|export|"
    assert done.stderr.startswith("Setting up")


def test_root_is_not_asked_for_what_is_there(equipped: Machine) -> None:
    equipped.run("demo")
    assert not equipped.notes("apt-get")


def test_who_may_not_install_is_told_what_to_install_in_one_line(machine: Machine) -> None:
    machine.belongs_to_root(False)
    done = machine.run("demo")
    assert done.returncode == 5
    [line] = [line for line in done.stderr.splitlines() if "apt-get" in line]
    assert "python3-venv libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0" in line
    assert not (machine.checkout / ".venv").exists()
    assert not machine.notes("apt-get")


def test_who_may_use_sudo_without_a_password_needs_do_nothing(machine: Machine) -> None:
    machine.belongs_to_root(False)
    machine.program(
        "sudo", '#!/bin/sh\nshift\ncase $1 in true) exit 0 ;; esac\necho "sudo $*" >>"$NOTES"\nexec "$@"\n'
    )
    assert machine.run("demo").returncode == 7
    assert machine.notes("sudo env")


def test_missing_libraries_do_not_stop_what_works_without_them_but_are_mentioned_until_they_are_there(
    equipped: Machine,
) -> None:
    equipped.belongs_to_root(False)
    equipped.has_not("libpango-1.0-0")
    for _ in range(2):
        done = equipped.run("import")
        assert done.returncode == 7
        assert "libharfbuzz-subset0" in done.stderr.splitlines()[-1]
    equipped.has("libpango-1.0-0")
    assert equipped.run("import").stderr == ""


def test_without_a_python_that_fits_it_says_which_would(machine: Machine) -> None:
    machine.program("python3.11", "#!/bin/sh\nexit 1\n")
    done = machine.run("demo")
    assert done.returncode == 5
    assert "Python 3.11, 3.12 or 3.13" in done.stderr


def test_an_unreachable_index_is_reported_and_the_next_call_finishes_the_work(equipped: Machine) -> None:
    equipped.has("offline")
    done = equipped.run("demo")
    assert done.returncode == 5
    assert "no answer from the index" in done.stderr
    assert "Run this again." in done.stderr.splitlines()[-1]
    equipped.has_not("offline")
    assert equipped.run("demo").returncode == 7


def test_a_set_up_that_was_killed_half_way_is_begun_anew(equipped: Machine) -> None:
    process = installing(equipped)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(PATIENCE)
    leftover = equipped.checkout / ".venv" / "half-written"
    leftover.touch()
    equipped.has_not("slow")
    assert equipped.run("demo").returncode == 7
    assert not leftover.exists()


def test_of_two_set_ups_at_once_one_works_and_the_other_waits_for_it(equipped: Machine) -> None:
    first = installing(equipped)
    second = subprocess.Popen(
        [equipped.checkout / "run", "demo"],
        env=equipped.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert second.stderr
    assert "waiting" in second.stderr.readline()
    assert len(equipped.notes(" -m venv ")) == 1
    equipped.has_not("slow")
    os.killpg(first.pid, signal.SIGKILL)  # the lock goes with the process, and the other takes over
    assert second.communicate(timeout=PATIENCE)[0] == "labels|demo|"
    assert second.returncode == 7


def installing(machine: Machine) -> subprocess.Popen[bytes]:
    """A `./run` that is in the middle of installing packages, in a process group of its own."""
    machine.has("slow")
    process = subprocess.Popen(
        [machine.checkout / "run", "demo"],
        env=machine.environment,
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    installs = machine.folder / "installing"
    until(lambda: installs.exists() or process.poll() is not None, "it installs packages", every=0.02)
    assert process.poll() is None, f"./run ended with {process.returncode}"
    return process


def test_new_locks_are_installed_by_the_next_call(equipped: Machine) -> None:
    equipped.run("demo")
    with (equipped.checkout / "requirements" / "runtime.txt").open("a") as lock:
        lock.write("# newer\n")
    equipped.run("demo")
    assert len(equipped.notes("--require-hashes")) == 2
    assert len(equipped.notes(" -m venv ")) == 1


def test_a_checkout_that_was_moved_gets_its_environment_anew(equipped: Machine) -> None:
    equipped.run("demo")
    equipped.checkout = equipped.checkout.rename(equipped.folder / "elsewhere")
    assert equipped.run("demo").returncode == 7
    assert len(equipped.notes(" -m venv ")) == 2


def test_an_environment_of_somebody_elses_making_is_left_alone(equipped: Machine) -> None:
    (equipped.checkout / ".venv" / "bin").mkdir(parents=True)
    done = equipped.run("demo")
    assert done.returncode == 2
    assert "was not made by ./run" in done.stderr
    assert not equipped.notes(" -m venv ")


def test_the_quick_tests_leave_out_the_slow_ones_and_need_no_programs(equipped: Machine) -> None:
    done = equipped.run("test", "--quick", "-k", "two words")
    assert done.returncode == 9
    [pytest_call] = equipped.notes("-m pytest")
    assert pytest_call.endswith("-m not slow -k two words")
    assert not equipped.notes("apt-get")


def test_the_whole_run_installs_a_browser_and_a_reader_of_pdfs_where_it_may(equipped: Machine) -> None:
    equipped.run("test")
    assert {"chromium", "libatomic1", "poppler-utils"} <= set(equipped.notes("apt-get")[0].split())
    assert "not slow" not in equipped.notes("-m pytest")[0]
    assert any("dev.txt" in note for note in equipped.notes("--require-hashes"))


def test_ci_runs_what_the_readme_says() -> None:
    script = (PROJECT / ".ci" / "run").read_text()
    assert re.findall(r"^(?:[A-Z_]+=\S+ )?\./run (.*)$", script, re.MULTILINE) == [
        "lint",
        "demo --auto",
        "test",
    ]
    assert os.access(PROJECT / ".ci" / "run", os.X_OK)
    assert os.access(PROJECT / "run", os.X_OK)
