"""Which applications read like another, section by section: told to a coordinator as a notice, never a verdict."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications import fingerprints
from labels.applications.fingerprints import Match, Readings
from labels.applications.similarity import Everybodys, Reading, Shared, number_of_words, shared
from labels.kinds import LabelKind
from labels.mail import messages, outbox
from labels.mail.outbox import Envelope
from labels.people.named import recipient
from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import Application, Organisation, Teacher
from labels.record.turns import Alone, wait_until_alone
from labels.rules.kept import rules_of
from labels.rules.model import CriteriaSet, LikenessRules, share_of
from labels.steps.mailing import about
from labels.steps.step import locked
from labels.turn import Turn
from labels.words.sentences import named

MOST_COMPARED = 20
"""Applications that are compared word by word: those with the most fingerprints in common."""


class Relation(StrEnum):
    """What another application is to one that reads like it."""

    PARTNER = "partner"
    """Of the same project: partners describe the same work."""
    SAME_APPLICANT = "same applicant"
    """Of the same person, for another project."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Alike:
    """Two sections that read alike."""

    section: str
    """The criterion that it is on."""
    other_section: str
    """In the other application; another one where the text was moved."""
    text: str
    other_text: str
    shared: Shared


@dataclass(frozen=True, slots=True)
class Likeness:
    """Another application that one reads like."""

    application: str
    organisation: str
    relation: Relation
    share: float
    """Of the words of all sections of the shorter application, how many stand in the other: 0 to 1."""
    sections: tuple[Alike, ...]
    """Those that are alike as the rules have it, the most alike first."""


@dataclass(frozen=True, slots=True)
class _Compared:
    """One application as it is compared with others."""

    project: str | None
    person: str | None
    readings: Readings
    rules: LikenessRules
    everybodys: Everybodys
    pairs: Mapping[str, set[tuple[str, str]]]
    """Its sections and those of each other application that have a fingerprint in common."""


def look(turn: Turn, application_id: str, readings: Readings | None = None) -> bool:
    """Looks once for applications that an application reads like, keeps its fingerprints, and tells the coordinator.

    `readings` are those of its sections, where they were made before the transaction. Returns whether it was looked
    for now.
    """
    application = _alone(turn.session, application_id)
    if application.label is not LabelKind.NATIONAL or fingerprints.are_kept(turn.session, application_id):
        return False
    if readings is None:
        readings = readings_of(turn.session, application)
    known = _known(turn.session, readings)
    found = _found(turn.session, application, readings, known)
    fingerprints.keep(turn.session, application_id, readings, known)
    if application.outcome is None:
        _tell(turn, application, found)
    return True


def keep_fingerprints(session: Session, application_id: str) -> None:
    """Keeps the fingerprints of an application of an earlier version; of likeness nobody is told so late."""
    application = _alone(session, application_id)
    if not fingerprints.are_kept(session, application_id):
        readings = readings_of(session, application)
        fingerprints.keep(session, application_id, readings, _known(session, readings))


def _alone(session: Session, application_id: str) -> Application:
    """The application, locked; and nobody else keeps fingerprints until the end of the transaction.

    Of two that are looked at in the same moment, the second thus finds what the first has kept.
    """
    application = locked(session, application_id)
    wait_until_alone(session, Alone.LOOKING_FOR_LIKENESS)
    return application


def likenesses(session: Session, application: Application) -> list[Likeness]:
    """The applications that one reads like now, also those that came after it, the most alike first."""
    readings = readings_of(session, application)
    return _found(session, application, readings, _known(session, readings))


def readings_of(session: Session, application: Application) -> Readings:
    """The sections of an application as they are compared; what is on no criterion of its rules is left out."""
    return _readings(application.content.get("sections"), rules_of(session, application).criteria_set)


def _readings(sections: Mapping[str, str] | None, criteria: CriteriaSet | None = None) -> Readings:
    names = {one.id for one in criteria.criteria} if criteria else None
    return {name: Reading(text) for name, text in (sections or {}).items() if names is None or name in names}


def _known(session: Session, readings: Readings) -> list[Match]:
    return fingerprints.matches(
        session, {one for reading in readings.values() for one in reading.fingerprints.values()}
    )


def _found(
    session: Session, application: Application, readings: Readings, known: Collection[Match]
) -> list[Likeness]:
    edition = rules_of(session, application)
    rules = edition.likeness
    others = [one for one in known if one.application != application.id]
    projects = fingerprints.shared_by(others)
    everybodys = Everybodys(
        frozenset(one for one, those in projects.items() if len(those) >= rules.everybodys.value),
        _questions(edition.criteria_set),
    )
    matched = [one for one in others if one.fingerprint not in everybodys.fingerprints]
    counted = Counter(one.application for one in matched)
    candidates = sorted(counted, key=lambda one: (-counted[one], one))[:MOST_COMPARED]
    person = session.scalar(sa.select(Teacher.person).where(Teacher.id == application.teacher))
    one = _Compared(application.project, person, readings, rules, everybodys, _pairs(readings, matched))
    rows = session.execute(_OTHERS, {"applications": candidates}).all() if candidates else ()
    found = [likeness for row in rows if (likeness := _compared(one, row)) and likeness.sections]
    return sorted(found, key=lambda likeness: (-_weight(likeness), likeness.application))


def _pairs(readings: Readings, matched: Collection[Match]) -> Mapping[str, set[tuple[str, str]]]:
    having: dict[int, set[str]] = defaultdict(set)
    for name, reading in readings.items():
        for fingerprint in reading.fingerprints.values():
            having[fingerprint].add(name)
    pairs: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for one in matched:
        pairs[one.application] |= {(name, one.section) for name in having[one.fingerprint]}
    return pairs


def _questions(criteria: CriteriaSet) -> frozenset[tuple[str, ...]]:
    """The form's own words."""
    return frozenset(
        shingle
        for one in criteria.criteria
        for text in (one.name, one.meaning)
        for shingle in Reading(text).shingles
    )


def _weight(likeness: Likeness) -> float:
    """Whole sections of others come before a little of everything."""
    return sum(one.shared.share for one in likeness.sections)


def _compared(one: _Compared, row: sa.Row[tuple[str, str, str, str, Mapping[str, str]]]) -> Likeness | None:
    """How two applications are alike; None where the other is an earlier attempt of the same person."""
    same_project = row.project == one.project
    same_person = one.person is not None and row.person == one.person
    if same_project and same_person:
        return None
    texts = row.sections or {}
    near: dict[str, set[str]] = defaultdict(set)
    for own, theirs in one.pairs[row.id]:
        near[own].add(theirs)
    most = _most_alike(one, near, texts)
    if any(_is_alike(pair.shared, one.rules) for pair in most):
        # A section in which every few words were changed may have no fingerprint left in common with the same one.
        most += _most_alike(one, {name: {name} for name in one.readings if name not in near}, texts)
    alike = [pair for pair in most if _is_alike(pair.shared, one.rules)]
    covered = sum(passage.words for pair in most for passage in pair.shared.passages)
    shorter = min(
        sum(len(reading.words) for reading in one.readings.values()),
        sum(map(number_of_words, texts.values())),
    )
    return Likeness(
        row.id,
        row.organisation,
        Relation.PARTNER if same_project else Relation.SAME_APPLICANT if same_person else Relation.OTHER,
        min(1.0, covered / shorter) if shorter else 0.0,
        tuple(sorted(alike, key=lambda pair: (-pair.shared.share, pair.section))),
    )


def _most_alike(one: _Compared, near: Mapping[str, Collection[str]], texts: Mapping[str, str]) -> list[Alike]:
    """Of some sections, each with that of `near` which it is the most like; `texts` are the other application's."""
    readings = {
        theirs: Reading(texts[theirs]) for those in near.values() for theirs in those if theirs in texts
    }
    found = []
    for name in sorted(near):
        pairs = [
            Alike(
                name,
                theirs,
                one.readings[name].text,
                texts[theirs],
                shared(one.readings[name], readings[theirs], one.everybodys),
            )
            for theirs in near[name]
            if theirs in readings
        ]
        if pairs:
            found.append(max(pairs, key=_closeness))
    return found


def _closeness(pair: Alike) -> tuple[float, int, bool, str]:
    """By which the closest of several pairs is chosen; of equals the same section."""
    same = pair.section == pair.other_section
    return pair.shared.share, pair.shared.longest, same, pair.other_section


def _is_alike(found: Shared, rules: LikenessRules) -> bool:
    return found.share >= share_of(rules.share.value) or found.longest >= rules.passage.value


def _tell(turn: Turn, application: Application, found: Collection[Likeness]) -> None:
    """Notes what is alike in the journal, and mails the coordinator once, about what is the most alike.

    Of another organisation's applications only those of the same project are told: whoever coordinates knows its partners.
    """
    names = {one.id: one.name for one in rules_of(turn.session, application).criteria_set.criteria}
    told = [
        one
        for one in found
        if one.relation is Relation.PARTNER or one.organisation == application.organisation
    ]
    for one in told:
        note(
            turn,
            application,
            SYSTEM,
            Event.READS_LIKE_ANOTHER,
            other=one.application,
            share=f"{round(one.share * 100)}%",
            sections=[alike.section for alike in one.sections],
            relation=one.relation.value,
        )
    if not told:
        return
    most = told[0]
    message = messages.SimilarityWarning(
        about=about(turn.session, application),
        other=most.application,
        percent=round(most.share * 100),
        sections=tuple(named("criterion", names[one.section]) for one in most.sections),
        same_project=most.relation is Relation.PARTNER,
        more=len(told) - 1,
    )
    organisation = turn.session.get_one(Organisation, application.organisation)
    to = recipient(turn.session, organisation.person)
    outbox.queue(turn, message, Envelope(to, (most.application,), application.id))


_OTHERS = (
    sa.select(
        Application.id,
        Application.project,
        Application.organisation,
        Teacher.person,
        Application.content["sections"].label("sections"),
    )
    .outerjoin(Teacher, Teacher.id == Application.teacher)
    .where(Application.id.in_(sa.bindparam("applications", expanding=True)))
    .order_by(Application.id)
)
