"""Who looks at the record, and what is theirs to see of it: views take this, so that no door has to think of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications.applicant import spokesperson
from labels.errors import NotFound
from labels.kinds import KINDS, Applicant, LabelKind
from labels.people.persons import addresses, behind, named
from labels.people.roles import Role
from labels.record.schema import Application, Organisation, Person, Staff, Step, StepKind, StepState, Teacher
from labels.words.addresses import meant


class Audience(StrEnum):
    """What somebody is to a case."""

    APPLICANT = "applicant"
    REVIEWER = "reviewer"
    COORDINATOR = "coordinator"
    """Of the organisation that the case is with."""
    CSS = "css"
    """Of the Central Support Service: all cases, and nobody's name among the reviewers."""
    OPERATOR = "operator"
    """Who runs this installation, at its command line: everything."""


@dataclass(frozen=True, slots=True)
class Looker:
    """Somebody who looks at one case."""

    audience: Audience
    address: str = ""
    """Theirs, as the journal names who did something."""
    person: str = ""
    """Their id."""
    steps: frozenset[str] = frozenset()
    """Those of the case that are or were theirs."""
    alone: bool = True
    """Whether nobody else reads the mail at their address."""

    def did(self, who: str, details: dict[str, Any]) -> bool:
        """Whether an entry of the journal is about something that they did, and nobody else with their mailbox."""
        return who == self.address and (
            details["person"] == self.person if "person" in details else self.alone
        )


OPERATOR = Looker(Audience.OPERATOR)


def looker_at(session: Session, application_id: str, who: str) -> Looker:
    """What somebody is to a case, whom an address or `PER-…` names. Who applies is the applicant, whatever else they are.

    Raises:
        NotAllowed: several people read the mail at that address.
        NotFound: they are nothing to it, or there is none: nobody learns which.
    """
    somebody = named(session, who)
    audience = None
    own: list[sa.Row[tuple[str, StepKind, StepState]]] = []
    if somebody is not None:
        whom = {"application": application_id, "person": somebody.id}
        if (stands := session.execute(_STANDS, whom).first()) is not None:
            own = list(session.execute(_OWN, whom))
            audience = _audience(session, stands, own, somebody)
    if somebody is None or audience is None:
        raise NotFound(f"There is no application {application_id}.")
    alone = meant(who) == somebody.address or len(behind(session, somebody.address)) == 1
    return Looker(audience, somebody.address, somebody.id, frozenset(step.id for step in own), alone)


def _audience(
    session: Session,
    stands: sa.Row[Any],
    own: list[sa.Row[tuple[str, StepKind, StepState]]],
    somebody: Person,
) -> Audience | None:
    answered = any(one.kind is StepKind.SELF_ASSESSMENT and one.state is StepState.ANSWERED for one in own)
    if stands.applies or (answered and spokesperson(session, stands.Application) == somebody.id):
        return Audience.APPLICANT
    if stands.coordinates:
        return Audience.COORDINATOR
    if any(step.kind is StepKind.REVIEW and step.state in _REVIEWS for step in own):
        return Audience.REVIEWER
    return Audience.CSS if stands.central else None


_WHOM: sa.BindParameter[str] = sa.bindparam("person")
_TEACHERS_OWN = [kind for kind in LabelKind if KINDS[kind].applicant is Applicant.TEACHER]
_REVIEWS = (StepState.OPEN, StepState.ASKED, StepState.ANSWERED)
_OWN = sa.select(Step.id, Step.kind, Step.state).where(
    Step.application == sa.bindparam("application"), Step.person == _WHOM
)
_COORDINATED = sa.union(
    sa.select(Organisation.id).where(Organisation.person == _WHOM),
    sa.select(Staff.organisation).where(Staff.person == _WHOM, Staff.role == Role.COORDINATOR),
).subquery()
"""The organisations that somebody coordinates, or whose own mail they read."""
_CENTRAL = sa.exists().where(Organisation.kind == "CSS", Organisation.id.in_(sa.select(_COORDINATED.c.id)))
_STANDS = (
    sa.select(
        Application,
        sa.and_(Application.label.in_(_TEACHERS_OWN), Teacher.person == _WHOM).label("applies"),
        Application.organisation.in_(sa.select(_COORDINATED.c.id)).label("coordinates"),
        _CENTRAL.label("central"),
    )
    .outerjoin(Teacher, Teacher.id == Application.teacher)
    .where(Application.id == sa.bindparam("application"))
)


# The record as a whole ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reach:
    """Somebody who looks at many cases at once, and which of them they are near to."""

    person: str
    """Their id."""
    addresses: frozenset[str]
    organisations: frozenset[str] = frozenset()
    """Those that they coordinate."""
    central: bool = False
    """Whether one of these is the Central Support Service."""
    teachers: frozenset[str] = frozenset()
    """Who they are in the registry's list of teachers."""
    applied: frozenset[str] = frozenset()
    """The applications in which they are the applicant."""
    reviewed: frozenset[str] = frozenset()
    """Those that they review or have reviewed."""
    steps: frozenset[str] = frozenset()
    """What is or was asked of them."""
    alone: frozenset[str] = frozenset()
    """The addresses at which nobody else reads the mail."""

    def audience(
        self, application: str | None, organisation: str | None, teacher: str | None = None
    ) -> Audience | None:
        """What they are to a case, or to what belongs to it, as `looker_at` has it."""
        if application in self.applied or teacher in self.teachers:
            return Audience.APPLICANT
        if organisation in self.organisations:
            return Audience.COORDINATOR
        if application in self.reviewed:
            return Audience.REVIEWER
        return Audience.CSS if self.central else None

    def did(self, who: str, details: dict[str, Any]) -> bool:
        """Whether an entry of the journal is about something that they did, and nobody else with their mailbox."""
        theirs = details["person"] == self.person if "person" in details else who in self.alone
        return theirs and who in self.addresses


def reach_of(session: Session, who: str) -> Reach:
    """What somebody is near to, whom an address or `PER-…` names.

    Raises:
        NotAllowed: several people read the mail at that address.
        NotFound: nobody has that address.
    """
    somebody = named(session, who)
    if somebody is None:
        raise NotFound(f"Nobody in the registry has the address {who}.")
    whom = {"person": somebody.id}
    coordinated = frozenset(session.scalars(sa.select(_COORDINATED.c.id), whom))
    teachers = frozenset(session.scalars(sa.select(Teacher.id).where(Teacher.person == _WHOM), whom))
    own = session.execute(_STEPS, whom).all()
    handed_in = {
        one.application
        for one in own
        if one.kind is StepKind.SELF_ASSESSMENT
        and one.state is StepState.ANSWERED
        and spokesperson(session, session.get_one(Application, one.application)) == somebody.id
    }
    theirs = frozenset(addresses(session, somebody.id))
    return Reach(
        somebody.id,
        theirs,
        coordinated,
        session.scalar(sa.select(_CENTRAL), whom) or False,
        teachers,
        applied=frozenset(session.scalars(_APPLIED, {"teachers": teachers})) | handed_in,
        reviewed=frozenset(
            one.application for one in own if one.kind is StepKind.REVIEW and one.state in _REVIEWS
        ),
        steps=frozenset(one.id for one in own),
        alone=frozenset(one for one in theirs if len(behind(session, one)) == 1),
    )


_STEPS = sa.select(Step.id, Step.application, Step.kind, Step.state).where(Step.person == _WHOM)
_APPLIED = sa.select(Application.id).where(
    Application.teacher.in_(sa.bindparam("teachers", expanding=True)), Application.label.in_(_TEACHERS_OWN)
)
