"""The gate: Prefect's V1 pages behind the desk's sign-in, each person's runs and nothing else.

An ASGI application before Prefect's server, which listens on loopback. A coordinator sees the runs of their
organisations, a reviewer those of their open steps, an operator everything but what people answered; whoever is not
signed in sees nothing. What the first two may call stands in `adapters.prefect.gate.allowed`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import aiohttp
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from adapters.prefect.gate.allowed import HIDDEN, PAGES, SOCKETS, STATIC, Bound, Route, allowed
from adapters.prefect.gate.bounds import Bounds, Refused, without_code
from adapters.prefect.gate.upstream import Unreachable, Upstream
from adapters.workspace import Workspace
from desk.entering import ENTRY, Entry, entry_of
from desk.frame import SESSION, Desk
from desk.headers import STRICT_TRANSPORT
from labels.sessions import elsewhere
from labels.sessions import session as sessions
from labels.sessions.codes import token_hash
from labels.sessions.second import policy_of
from labels.sessions.session import Visitor
from labels.steps.vouching import vouch
from labels.views.prefect_access import PrefectAccess, access_of

LOG = logging.getLogger("labels.gate")
"""Who changed what in Prefect by the gate."""
SMALL, LARGE = 64_000, 2_000_000
"""Bytes of a filter; of a form, whose lists may be long."""
READ_WITHIN = 60.0
"""Seconds for the body of a request."""
OPERATOR = "/gate/operator"
"""What a proxy asks with `auth_request`, whether it may take an operator's request to Prefect itself."""
SIGNED_IN_EVERY = 5.0
"""Seconds after which a websocket looks again whether its session is still there."""

WhoIsIt = Callable[[Mapping[str, str]], PrefectAccess | None]
"""Whose session the cookies of a request are, read at each request: what was revoked is refused at the next click."""

_CLEAN = re.compile(r"/|(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?")
"""A path without escapes, parameters, empty parts and dots: what is checked is what Prefect gets."""
_NAMES = {"id", "name", "created", "updated", "flow_id", "type", "status", "work_pool_name", "work_pool_id"}
_ASKED = ("accept", "accept-encoding", "if-none-match", "if-modified-since", "x-prefect-api-version")
_ANSWERED = (
    "content-type",
    "content-length",
    "content-encoding",
    "content-disposition",
    "etag",
    "last-modified",
    "vary",
)
_SAFE = {
    # The graph of a run needs `unsafe-eval` (pixi.js compiles its shaders' setters).
    "content-security-policy": "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
_UI_SETTINGS = {
    "api_url": "/api",
    "csrf_enabled": False,
    "auth": None,
    "flags": [],
    "default_ui": "v1",
    "available_uis": ["v1"],
    "v1_base_url": "/",
    "v2_base_url": None,
}
_REFUSED_PAGES = (
    "flows",
    "deployments",
    "work-pools",
    "blocks",
    "variables",
    "automations",
    "events",
    "concurrency-limits",
    "settings",
)
_STYLE = (
    ",".join(f'a[href="/{page}"]' for page in _REFUSED_PAGES)
    + ",.p-button--destructive,.flow-run-menu,.p-list-item-input__checkbox,.list-header__left .p-checkbox"
    + "{display:none!important}"
)
"""Hides the entries and buttons that would be refused: Prefect's page words a refusal as an advertisement."""


@dataclass
class Gate:
    """The application, for one address that people reach it by."""

    upstream: Upstream
    bounds: Bounds
    origin: str
    """The address in people's browsers, such as `https://runs.example`."""
    sign_in: str
    """Where whoever is not signed in is led to."""
    who_is_it: WhoIsIt
    entry: Entry | None = None
    """How browsers come from the desk with a session, where the gate has a host name of its own."""
    _host: str = field(init=False)

    def __post_init__(self) -> None:
        self.origin = self.origin.rstrip("/")
        self._host = self.origin.partition("://")[2]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, or carries an operator's websocket."""
        if scope["type"] == "websocket":
            await self._socket(WebSocket(scope, receive, send))
        else:
            response = await self._http(Request(scope, receive))
            await response(scope, receive, send)

    async def _http(self, request: Request) -> Response:
        try:
            response = await self._answer(request)
        except Refused as refused:
            response = JSONResponse({"detail": refused.why}, refused.status)
        except RecursionError:
            response = JSONResponse({"detail": "Too deep"}, 400)
        except Unreachable:
            response = JSONResponse({"detail": "Prefect's server does not answer."}, 502)
        response.headers.update(_SAFE)
        if self.origin.startswith("https://"):
            response.headers["strict-transport-security"] = STRICT_TRANSPORT
        fixed = request.scope["path"].startswith("/assets/") and response.status_code in (200, 304)
        response.headers["cache-control"] = "private, max-age=86400" if fixed else "no-store"
        return response

    async def _answer(self, request: Request) -> Response:
        path = request.scope["raw_path"].decode("latin-1")
        of_api = path.startswith("/api/") or path == "/api"
        reads = request.method in ("GET", "HEAD")
        if request.headers.getlist("host") != [self._host]:
            raise Refused(421, "Another host")
        if not _CLEAN.fullmatch(path):
            raise Refused(404)
        if self.entry and path == ENTRY and reads:
            return self.entry.enter(request)
        who = await self._who(request.cookies)
        if path == OPERATOR:
            return _may_pass(request, who, self.origin)
        if who is None:
            if reads and not of_api:
                return self.entry.leave(request, path) if self.entry else RedirectResponse(self.sign_in, 303)
            raise Refused(401, "Sign in")
        if not reads and not _same_page(request, self.origin):
            raise Refused(403, "Asked from another page")
        if HIDDEN.fullmatch(path) and not of_api:
            raise Refused(404)
        if not of_api:
            return await self._page(request, who, path)
        answer = await self._call(request, who, path)
        changes = path.endswith("/resume") or (who.operator and not reads and not path.endswith("/filter"))
        if changes:
            LOG.info("%s %s by %s: %s", request.method, path, who.person, answer.status_code)
        return answer

    async def _who(self, cookies: Mapping[str, str]) -> PrefectAccess | None:
        return await run_in_threadpool(self.who_is_it, cookies)

    async def _call(self, request: Request, who: PrefectAccess, path: str) -> Response:
        """A call of the API, in the bounds of what the person may see."""
        row = allowed(request.method, path)
        if who.operator and not (row and row[0].bound in (Bound.FORM, Bound.RESUME)):
            if HIDDEN.fullmatch(path):
                raise Refused(404)
            reads = request.method in ("GET", "HEAD")
            body = None if reads else await _read(request, 5 * LARGE)
            return await self._passed(request, path, body, request.url.query)
        if row is None:
            raise Refused(403, "Not for your role")
        route, parts = row
        form = route.bound in (Bound.RESUME, Bound.CHECK)
        given = await _json(request, LARGE if form else SMALL) if request.method == "POST" else {}
        if route.bound is Bound.FIXED:
            return JSONResponse(route.answer)
        await self.bounds.hold(who, route, parts, given)
        if route.bound in (Bound.OWN, Bound.NAMES, Bound.FORM):
            return JSONResponse(await self._shown(who, route, parts, path))
        return await self._passed(request, path, _bytes(given) if request.method == "POST" else None)

    async def _shown(self, who: PrefectAccess, route: Route, parts: Mapping[str, str], path: str) -> Any:
        """What is left of an answer for this person."""
        shown = await self.upstream.json(path)
        if shown is None:
            raise Refused(404)
        if route.bound is Bound.OWN:
            tags = shown["tags"] if route.run == "id" else None
            await self.bounds.must_cover(who, shown.get(route.run), tags, content=route.content)
        elif route.bound is Bound.NAMES:
            return {
                name: value if name in _NAMES or isinstance(value, bool) else _empty(value)
                for name, value in shown.items()
            }
        elif isinstance(shown, dict):
            without_code(shown, who)
        return shown

    async def _passed(self, request: Request, path: str, content: bytes | None, query: str = "") -> Response:
        """The request made anew, its answer streamed."""
        headers = {name: request.headers[name] for name in _ASKED if name in request.headers}
        if content is not None:
            headers["content-type"] = "application/json"
        stack = contextlib.AsyncExitStack()
        asked = self.upstream.asked(request.method, f"{path}?{query}" if query else path, content, headers)
        answer = await stack.enter_async_context(asked)
        if 300 <= answer.status < 400 and answer.status != 304:
            await stack.aclose()
            raise Refused(404)  # Prefect's redirects name its own address

        kept = {name: answer.headers[name] for name in _ANSWERED if name in answer.headers}
        return _Streamed(answer.content.iter_any(), answer.status, kept, until=stack)

    async def _page(self, request: Request, who: PrefectAccess, path: str) -> Response:
        if request.method not in ("GET", "HEAD"):
            raise Refused(405, "Pages are read.")
        if path == "/ui-settings":
            return JSONResponse(_UI_SETTINGS)
        if path == "/gate.css":
            return Response("" if who.operator else _STYLE, media_type="text/css")
        if STATIC.fullmatch(path):
            return await self._passed(request, path, None)
        if not who.operator and not PAGES.fullmatch(path):
            return RedirectResponse("/runs", 303)
        page = await self.upstream.text("/runs")
        link = '<link rel="stylesheet" href="/gate.css"></head>'
        return Response(page.replace("</head>", link), media_type="text/html")

    async def _socket(self, ws: WebSocket) -> None:
        """An operator's websocket, for as long as the session lasts."""
        path, who = ws.scope["raw_path"].decode("latin-1"), await self._who(ws.cookies)
        ours = ws.headers.getlist("host") == [self._host] and ws.headers.getlist("origin") == [self.origin]
        if not (ours and path in SOCKETS and who and who.operator):
            await ws.close(1008)
            return
        protocols = ("prefect",) if "prefect" in ws.scope["subprotocols"] else ()
        try:
            async with self.upstream.socket(path, protocols, LARGE) as line:
                await ws.accept(line.protocol)
                await _until_one_ends(_to(line, ws), _from(line, ws), self._signed_in(ws, who))
        except Unreachable:
            LOG.warning("Prefect's server does not answer at %s.", path)
        with contextlib.suppress(RuntimeError):
            await ws.close()

    async def _signed_in(self, ws: WebSocket, who: PrefectAccess) -> None:
        while await self._who(ws.cookies) == who:
            await asyncio.sleep(SIGNED_IN_EVERY)


def _same_page(request: Request, origin: str) -> bool:
    """Whether a request that changes something comes from a page of the gate."""
    same = request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
    return same and request.headers.getlist("origin") == [origin]


def _may_pass(request: Request, who: PrefectAccess | None, origin: str) -> Response:
    """Whether a proxy may take a request to Prefect itself (nginx's `auth_request`): 204, or why it comes to the gate.

    Only an operator's may, and of theirs not what the gate changes: pages, the form, and what nobody sees.
    """
    if who is None:
        raise Refused(401, "Sign in")
    path = request.headers.get("x-original-uri", "").partition("?")[0]
    method = request.headers.get("x-original-method", "")
    row = allowed(method, path)
    plain = _CLEAN.fullmatch(path) and path.startswith("/api/") and not HIDDEN.fullmatch(path)
    changed = row is not None and row[0].bound in (Bound.FORM, Bound.RESUME)
    if not (who.operator and plain and not changed):
        raise Refused(403, "By the gate")
    reads = method in ("GET", "HEAD")
    strange = any(one != origin for one in request.headers.getlist("origin"))  # as of a websocket
    if strange or not (reads or _same_page(request, origin)):
        raise Refused(403, "Asked from another page")
    if not reads and not path.endswith("/filter"):
        LOG.info("%s %s by %s: passed on", method, path, who.person)
    return Response(status_code=204)


class _Streamed(StreamingResponse):
    """An answer that is passed on as it arrives; its connection is given back however that ends."""

    def __init__(
        self,
        content: AsyncIterator[bytes],
        status: int,
        headers: Mapping[str, str],
        *,
        until: contextlib.AsyncExitStack,
    ) -> None:
        super().__init__(content, status, headers)
        self._until = until

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it."""
        async with self._until:
            await super().__call__(scope, receive, send)


def gate_of(here: Workspace, prefect: str, origin: str, sign_in: str, who_is_it: WhoIsIt) -> Gate:
    """The gate of a workspace before Prefect's server at the address `prefect`, which people reach at `origin`."""
    upstream = Upstream(prefect)

    def proof(person: str, run: str, waiting: int, filled: Mapping[str, Any]) -> str:
        return vouch(here.key, person, run, waiting, filled, here.now())

    return Gate(upstream, Bounds(upstream, proof), origin, sign_in, who_is_it)


def signed_in_gate(here: Workspace, prefect: str) -> Starlette:
    """The gate that `labels up` serves, for whoever has signed in at the desk."""
    desk = Desk(here)
    operators, passkeys = here.settings.operator_addresses, policy_of(here.settings)

    entry = entry_of(here)
    cookie = entry.cookies.named(SESSION) if entry else desk.cookie(SESSION)

    def who_is_it(cookies: Mapping[str, str]) -> PrefectAccess | None:
        given = cookies.get(cookie, "")[:200]
        key = elsewhere.session_of_token(here.good_keys(), given) if entry else token_hash(given)
        if key is None:
            return None
        with here.record.reading() as session:
            found = sessions.visitor_in(session, key, here.now(), passkeys)
            return access_of(session, found.account, operators) if isinstance(found, Visitor) else None

    origin = here.settings.site_url
    gate = gate_of(here, prefect, origin, f"{desk.origin}/sign-in", who_is_it)
    gate.entry = entry
    return gate_app(gate)


def gate_app(gate: Gate) -> Starlette:
    """The gate as an application that opens and closes its connections to Prefect."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with gate.upstream:
            yield

    return Starlette(routes=[Mount("/", app=gate)], lifespan=lifespan)


async def _to(line: aiohttp.ClientWebSocketResponse, ws: WebSocket) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            await line.send_str(await ws.receive_text())


async def _from(line: aiohttp.ClientWebSocketResponse, ws: WebSocket) -> None:
    async for message in line:
        await ws.send_text(str(message.data))


async def _until_one_ends(*works: Any) -> None:
    tasks = [asyncio.create_task(work) for work in works]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _read(request: Request, most: int) -> bytes:
    if "content-encoding" in request.headers:
        raise Refused(415, "Uncompressed, please")
    raw = bytearray()
    try:
        async with asyncio.timeout(READ_WITHIN):
            async for part in request.stream():
                raw += part
                if len(raw) > most:
                    raise Refused(413, "Too long")
    except TimeoutError:
        raise Refused(408, "Too slow") from None
    except ClientDisconnect:
        raise Refused(400, "It did not arrive whole") from None
    return bytes(raw)


async def _json(request: Request, most: int) -> dict[str, Any]:
    """The JSON object of a request: no key twice, nothing that is no JSON."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "JSON, please")
    try:
        text = (await _read(request, most)).decode()
        given = json.loads(text, object_pairs_hook=_each_key_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise Refused(400, "A JSON object is needed.")
    return given


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _bytes(given: dict[str, Any]) -> bytes:
    try:
        return json.dumps(given, allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise Refused(400, "A JSON object is needed.") from None


def _empty(value: Any) -> Any:
    return type(value)() if isinstance(value, dict | list) else None
