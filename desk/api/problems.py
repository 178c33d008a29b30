"""What goes wrong in the API, as RFC 9457 has it: `application/problem+json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, Field
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:etwinning-labels:problem:"


def whole(text: str) -> str:
    """A text with a ? for each half of a character, which JSON may have and no answer can."""
    return text.encode("utf-8", "replace").decode()


_Shown: TypeAlias = Annotated[str, BeforeValidator(whole)]


class ProblemFault(BaseModel):
    """One thing that is wrong with what was sent."""

    where: _Shown
    """The parameter or field, in words for people."""
    row: int | None = None
    """The place of the row in the batch, from 0 on, where it is about one."""
    field: _Shown | None = None
    """The row's field, where it is about one."""
    problem: _Shown
    """What is wrong, and what was expected."""
    remedy: str = ""
    """What to do about it."""


class Problem(BaseModel):
    """Why a request was not done (RFC 9457)."""

    type: str
    """What kind of problem it is; these words stay."""
    title: str
    status: int
    detail: str
    faults: list[ProblemFault] = Field(default_factory=list)


@dataclass
class Refused(Exception):
    """A request that is not done; says why."""

    status: int
    kind: str
    detail: str
    faults: Sequence[ProblemFault] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """The answer that says so; the same bytes for the same problem, whatever was asked for."""
        problem = Problem(
            type=_TYPE + self.kind,
            title=HTTPStatus(self.status).phrase,
            status=self.status,
            detail=self.detail,
            faults=list(self.faults),
        )
        return Response(
            problem.model_dump_json(exclude_none=True),
            self.status,
            headers=dict(self.headers),
            media_type=MEDIA_TYPE,
        )


def nothing_here() -> Refused:
    """What is not there, or is another organisation's: nobody learns which."""
    return Refused(404, "not-found", "There is nothing here.")


def unknown_token() -> Refused:
    """No token, or one that is none, has run out or was ended: nobody learns which."""
    return Refused(
        401,
        "no-token",
        "A token that counts is needed: Authorization: Bearer …",
        headers={"WWW-Authenticate": 'Bearer realm="labels"'},
    )


def token_in_address() -> Refused:
    """A token in an address is in logs, histories and referrers."""
    return Refused(
        400,
        "token-in-address",
        "A token stands in the address, where logs keep it. End it, and send another one in the head: "
        "Authorization: Bearer …",
    )


def beyond_scope(scope: str) -> Refused:
    """The token does not allow this."""
    return Refused(
        403,
        "scope",
        f"The token lacks the scope {scope}.",
        headers={"WWW-Authenticate": f'Bearer realm="labels", error="insufficient_scope", scope="{scope}"'},
    )


def too_often(seconds: int) -> Refused:
    """More requests than a token may make."""
    return Refused(
        429,
        "too-many-requests",
        f"The token has made as many requests as it may; again in {seconds} s.",
        headers={"Retry-After": str(seconds)},
    )


def away(detail: str = "A service that this needs does not answer; nothing was changed.") -> Refused:
    """Something that is needed does not answer."""
    return Refused(503, "away", detail, headers={"Retry-After": "30"})


def wrong(faults: Sequence[ProblemFault]) -> Refused:
    """What was sent is wrong; every fault is named."""
    return Refused(422, "faults", "What was sent is wrong; nothing was changed.", faults)
