"""Who looks at a case, and what is theirs to see of it: views take this, so that no door has to think of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications.applicant import applicant
from labels.errors import NotFound
from labels.people.persons import named
from labels.people.staff import coordinates
from labels.record.schema import Application, Organisation, Step, StepKind, StepState


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
    person: str = ""
    """Their address, as the journal names who did something."""
    steps: frozenset[str] = frozenset()
    """Those of the case that are or were theirs."""


OPERATOR = Looker(Audience.OPERATOR)

_CENTRAL = sa.select(Organisation.id).where(Organisation.kind == "CSS")
_OWN = sa.select(Step.id, Step.kind, Step.state).where(
    Step.application == sa.bindparam("application"), Step.person == sa.bindparam("person")
)
_REVIEWS = (StepState.OPEN, StepState.ASKED, StepState.ANSWERED)


def looker_at(session: Session, application_id: str, who: str) -> Looker:
    """What somebody is to a case, whom an address or `PER-…` names. Who applies is the applicant, whatever else they are.

    Raises:
        NotAllowed: several people read the mail at that address.
        NotFound: they are nothing to it, or there is none: nobody learns which.
    """
    application = session.get(Application, application_id)
    somebody = named(session, who)
    audience = None
    steps: frozenset[str] = frozenset()
    if application is not None and somebody is not None:
        own = session.execute(_OWN, {"application": application.id, "person": somebody.id}).all()
        steps = frozenset(step.id for step in own)
        applies = applicant(session, application)
        if applies is not None and applies.id == somebody.id:
            audience = Audience.APPLICANT
        elif coordinates(session, somebody.id, application.organisation):
            audience = Audience.COORDINATOR
        elif any(step.kind is StepKind.REVIEW and step.state in _REVIEWS for step in own):
            audience = Audience.REVIEWER
        elif any(coordinates(session, somebody.id, css) for css in session.scalars(_CENTRAL)):
            audience = Audience.CSS
    if somebody is None or audience is None:
        raise NotFound(f"There is no application {application_id}.")
    return Looker(audience, somebody.address, steps)
