"""Whom somebody asks who has a question: their organisations, with an address."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.schema import Organisation, School
from labels.sessions.accounts import Account


@dataclass(frozen=True, slots=True)
class ToAsk:
    """An organisation that answers."""

    name: str
    address: str
    country: str


def whom_to_ask(session: Session, account: Account | None) -> list[ToAsk]:
    """The organisations of whoever is signed in, else all national ones, by country; their addresses are public."""
    query = sa.select(Organisation.name, Organisation.email, Organisation.country)
    schools = account.schools if account else ()
    staff = (*account.reviews_for, *account.coordinates) if account else ()
    if schools or staff:
        of_schools = sa.select(School.organisation).where(School.id.in_(schools))
        query = query.where(sa.or_(Organisation.id.in_(staff), Organisation.id.in_(of_schools)))
    else:
        query = query.where(Organisation.kind != "CSS")
    rows = session.execute(query.order_by(Organisation.country, Organisation.name))
    return [ToAsk(*row) for row in rows]
