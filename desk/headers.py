"""The headers that every answer of the desk has, and where requests may come from."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing inline, nothing from elsewhere. `data:` is for the ticks that Bootstrap draws while our style is loading."""

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}
_YEAR = 365 * 24 * 60 * 60
STRICT_TRANSPORT = f"max-age={_YEAR}"
"""Browsers that came by TLS come by nothing else."""


class WithHeaders:
    """Adds to each answer of an application the headers that it does not set itself."""

    def __init__(self, app: ASGIApp, *, secure: bool, gate: str = "") -> None:
        """`gate`: the origin of the gate, where it is another host: signing in may lead there."""
        self.app = app
        self.headers = HEADERS | ({"Strict-Transport-Security": STRICT_TRANSPORT} if secure else {})
        if gate:  # browsers hold what a form leads to at last to the policy, too
            policy = POLICY.replace("form-action 'self'", f"form-action 'self' {gate}")
            self.headers["Content-Security-Policy"] = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers)


def is_ours(request: Request, origin: str) -> bool:
    """Whether a request that changes something comes from a page of ours: the browser says so."""
    if site := request.headers.get("sec-fetch-site"):
        return site == "same-origin"
    return request.headers.get("origin") == origin
