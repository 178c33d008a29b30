"""Which papers an outcome calls for, and the facts that they state."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.check_codes import Stamp
from labels.clock import brussels_day
from labels.deciding import paper_name
from labels.issued import DuePaper, marked
from labels.languages import paper_language
from labels.papers import (
    CertificateFacts,
    FailedCondition,
    Label,
    LetterFacts,
    LetterKind,
    ScoreLine,
)
from labels.record.schema import (
    Application,
    Award,
    Decision,
    Document,
    Organisation,
    Outcome,
    PaperKind,
    Project,
    School,
    Teacher,
)
from labels.sentences import recalled
from labels.steps import seen
from labels.submitting import rules_of


def due_papers(session: Session, application_id: str, stamp: Stamp) -> list[DuePaper]:
    """The papers that the application's outcome calls for and the record does not have yet."""
    application = seen(session, application_id)
    decision = session.get(Decision, (application.id, application.instance))
    if decision is None:
        return []
    stored = set(session.scalars(sa.select(Document.name).where(Document.application == application.id)))
    due = []
    for kind, facts in _called_for(session, application, decision):
        if (name := paper_name(application, kind.value)) not in stored:
            edition = application.instance if kind is PaperKind.LETTER else 1
            due.append(DuePaper(kind, application.id, name, edition, marked(facts, kind, edition, stamp)))
    return due


def certificate_now(session: Session, application_id: str) -> CertificateFacts:
    """What the certificate of an awarded application states by the registry as it is now, without a code."""
    application = seen(session, application_id)
    decision = session.get_one(Decision, (application.id, application.instance))
    if application.label == "school":
        return _school_certificate(session, application, decision)
    return _certificate(session, application, decision)


def _called_for(
    session: Session, application: Application, decision: Decision
) -> list[tuple[PaperKind, CertificateFacts | LetterFacts]]:
    match decision.outcome:
        case Outcome.AWARDED if application.label == "school":
            return [(PaperKind.CERTIFICATE, _school_certificate(session, application, decision))]
        case _ if application.label == "school":
            return []  # the mail about it says everything
        case Outcome.AWARDED:
            return [
                (PaperKind.CERTIFICATE, _certificate(session, application, decision)),
                (PaperKind.LETTER, _letter(session, application, decision, LetterKind.AWARD)),
            ]
        case Outcome.REFUSED:
            return [(PaperKind.LETTER, _letter(session, application, decision, LetterKind.REFUSAL))]
        case Outcome.INELIGIBLE:
            return [(PaperKind.LETTER, _letter(session, application, decision, LetterKind.INELIGIBLE))]
        case _:
            return []


def _common(session: Session, application: Application) -> dict[str, str]:
    school = session.get_one(School, application.school)
    teacher = session.get_one(Teacher, application.teacher)
    organisation = session.get_one(Organisation, application.organisation)
    return {
        "application": application.id,
        "holder": teacher.name,
        "school": school.name,
        "city": school.city,
        "country": school.country,
        "project": session.get_one(Project, application.project).title,
        "organisation": organisation.name,
        "issuer": organisation.id,
        "language": paper_language(teacher.language, rules_of(session, application)),
    }


def _certificate(session: Session, application: Application, decision: Decision) -> CertificateFacts:
    year = application.school_year
    return CertificateFacts.of(
        label=Label.NATIONAL,
        awarded_on=brussels_day(decision.decided_at),
        school_year=f"{year}/{(year + 1) % 100:02}",
        criteria_set=rules_of(session, application).criteria_set.name,
        **_common(session, application),
    )


def _school_certificate(session: Session, application: Application, decision: Decision) -> CertificateFacts:
    school, year = session.get_one(School, application.school), application.school_year
    organisation = session.get_one(Organisation, application.organisation)
    return CertificateFacts.of(
        label=Label.SCHOOL,
        application=application.id,
        holder=school.name,
        school=school.name,
        city=school.city,
        country=school.country,
        organisation=organisation.name,
        issuer=organisation.id,
        language=paper_language(organisation.language, rules_of(session, application)),
        awarded_on=brussels_day(decision.decided_at),
        valid_until=session.get_one(Award, application.id).valid_until,
        school_year=f"{year}/{(year + 1) % 100:02}",
    )


def _letter(session: Session, application: Application, decision: Decision, kind: LetterKind) -> LetterFacts:
    verdict = decision.verdict
    common = _common(session, application) | {
        "kind": kind,
        "written_on": brussels_day(decision.decided_at),
    }
    if kind is LetterKind.INELIGIBLE:
        return LetterFacts.of(
            failed_conditions=tuple(
                FailedCondition(
                    condition=recalled(one["problem"], verdict), what_to_do=recalled(one["remedy"], verdict)
                )
                for one in verdict["conditions"]
            ),
            **common,
        )
    return LetterFacts.of(
        criteria_set=rules_of(session, application).criteria_set.name,
        scores=tuple(
            ScoreLine(
                criterion=line["name"],
                points=line["points"],
                maximum=line["maximum"],
                minimum=line["minimum"] or None,
                comments=tuple(line["comments"]),
            )
            for line in verdict["lines"]
        ),
        total=verdict["total"],
        maximum=verdict["maximum"],
        pass_mark=verdict["pass_mark"],
        reasons=tuple(recalled(one, verdict) for one in verdict["reasons"]),
        comments=tuple(verdict["comments"]),
        route_forward=tuple(recalled(one, verdict) for one in verdict["routes"]),
        **common,
    )
