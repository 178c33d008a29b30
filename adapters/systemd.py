"""What systemd hands to a service that it starts, and what it wants to be told: by its documented environment alone.

Sources: sd_listen_fds(3) and sd_notify(3). Where systemd does not run us, there is nothing to take and nobody to tell.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Sequence

from labels.errors import Fault, InvalidInput

LISTENER = "LABELS_LISTENER"
"""Tells a process that we start which of its descriptors is the socket on which it listens."""
_FIRST = 3
"""The number of the first descriptor that is handed over."""


def sockets_handed_over(names: Sequence[str]) -> dict[str, socket.socket]:
    """The listening sockets of this process by their names (`FileDescriptorName=`); the environment forgets them.

    Raises:
        InvalidInput: one has none of the names, a name comes twice, or one does not listen for TCP.
    """
    count, owner = os.environ.pop("LISTEN_FDS", ""), os.environ.pop("LISTEN_PID", "")
    named = os.environ.pop("LISTEN_FDNAMES", "").split(":")
    if owner != str(os.getpid()) or not count.isdecimal():
        return {}
    found: dict[str, socket.socket] = {}
    for number, name in zip(range(_FIRST, _FIRST + int(count)), [*named, *[""] * int(count)], strict=False):
        if name not in names or name in found:
            problem = f"systemd handed over a socket called {name!r}; expected each of {', '.join(names)} at most once."
            raise InvalidInput(
                "systemd", [Fault("FileDescriptorName", problem, "Name it in its .socket unit.")]
            )
        found[name] = socket.socket(fileno=number)
        found[name].set_inheritable(False)
        if found[name].family not in (socket.AF_INET, socket.AF_INET6):
            problem = f"the socket {name} is no TCP socket."
            raise InvalidInput("systemd", [Fault("ListenStream", problem, "Give it an address and a port.")])
    return found


def tell_systemd(*states: str) -> None:
    """Tells systemd how this service is (`READY=1`, `WATCHDOG=1` …); does nothing where nobody wants to know."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
        to.settimeout(1.0)  # nobody waits for a systemd that does not listen
        to.sendto("\n".join(states).encode(), f"\0{address[1:]}" if address.startswith("@") else address)
