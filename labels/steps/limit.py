"""How often somebody's codes may be asked for: by person and hour, since anybody can ask for anybody's."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from labels.clock import in_words
from labels.errors import NotAllowed
from labels.people.persons import addresses
from labels.record.journal import Event
from labels.record.schema import Journal
from labels.turn import Turn

CODES_AN_HOUR = 5
"""Unless `LABELS_CODES_AN_HOUR` says otherwise."""
_HOUR = timedelta(hours=1)


def may_be_mailed(turn: Turn, person_id: str, at_most: int) -> None:
    """Raises NotAllowed where a person's codes were asked for so often within the last hour, at whichever of their
    addresses."""
    theirs = addresses(turn.session, person_id)
    asked = turn.session.scalars(_ASKED, {"who": theirs, "since": turn.now - _HOUR}).all()
    if len(asked) >= at_most:
        again = in_words(asked[-at_most] + _HOUR) if at_most else "never"
        raise NotAllowed(
            f"Codes were asked for {len(asked)} times within an hour for {theirs[0]}; again from {again}. Those that were "
            "mailed are valid."
        )


_AS_THE_INDEX_HAS_IT = sa.literal(Event.ASKED_FOR_A_CODE.value, literal_execute=True)
_ASKED = (
    sa.select(Journal.at)
    .where(
        Journal.what == _AS_THE_INDEX_HAS_IT,
        Journal.who.in_(sa.bindparam("who", expanding=True)),
        Journal.at > sa.bindparam("since"),
    )
    .order_by(Journal.at)
)
