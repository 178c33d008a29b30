"""The journal's pen: who did what, when, to which application."""

from __future__ import annotations

from typing import Any

from labels.record.rows import write
from labels.record.schema import Application, Journal
from labels.turn import Turn

SYSTEM = "system"
"""Who did it, where no person did."""
RULES = "rules"
"""Who decided, where the rules did."""


def note(
    turn: Turn,
    application: Application | None,
    who: str,
    what: str,
    *,
    step: str | None = None,
    news: bool = True,
    **details: Any,
) -> None:
    """Adds one entry, in the transaction of the change that it tells of.

    An entry that is news to the application's run moves its revision on, by which the run knows that
    there is something it has not seen. What changes nothing that it does or shows (a refused answer,
    a code that somebody asked for) is none, and wakes nobody.
    """
    write(
        turn.session,
        Journal,
        {
            "at": turn.now,
            "who": who,
            "what": what,
            "application": application.id if application else None,
            "step": step,
            "details": details | ({"door": turn.door.value} if turn.door else {}),
        },
    )
    if application and news:
        application.revision += 1
