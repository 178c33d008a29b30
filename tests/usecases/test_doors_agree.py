"""Every act through every door that has it: the command line, Prefect's Resume form, and a person who is signed in.

What they leave in the record is the same, to the last column. Only what a door is about differs: its name in
the journal, the one-time code that it took, and when the mail went out. `python -m tests.usecases.test_doors_agree`
prints the table of acts and doors.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

import adapters.prefect.client
import adapters.workspace
import cli.answering
import cli.applying
import cli.coordinating
import cli.cycle
import cli.pupils
import cli.schools  # noqa: F401 -- loaded before anything is put in the place of what they import
from adapters.documents.opening import open_store
from adapters.documents.store import key_of
from adapters.fonts import missing_characters
from adapters.prefect.client import FilledIn
from adapters.workspace import Workspace
from labels.answering import accepting, proving
from labels.applications.documents import StoredDocument
from labels.clock import frozen_clock
from labels.errors import LabelsError
from labels.european_label import awarding, screening
from labels.mail.outbox import pupil_code_subject
from labels.pupil_label import classes
from labels.pupil_label.names import read_names
from labels.record import chain_export, digests
from labels.record.chain import SALT
from labels.record.engine import Record, close_records, open_record
from labels.record.schema import Application, Award, Base, Cause, Mail, Person, Review, Staff, Step, StepKind
from labels.reviews import conflicts
from labels.revoking import redeciding, reopening
from labels.rules.model import RuleEdition
from labels.school_label.drafting import Typed
from labels.school_label.fields import Change, mark
from labels.settings import PROJECT, Settings
from labels.steps.answers import read_answer
from labels.steps.codes import review_code
from labels.steps.proof import SignedIn
from labels.steps.vouching import vouch
from labels.turn import Door, Turn
from tests.support import european
from tests.support.case import COORDINATOR, decided, open_case, reviewed_by
from tests.support.patching import everywhere
from tests.support.people import CRITERIA, KEY, NOW, points
from tests.support.persons import colleague_of, person_at
from tests.support.school import FILES, QUESTIONS, School, whole
from tests.support.small_prefect import SmallPrefect
from tests.support.typed import typed
from tests.usecases.test_races import nothing_happens
from usecases import answering, applying, coordinating, correcting, printing
from usecases.acts import Act
from usecases.performing import Performed, perform
from usecases.resuming import take_answer

WRONG = "2222-2222-22"
DEADLINE = datetime(2026, 4, 30, 21, 59, 59, tzinfo=UTC)


@dataclass(frozen=True)
class Scene:
    """A record in which somebody is asked for something."""

    application: str
    step: str
    person: str
    code: str
    now: datetime = NOW
    more: dict[str, Any] = field(default_factory=dict)

    def by(self, record: Record) -> SignedIn:
        """The proof of the person, signed in."""
        return SignedIn(person_at(record, self.person), "passkey", self.now - timedelta(minutes=5))


@dataclass(frozen=True)
class Doing:
    """One act, and how it is done through each door; None where a door does not have it."""

    set_up: Callable[[Record], Scene]
    command: Callable[[Scene], list[Any]]
    """The words of the command; a dictionary among them is a JSON file."""
    form: Callable[[Scene], dict[str, Any]] | None
    """What is filled in besides the code."""
    act: Callable[[Scene], Act | Callable[[Workspace, SignedIn], Any]] | None
    """What somebody does who is signed in; None where the act is about a code."""
    changes: frozenset[str] = frozenset({"step"})
    """Tables that it is about, so that doing nothing does not pass."""


# Scenes --------------------------------------------------------------------------------------------------


def of_step(record: Record, application: str, step: Step, now: datetime = NOW, **more: Any) -> Scene:
    with record.reading() as session:
        step = session.get_one(Step, step.id)
    code = review_code(KEY, step.id, step.code_number)
    return Scene(application, step.id, step.assignee, code, now, more)


def asked(record: Record) -> Scene:
    case = open_case(record)
    first, second = case.ask()
    return of_step(record, case.id, first, other=second.id)


def applicant_asked(record: Record) -> Scene:
    case = open_case(record)
    first, _ = case.ask()
    case.answer(first, read_answer({"question": "Which maps?"}))
    return of_step(record, case.id, case.right(StepKind.INFORMATION))


def nobody_free(record: Record) -> Scene:
    case = open_case(record)
    with record.writing() as session:
        session.execute(sa.delete(Staff).where(Staff.role == "reviewer"))
    [assignment] = case.ask()
    with record.writing() as session:
        session.add(
            Staff(
                email="new@nss.example", role="reviewer", name="New", organisation="NSS-PL",
                language="pl", school=None,
            )
        )  # fmt: skip
    return of_step(record, case.id, assignment)


def may_be_called_besides(record: Record) -> Scene:
    """An application in review whose rules let a coordinator call one more reviewer."""
    return coordinator_has_a_code(record, BESIDES)


def decision_asked(record: Record) -> Scene:
    """An application whose reviews are in, and whose rules leave the decision to a coordinator."""
    case = open_case(record, edition=BESIDES)
    for step in case.ask():
        case.review(step)
    [step] = case.ask()
    with record.reading() as session:
        asked = {one.assignee for one in session.scalars(sa.select(Step).where(Step.kind == StepKind.REVIEW))}
    free = next(name for n in range(1, 6) if (name := f"r{n}@nss.example") not in asked)
    return of_step(record, case.id, step, free=free)


BESIDES = reviewed_by(decided_by="coordinator", additional={"most": 2, "chosen_by": "rules"})


def coordinator_has_a_code(record: Record, edition: RuleEdition | None = None) -> Scene:
    case = open_case(record, edition=edition)
    first, second = case.ask()
    case.do(proving.send_code, case.id, COORDINATOR)
    step = case.right(StepKind.COORDINATION)
    with record.reading() as session:
        taken = {first.assignee, second.assignee}
        names = session.scalars(sa.select(Staff.email).where(Staff.role == "reviewer").order_by(Staff.email))
        free = next(name for name in names if name not in taken)
    return of_step(record, case.id, step, seat=first.id, reviewer=first.assignee, free=free)


def reviewed(record: Record) -> Scene:
    case = open_case(record)
    first, _ = case.ask()
    case.review(first)
    case.do(proving.send_code, case.id, COORDINATOR)
    scene = of_step(record, case.id, case.right(StepKind.COORDINATION))
    return replace(scene, step=first.id)


def may_withdraw(record: Record) -> Scene:
    case = open_case(record)
    case.ask()
    return of_step(record, case.id, case.right(StepKind.WITHDRAWAL))


def may_appeal(record: Record) -> Scene:
    case = open_case(record, "NSS-RS", "RS")
    decided(case, 0)
    return of_step(record, case.id, case.right(StepKind.APPEAL))


def awarded(record: Record) -> Scene:
    case = open_case(record)
    decided(case, 4)
    case.do(proving.send_code, case.id, COORDINATOR)
    return with_plan(record, of_step(record, case.id, case.right(StepKind.COORDINATION)))


def decided_wrongly(record: Record) -> Scene:
    """An award that rests on a review of somebody who turned out to have a conflict of interest."""
    case = open_case(record)
    decided(case, 4)
    with record.writing() as session:
        step = session.scalars(sa.select(Step).where(Step.kind == StepKind.REVIEW)).first()
        assert step is not None
        turn = Turn(session, case.now, KEY, by=COORDINATOR)
        conflicts.declare(turn, session.get_one(Application, case.id), step.person, reason="Cousins.")
    case.do(proving.send_code, case.id, COORDINATOR)
    scene = of_step(record, case.id, case.right(StepKind.COORDINATION))
    with record.writing() as session:
        subject = redeciding.Reopened(case.id, Cause.CONFLICT)
        plan = redeciding.consequences(Turn(session, scene.now, KEY), subject).plan
    return replace(scene, more={"plan": plan})


def with_plan(record: Record, scene: Scene) -> Scene:
    """The scene with the plan of what hangs on its label."""
    with record.writing() as session:
        found = reopening.consequences(Turn(session, scene.now, KEY), reopening.Revoked(scene.application))
    return replace(scene, more=scene.more | {"plan": found.plan})


def school_invited(record: Record) -> Scene:
    school = School(record)
    return of_step(record, school.id, school.open(StepKind.SELF_ASSESSMENT)[0], school.now)


def school_drafted(record: Record) -> Scene:
    """A draft that a teacher and then a colleague saved, with a file; the teacher goes on from it."""
    school = School(record)
    first, second = school.open(StepKind.SELF_ASSESSMENT)
    files = [*FILES, StoredDocument("evidence", "policy.pdf", "sha256/policy", "application/pdf", 1)]
    for step, given in ((first, whole()), (second, whole(draft=1, requirements=REQUIREMENTS))):
        by = SignedIn(step.person, "mail code", school.now)
        school.do(accepting.save_draft, step.id, by, given, documents=files)
    now: dict[str, Any] = {"draft": 2, "requirements": REQUIREMENTS}
    more = {
        "same": whole(**now).model_dump(mode="json"),
        "changed": whole(**now, links=["https://s.example"]).model_dump(mode="json"),
        "late": whole(draft=1, requirements=REQUIREMENTS | {"B": "Mine."}).model_dump(mode="json"),
    }
    return replace(of_step(record, school.id, first, school.now), more=more)


def class_may_be_made(record: Record) -> Scene:
    """A teacher who holds a label and has asked for a code for a class."""
    case = open_case(record)
    award = "NQL-CLASS00001"
    with record.writing() as session:
        session.add(
            Award(
                id=award, label="national", teacher="T-1", project="P-1", school="S-1", organisation="NSS-PL",
                awarded_on=NOW.date(), score=25,
            )
        )  # fmt: skip
        session.flush()
        turn = Turn(session, case.now, KEY)
        classes.send_code(turn, award, TEACHER, classes.rules_for(session, award, case.now))
    code = review_code(KEY, pupil_code_subject(award), 1)
    return Scene(award, "", TEACHER, code, case.now)


TEACHER = "t-1@school.example"
NAMES_OF_A_CLASS = "names.csv"
CLASS_LIST = b"Anna Nowak\nJan Kos\n"
REQUIREMENTS = {"B": "Theirs.", "C": "Classes 5a and 6b.", "E": "https://szkola.example"}
EVIDENCE = str(PROJECT / "examples" / "evidence" / "atlas.pdf")


def signed_in_draft(scene: Scene) -> Act:
    """The desk's way of the same: the file is stored, and the field that was changed is sent."""
    content = Path(EVIDENCE).read_bytes()
    file = StoredDocument("evidence", "atlas.pdf", key_of(content), "application/pdf", len(content))
    change = Change(["https://s.example"], mark(None))
    return answering.draft(scene.step, Typed({("links",): change}), [file])


def school_handed_in(record: Record) -> Scene:
    school = School(record)
    school.hand_in()
    return of_step(record, school.id, school.open(StepKind.DECLARATION)[0], school.now)


def school_reviewed(record: Record) -> Scene:
    school = School(record)
    school.hand_in()
    school.declare()
    return of_step(record, school.id, school.ask()[0], school.now)


def screening_asked(record: Record) -> Scene:
    with record.writing() as session:
        european.populate_year(session)
        european.begun(session)
        nomination = european.nomination_of(european.OWN)
        [step, *_] = screening.ask(Turn(session, european.BEGINS, KEY), nomination)
    return of_step(record, nomination, step, european.BEGINS)


def award_asked(record: Record) -> Scene:
    with record.writing() as session:
        european.populate_year(session)
        identifier = european.begun(session)
        for organisation in (european.OWN, european.OTHER):
            european.screen(session, organisation)
        turn = Turn(session, european.BEGINS, KEY)
        awarding.merge_nominations(turn, identifier)
        [step, *_] = awarding.ask(turn, identifier)
    return of_step(record, identifier, step, european.BEGINS)


# Acts ----------------------------------------------------------------------------------------------------


def answering_with(
    set_up: Callable[[Record], Scene],
    given: dict[str, Any],
    form: dict[str, Any] | None = None,
    changes: frozenset[str] = frozenset({"step", "journal"}),
) -> Doing:
    """An answer to a step, by `labels answer` and by the form that is filled in for the same."""
    return Doing(
        set_up,
        lambda s: ["answer", s.step, given, "--as", s.person, "--code", s.code],
        None if form is None else lambda s: form,
        lambda s: answering.answer(s.step, read_answer(given)),
        changes,
    )


def may_be_lifted(record: Record) -> Scene:
    """A conflict of interest that was declared of a reviewer, by a coordinator who has a code."""
    scene = coordinator_has_a_code(record)
    with record.writing() as session:
        reviewer = session.scalars(sa.select(Step).where(Step.kind == StepKind.REVIEW)).first()
        assert reviewer is not None
        turn = Turn(session, scene.now, KEY, by=COORDINATOR)
        conflicts.declare(
            turn, session.get_one(Application, scene.application), reviewer.person, reason="Cousins."
        )
        return replace(scene, more={"reviewer": reviewer.assignee})


def coordinating_by(
    command: Callable[[Scene], list[str]],
    act: Callable[[Scene], Act],
    changes: frozenset[str] = frozenset({"step", "journal"}),
) -> Doing:
    """An act of a coordinator with a code that they asked for."""
    return Doing(
        coordinator_has_a_code,
        lambda s: [*command(s), "--as", s.person, "--code", s.code],
        None,
        act,
        changes,
    )


def in_form(given: dict[str, int]) -> dict[str, Any]:
    return {f"points_{name}": value for name, value in given.items()}


PILLARS = {pillar.id: 2 for pillar in QUESTIONS.pillars}
REVIEW = {"scores": points(4), "comment": "Well done.", "note": "Of all I read the best."}
FAULTY = {"scores": {CRITERIA[0]: 4}, "comment": "Only one."}

ACTS = {
    "a review": answering_with(
        asked, REVIEW, in_form(points(4)) | {"comment": REVIEW["comment"], "note": REVIEW["note"]},
        frozenset({"step", "review", "journal"}),
    ),
    "a review that lacks points": answering_with(
        asked, FAULTY, in_form({CRITERIA[0]: 4}) | {"comment": "Only one."}
    ),
    "a question": answering_with(
        asked, {"question": "Which maps?"}, {"question": "Which maps?"}, frozenset({"step", "mail"})
    ),
    "an answer to a question": answering_with(
        applicant_asked, {"text": "These.", "links": ["https://maps.example/1"]},
        {"answer": "These.", "links": "https://maps.example/1"}, frozenset({"step", "mail"}),
    ),
    "a decline": answering_with(
        asked, {"decline": "I have no conflict of interest, but no time until May."},
        {"decline": "I have no conflict of interest, but no time until May.", "conflict": False},
    ),
    "a decline for a conflict of interest": answering_with(
        asked, {"decline": "Befangen.", "conflict": True}, {"decline": "Befangen.", "conflict": True},
        frozenset({"step", "conflict"}),
    ),
    "a reviewer for an empty seat": Doing(
        nobody_free,
        lambda s: ["reassign", s.step, "--to", "new@nss.example", "--reason", "is free", "--as", s.person, "--code", s.code],
        lambda s: {"assign_to": "new@nss.example", "reason": "is free"},
        lambda s: coordinating.reassign(s.step, "new@nss.example", "is free"),
    ),
    "a reviewer who may not judge": Doing(
        nobody_free,
        lambda s: ["reassign", s.step, "--to", "stranger@x.example", "--reason", "ill", "--as", s.person, "--code", s.code],
        lambda s: {"assign_to": "stranger@x.example", "reason": "ill"},
        None,  # nothing is to be filled in again where no form is
        frozenset({"step", "journal"}),
    ),
    "a wrong code": Doing(
        nobody_free,
        lambda s: ["reassign", s.step, "--to", "new@nss.example", "--reason", "is free", "--as", s.person, "--code", WRONG],
        lambda s: {"assign_to": "new@nss.example", "reason": "is free", "code": WRONG},
        None,
        frozenset({"step", "journal"}),
    ),
    "another reviewer": coordinating_by(
        lambda s: ["reassign", s.more["seat"], "--to", s.more["free"], "--reason", "ill"],
        lambda s: coordinating.reassign(s.more["seat"], s.more["free"], "ill"),
    ),
    "taking a review over": coordinating_by(
        lambda s: ["takeover", s.more["seat"], "--reason", "ill"],
        lambda s: coordinating.reassign(s.more["seat"], s.person, "ill"),
    ),
    "a review sent back": Doing(
        reviewed,
        lambda s: ["send-back", s.step, "--reason", "look again", "--as", s.person, "--code", s.code],
        None,
        lambda s: coordinating.send_back(s.step, "look again"),
        frozenset({"step", "review", "review_draft", "journal", "mail"}),
    ),
    "one more reviewer, whom the rules choose": Doing(
        may_be_called_besides,
        lambda s: ["another", s.application, "--reason", "not sure", "--as", s.person, "--code", s.code],
        None,
        lambda s: coordinating.another(s.application, "", "not sure"),
        frozenset({"additional_review", "journal"}),
    ),
    "one more reviewer, who is named": Doing(
        may_be_called_besides,
        lambda s: [
            "another", s.application, "--to", s.more["free"], "--reason", "not sure", "--as", s.person, "--code", s.code,
        ],
        None,
        lambda s: coordinating.another(s.application, s.more["free"], "not sure"),
        frozenset({"additional_review", "step", "journal", "mail"}),
    ),
    "one more reviewer, where the rules have none": coordinating_by(
        lambda s: ["another", s.application, "--reason", "not sure"],
        lambda s: coordinating.another(s.application, "", "not sure"),
        frozenset({"journal"}),
    ),
    "a decision of a coordinator": Doing(
        decision_asked,
        lambda s: ["decision", s.step, "award", "--reason", "good", "--as", s.person, "--code", s.code],
        lambda s: {"decide": "Award", "reason": "good"},
        lambda s: coordinating.decide(s.step, "award", "good"),
    ),
    "one more reviewer before a decision": Doing(
        decision_asked,
        lambda s: [
            "decision", s.step, "another", "--to", s.more["free"], "--reason", "not sure", "--as", s.person, "--code", s.code,
        ],
        lambda s: {"decide": "another", "assign_to": s.more["free"], "reason": "not sure"},
        lambda s: coordinating.decide(s.step, "another", "not sure", s.more["free"]),
        frozenset({"additional_review", "step", "journal", "mail"}),
    ),
    "another deadline": coordinating_by(
        lambda s: ["deadline", s.more["seat"], "--until", "2026-04-30", "--reason", "fair week"],
        lambda s: coordinating.move_deadline(s.more["seat"], DEADLINE, "fair week"),
    ),
    "a conflict of interest": coordinating_by(
        lambda s: ["conflict", s.application, "--reviewer", s.more["reviewer"], "--reason", "cousins"],
        lambda s: coordinating.declare_conflict(s.application, s.more["reviewer"], "cousins"),
        frozenset({"conflict", "journal"}),
    ),
    "a conflict of interest that is lifted": Doing(
        may_be_lifted,
        lambda s: ["conflict", s.application, "--lift", "--reviewer", s.more["reviewer"], "--reason", "a namesake", "--as", s.person, "--code", s.code],
        None,
        lambda s: coordinating.lift_conflict(s.application, s.more["reviewer"], "a namesake"),
        frozenset({"conflict", "journal", "mail"}),
    ),
    "a deadline that is past": coordinating_by(
        lambda s: ["deadline", s.more["seat"], "--until", "2026-01-01", "--reason", "no"],
        lambda s: coordinating.move_deadline(
            s.more["seat"], datetime(2026, 1, 1, 22, 59, 59, tzinfo=UTC), "no"
        ),
        frozenset({"journal"}),
    ),
    "a withdrawal": Doing(
        may_withdraw,
        lambda s: ["withdraw", s.application, "--as", s.person, "--code", s.code],
        None,
        lambda s: applying.withdraw(s.application),
        frozenset({"step", "decision", "mail"}),
    ),
    "an appeal": Doing(
        may_appeal,
        lambda s: ["appeal", s.application, "--grounds", "grounds.txt", "--as", s.person, "--code", s.code],
        None,
        lambda s: applying.appeal(s.application, "Not read."),
        frozenset({"step", "application", "mail"}),
    ),
    "a label taken back": Doing(
        awarded,
        lambda s: [
            "revoke", s.application, "--reason", "copied", "--plan", s.more["plan"], "--as", s.person, "--code", s.code,
        ],
        None,
        lambda s: lambda here, by: correcting.reopen(
            here, reopening.Revoked(s.application), s.more["plan"], "copied", by=by, door=Door.DESK
        ),
        frozenset({"award", "journal", "mail"}),
    ),
    "a decision reopened": Doing(
        decided_wrongly,
        lambda s: [
            "reopen", s.application, "--cause", "conflict", "--reason", "cousins", "--plan", s.more["plan"], "--as", s.person,
            "--code", s.code,
        ],
        None,
        lambda s: lambda here, by: correcting.reopen_decision(
            here, redeciding.Reopened(s.application, Cause.CONFLICT), s.more["plan"], "cousins", by=by, door=Door.DESK
        ),
        frozenset({"award", "application", "reopening", "review", "journal", "mail"}),
    ),
    "a self-assessment": Doing(
        school_invited,
        lambda s: [
            "answer", s.step, whole().model_dump(mode="json", exclude_none=True), "--as", s.person, "--code", s.code,
        ],
        None,
        lambda s: answering.answer(s.step, whole()),
        frozenset({"step", "journal"}),
    ),
    "a draft of a self-assessment": Doing(
        school_invited,
        lambda s: [
            "draft", s.step, whole(links=["https://s.example"]).model_dump(mode="json", exclude_none=True),
            "--as", s.person, "--code", s.code,
        ],
        None,
        lambda s: answering.draft(s.step, whole(links=["https://s.example"])),
        frozenset({"draft"}),
    ),
    "fields of a self-assessment with a file": Doing(
        school_drafted,
        lambda s: [
            "draft", s.step, s.more["changed"], "--evidence", EVIDENCE, "--as", s.person, "--code", s.code,
        ],
        None,
        signed_in_draft,
        frozenset({"draft", "document"}),
    ),
    "a file that goes with a self-assessment no more": Doing(
        school_drafted,
        lambda s: ["draft", s.step, s.more["same"], "--without", "policy.pdf", "--as", s.person, "--code", s.code],
        None,
        lambda s: answering.draft(s.step, read_answer(s.more["same"]), without=["policy.pdf"]),
        frozenset({"draft", "document", "deletion"}),
    ),
    "a field that a colleague changed too": Doing(
        school_drafted,
        lambda s: ["draft", s.step, s.more["late"], "--as", s.person, "--code", s.code],
        None,
        lambda s: answering.draft(s.step, read_answer(s.more["late"])),
        frozenset({"step"}),
    ),
    "who hands in for a school": Doing(
        school_invited,
        lambda s: ["hands-in", s.step, s.person, "--as", s.person, "--code", s.code],
        None,
        lambda s: answering.choose_who_hands_in(s.step, s.person),
        frozenset({"handing_in", "journal"}),
    ),
    "a draft that is handed in": Doing(
        school_drafted,
        lambda s: ["answer", s.step, s.more["same"], "--as", s.person, "--code", s.code],
        None,
        lambda s: answering.hand_in(s.step, 2),
        frozenset({"step", "journal"}),
    ),
    "an invitation that is sent again": Doing(
        school_invited,
        lambda s: ["code", s.step, "--as", s.person],
        None,
        lambda s: answering.send_again(s.step, 5),
        frozenset({"mail", "journal"}),
    ),
    "a class's certificates": Doing(
        class_may_be_made,
        lambda s: ["pupils", s.application, NAMES_OF_A_CLASS, "certificates", "--as", s.person, "--code", s.code],
        None,
        lambda s: lambda here, by: printing.download(
            here, s.application, read_names(CLASS_LIST, "PL", missing_characters), by=by, door=Door.DESK
        ),
        frozenset({"pupil_class", "pupil_code", "issued", "journal"}),
    ),
    "a declaration": Doing(
        school_handed_in,
        lambda s: ["declare", s.step, "--as", s.person, "--code", s.code],
        None,
        lambda s: answering.answer(s.step, read_answer({"declare": True})),
        frozenset({"step", "application", "mail"}),
    ),
    "a self-assessment sent back": Doing(
        school_handed_in,
        lambda s: ["declare", s.step, "--send-back", "Page 2 is old.", "--as", s.person, "--code", s.code],
        None,
        lambda s: answering.answer(s.step, read_answer({"decline": "Page 2 is old."})),
        frozenset({"step", "mail"}),
    ),
    "a review of a school": answering_with(
        school_reviewed, {"scores": PILLARS, "comment": "Dobrze."}, in_form(PILLARS) | {"comment": "Dobrze."},
        frozenset({"step", "review"}),
    ),
    "a screening": answering_with(
        screening_asked, {"approve": ["all"]}, {"approve": "all"}, frozenset({"step", "cycle_place"})
    ),
    "an award": answering_with(award_asked, {"approve": ["all"]}, {"approve": "all"}, frozenset({"step"})),
}  # fmt: skip


# Doors ---------------------------------------------------------------------------------------------------

DOORS = ("command line", "Prefect's form", "signed in")


def doors_of(doing: Doing) -> list[str]:
    """The doors that have the act."""
    has = (True, doing.form is not None, doing.act is not None)
    return [door for door, there in zip(DOORS, has, strict=True) if there]


def go(
    door: str, doing: Doing, scene: Scene, here: Workspace, folder: Path, patch: pytest.MonkeyPatch
) -> None:
    """Does it through one door. Prefect is away for those who would wake a run: that is another matter."""
    if door == "command line":
        words = []
        for word in doing.command(scene):
            if isinstance(word, dict):
                (folder / "answer.json").write_text(json.dumps(word), encoding="utf-8")
                word = "answer.json"
            words.append(word)
        (folder / "grounds.txt").write_text("Not read.", encoding="utf-8")
        (folder / NAMES_OF_A_CLASS).write_bytes(CLASS_LIST)
        patch.chdir(folder)
        everywhere(patch, adapters.workspace.existing_workspace, lambda: here)
        result = typed(*words)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    elif door == "Prefect's form":
        assert doing.form is not None
        patch.setattr(adapters.prefect.client, "get_client", SmallPrefect(nothing_happens).client)
        address = SimpleNamespace(value=lambda: "in memory")
        patch.setattr(adapters.prefect.client, "PREFECT_API_URL", address)
        filled = FilledIn(0, {"code": scene.code} | doing.form(scene))
        take_answer(here, scene.application, "a run", filled)
    else:
        assert doing.act is not None
        with contextlib.suppress(LabelsError):  # what is refused is compared, too
            signed_in(doing, scene, here, scene.by(here.record))


def signed_in(doing: Doing, scene: Scene, here: Workspace, by: SignedIn) -> Performed | None:
    """Does it as somebody who is signed in.

    Raises:
        LabelsError: it was refused.
    """
    assert doing.act is not None
    act = doing.act(scene)
    if NAMES[id(doing)] in ("a label taken back", "a decision reopened", "a class's certificates"):
        found: Any = act(here, by)  # type: ignore[arg-type]  # a whole use case
        told = found if isinstance(found, tuple) else (found,)
        return next((one for one in told if isinstance(one, Performed)), None)
    return perform(here, act, by=by, door=Door.DESK)  # type: ignore[arg-type]  # an act


NAMES = {id(doing): name for name, doing in ACTS.items()}

OF_THE_DOOR = {
    "application": {"run", "runs", "parked_revision", "form_seen"},
    "mail": {"sent_at", "attempts", "claimed_until", "next_attempt_at", "last_error", "message_id"},
    "journal": {"id"},
    "step": {"typed", "code_hash", "code_number"},
}
"""Columns that are about how the news went, and not about what was done; and what makes up for it that others may
read in Prefect what was refused there: the code is another, and what was typed is kept. A message's identifier is of its
reason, and gets a tag when the message goes out."""


def left_in(record: Record) -> dict[str, list[dict[str, Any]]]:
    """All that is in the record, but for what is a door's own: its name, and the code that it took."""
    told = {}
    with record.reading() as session:
        for table in Base.metadata.sorted_tables:
            if table.name == "resumption":
                continue
            rows = [dict(row._mapping) for row in session.execute(sa.select(table))]
            if table.name == "mail":  # with the other code
                rows = [
                    row
                    for row in rows
                    if row["template"] != "code" or not row["context"]["message"].get("why")
                ]
            for row in rows:
                for column in OF_THE_DOOR.get(table.name, ()):
                    row.pop(column, None)
                if table.name == "journal":
                    kept = {
                        k: v for k, v in row["details"].items() if k not in ("door", "known_by", "claimed")
                    }
                    row["details"] = kept
                if table.name == "step" and row["kind"] is StepKind.COORDINATION:
                    row.update(state=None, closed_at=None)
            told[table.name] = sorted(rows, key=lambda row: json.dumps(row, default=str, sort_keys=True))
    return told


def differences(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> list[Any]:
    """Where two tables differ: rows that only one has, or the columns of a row."""
    if len(one) != len(other):
        return [row for row in [*one, *other] if row not in one or row not in other]
    return [
        (column, was[column], row[column])
        for was, row in zip(one, other, strict=True)
        for column in was
        if was[column] != row[column]
    ]


@pytest.fixture
def scenes(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Doing, str], tuple[Scene, Workspace]]]:
    """The same scene for every door, each in a record of its own."""
    monkeypatch.setattr(digests, "random_salts", lambda number: bytes(SALT * number))

    def build(doing: Doing, door: str) -> tuple[Scene, Workspace]:
        home = tmp_path / door.replace(" ", "-").replace("'", "")
        home.mkdir()
        shutil.copyfile(sqlite_template, home / "record.db")
        url = f"sqlite:///{home / 'record.db'}"
        settings = Settings(_env_file=None, home=home, database_url=url, secret="a secret for tests")
        record = open_record(settings)
        scene = doing.set_up(record)
        with record.writing() as session:  # what the scene wrote to people has gone out long since
            session.execute(sa.update(Mail).values(sent_at=scene.now))
        return scene, Workspace(settings, record, open_store(settings), KEY, frozen_clock(scene.now))

    yield build
    close_records()


@pytest.mark.slow
@pytest.mark.parametrize("name", ACTS)
def test_an_act_leaves_the_same_in_the_record_through_every_door(
    name: str, scenes: Callable[[Doing, str], tuple[Scene, Workspace]], tmp_path: Path
) -> None:
    doing = ACTS[name]
    left = {}
    for door in doors_of(doing):
        scene, here = scenes(doing, door)
        before = left_in(here.record)
        with pytest.MonkeyPatch.context() as patch:
            go(door, doing, scene, here, tmp_path, patch)
        after = left_in(here.record)
        same = {table for table in doing.changes if before[table] == after[table]}
        assert not same, f"{door} changed nothing in {', '.join(sorted(same))}"
        left[door] = after
        with here.record.reading() as session:
            assert chain_export.verify(session, [])[1] == [], "the journal tells of all that changed"
    first, *others = left
    for other in others:
        for table in left[first]:
            assert differences(left[first][table], left[other][table]) == [], f"{table}: {first}, {other}"


def test_every_act_is_compared_through_at_least_two_doors() -> None:
    assert all(len(doors_of(doing)) > 1 for doing in ACTS.values())


def test_a_signed_in_stranger_is_refused_and_leaves_nothing(
    scenes: Callable[[Doing, str], tuple[Scene, Workspace]],
) -> None:
    doing = ACTS["a review"]
    scene, here = scenes(doing, "signed in")
    before = left_in(here.record)
    by = SignedIn("PER-STRANGER", "oidc", scene.now)
    with pytest.raises(LabelsError, match="not yours"):
        perform(here, answering.answer(scene.step, read_answer(REVIEW)), by=by, door=Door.DESK)
    assert left_in(here.record) == before


@pytest.mark.sampled
@pytest.mark.parametrize("name", [name for name, doing in ACTS.items() if doing.act])
def test_who_shares_the_mailbox_and_is_signed_in_is_as_much_a_stranger_as_anybody(
    name: str, scenes: Callable[[Doing, str], tuple[Scene, Workspace]]
) -> None:
    doing = ACTS[name]
    scene, here = scenes(doing, "signed in")
    colleague = colleague_of(here.record, person_at(here.record, scene.person))
    with here.record.writing() as session:
        session.add(Person(id="PER-STRANGER", name="A Stranger", address="x@x.example", language="en"))
    before = left_in(here.record)
    said = set()
    for other in (colleague, "PER-STRANGER"):
        with pytest.raises(LabelsError) as refused:
            signed_in(doing, scene, here, SignedIn(other, "oidc", scene.now))
        said.add(str(refused.value).replace(scene.person, "x@x.example"))
    assert len(said) == 1, "a colleague is told what a stranger is"
    assert left_in(here.record) == before


def test_the_gate_vouches_for_a_person_and_not_for_a_mailbox(
    scenes: Callable[[Doing, str], tuple[Scene, Workspace]], monkeypatch: pytest.MonkeyPatch
) -> None:
    doing = ACTS["a review"]
    assert doing.form is not None
    scene, here = scenes(doing, "Prefect's form")
    owner = person_at(here.record, scene.person)
    colleague = colleague_of(here.record, owner)
    monkeypatch.setattr(adapters.prefect.client, "get_client", SmallPrefect(nothing_happens).client)
    address = SimpleNamespace(value=lambda: "in memory")
    monkeypatch.setattr(adapters.prefect.client, "PREFECT_API_URL", address)

    def reviews_after(who: str, waiting: int) -> int:
        fields = doing.form(scene) if doing.form else {}
        fields["code"] = vouch(KEY, who, "a run", waiting, fields, scene.now)
        take_answer(here, scene.application, "a run", FilledIn(waiting, fields))
        with here.record.reading() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(Review)) or 0

    assert reviews_after(colleague, 0) == 0
    assert reviews_after(owner, 1) == 1


if __name__ == "__main__":
    print(f"| act | {' | '.join(DOORS)} |\n|---|{'---|' * len(DOORS)}")
    for act, done in ACTS.items():
        print(f"| {act} | {' | '.join('yes' if door in doors_of(done) else '–' for door in DOORS)} |")
