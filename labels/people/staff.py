"""The staff of an organisation: who coordinates it, and who has which role."""

from __future__ import annotations

import difflib
import re

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.errors import Fault, InvalidInput, NotFound
from labels.people.persons import person
from labels.people.roles import Role
from labels.record.schema import Organisation, Person, Staff

REGISTRY = "registry"
"""Who says that somebody left, where a file of the registry does."""
OPERATOR = "operator"
"""The same, where a person did: on the command line, or a coordinator at the desk."""


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


def means_organisation(typed: str) -> bool:
    """Whether what somebody typed looks like an organisation's id, whether there is one or not."""
    return _ID.match(typed) is not None


_ID = re.compile(r"(NSS|PSA)-|CSS$", re.IGNORECASE)


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


def coordinator(session: Session, organisation: str, *, other_than: Person | None = None) -> Person:
    """A coordinator, not `other_than` nor who shares their address; the organisation's own mailbox where it
    has named no other."""
    address = other_than.address if other_than else None
    people = coordinators(session, organisation)
    return next((one for one in people if one.address != address), None) or itself(session, organisation)


def coordinators(session: Session, organisation: str) -> list[Person]:
    """Every coordinator; the organisation's own mailbox where it has named none."""
    return list(session.scalars(_COORDINATORS, {"organisation": organisation})) or [
        itself(session, organisation)
    ]


def those_who_coordinate(session: Session, organisation: str) -> list[Person]:
    """Everybody with a coordinator's power: the coordinators, and whoever reads the organisation's own mail."""
    people = coordinators(session, organisation)
    mailbox = itself(session, organisation)
    return people if mailbox.address in {one.address for one in people} else [*people, mailbox]


def itself(session: Session, organisation: str) -> Person:
    """Whoever reads the mail at an organisation's own address."""
    return person(session, session.get_one(Organisation, organisation).person)


def has_role(session: Session, person_id: str, organisation: str, *roles: Role) -> bool:
    """Whether somebody has one of the roles, or any, in an organisation."""
    whom = {"person": person_id, "organisation": organisation, "roles": roles or tuple(Role)}
    return bool(session.scalar(_HAS_ROLE, whom))


def coordinates(session: Session, person_id: str, organisation: str) -> bool:
    """Whether somebody is a coordinator of an organisation, or is the organisation itself: whoever signs in as the
    one that its own mail is written to."""
    if has_role(session, person_id, organisation, Role.COORDINATOR):
        return True
    return person_id == session.get_one(Organisation, organisation).person


_HAS_ROLE = sa.select(sa.func.count()).where(
    Staff.person == sa.bindparam("person"),
    Staff.organisation == sa.bindparam("organisation"),
    Staff.role.in_(sa.bindparam("roles", expanding=True)),
)
_COORDINATORS = (
    sa.select(Person)
    .where(
        sa.exists().where(
            Staff.person == Person.id,
            Staff.organisation == sa.bindparam("organisation"),
            Staff.role == Role.COORDINATOR,
        )
    )
    .order_by(Person.address, Person.id)
)
