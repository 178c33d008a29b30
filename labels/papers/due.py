"""Which papers an application calls for when it arrives, is asked for or is decided, and the facts that they state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications.paper_names import paper_name
from labels.clock import brussels_day
from labels.identifiers import paper_id
from labels.kinds import KINDS, LabelKind
from labels.papers.codes import Stamp
from labels.papers.facts import (
    CertificateFacts,
    FailedCondition,
    HandedIn,
    LetterFacts,
    LetterKind,
    ScoreLine,
)
from labels.papers.issued import DuePaper, marked
from labels.record.rows import read
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
    SchoolOutcome,
    SchoolRound,
    Stage,
    Step,
    StepKind,
    Teacher,
)
from labels.record.sealing import head_on_paper
from labels.reviews.instances import certificate_edition
from labels.rules.calendars import in_writing
from labels.rules.kept import rules_of
from labels.rules.paper_language import paper_language
from labels.school_label.preselection import BETWEEN_IDS
from labels.school_label.rounds import cut_offs
from labels.steps.step import seen
from labels.words.sentences import Sentence, named, recalled, say

Facts = CertificateFacts | LetterFacts


def due_papers(session: Session, application_id: str, stamp: Stamp, desk: str = "") -> list[DuePaper]:
    """The papers that the application's outcome calls for and the record does not have yet.

    `desk` is its address, for the letters that say what their readers can do there.
    """
    application = seen(session, application_id)
    decided = {"application": application.id, "instance": application.instance}
    decision = session.scalars(_DECISION, decided).first()
    if decision is None:
        return []
    stored = _stored(session, application)
    signed = rules_of(session, application).must_be_signed
    due = []
    for kind, facts in _called_for(session, application, decision, desk):
        of_the_letter = kind is PaperKind.LETTER
        edition = application.instance if of_the_letter else certificate_edition(session, application)
        stated = marked(facts, kind, edition, stamp)
        paper = DuePaper(kind, application.id, paper_name(application, kind), edition, stated, signed)
        if paper.paper not in stored:
            due.append(paper)
    return due


def due_receipt(session: Session, application_id: str) -> list[DuePaper]:
    """The proof that an application arrived, if it did and the record does not have it yet; once, appeal or not."""
    application = seen(session, application_id)
    arrived = KINDS[application.label].comes_in_complete or application.decide_by is not None
    return _due_once(session, application, PaperKind.RECEIPT, _receipt) if arrived else []


def due_invitation(session: Session, application_id: str) -> list[DuePaper]:
    """The invitation of a school that has not handed in yet, unless the record has it."""
    application = seen(session, application_id)
    if application.stage is not Stage.SELF_ASSESSMENT or application.outcome is not None:
        return []
    return _due_once(session, application, PaperKind.INVITATION, _invitation)


def _due_once(
    session: Session,
    application: Application,
    kind: PaperKind,
    stating: Callable[[Session, Application], LetterFacts],
) -> list[DuePaper]:
    if paper_id(kind, application.id) in _stored(session, application):
        return []
    signed = rules_of(session, application).must_be_signed
    name = f"{kind.value}-{application.id}.pdf"
    return [DuePaper(kind, application.id, name, 1, stating(session, application), signed)]


def _stored(session: Session, application: Application) -> set[str | None]:
    """The papers that the application has."""
    return set(read(session, _PAPERS, {"application": application.id}).scalars())


_DECISION = sa.select(Decision).where(
    Decision.application == sa.bindparam("application"), Decision.instance == sa.bindparam("instance")
)
_PAPERS = sa.select(Document.paper).where(Document.application == sa.bindparam("application"))


def certificate_now(session: Session, application_id: str) -> CertificateFacts:
    """What the certificate of an awarded application states by the registry as it is now, without a code."""
    application = seen(session, application_id)
    return _certificate(
        session, application, session.get_one(Decision, (application.id, application.instance))
    )


_LETTERS = {
    Outcome.AWARDED: LetterKind.AWARD,
    Outcome.REFUSED: LetterKind.REFUSAL,
    Outcome.INELIGIBLE: LetterKind.INELIGIBLE,
}
"""The letter about an outcome; about any other, its mail says everything."""


def _called_for(
    session: Session, application: Application, decision: Decision, desk: str
) -> list[tuple[PaperKind, Facts]]:
    """The papers that a decision calls for."""
    papers: list[tuple[PaperKind, Facts]] = []
    if decision.outcome is Outcome.AWARDED:
        papers.append((PaperKind.CERTIFICATE, _certificate(session, application, decision)))
    if letter := _LETTERS.get(decision.outcome):
        papers.append((PaperKind.LETTER, _letter(session, application, decision, letter, desk)))
    return papers


def _common(session: Session, application: Application) -> dict[str, Any]:
    """What all papers of an application state.

    Raises:
        ValueError: the applications of that kind have no papers here, and get no other's.
    """
    if application.label not in _GOES_ON:
        raise ValueError(f"{application.id}: no papers of a {application.label} are known here")
    school = session.get_one(School, application.school)
    organisation = session.get_one(Organisation, application.organisation)
    holder, language, project = school.name, organisation.language, ""
    if application.label is LabelKind.NATIONAL:
        teacher = session.get_one(Teacher, application.teacher)
        holder, language = teacher.name, teacher.language
        project = session.get_one(Project, application.project).title
    return {
        "label": application.label,
        "application": application.id,
        "holder": holder,
        "school": school.name,
        "city": school.city,
        "country": school.country,
        "project": project,
        "organisation": organisation.name,
        "issuer": organisation.id,
        "language": paper_language(language, rules_of(session, application)),
    }


def _certificate(session: Session, application: Application, decision: Decision) -> CertificateFacts:
    stated = _common(session, application)
    if application.label is LabelKind.SCHOOL:
        label = session.get_one(Award, application.id)
        stated["valid_from"] = label.valid_from if label.valid_from != label.awarded_on else None
        stated["valid_until"] = label.valid_until
    else:
        stated["criteria_set"] = rules_of(session, application).criteria_set.name
    return CertificateFacts.of(
        awarded_on=brussels_day(decision.decided_at),
        school_year=in_writing(application.school_year),
        **stated,
    )


def _to_the_reader(session: Session, application: Application) -> dict[str, Any]:
    """What all letters of an application state; a school's are written to who leads it."""
    mailbox = session.get_one(Organisation, application.organisation).email or None
    stated = _common(session, application) | {"mailbox": mailbox}
    if application.label is LabelKind.SCHOOL:
        stated["holder"] = session.get_one(School, application.school).principal_name or stated["holder"]
    return stated


def _letter(
    session: Session, application: Application, decision: Decision, kind: LetterKind, desk: str
) -> LetterFacts:
    verdict = decision.verdict
    where = (
        say(
            "You do this at the desk: {page}. Sign in there with the address to which we write to you.",
            page=desk,
        ),
    ) * bool(desk)
    stated = _to_the_reader(session, application)
    stated |= {
        "kind": kind,
        "written_on": brussels_day(decision.decided_at),
        "journal": head_on_paper(session, decision.decided_at),
    }
    if kind is LetterKind.INELIGIBLE:
        failed = tuple(
            FailedCondition(
                condition=recalled(one["problem"], verdict), what_to_do=recalled(one["remedy"], verdict)
            )
            for one in verdict["conditions"]
        )
        return LetterFacts.of(failed_conditions=failed, route_forward=where, **stated)
    routes = tuple(recalled(one, verdict) for one in verdict["routes"])
    if application.label is not LabelKind.SCHOOL:
        stated["criteria_set"] = rules_of(session, application).criteria_set.name
    elif kind is LetterKind.AWARD and (until := session.get_one(Award, application.id).valid_until):
        routes = (
            say(
                "The label is valid up to and including this day: {day}. After that your school is looked at again in the "
                "yearly round, and invited if it meets the conditions then.",
                day=until,
            ),
        )
    if kind is LetterKind.REFUSAL:
        routes = (*routes[:1], *where, *routes[1:])
    return LetterFacts.of(route_forward=routes, **_judged(verdict), **stated)


def _judged(verdict: dict[str, Any]) -> dict[str, Any]:
    """What a letter tells of the points and the reasons."""
    return {
        "scores": tuple(
            ScoreLine(
                criterion=line["name"],
                points=line["points"],
                maximum=line["maximum"],
                minimum=line["minimum"] or None,
                comments=tuple(line["comments"]),
            )
            for line in verdict["lines"]
        ),
        "total": verdict["total"],
        "maximum": verdict["maximum"],
        "pass_mark": verdict["pass_mark"],
        "reasons": tuple(recalled(one, verdict) for one in verdict["reasons"]),
        "comments": tuple(verdict["comments"]),
    }


# Before the decision ----------------------------------------------------------------------------


def _receipt(session: Session, application: Application) -> LetterFacts:
    stated = _to_the_reader(session, application)
    routes = [*_GOES_ON[application.label]]
    if application.decide_by:
        routes.append(say("The decision is due by: {until}.", until=application.decide_by))
    if application.label is LabelKind.NATIONAL:
        routes.append(
            say(
                "Until the decision you may withdraw your application. The mail with this receipt has the "
                "code for it."
            )
        )
    return LetterFacts.of(
        kind=LetterKind.RECEIPT,
        written_on=brussels_day(application.submitted_at),
        arrived_at=application.submitted_at,
        journal=head_on_paper(session, application.submitted_at),
        files=_handed_in(session, application),
        route_forward=tuple(routes),
        **stated,
    )


_GOES_ON = {
    LabelKind.NATIONAL: (
        say(
            "Your application is checked against the conditions. If it does not meet one, you are told which, and what you "
            "can do."
        ),
        say(
            "Then reviewers read and score it, independently of each other. If they need anything more from you, you get a "
            "message."
        ),
    ),
    LabelKind.SCHOOL: (
        say(
            "Reviewers of your National Support Organisation read your school’s self-assessment. If they need "
            "anything more, the teacher who handed it in gets a message."
        ),
    ),
}
"""What happens next to an application that has arrived."""


def _handed_in(session: Session, application: Application) -> tuple[HandedIn, ...]:
    query = sa.select(Document).where(
        Document.application == application.id, Document.kind.in_(["application", "evidence"])
    )
    if application.label is LabelKind.NATIONAL:  # files of an answer came later
        query = query.where(Document.stored_at <= application.submitted_at)
    files = session.scalars(query.order_by(Document.kind, Document.name))
    return tuple(HandedIn(name=one.name, size=one.size, digest=one.key.rpartition("/")[2]) for one in files)


def _invitation(session: Session, application: Application) -> LetterFacts:
    opened_at, due_at = session.execute(
        sa.select(sa.func.min(Step.opened_at), sa.func.max(Step.due_at)).where(
            Step.application == application.id, Step.kind == StepKind.SELF_ASSESSMENT
        )
    ).one()
    pillars = tuple(
        say("“{pillar}”", pillar=named("criterion", one.name))
        for one in rules_of(session, application).criteria_set.counted
    )
    return LetterFacts.of(
        kind=LetterKind.INVITATION,
        written_on=brussels_day(opened_at),
        deadline=due_at,
        reasons=_why_invited(session, application),
        route_forward=(
            say(
                "Every eTwinner of your school has got a message with a code. One of them hands in the "
                "self-assessment for all."
            ),
            say(
                "What we know of your school’s members, projects, professional development and events is filled in already. "
                "Your school confirms it, or says what is wrong."
            ),
            say("Your school answers questions about these pillars: {pillars}.", pillars=pillars),
            say(
                "Three documents go with the answers: your school’s document on the safe use of the Internet, "
                "its policy document or plan that names eTwinning, and the application signed by you."
            ),
            say(
                "You are then asked, by mail, to confirm your school’s self-assessment. With your "
                "confirmation the application counts as received."
            ),
        ),
        **_to_the_reader(session, application),
    )


def _why_invited(session: Session, application: Application) -> Sequence[Sentence]:
    """The three conditions as the round's check found them met."""
    year = int(application.round or 0)
    found = session.get(SchoolOutcome, (year, application.school))
    if found is None:
        return ()
    since = cut_offs(session, session.get_one(SchoolRound, year)).active_since
    active = len((found.active or "").split(BETWEEN_IDS))
    why = [
        say("Your school has been registered since this day: {day}.", day=found.registered_on),
        say("Teachers who have been active since {day}: {count}.", day=since, count=active),
    ]
    if found.project and found.awarded_on:
        title = session.get_one(Project, found.project).title
        why.append(
            say(
                "A National Quality Label was awarded to its European project “{project}” on this day: {day}.",
                project=title,
                day=found.awarded_on,
            )
        )
    return tuple(why)
