"""Whether a self-assessment is complete: what is missing, and where it can be found."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from labels.errors import Fault
from labels.mending import AddDocument
from labels.rules.model import Counted, Requirement, SchoolDocument, SelfAssessmentRules
from labels.school_label.prefilling import FIELDS
from labels.steps.answers import SelfAnswer, SelfAssessment
from labels.words.text import has_words

_DOCUMENTS = {
    SchoolDocument.SAFETY: "the document on the responsible use of the Internet",
    SchoolDocument.POLICY: "the school’s policy or plan that names eTwinning",
    SchoolDocument.DECLARATION: "the application signed by the principal",
}


def missing(
    questions: SelfAssessmentRules,
    prefilled: Mapping[str, Any],
    given: SelfAssessment,
    documents: Collection[SchoolDocument],
) -> list[Fault]:
    """Everything for which a self-assessment can't be handed in yet; nothing where it is complete.

    `prefilled` is what was filled in from the registry; `documents` are the kinds that were handed in.
    """
    faults = [*_unsettled(prefilled, given), *_unanswered(questions, given)]
    reached = share(questions, given)
    if not faults and reached < questions.threshold:
        faults.append(
            Fault(
                "answers",
                f"the levels reach {reached} per cent; {questions.threshold} are needed.",
                "Where the school is further than you said, raise the level; else apply in a later round.",
            )
        )
    faults += [*_requirements(questions, prefilled, given, documents), *_unplanned(questions, given)]
    for kind, what in _DOCUMENTS.items():
        if kind not in documents:
            faults.append(
                Fault(
                    "documents",
                    f"{what} is missing.",
                    f"Add it as a file whose name begins with “{kind.value}”.",
                    AddDocument(),
                )
            )
    return faults


def _unsettled(prefilled: Mapping[str, Any], given: SelfAssessment) -> Iterator[Fault]:
    """What was filled in and neither confirmed nor disputed, and what is no part of it."""
    rows = {row["id"] for name in FIELDS for row in prefilled[name]}
    for name in given.confirmed:
        if name not in FIELDS:
            yield Fault(f"confirmed.{name}", "was not filled in.", f"Known are {', '.join(FIELDS)}.")
    for name, reason in given.disputed.items():
        if name not in FIELDS and name not in rows:
            yield Fault(
                f"disputed.{name}", "was not filled in.", "Name one of the fields, or the id of a row."
            )
        elif not has_words(reason):
            yield Fault(f"disputed.{name}", "has no reason.", "Say what is wrong with it.")
    for name in FIELDS:
        if given.confirmed.get(name) is not True and name not in given.disputed:
            yield Fault(
                f"confirmed.{name}",
                "is neither confirmed nor disputed.",
                f'Look at what was filled in and say true, or say under "disputed" what is wrong with “{name}”.',
            )


def _unanswered(questions: SelfAssessmentRules, given: SelfAssessment) -> Iterator[Fault]:
    known = {(one.pillar, one.id): one for one in questions.questions}
    highest = max(questions.levels)
    for pillar, answers in given.answers.items():
        for name in answers:
            if (pillar, name) not in known:
                yield Fault(f"answers.{pillar}.{name}", "is no question of this round.")
    for (pillar, name), question in known.items():
        where = f"answers.{pillar}.{name}"
        said: SelfAnswer | None = given.answers.get(pillar, {}).get(name)
        if said is None or (said.level is None and not has_words(said.text)):
            yield Fault(where, "is not answered.", question.text)
        elif said.level is None:
            yield Fault(f"{where}.level", "is missing.", f"Say how far the school is: {question.text}")
        elif said.level > highest:
            yield Fault(f"{where}.level", f"{said.level} is above {highest}, the highest level.")
        elif not has_words(said.text):
            yield Fault(f"{where}.text", "is empty.", f"Say in a few words what shows it: {question.text}")


def _unplanned(questions: SelfAssessmentRules, given: SelfAssessment) -> Iterator[Fault]:
    """What the school does not say of its plans, where the questions ask for them, and what is no part of these."""
    pillars = {pillar.id for pillar in questions.pillars} if questions.plan else set()
    for name in given.plan:
        if name not in pillars:
            yield Fault(f"plan.{name}", "is no part of this round’s plan.")
    for pillar in questions.pillars if questions.plan else ():
        if not has_words(given.plan.get(pillar.id, "")):
            yield Fault(f"plan.{pillar.id}", "is not written.", f"{pillar.name}: {questions.plan}")


def share(questions: SelfAssessmentRules, given: SelfAssessment) -> int:
    """What the answers reach of the weighted levels, in whole per cent, rounded down."""
    highest = max(questions.levels)
    reached = whole = 0
    for question in questions.questions:
        said = given.answers.get(question.pillar, {}).get(question.id)
        whole += highest * question.weight
        reached += min(said.level or 0, highest) * question.weight if said else 0
    return 100 * reached // whole


def counted(what: Counted, prefilled: Mapping[str, Any], given: SelfAssessment) -> int:
    """How many the rows show that the school did not dispute."""

    def rows(name: str) -> list[dict[str, Any]]:
        if name in given.disputed:
            return []
        return [row for row in prefilled[name] if row["id"] not in given.disputed]

    match what:
        case Counted.PROJECTS:
            return len(rows("projects"))
        case Counted.TRAINED_TEACHERS:
            return len({row["teacher"] for row in rows("professional_development")})
        case Counted.COLLABORATING_TEACHERS:
            return len(
                {one for row in rows("projects") if len(row["teachers"]) > 1 for one in row["teachers"]}
            )


def _requirements(
    questions: SelfAssessmentRules,
    prefilled: Mapping[str, Any],
    given: SelfAssessment,
    documents: Collection[SchoolDocument],
) -> Iterator[Fault]:
    known = {one.id for one in questions.requirements}
    for name in given.requirements:
        if name not in known:
            yield Fault(f"requirements.{name}", f"is no requirement; known are {', '.join(sorted(known))}.")
    for one in questions.requirements:
        fault = _requirement(one, prefilled, given, documents)
        if fault:
            yield fault


def _requirement(
    one: Requirement,
    prefilled: Mapping[str, Any],
    given: SelfAssessment,
    documents: Collection[SchoolDocument],
) -> Fault | None:
    """Why a requirement is not met, or None: rows and documents meet it by themselves, else the school's words."""
    if has_words(given.requirements.get(one.id, "")):
        return None
    where = f"requirements.{one.id}"
    if one.counts is not None and one.at_least is not None:
        count = counted(one.counts, prefilled, given)
        if count >= one.at_least:
            return None
        return Fault(
            where,
            f"{one.text} The confirmed rows show {count}; {one.at_least} are needed.",
            f'Say under "requirements", "{one.id}", who or what else there is.',
        )
    if one.document is not None:
        if one.document in documents:
            return None
        return Fault(where, one.text, f"Hand in {_DOCUMENTS[one.document]}.")
    return Fault(where, one.text, f'Say under "requirements", "{one.id}", what shows it, such as a web page.')


def document_kind(name: str) -> SchoolDocument | None:
    """What a file is by its name: `safety-rules.pdf`, `Policy 2026.pdf`, `declaration.pdf`; None if it does not say."""
    return next((kind for kind in SchoolDocument if name.casefold().startswith(kind.value)), None)
