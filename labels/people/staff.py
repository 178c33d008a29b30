"""The staff of an organisation: who coordinates it, and who has which role."""

from __future__ import annotations

import difflib

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.errors import Fault, InvalidInput, NotFound
from labels.people.roles import Role
from labels.record.schema import Organisation, Staff


def central_organisation(session: Session) -> Organisation:
    """The Central Support Service, which awards the European Quality Label.

    Raises:
        InvalidInput: the registry has none.
    """
    found = session.scalar(
        sa.select(Organisation).where(Organisation.kind == "CSS").order_by(Organisation.id).limit(1)
    )
    if found is None:
        problem = "the registry has no organisation of the kind CSS, which awards the label."
        raise InvalidInput("cycle", [Fault("organisations.csv", problem, "Import one.")])
    return found


def known_organisation(session: Session, typed: str) -> Organisation:
    """The organisation that somebody names by its id.

    Raises:
        NotFound: there is none; says which one has nearly that id.
    """
    if (found := session.get(Organisation, typed)) is not None:
        return found
    known = {one.casefold(): one for one in session.scalars(sa.select(Organisation.id))}
    near = difflib.get_close_matches(typed.casefold(), known, n=3, cutoff=0.8)
    meant = f" Is {' or '.join(sorted(known[one] for one in near))} meant?" if near else ""
    raise NotFound(f"There is no organisation {typed}.{meant}")


def coordinator(session: Session, organisation: str, *, other_than: str | None = None) -> str:
    """A coordinator's address, not that of `other_than`; the organisation's own where it has named none."""
    people = coordinators(session, organisation)
    return next((email for email in people if email != other_than), None) or _itself(session, organisation)


def coordinators(session: Session, organisation: str) -> list[str]:
    """Every coordinator's address; the organisation's own where it has named none."""
    named = session.scalars(
        sa.select(Staff.email)
        .where(Staff.organisation == organisation, Staff.role == Role.COORDINATOR)
        .order_by(Staff.email)
    ).all()
    return list(named) or [_itself(session, organisation)]


def those_who_coordinate(session: Session, organisation: str) -> list[str]:
    """Everybody with a coordinator's power: the coordinators, and whoever reads the organisation's own mail."""
    return list(dict.fromkeys([*coordinators(session, organisation), _itself(session, organisation)]))


def _itself(session: Session, organisation: str) -> str:
    return session.get_one(Organisation, organisation).email.lower()


def has_role(session: Session, email: str, organisation: str, *roles: Role) -> bool:
    """Whether somebody has one of the roles, or any, in an organisation."""
    whom = {"email": email, "organisation": organisation, "roles": roles or tuple(Role)}
    return bool(session.scalar(_HAS_ROLE, whom))


def coordinates(session: Session, email: str, organisation: str) -> bool:
    """Whether somebody is a coordinator of an organisation, or reads the mail at its own address."""
    return email == _itself(session, organisation) or has_role(session, email, organisation, Role.COORDINATOR)


_HAS_ROLE = sa.select(sa.func.count()).where(
    Staff.email == sa.bindparam("email"),
    Staff.organisation == sa.bindparam("organisation"),
    Staff.role.in_(sa.bindparam("roles", expanding=True)),
)
