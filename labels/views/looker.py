"""Who looks at a case, and what is theirs to see of it: views take this, so that no door has to think of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications.applicant import applicant
from labels.errors import NotFound
from labels.people.persons import behind
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
    Step.application == sa.bindparam("application"), Step.person.in_(sa.bindparam("people", expanding=True))
)
_REVIEWS = (StepState.OPEN, StepState.ASKED, StepState.ANSWERED)


def looker_at(session: Session, application_id: str, email: str) -> Looker:
    """What whoever reads an address is to a case. Who applies is the applicant, whatever else they are.

    Raises:
        NotFound: they are nothing to it, or there is none: nobody learns which.
    """
    application = session.get(Application, application_id)
    people = [one.id for one in behind(session, email)]
    audience = None
    steps: frozenset[str] = frozenset()
    if application is not None and people:
        own = session.execute(_OWN, {"application": application.id, "people": people}).all()
        steps = frozenset(step.id for step in own)
        applies = applicant(session, application)
        if applies is not None and applies.id in people:
            audience = Audience.APPLICANT
        elif any(coordinates(session, one, application.organisation) for one in people):
            audience = Audience.COORDINATOR
        elif any(step.kind is StepKind.REVIEW and step.state in _REVIEWS for step in own):
            audience = Audience.REVIEWER
        elif any(coordinates(session, one, css) for css in session.scalars(_CENTRAL) for one in people):
            audience = Audience.CSS
    if audience is None:
        raise NotFound(f"There is no application {application_id}.")
    return Looker(audience, email.lower(), steps)
