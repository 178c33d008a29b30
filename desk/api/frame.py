"""What every request to the API goes through: who asks, how often, what for, and what goes wrong.

An operation says what it needs and gives, and has a function that does it; the description (`description.py`) is made
from the same.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import anyio
from anyio.lowlevel import RunVar
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.workspace import Workspace
from desk.api.bodies import content_of
from desk.api.limits import Limits
from desk.api.problems import (
    ProblemFault,
    Refused,
    away,
    beyond_scope,
    nothing_here,
    token_in_address,
    too_often,
    unknown_token,
    wrong,
)
from desk.arriving import Arriving
from desk.at_once import limiter_of
from desk.frame import error_number
from labels.errors import InvalidInput, LabelsError, NotAllowed, NotFound, OutOfReach
from labels.platform.tokens import MARK, Caller, TokenScope
from usecases import platform

log = logging.getLogger("desk")

AT_ONCE = 8
"""Requests that are worked on at the same time: the desk's people have the other threads."""
OUTSIDE_AT_ONCE = 2
_LIMITER = RunVar[anyio.CapacityLimiter]("requests of platforms")
_WRITING = RunVar[anyio.CapacityLimiter]("what platforms bring in")
_OUTSIDE = RunVar[anyio.CapacityLimiter]("what platforms have looked for outside")
_LONGEST_HEAD = 200
"""Characters of a token."""


class Asked(BaseModel):
    """The parameters of an operation's address; others are refused, since a filter that is not known filters nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """What an operation gives."""

    model_config = ConfigDict(frozen=True)


A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Call:
    """A request by somebody who may make it."""

    here: Workspace
    caller: Caller
    query: Asked
    places: Mapping[str, str]
    """What stands in the places of the path."""
    headers: Mapping[str, str]
    content: bytes = b""
    """The body, where the operation takes one."""

    def asked(self, kind: type[A]) -> A:
        """The parameters of the address."""
        assert isinstance(self.query, kind)
        return self.query


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that the API does."""

    method: str
    path: str
    scope: TokenScope
    summary: str
    """For people, in the description."""
    work: Callable[[Call], Answer]
    gives: type[Answer]
    query: type[Asked] = Asked
    body: type[BaseModel] | None = None
    """What it takes, for the description; what is wrong with it the operation says itself."""
    largest: int = 0
    """Bytes of its body."""
    keyed: bool = False
    """Whether a key of the platform's tells two requests apart (`Idempotency-Key`)."""
    outside: bool = False
    """Whether it asks somebody outside, for whom no other request waits."""
    refuses: tuple[int, ...] = ()
    """Its own problems, beside those of every operation."""


@dataclass(frozen=True)
class Api:
    """What all operations share."""

    here: Workspace
    arriving: Arriving
    limits: Limits = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "limits", Limits(self.here.settings.api_per_minute))

    def route(self, operation: Operation) -> Route:
        """The route to an operation."""

        async def answer(request: Request) -> Response:
            return await self._answer(operation, request)

        return Route(operation.path, answer, methods=[operation.method])

    async def _answer(self, operation: Operation, request: Request) -> Response:
        caller: Caller | None = None
        try:
            caller = await _in_a_thread(self._caller, request)
            call = self._call(operation, request, caller)
            if operation.body is not None:
                content = await content_of(request, operation.largest, self.arriving, caller.token)
                call = dataclasses.replace(call, content=content)
            given = await _in_a_thread(operation.work, call, among=_among(operation))
            response = _with_tag(request, given)
        except Exception as error:
            response = problem_of(request, error)
        if caller is not None and platform.is_to_be_noted(self.here, caller):
            response.background = BackgroundTask(platform.note_used, self.here, caller)
        return response

    def _caller(self, request: Request) -> Caller:
        """Who asks.

        Raises:
            Refused: nobody who may, or too often.
        """
        if MARK in request.url.query or MARK in request.url.path:
            raise token_in_address()
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        if kind.lower() != "bearer" or not token or len(token) > _LONGEST_HEAD:
            raise unknown_token()
        caller = platform.caller_with(self.here, token)
        if caller is None:
            raise unknown_token()
        if seconds := self.limits.wait(caller.token):
            raise too_often(seconds)
        return caller

    def _call(self, operation: Operation, request: Request, caller: Caller) -> Call:
        """What is asked for.

        Raises:
            Refused: the token does not allow it, or the address says what is not known.
        """
        if operation.scope not in caller.scopes:
            raise beyond_scope(operation.scope)
        places = {name: str(value) for name, value in request.path_params.items()}
        if not all(map(str.isprintable, places.values())):
            raise nothing_here()
        return Call(self.here, caller, _query(operation.query, request), places, request.headers)


_R = TypeVar("_R")
_T = TypeVar("_T")


def _among(operation: Operation) -> anyio.CapacityLimiter:
    """With which others an operation is worked on."""
    if operation.outside:
        return limiter_of(_OUTSIDE, OUTSIDE_AT_ONCE)
    if operation.body is not None:  # SQLite has one writer, whose people wait for it too
        return limiter_of(_WRITING, 1)
    return limiter_of(_LIMITER, AT_ONCE)


async def _in_a_thread(
    work: Callable[[_T], _R], what: _T, *, among: anyio.CapacityLimiter | None = None
) -> _R:
    return await anyio.to_thread.run_sync(work, what, limiter=among or limiter_of(_LIMITER, AT_ONCE))


def _query(kind: type[Asked], request: Request) -> Asked:
    pairs = request.query_params.multi_items()
    given = dict(pairs)
    if len(given) < len(pairs):
        twice = sorted({name for name, _ in pairs if [one for one, _ in pairs].count(name) > 1})
        raise wrong([ProblemFault(where=shown(name), problem="stands more than once.") for name in twice])
    if unseen := sorted(name for name, value in pairs if not value.isprintable()):
        raise wrong(
            [ProblemFault(where=shown(name), problem="has characters that nobody sees.") for name in unseen]
        )
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise wrong(faults_of(error, kind)) from None


def faults_of(error: ValidationError, kind: type[BaseModel]) -> list[ProblemFault]:
    """What pydantic objects to in what was to be of a kind, without what was sent."""
    known = ", ".join(kind.model_fields)
    unknown = f"is not known here; known are {known}." if known else "is not known here, where nothing is."
    return [
        ProblemFault(
            where=shown(" · ".join(map(str, one["loc"])) or "all of it"),
            problem=unknown if one["type"] == "extra_forbidden" else f"{one['msg']}.",
        )
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def shown(name: str) -> str:
    """A name that somebody sent, as far as it is shown again."""
    return name[:60]


def _with_tag(request: Request, given: Answer) -> Response:
    """The answer, or 304 where whoever asks has it already."""
    body = given.model_dump_json().encode()
    if request.method not in ("GET", "HEAD"):
        return Response(body, media_type="application/json")
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if request.method in ("GET", "HEAD") and tag in known:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def problem_of(request: Request, error: Exception) -> Response:
    """The problem that an error is to whoever asked."""
    match error:
        case Refused():
            return error.response()
        case HTTPException():
            return _of_http(error).response()
        case NotFound():
            return nothing_here().response()
        case OutOfReach():
            log.warning("503 %s %s", request.method, request.scope["path"])
            return (away(f"{error.service} does not answer. {error.kept}")).response()
        case InvalidInput():
            return wrong(
                [
                    ProblemFault(where=one.where, problem=one.problem, remedy=one.remedy)
                    for one in error.faults
                ]
            ).response()
        case NotAllowed():
            return Refused(403, "not-allowed", str(error)).response()
        case LabelsError():
            return Refused(400, "refused", str(error)).response()
    number = error_number()
    log.error("%s 500 %s %s", number, request.method, request.scope["path"], exc_info=error)
    return Refused(500, "unforeseen", f"Something went wrong here that nobody foresaw: {number}.").response()


def _of_http(error: HTTPException) -> Refused:
    headers = dict(error.headers or {})
    match error.status_code:
        case 404:
            return nothing_here()
        case 405:
            return Refused(405, "method", "This address has no such method.", headers=headers)
        case 413:
            return Refused(413, "too-large", "The body is larger than this operation takes.", headers=headers)
        case 408:
            return Refused(408, "too-slow", "The body came too slowly.", headers=headers)
        case 503:
            return away("As much as may be is arriving already.")
    return Refused(
        error.status_code, "request", "This is no request that can be understood.", headers=headers
    )
