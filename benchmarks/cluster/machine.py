"""Hosts on one machine: each a network namespace at a bridge, with a control group that counts and limits its processor.

Needs Linux, root and iproute2. Control groups of either version; where neither may limit, hosts have no limit of their own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

NAME = "labels-cluster"
BRIDGE = "labels-bridge"
NET = "10.77.0"
PERIOD = 100_000
"""Microseconds in which a host has its share of a processor."""
ENDS_WITHIN = 10.0
"""Seconds for a host's process to end by itself; nothing of it is needed any more."""
_ROOT = Path("/sys/fs/cgroup")


class Lacking(Exception):
    """Hosts can't be made on this machine; says what is missing, in one line."""


def see_that_hosts_can_be_made() -> None:
    """Raises:
    Lacking: they can't.
    """
    missing = []
    if os.geteuid() != 0:
        missing.append("root, who alone makes network namespaces")
    missing += [
        f"{program} ({package})"
        for program, package in (("ip", "iproute2"), ("nginx", "nginx"), ("redis-server", "redis-server"))
        if found(program) is None
    ]
    if missing:
        raise Lacking(f"This machine lacks {', '.join(missing)}.")
    try:
        run("ip", "link", "add", BRIDGE, "type", "bridge")
    except Lacking as error:
        raise Lacking(f"This machine lets nobody make a network bridge: {error}") from None
    run("ip", "link", "del", BRIDGE)


def found(program: str) -> str | None:
    """Where a program is; Debian keeps some off the PATH."""
    return shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")


def run(*command: str) -> None:
    """Runs a command.

    Raises:
        Lacking: it fails.
    """
    done = subprocess.run(
        [found(command[0]) or command[0], *command[1:]], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Lacking(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")


@dataclass(frozen=True, slots=True)
class Spent:
    """What a host took of the processor so far."""

    seconds: float = 0.0
    periods: int = 0
    """Those in which it had something to do, where it has a limit."""
    waited: int = 0
    """Of these, those in which it had used up its share and waited for the next."""

    def since(self, former: Spent) -> Spent:
        """What it took after that."""
        return Spent(
            self.seconds - former.seconds, self.periods - former.periods, self.waited - former.waited
        )


class Groups:
    """Control groups, of version 2 where the machine has that for processors, else of version 1."""

    def __init__(self) -> None:
        self.second = "cpu" in _words(_ROOT / "cgroup.controllers")
        self.roots = [_ROOT / NAME] if self.second else [_ROOT / one / NAME for one in ("cpu", "cpuacct")]
        self.counts = all(one.parent.is_dir() for one in self.roots)
        self.limits = self.counts and self._may_limit()

    def _may_limit(self) -> bool:
        with contextlib.suppress(OSError):
            self.make("probe")
            self.limit("probe", 0.5)
            return True
        return False

    def make(self, host: str) -> None:
        """The group of a host."""
        for root in self.roots if self.counts else ():
            root.mkdir(exist_ok=True)
            if self.second:
                for one in (root.parent, root):
                    (one / "cgroup.subtree_control").write_text("+cpu")
            (root / host).mkdir(exist_ok=True)

    def limit(self, host: str, cores: float) -> None:
        """So many processors at most; 0 lifts the limit."""
        group, quota = self.roots[0] / host, int(PERIOD * cores)
        if self.second:
            (group / "cpu.max").write_text(f"{quota or 'max'} {PERIOD}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(quota or -1))

    def weigh(self, weight: int) -> None:
        """How much all hosts together count beside whatever else the machine does: as so many programs do."""
        if self.second:
            (self.roots[0] / "cpu.weight").write_text(str(min(10_000, 100 * weight)))
        else:
            (self.roots[0] / "cpu.shares").write_text(str(1024 * weight))

    def join(self, host: str) -> None:
        """Puts this process into the group of a host."""
        for root in self.roots if self.counts else ():
            (root / host / "cgroup.procs").write_text(str(os.getpid()))

    def spent(self, host: str) -> Spent:
        """What the processes of a host took."""
        if not self.counts:
            return Spent()
        words = _words(self.roots[0] / host / "cpu.stat")
        told = dict(zip(words[::2], map(int, words[1::2]), strict=True))
        seconds = (
            told["usage_usec"] / 1e6
            if self.second
            else int((self.roots[1] / host / "cpuacct.usage").read_text()) / 1e9
        )
        return Spent(seconds, told.get("nr_periods", 0), told.get("nr_throttled", 0))

    def members(self, host: str) -> list[int]:
        """The processes of a host."""
        return [int(one) for one in _words(self.roots[0] / host / "cgroup.procs")] if self.counts else []

    def remove(self) -> None:
        """All groups; those in which a process is stay."""
        for root in self.roots:
            for one in [*root.glob("*/"), root] if root.is_dir() else []:
                with contextlib.suppress(OSError):
                    one.rmdir()


def _words(file: Path) -> list[str]:
    with contextlib.suppress(OSError):
        return file.read_text().split()
    return []


@dataclass
class Machine:
    """The hosts, and what runs on them."""

    folder: Path
    groups: Groups = field(default_factory=Groups)
    hosts: dict[str, int] = field(default_factory=dict)
    """Each host's number in the network."""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def address(self, host: str) -> str:
        return f"{NET}.{self.hosts[host]}"

    def add(self, host: str, number: int) -> None:
        """A host with nothing on it."""
        self.hosts[host] = number
        namespace, port = f"{NAME}-{host}", f"lc-{host}"
        run("ip", "netns", "add", namespace)
        run("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        run("ip", "link", "set", port, "master", BRIDGE, "up")
        run("ip", "-n", namespace, "link", "set", "lo", "up")
        run("ip", "-n", namespace, "addr", "add", f"{self.address(host)}/24", "dev", "eth0")
        run("ip", "-n", namespace, "link", "set", "eth0", "up")
        self.groups.make(host)
        (self.folder / host).mkdir()

    def start(
        self,
        host: str,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        cwd: Path | None = None,
    ) -> None:
        """Starts what the host is for; what it says goes to `said` in its folder."""
        with (self.folder / host / "said").open("ab") as said:
            self.processes[host] = subprocess.Popen(
                [found("ip") or "ip", "netns", "exec", f"{NAME}-{host}", *map(str, command)],
                cwd=cwd or self.folder / host,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                preexec_fn=lambda: self.groups.join(host),
            )

    def said(self, host: str) -> str:
        return (self.folder / host / "said").read_text("utf-8", "replace")

    def end(self) -> None:
        """Everything on every host, and the hosts."""
        for one in reversed(self.processes.values()):
            one.terminate()
        for host, one in reversed(self.processes.items()):
            with contextlib.suppress(subprocess.TimeoutExpired):
                one.wait(ENDS_WITHIN)
            one.kill()
            for pid in self.groups.members(host):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.5)  # until the groups know that nobody is in them
        self.groups.remove()
        for host in self.hosts:
            with contextlib.suppress(Lacking):
                run("ip", "netns", "del", f"{NAME}-{host}")


@contextlib.contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    """A machine with a bridge, at which this process is `NET.1`, for the length of a `with` block.

    Raises:
        Lacking: hosts can't be made here.
    """
    see_that_hosts_can_be_made()
    run("ip", "link", "add", BRIDGE, "type", "bridge")
    made = Machine(folder)
    try:
        run("ip", "addr", "add", f"{NET}.1/24", "dev", BRIDGE)
        run("ip", "link", "set", BRIDGE, "up")
        yield made
    finally:
        made.end()
        run("ip", "link", "del", BRIDGE)
