"""The sheet on which a school works: what is asked, what is filled in and typed already, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from labels.errors import Fault, NotAllowed
from labels.kinds import LabelKind
from labels.record.schema import School, StepKind
from labels.rules.model import SelfAssessmentRules
from labels.school_label.drafting import drafted
from labels.school_label.prefilling import FIELDS, FilledRow, prefill
from labels.school_label.receiving import preview, questions_of
from labels.steps.answers import SelfAnswer, SelfAssessment
from labels.steps.step import seen, steps_of
from labels.turn import Turn


@dataclass(frozen=True, slots=True)
class Worksheet:
    """What a school is asked, and how far it has come."""

    school: str
    due: datetime | None
    questions: SelfAssessmentRules
    filled_in: Mapping[str, list[str]]
    """By field, a line a row, with the row's id by which it can be disputed."""
    given: SelfAssessment
    """What was typed last, with a place for everything that is asked."""
    missing: list[Fault]


def worksheet(turn: Turn, application_id: str) -> Worksheet:
    """The sheet of a school's application.

    Raises:
        NotFound: there is no such application.
        NotAllowed: it is no school's, or was closed before anything was filled in.
    """
    application = seen(turn.session, application_id)
    if application.label != LabelKind.SCHOOL:
        raise NotAllowed(f"{application.id} is no school's application.")
    prefill(turn, application_id)  # whoever is faster than its run
    if "prefilled" not in application.content:
        raise NotAllowed(f"{application.id} was closed before anything was filled in.")
    questions = questions_of(turn.session, application)
    given = drafted(turn.session, application).given
    error = preview(turn.session, application, given)
    filled = application.content["prefilled"]
    steps = steps_of(turn.session, application, StepKind.SELF_ASSESSMENT)
    return Worksheet(
        school=turn.session.get_one(School, application.school).name,
        due=steps[0].due_at if steps else None,
        questions=questions,
        filled_in={name: [FilledRow.read(row).in_a_line() for row in filled[name]] for name in FIELDS},
        given=_with_places(questions, given),
        missing=list(error.faults) if error else [],
    )


def _with_places(questions: SelfAssessmentRules, given: SelfAssessment) -> SelfAssessment:
    answers: dict[str, dict[str, SelfAnswer]] = {pillar.id: {} for pillar in questions.pillars}
    for one in questions.questions:
        said = given.answers.get(one.pillar, {}).get(one.id)
        answers[one.pillar][one.id] = said or SelfAnswer()
    return given.model_copy(
        update={
            "confirmed": {name: given.confirmed.get(name, False) for name in FIELDS},
            "answers": answers,
            "requirements": {one.id: given.requirements.get(one.id, "") for one in questions.requirements},
            "plan": {
                pillar.id: given.plan.get(pillar.id, "") for pillar in questions.pillars if questions.plan
            },
        }
    )
