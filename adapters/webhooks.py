"""An event is sent to a platform's address: over TLS, to no machine of our own network, within seconds, and once.

The name is resolved once and the connection goes to what was found, so that nobody can have it found otherwise
between the look and the call. Redirects are not followed, and no proxy is asked.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

WITHIN = 10.0
"""Seconds from the connection to the head of the answer."""
LOOKED_FOR = 5.0
"""Seconds for which the name of a host is looked for."""
_LOOKS = threading.BoundedSemaphore(16)
"""So many names are looked for at once: nothing ends a look whose time is over."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NOBODY_S = tuple(
    map(
        ipaddress.ip_network,
        (
            "192.88.99.0/24",  # what relays of 6to4 had, and nobody has any more (RFC 7526)
            # Public by their numbers, and answered by the hoster's own machinery to whoever runs there:
            "168.63.129.16/32",  # Azure
            "192.0.0.0/24",  # Oracle has 192.0.0.192
            "161.26.0.0/16",  # IBM
            "166.8.0.0/14",  # IBM
        ),
    )
)


class NotSent(Exception):
    """It was not taken; says why, for the operator."""


def is_public(address: str) -> bool:
    """Whether an address is one of the public Internet, in whatever way it is written."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if found.is_site_local:
            return False
    elif any(found in one for one in _NOBODY_S):
        return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def resolved(host: str, port: int, *, private: bool, within: float = LOOKED_FOR) -> str:
    """The address at which a host is called; `private` allows those of our own network, too.

    Raises:
        NotSent: it is not found within so many seconds, or one of its addresses is not public.
    """
    found = _addresses(host, port, within)
    if not private and not all(map(is_public, found)):
        raise NotSent(f"{host} is no host of the public Internet.")
    return found[0]


def _addresses(host: str, port: int, within: float) -> list[str]:
    """The addresses of a host.

    A look has no end of its own, so a thread of its own looks, which nobody waits for longer.

    Raises:
        NotSent: it is not found in time.
    """
    answer: queue.SimpleQueue[list[str]] = queue.SimpleQueue()

    def look() -> None:
        found: list[str] = []
        try:
            found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError):
            pass
        finally:
            _LOOKS.release()
            answer.put(found)

    if not _LOOKS.acquire(timeout=within):
        raise NotSent(f"{host} was not found within {within:.0f} s.")
    threading.Thread(target=look, name="looks for a host", daemon=True).start()
    try:
        found = answer.get(timeout=within)
    except queue.Empty:
        raise NotSent(f"{host} was not found within {within:.0f} s.") from None
    if not found:
        raise NotSent(f"{host} is not found.")
    return found


def send(
    address: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    private: bool = False,
    within: float = WITHIN,
    trusted: ssl.SSLContext | None = None,
) -> int:
    """Posts a body; the status of the answer, whose body is not read.

    Args:
        address: `https://…`; where `private`, also `http://…`.
        body: JSON.
        headers: its own.
        private: whether machines of our own network may be called.
        within: seconds for all of it.
        trusted: whose certificates count; those of the machine unless given.

    Raises:
        NotSent: nobody answers there in time, or it may not be called.
    """
    parts = urlsplit(address)
    host, secure = parts.hostname or "", parts.scheme == "https"
    if not secure and not private:
        raise NotSent("It is no https.")
    port = parts.port or (443 if secure else 80)
    where = resolved(host, port, private=private)
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    try:
        with _connected(where, port, within) as (line, watch):
            if secure:
                context = trusted or ssl.create_default_context()
                tls = context.wrap_socket(line, server_hostname=host, do_handshake_on_connect=False)
                watch(tls)
                tls.do_handshake()
                line = tls
            connection = http.client.HTTPConnection(parts.netloc, timeout=within)
            connection.sock = line
            try:
                connection.request("POST", target, body, {"Content-Type": "application/json", **headers})
                return connection.getresponse().status
            finally:
                connection.close()
    except TimeoutError:
        raise NotSent(f"{host} did not answer within {within:.0f} s.") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotSent(f"{host}: {_reason(error, within)}") from None


@contextlib.contextmanager
def _connected(
    where: str, port: int, within: float
) -> Iterator[tuple[socket.socket, Callable[[socket.socket], None]]]:
    """A connection that is shut when its time is over, however slowly something still comes."""
    line = socket.create_connection((where, port), timeout=within)
    watched = [line]

    def over() -> None:
        for one in watched:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(within, over)
    timer.daemon = True
    timer.start()
    try:
        yield line, watched.append
    finally:
        timer.cancel()
        for one in watched:
            one.close()


def _reason(error: Exception, within: float) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})."
    if isinstance(error, http.client.RemoteDisconnected | ConnectionError | ssl.SSLError):
        return f"the connection ended without an answer, or took longer than {within:.0f} s."
    if isinstance(error, OSError):
        return f"{error.strerror or 'no connection'}."
    return "it does not speak HTTP."
