"""Whom a reviewer's seat can be given to, before a coordinator chooses."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.orm import Session

from labels.reviews import conflicts
from labels.reviews.seats import seats_of


def fit(session: Session, steps: Collection[str], persons: Collection[str]) -> dict[str, frozenset[str]]:
    """Who of some people can be given the seat of each of these steps; nobody where there is none to give."""
    seats = seats_of(session, steps)
    whom = conflicts.near(session, persons)
    to_give = {step for step, seat in seats.items() if seat.open is None}
    return {
        step: frozenset(person for person, who in whom.items() if seats[step].unfit(who) is None)
        if step in to_give
        else frozenset()
        for step in steps
    }
