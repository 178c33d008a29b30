"""Webhooks by the API: a platform says itself where it is told, and has things told again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from desk.api.bodies import read_json
from desk.api.frame import Answer, Call, Operation, faults_of
from desk.api.problems import wrong
from labels.errors import NotFound
from labels.platform.signing import shown
from labels.platform.tokens import TokenScope
from labels.platform.webhooks import LONGEST_ADDRESS, Waiting
from labels.record.schema import PlatformWebhook
from labels.turn import Door
from usecases import webhooks

LARGEST = 4 << 10
"""Bytes of a body."""


class WebhookShown(Answer):
    """Where the platform is told, and how that goes."""

    webhook: str
    address: str
    made_at: datetime
    ended_at: datetime | None
    ended_because: str | None
    waiting: int
    """Changes that are still to be told."""
    failing: int
    """Of these, those that were tried in vain."""
    given_up: int
    """Changes that could not be told for three days."""


class WebhookMade(WebhookShown):
    """A webhook with its secret, which is given this once."""

    secret: str


class Webhooks(Answer):
    """The organisation's webhooks."""

    webhooks: list[WebhookShown]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WebhookWanted(_Strict):
    """Where the platform wants to be told."""

    address: str = Field(max_length=LONGEST_ADDRESS, description="https://…, a host of the public Internet.")


class ReplayWanted(_Strict):
    """What is to be told again."""

    since: AwareDatetime | None = Field(
        None,
        ge=datetime(2000, 1, 1, tzinfo=UTC),
        le=datetime(9000, 1, 1, tzinfo=UTC),
        description="All from this instant on, with its zone; else what was given up.",
    )


def _read(kind: type[Any], content: bytes) -> Any:
    body = read_json(content or b"{}")
    try:
        found = kind.model_validate(body)
    except ValidationError as error:
        raise wrong(faults_of(error, kind)) from None
    return found


def _shown(row: PlatformWebhook, how: Waiting | None = None) -> dict[str, Any]:
    return {
        "webhook": row.id,
        "address": row.address,
        "made_at": row.made_at,
        "ended_at": row.ended_at,
        "ended_because": row.ended_because,
        "waiting": how.waiting if how else 0,
        "failing": how.failing if how else 0,
        "given_up": how.given_up if how else 0,
    }


def _own(call: Call) -> str:
    """The webhook that the address names.

    Raises:
        NotFound: there is none, or it is another organisation's: nobody learns which.
    """
    identifier = call.places["webhook"]
    if identifier not in {row.id for row, _ in webhooks.listed(call.here, call.caller.organisation)}:
        raise NotFound("There is nothing here.")
    return identifier


def listed(call: Call) -> Webhooks:
    """All of them."""
    found = webhooks.listed(call.here, call.caller.organisation)
    return Webhooks(webhooks=[WebhookShown(**_shown(row, how)) for row, how in found])


def added(call: Call) -> WebhookMade:
    """A new one, which is told what happens from now on."""
    wanted = _read(WebhookWanted, call.content)
    made = webhooks.add(call.here, call.caller.organisation, wanted.address, door=Door.PLATFORM)
    return WebhookMade(**_shown(made.row), secret=shown(made.secret))


def rotated(call: Call) -> WebhookMade:
    """Another secret for one."""
    made = webhooks.rotate(call.here, _own(call), door=Door.PLATFORM)
    how = webhooks.waiting(call.here, made.row.id)
    return WebhookMade(**_shown(made.row, how), secret=shown(made.secret))


def ended(call: Call) -> WebhookShown:
    """Ends one."""
    return WebhookShown(**_shown(webhooks.end(call.here, _own(call), door=Door.PLATFORM)))


def replayed(call: Call) -> WebhookShown:
    """Has things told again."""
    wanted = _read(ReplayWanted, call.content)
    row, _ = webhooks.replay(call.here, _own(call), wanted.since)
    return WebhookShown(**_shown(row, webhooks.waiting(call.here, row.id)))


_SCOPE = TokenScope.WEBHOOKS_WRITE

OPERATIONS = (
    Operation("GET", "/webhooks", _SCOPE, "The organisation's webhooks.", listed, Webhooks),
    Operation(
        "POST",
        "/webhooks",
        _SCOPE,
        "A new webhook; its secret is in this answer alone.",
        added,
        WebhookMade,
        body=WebhookWanted,
        largest=LARGEST,
        outside=True,
        refuses=(408, 413, 415),
    ),
    Operation(
        "DELETE", "/webhooks/{webhook}", _SCOPE, "Ends a webhook.", ended, WebhookShown, refuses=(404,)
    ),
    Operation(
        "POST",
        "/webhooks/{webhook}/secret",
        _SCOPE,
        "Another secret for a webhook; for a week the former one signs, too.",
        rotated,
        WebhookMade,
        refuses=(404,),
    ),
    Operation(
        "POST",
        "/webhooks/{webhook}/replay",
        _SCOPE,
        "Has changes told again, under the same ids.",
        replayed,
        WebhookShown,
        body=ReplayWanted,
        largest=LARGEST,
        refuses=(404, 408, 413, 415),
    ),
)
