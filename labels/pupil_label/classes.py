"""A class that gets certificates: who may ask for them, what they state, and the count that the record keeps.

Pupils' names never come here. The teacher who holds the award proves it with a one-time code, or is signed in; a
code makes the certificates of one class, and is spent once they are in the teacher's folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.clock import brussels_day, in_words
from labels.errors import NotAllowed, NotFound
from labels.identifiers import pupil_class_id
from labels.kinds import LabelKind
from labels.mail import messages, outbox
from labels.mail.message import NOTHING
from labels.mail.outbox import Envelope
from labels.mending import AskForCode
from labels.papers.codes import Stamp
from labels.papers.issued import enter_class
from labels.people.named import recipient
from labels.people.persons import person, reads
from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import (
    Application,
    Award,
    Organisation,
    Project,
    PupilClass,
    PupilCode,
    School,
    Teacher,
)
from labels.rules.calendars import in_writing, school_year
from labels.rules.kept import rules_of
from labels.rules.loading import load_rules
from labels.rules.model import PupilRules, RuleEdition
from labels.rules.paper_language import paper_language
from labels.steps.codes import code_hash, code_matches, made_with, review_code
from labels.steps.limit import CODES_AN_HOUR, may_be_mailed
from labels.steps.outcome import Refusal
from labels.steps.proof import Proof, SignedIn, who_may_be_meant
from labels.turn import Turn
from labels.words.sentences import Sentence, say

_LABELS = frozenset((LabelKind.NATIONAL, LabelKind.EUROPEAN))
"""The labels of a teacher's project, whose pupils can have theirs."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A class whose certificates may be made now."""

    id: str
    attempt: int
    teacher: str
    """The address of the teacher who proved that they may."""


def is_for_a_class(session: Session, subject: str, email: str) -> bool:
    """Whether a code asked for this subject is one for a class: it is this person's award, or an award
    that nothing else could be done about, since no application led to it here."""
    award = session.get(Award, subject)
    if award is None:
        return False
    teacher = session.get(Teacher, award.teacher) if award.teacher else None
    if teacher and reads(session, teacher.person, email):
        return True
    return session.get(Application, award.id) is None


def country_of(session: Session, award_id: str) -> str:
    """The country (ISO 3166) where the teacher's lists are written.

    Raises:
        NotFound, NotAllowed: see `send_code`.
    """
    return _school(session, *_awarded(session, award_id)).country


def rules_for(session: Session, award_id: str, now: datetime, folder: Path | None = None) -> PupilRules:
    """The rules in force for the organisation that awarded.

    Raises:
        NotFound, NotAllowed: see `send_code`.
    """
    award, _ = _awarded(session, award_id)
    return load_rules(award.organisation, brussels_day(now), folder).pupil


@dataclass(frozen=True, slots=True)
class MayHaveClasses:
    """A label of a teacher's project, whose pupils can have certificates, and the classes that got theirs."""

    award: str
    label: LabelKind
    title: str
    awarded_on: date
    made: tuple[tuple[str, int, datetime], ...]
    """Of each class its number, how many pupils it had, and when they got their certificates."""


def labels_of(session: Session, teachers: Sequence[str]) -> list[MayHaveClasses]:
    """The labels for which these teachers can have certificates made for a class, the latest first."""
    rows = session.execute(
        sa.select(Award, Project.title)
        .join(Project, Project.id == Award.project)
        .where(Award.teacher.in_(teachers), Award.label.in_(_LABELS), Award.revoked_at.is_(None))
        .order_by(Award.awarded_on.desc(), Award.id)
    ).all()
    made: dict[str, list[tuple[str, int, datetime]]] = {}
    for one in session.scalars(
        sa.select(PupilClass)
        .where(PupilClass.award.in_([row.Award.id for row in rows]), PupilClass.made_at.is_not(None))
        .order_by(PupilClass.number)
    ):
        if one.made_at is not None:
            made.setdefault(one.award, []).append((one.id, one.pupils, one.made_at))
    return [
        MayHaveClasses(
            row.Award.id,
            row.Award.label,
            row.title,
            row.Award.awarded_on,
            tuple(made.get(row.Award.id, ())),
        )
        for row in rows
    ]


# Proving ----------------------------------------------------------------------------------------


def send_code(turn: Turn, award_id: str, email: str, rules: PupilRules, at_most: int = CODES_AN_HOUR) -> str:
    """Mails the teacher who holds the award a code for one class: the one that they have, while it works.

    Returns the reason of the message.

    Raises:
        NotFound: there is no such award.
        NotAllowed: it was revoked, is for no teacher's project, or this is not its teacher; or it was asked
            for `at_most` times within the hour.
    """
    award, teacher = _locked_award(turn.session, award_id)
    if not reads(turn.session, teacher.person, email):
        raise NotAllowed(f"{email} is not the teacher who holds {award.id}.")
    may_be_mailed(turn, teacher.person, at_most)
    code = _code_of(turn.session, award.id)
    if code is not None and _works(turn, code, rules):
        reason = _mail(turn, code, award, teacher, rules, NOTHING, turn.now.isoformat())
    else:
        reason = _mail_code(turn, award, teacher, rules)
    who = person(turn.session, teacher.person).address
    note(turn, _application(turn.session, award), who, Event.ASKED_FOR_A_CODE, award=award.id)
    return reason


def _works(turn: Turn, code: PupilCode, rules: PupilRules) -> bool:
    """Whether a code that was mailed is valid still; with another secret key it can't be mailed again."""
    made = made_with(turn.keys, outbox.pupil_code_subject(code.award), code.number, code.code_hash)
    until = code.asked_at + timedelta(days=rules.code_days.value)
    return code.spent_at is None and turn.now <= until and made is not None


def prove(turn: Turn, award_id: str, proof: Proof, rules: PupilRules) -> Refusal | None:
    """Why this person may not have certificates made now, or None if they proved that they may.

    A wrong code is counted; after as many as the rules say, it is void and a new one is mailed.

    Raises:
        NotFound, NotAllowed: see `send_code`.
    """
    award, teacher = _locked_award(turn.session, award_id)
    its_teacher = teacher.person in who_may_be_meant(turn.session, proof)
    if isinstance(proof, SignedIn):
        return None if its_teacher else Refusal(f"Another teacher holds {award.id}.")
    ask = AskForCode(award.id, proof.email or "")
    asked = _code_of(turn.session, award.id)
    if asked is None:
        return Refusal("The code is not valid.", mend=ask)
    right = code_matches(proof.code, asked.code_hash) and its_teacher
    if asked.spent_at is not None:
        when = f" was used {in_words(asked.spent_at)}" if right else " is not valid"
        return Refusal(f"This code{when}.", mend=ask)
    if not right:
        return _count_failure(turn, asked, award, teacher, rules)
    until = asked.asked_at + timedelta(days=rules.code_days.value)
    if turn.now > until:
        return Refusal(f"This code worked until {in_words(until)}.", mend=ask)
    return None


def _count_failure(
    turn: Turn, asked: PupilCode, award: Award, teacher: Teacher, rules: PupilRules
) -> Refusal:
    asked.failures += 1
    left = max(rules.code_attempts.value - asked.failures, 0)
    note(turn, _application(turn.session, award), SYSTEM, Event.REFUSED_A_CODE, award=award.id, left=left)
    if left:
        tries = "one more try" if left == 1 else f"{left} more tries"
        return Refusal(f"The code is not valid ({tries} before a new one is sent).")
    tried = say("The former code was tried too often and is void.")
    _mail_code(turn, award, teacher, rules, purpose=tried)
    return Refusal("The code was tried too often and is void. A new one has been mailed.", mailed=award.id)


def _next(turn: Turn, award: Award) -> PupilCode:
    """The award's code for another class, which works for nobody as long as it is not mailed; a former one is void."""
    code = _code_of(turn.session, award.id)
    if code is None:
        code = PupilCode(award=award.id, number=0)
        turn.session.add(code)
    code.number += 1
    code.code_hash, code.failures, code.asked_at, code.spent_at = "", 0, turn.now, None
    return code


def _mail_code(
    turn: Turn, award: Award, teacher: Teacher, rules: PupilRules, *, purpose: Sentence = NOTHING
) -> str:
    code = _next(turn, award)
    code.code_hash = code_hash(review_code(turn.key, outbox.pupil_code_subject(award.id), code.number))
    turn.session.flush()
    return _mail(turn, code, award, teacher, rules, purpose)


def _mail(
    turn: Turn,
    code: PupilCode,
    award: Award,
    teacher: Teacher,
    rules: PupilRules,
    purpose: Sentence,
    *again: object,
) -> str:
    """Queues the mail with the code, once for each code and what `again` says; returns its reason."""
    application = _application(turn.session, award)
    message = messages.PupilCode(
        award=award.id,
        number=code.number,
        project_title=_project(turn.session, award).title,
        organisation_name=turn.session.get_one(Organisation, award.organisation).name,
        until=code.asked_at + timedelta(days=rules.code_days.value),
        purpose=purpose,
    )
    to = recipient(turn.session, teacher.person)
    parts = (code.number, *again)
    outbox.queue(turn, message, Envelope(to, parts, application.id if application else None))
    return message.reason_for(*parts)


# Making -----------------------------------------------------------------------------------------


def begin(
    turn: Turn, award_id: str, proof: Proof, rules: PupilRules, *, pupils: int, left_out: int
) -> Begun | Refusal:
    """Opens the class of a code, or takes it up again where a command was interrupted.

    Of two commands with one code the later one counts, and `finish` refuses the other. For whoever is signed in it is
    the class of the code that was asked for and not spent, if there is one, and otherwise a new one.

    Raises:
        NotFound, NotAllowed: see `send_code`.
    """
    if refusal := prove(turn, award_id, proof, rules):
        return refusal
    award, teacher = _awarded(turn.session, award_id)
    code = _code_of(turn.session, award.id)
    if code is None or code.spent_at is not None:
        code = _next(turn, award)
    identifier = pupil_class_id(award.id, code.number)
    begun = turn.session.get(PupilClass, identifier, populate_existing=True)
    if begun is None:
        begun = PupilClass(
            id=identifier, award=award.id, number=code.number, teacher=teacher.id, attempt=0, begun_at=turn.now,
            pupils=pupils, left_out=left_out,
        )  # fmt: skip
        turn.session.add(begun)
    begun.attempt += 1
    begun.pupils, begun.left_out = pupils, left_out
    turn.session.flush()
    return Begun(identifier, begun.attempt, teacher.email)


def rules_of_class(session: Session, class_id: str, folder: Path | None = None) -> RuleEdition:
    """The rules that the award was applied for under; of one from elsewhere, those of the day, from `folder`."""
    begun = session.get_one(PupilClass, class_id)
    award, _ = _awarded(session, begun.award)
    if applied := _applied(session, award):
        return rules_of(session, applied)
    return load_rules(award.organisation, brussels_day(begun.begun_at), folder)


def stated(session: Session, class_id: str, folder: Path | None = None) -> dict[str, Any]:
    """What every certificate of the class states, all but the name: the fields of `CertificateFacts`."""
    begun = session.get_one(PupilClass, class_id)
    award, teacher = _awarded(session, begun.award)
    school = _school(session, award, teacher)
    # A late application may have rolled over into a round of the next school year: its teacher's certificate
    # says that year, and so do those of the class.
    applied = _applied(session, award)
    year = applied.school_year if applied else school_year(award.awarded_on)
    return {
        "label": LabelKind.PUPIL,
        "application": begun.id,
        "school": school.name,
        "city": school.city,
        "country": school.country,
        "project": _project(session, award).title,
        "organisation": session.get_one(Organisation, award.organisation).name,
        "issuer": award.organisation,
        "awarded_on": brussels_day(begun.begun_at),
        "school_year": in_writing(year),
        "language": paper_language(teacher.language, rules_of_class(session, class_id, folder)),
    }


def _applied(session: Session, award: Award) -> Application | None:
    """The application that a national label was awarded for, if it was made here."""
    return session.get(Application, award.id) if award.label == LabelKind.NATIONAL else None


def finish(turn: Turn, begun: Begun, marks: list[bytes], stamp: Stamp) -> int:
    """Counts the class, enters its certificates and spends its code; returns how many pupils got one.

    `marks` has one for each certificate (`Stamp.mark`), by which it is known again, and behind them that of the file in
    which all are printed.

    The award is locked until the end of the transaction, in which the caller puts the certificates in their place: they
    are counted exactly if they are there.

    Raises:
        NotAllowed: another class with the same code was begun later, or has ended; or the award was
            revoked meanwhile.
    """
    award, _ = _locked_award(turn.session, turn.session.get_one(PupilClass, begun.id).award)
    found = turn.session.get_one(PupilClass, begun.id, populate_existing=True)
    code = _code_of(turn.session, award.id)
    if (
        found.attempt != begun.attempt
        or found.made_at is not None
        or code is None
        or code.number != found.number
    ):
        raise NotAllowed("Another class with the same code was begun after this one; that one counts.")
    if len(marks) != found.pupils + 1:
        raise ValueError(f"{len(marks) - 1} certificates were made for {found.pupils} pupils")
    found.made_at = code.spent_at = turn.now
    digests = enter_class(turn, found, stated(turn.session, found.id), marks, stamp)
    note(
        turn,
        _application(turn.session, award),
        begun.teacher,
        Event.CLASS_MADE,
        award=award.id,
        number=found.id,
        pupils=found.pupils,
        left_out=found.left_out,
        digests=digests,
    )
    return found.pupils


# What an award is of ------------------------------------------------------------------------------


def _awarded(session: Session, award_id: str) -> tuple[Award, Teacher]:
    award = session.get(Award, award_id, populate_existing=True)
    if award is None:
        raise NotFound(f"There is no award {award_id}.")
    if award.label not in _LABELS or award.teacher is None or award.project is None:
        raise NotAllowed(
            f"{award.id} is not the label of a teacher's project, whose pupils could have theirs."
        )
    if award.revoked_at is not None:
        raise NotAllowed(
            f"{award.id} was revoked {in_words(award.revoked_at)}; it gives no certificates any more."
        )
    return award, session.get_one(Teacher, award.teacher)


def _locked_award(session: Session, award_id: str) -> tuple[Award, Teacher]:
    """The same, locked until the end of the transaction: other commands wait.

    Its application is locked first, in the order of whoever revokes: in another one, two could wait for each
    other for ever.
    """
    session.execute(sa.select(Application.id).where(Application.id == award_id).with_for_update())
    session.execute(sa.select(Award.id).where(Award.id == award_id).with_for_update())
    return _awarded(session, award_id)


def _code_of(session: Session, award_id: str) -> PupilCode | None:
    return session.get(PupilCode, award_id, populate_existing=True)


def _school(session: Session, award: Award, teacher: Teacher) -> School:
    """Where the project was done: the teacher may have moved since."""
    return session.get_one(School, award.school or teacher.school)


def _project(session: Session, award: Award) -> Project:
    return session.get_one(Project, award.project)


def _application(session: Session, award: Award) -> Application | None:
    """The application that was awarded, if that was here; an award made elsewhere has none."""
    found = sa.select(Application).where(Application.id == award.id).with_for_update()
    return session.scalar(found.execution_options(populate_existing=True))
