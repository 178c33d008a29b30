"""What people do in a random course: each act is done in the record, and the model is told of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa

from adapters.workspace import Workspace
from benchmarks.walk import world
from benchmarks.walk.model import Judged, School
from labels.answering import accepting, rights
from labels.applications.documents import StoredDocument
from labels.errors import LabelsError
from labels.record.schema import Application, Cause, Step, StepKind, StepState
from labels.reviews import coordinating
from labels.revoking import redeciding, reopening
from labels.rules.model import RuleEdition
from labels.school_label.drafting import drafted
from labels.steps.answers import Answer, Declaration, Decline, Information, Question, ReviewAnswer
from labels.steps.codes import review_code
from labels.steps.outcome import Refusal
from labels.steps.proof import Code
from labels.turn import Door, Turn
from labels.words.sentences import say
from usecases.rehearsing.playing import SettableClock

SCHOOL_FILES = tuple(
    StoredDocument("evidence", name, f"sha256/walk/{name}", "application/pdf", 1)
    for name in ("safety-rules.pdf", "Policy 2026.pdf", "declaration.pdf")
)

_PRECONDITIONS = ("shared_plan", "finished", "contributed", "collaborative", "safe")

_END = (StepKind.INFORMATION, StepKind.SELF_ASSESSMENT, StepKind.DECLARATION)
"""What ends with its deadline."""


@dataclass(frozen=True)
class Difference:
    """Where the record and the model do not say the same."""

    application: str
    after: str
    record: str
    model: str

    def __str__(self) -> str:
        return f"{self.application} after {self.after}:\n  record {self.record}\n  model  {self.model}"


@dataclass
class Course:
    """One application, its model, and what happened."""

    id: str
    model: Judged | School
    edition: RuleEdition
    happened: list[str]

    @property
    def judged(self) -> Judged | None:
        """The model of its judging, once it is judged."""
        return self.model if isinstance(self.model, Judged) else self.model.judged


Possible = tuple[str, Callable[[], None]]
"""Something that may happen: its name, and what does it."""


class Acting:
    """Everybody in a batch of courses."""

    def __init__(self, here: Workspace, clock: SettableClock, chance: random.Random, reviewers: int) -> None:
        self._here, self._clock, self._chance = here, clock, chance
        self.reviewers = {world.reviewer(n) for n in range(1, reviewers + 1)}
        self.left: set[str] = set()
        """Reviewers who are on the staff no longer."""
        self._conflicts: dict[str, set[str]] = {}
        """Who applies → addresses."""
        self.courses: dict[str, Course] = {}
        self.differences: list[Difference] = []

    # What may happen ----------------------------------------------------------------------------------

    def possible(self, course: Course) -> list[Possible]:
        """What may happen to an application next, each as often as it shall be drawn."""
        if course.judged is None:
            return self._of_a_school(course)
        if course.judged.place == "judging":
            return self._while_judged(course, course.judged)
        return self._once_decided(course, course.judged)

    def _while_judged(self, course: Course, judged: Judged) -> list[Possible]:
        steps = [one for one in self.steps(course.id) if one.state in (StepState.OPEN, StepState.ASKED)]
        could = self._could_be_named(course)
        if not could and self._chance.random() < 0.2:
            return []  # it stays with a coordinator who has nobody to ask
        found: list[Possible] = []
        for step in steps:
            if step.kind is StepKind.REVIEW:
                found += self._of_a_review(course, judged, step)
            if step.kind is StepKind.INFORMATION:
                found += 3 * [("an answer", partial(self._information, judged, step))]
            if step.kind is StepKind.ASSIGNMENT and could:
                found += 4 * [("named by a coordinator", partial(self._reassign, course, judged, step))]
        for seat in judged.voices:
            given = self._giver(course, seat)
            if given.assignee not in self.left:
                found.append(("sent back", partial(self._send_back, judged, given)))
            found.append(("a conflict of who reviewed", partial(self._conflict, course, judged, given)))
            once_more = partial(self._once_more, course, given)
            found.append(("a review once more", partial(self._refused, course, once_more)))
        for who in sorted(self.free(course.id))[:1]:
            nobody = partial(self._conflict_of_nobody, course, judged, who)
            found.append(("a conflict of who was not asked", nobody))
        if judged.can_withdraw:
            found.append(("withdrawn", partial(self._withdraw, course, judged)))
        return found

    def _of_a_review(self, course: Course, judged: Judged, step: Step) -> list[Possible]:
        found: list[Possible] = [
            ("reassigned", partial(self._reassign, course, judged, step)),
            ("a conflict of who is asked", partial(self._conflict, course, judged, step)),
        ]
        if step.state is StepState.ASKED:
            return found
        wrong, many = partial(self._with_wrong_code, step), partial(self._out_of_range, course, step)
        return [
            *found,
            *6 * [("a review", partial(self._review, course, judged, step))],
            ("a question", partial(self._question, judged, step)),
            ("a decline", partial(self._decline, course, judged, step, conflict=False)),
            ("a decline for a conflict", partial(self._decline, course, judged, step, conflict=True)),
            ("a wrong code", partial(self._refused, course, wrong)),
            ("points out of range", partial(self._refused, course, many)),
        ]

    def _once_decided(self, course: Course, judged: Judged) -> list[Possible]:
        """Most stay as they are; the others are undone, as the rules allow."""
        if judged.place in ("withdrawn", "ineligible", "revoked") or self._chance.random() < 0.5:
            return []
        late = partial(self._refused, course, partial(self._withdrawal, course))
        found: list[Possible] = [("withdrawn too late", late)]
        if "appeal" in judged.rights:
            found += 6 * [("an appeal", partial(self._appeal, course, judged))]
        if self._invited_anew(course):
            return found
        for cause in Cause:
            if cause is not Cause.REGISTRY or isinstance(course.model, Judged):
                found.append((f"reopened: {cause.value}", partial(self._reopen, course, judged, cause)))
        if judged.place == "awarded":
            found.append(("revoked", partial(self._revoke, course, judged)))
        return found

    def _of_a_school(self, course: Course) -> list[Possible]:
        model = course.model
        assert isinstance(model, School)
        if model.place == "expired":
            return []
        found: list[Possible] = [("nothing", lambda: None)]
        for step in self.steps(course.id):
            if step.state is not StepState.OPEN:
                continue
            if step.kind is StepKind.SELF_ASSESSMENT:
                found += 4 * [("a self-assessment", partial(self._hand_in, course, model, step))]
                half = partial(self._refused, course, partial(self._half, step))
                found.append(("half a self-assessment", half))
            if step.kind is StepKind.DECLARATION:
                yes, no = (
                    Declaration(declare=True),
                    Decline(decline="The second page is out of date.", conflict=False),
                )
                found += 4 * [("a declaration", partial(self._declare, model, step, yes, "declared"))]
                found.append(("a declaration refused", partial(self._declare, model, step, no, "sent back")))
        return found

    # Acts ---------------------------------------------------------------------------------------------

    def _turn(self, do: Callable[[Turn], Any]) -> Any:
        with self._here.record.writing() as session:
            return do(self._here.turn(session, Door.COMMAND_LINE))

    def _code(self, step: Step) -> Code:
        with self._here.record.reading() as session:
            now = session.get_one(Step, step.id)
            return Code(review_code(self._here.key, now.id, now.code_number), now.assignee)

    def _answer(self, step: Step, given: Answer, documents: Sequence[StoredDocument] = ()) -> bool:
        """Whether it is taken, as what comes in time must be."""
        code = self._code(step)
        done = self._turn(lambda turn: accepting.answer(turn, step.id, code, given, documents=documents))
        late = step.kind in _END and step.due_at is not None and self._clock() > step.due_at
        if isinstance(done, Refusal) is not late:
            was = f"refused: {done.why}" if isinstance(done, Refusal) else "taken"
            self.differences.append(
                Difference(step.application, f"{step.kind} {step.id}", was, "too late" if late else "taken")
            )
        return not late

    def _refused(self, course: Course, do: Callable[[Turn], Any]) -> None:
        """What nobody may do: it is refused, and nothing has changed, as the comparison finds."""
        try:
            done = self._turn(do)
        except LabelsError:
            return
        if not isinstance(done, Refusal):
            self.differences.append(Difference(course.id, course.happened[-1], "taken", "refused"))

    def _with_wrong_code(self, step: Step, turn: Turn) -> Any:
        given = Decline(decline="I have no time.", conflict=False)
        return accepting.answer(turn, step.id, Code("AAAAAAAAAA", step.assignee), given)

    def _out_of_range(self, course: Course, step: Step, turn: Turn) -> Any:
        scores = {one.id: one.maximum + 1 for one in course.edition.criteria_set.criteria}
        number = turn.session.get_one(Step, step.id).code_number
        code = Code(review_code(self._here.key, step.id, number), step.assignee)
        return accepting.answer(turn, step.id, code, ReviewAnswer(scores=scores, comment="Too many."))

    def _once_more(self, course: Course, given: Step, turn: Turn) -> Any:
        code = Code(review_code(self._here.key, given.id, given.code_number), given.assignee)
        points = world.points_by_chance(self._chance, course.edition)
        return accepting.answer(turn, given.id, code, ReviewAnswer(scores=points, comment="Once more."))

    def _half(self, step: Step, turn: Turn) -> Any:
        whole = world.self_assessment()
        number = turn.session.get_one(Step, step.id).code_number
        code = Code(review_code(self._here.key, step.id, number), step.assignee)
        return accepting.answer(turn, step.id, code, whole.model_copy(update={"requirements": {}}))

    def _withdrawal(self, course: Course, turn: Turn) -> Any:
        right = turn.session.scalars(
            sa.select(Step)
            .where(Step.application == course.id, Step.kind == StepKind.WITHDRAWAL)
            .order_by(Step.number.desc())
        ).first()
        if right is None:
            return Refusal(say("A school has none."))
        code = Code(review_code(self._here.key, right.id, right.code_number), right.assignee)
        return rights.withdraw(turn, course.id, code)

    def _review(self, course: Course, judged: Judged, step: Step) -> None:
        points = world.points_by_chance(self._chance, course.edition)
        self._answer(step, ReviewAnswer(scores=points, comment=f"Said in seat {step.seat}."))
        judged.gave(step.seat, points)

    def _question(self, judged: Judged, step: Step) -> None:
        self._answer(step, Question(question="Which tasks did the partners plan together?"))
        judged.asked(step.seat)

    def _information(self, judged: Judged, step: Step) -> None:
        if self._answer(step, Information(text="All of them; see the second page.", links=[])):
            judged.answered(step.seat)

    def _decline(self, course: Course, judged: Judged, step: Step, *, conflict: bool) -> None:
        self._answer(step, Decline(decline="I cannot judge this one.", conflict=conflict))
        if conflict:
            self._in_conflict(course, step.assignee)
        judged.vacated(step.seat)

    def _could_be_named(self, course: Course) -> list[str]:
        asked = {one.assignee for one in self.steps(course.id) if one.kind is StepKind.REVIEW}
        return sorted(self.free(course.id)) + [one for one in world.COORDINATORS[1:] if one not in asked]

    def _reassign(self, course: Course, judged: Judged, step: Step) -> None:
        names = self._could_be_named(course)
        if not names:
            return
        to, by = self._chance.choice(names), world.COORDINATORS[0]
        was_free = to in self.free(course.id)
        self._turn(lambda turn: coordinating.reassign(turn.acting(by), step.id, to, "No answer came."))
        judged.handed_over(step.seat, was_free=was_free)

    def _send_back(self, judged: Judged, given: Step) -> None:
        by = world.COORDINATORS[0]
        self._turn(
            lambda turn: coordinating.send_back(turn.acting(by), given.id, "It is about another project.")
        )
        judged.sent_back(given.seat)

    def _conflict(self, course: Course, judged: Judged, step: Step) -> None:
        self._declare_conflict(course, step.assignee)
        judged.vacated(step.seat)

    def _conflict_of_nobody(self, course: Course, judged: Judged, who: str) -> None:
        self._declare_conflict(course, who)
        judged.in_conflict(unasked=True)

    def _declare_conflict(self, course: Course, who: str) -> None:
        by = world.COORDINATORS[0]
        self._turn(
            lambda turn: coordinating.declare_conflict(turn.acting(by), course.id, who, "They are cousins.")
        )
        self._in_conflict(course, who)

    def _in_conflict(self, course: Course, who: str) -> None:
        """Keeps a conflict of interest, which is one with who applies: another application of theirs has it too."""
        applicant = self._applicant(course.id)
        for other in self.courses.values():
            if other is course or self._applicant(other.id) != applicant or who not in self.free(other.id):
                continue
            if isinstance(other.model, School) and other.judged is None:
                other.model.free -= 1
            elif other.judged:
                other.judged.free -= 1
        self._conflicts.setdefault(applicant, set()).add(who)

    def _applicant(self, application: str) -> str:
        with self._here.record.reading() as session:
            row = session.get_one(Application, application)
            return str(row.teacher or row.school)

    def _giver(self, course: Course, seat: int) -> Step:
        """The step by which the review of a seat was given that counts."""
        given = [
            one
            for one in self.steps(course.id)
            if one.kind is StepKind.REVIEW and one.seat == seat and one.state is StepState.ANSWERED
        ]
        return max(given, key=lambda one: (one.instance, one.number))

    def _withdraw(self, course: Course, judged: Judged) -> None:
        done = self._turn(partial(self._withdrawal, course))
        if isinstance(done, Refusal):
            self.differences.append(Difference(course.id, "a withdrawal", f"refused: {done.why}", "taken"))
        judged.withdrew()

    def _appeal(self, course: Course, judged: Judged) -> None:
        [right] = [
            one
            for one in self.steps(course.id)
            if one.kind is StepKind.APPEAL and one.state is StepState.OPEN
        ]
        code = self._code(right)
        done = self._turn(lambda turn: rights.appeal(turn, course.id, code, "The evidence was not opened."))
        assert right.due_at is not None
        late = self._clock() > right.due_at
        if isinstance(done, Refusal) is not late:
            self.differences.append(
                Difference(course.id, "an appeal", f"{done}", "too late" if late else "taken")
            )
        if not late:
            judged.appealed()

    def _invited_anew(self, course: Course) -> bool:
        """Whether a school was invited anew since: what was decided before is not reopened then."""
        with self._here.record.reading() as session:
            row = session.get_one(Application, course.id)
            return (
                row.school is not None
                and row.teacher is None
                and bool(
                    session.scalar(
                        sa.select(sa.func.count()).where(
                            Application.school == row.school,
                            Application.label == "school",
                            Application.attempt > row.attempt,
                        )
                    )
                )
            )

    def _reopen(self, course: Course, judged: Judged, cause: Cause) -> None:
        void: list[int] = []
        if cause is Cause.CONFLICT:
            seat = self._chance.choice(sorted(judged.voices))
            self._declare_conflict(course, self._giver(course, seat).assignee)
            void = [seat]
        subject, by = redeciding.Reopened(course.id, cause), world.COORDINATORS[0]
        plan = self._turn(lambda turn: redeciding.consequences(turn.acting(by), subject).plan)
        self._turn(lambda turn: redeciding.reopen(turn.acting(by), subject, plan, "It has to be made again."))
        judged.reopened(*void, keep=cause is not Cause.APPEAL)

    def _revoke(self, course: Course, judged: Judged) -> None:
        subject, by = reopening.Revoked(course.id), world.COORDINATORS[0]
        plan = self._turn(lambda turn: reopening.consequences(turn.acting(by), subject).plan)
        self._turn(lambda turn: reopening.reopen(turn.acting(by), subject, plan, "It was not their work."))
        judged.revoked()

    def _hand_in(self, course: Course, model: School, step: Step) -> None:
        with self._here.record.reading() as session:
            number = drafted(session, session.get_one(Application, course.id)).number
        given = world.self_assessment().model_copy(update={"draft": number})
        if self._answer(step, given, SCHOOL_FILES):
            model.did("handed in")

    def _declare(self, model: School, step: Step, given: Answer, how: str) -> None:
        if self._answer(step, given):
            model.did(how)

    # The record ---------------------------------------------------------------------------------------

    def seats_of(self, course: Course, who: str) -> list[int]:
        """The seats in which somebody is asked and has not reviewed."""
        return [
            one.seat
            for one in self.steps(course.id)
            if one.kind is StepKind.REVIEW
            and one.state in (StepState.OPEN, StepState.ASKED)
            and one.assignee == who
        ]

    def free(self, application: str) -> set[str]:
        """Reviewers who were never asked and have no conflict of interest that was declared."""
        with self._here.record.reading() as session:
            asked = session.scalars(
                sa.select(Step).where(Step.application == application, Step.kind == StepKind.REVIEW)
            ).all()
        conflicts = self._conflicts.get(self._applicant(application), set())
        return self.reviewers - self.left - {step.assignee for step in asked} - conflicts

    def steps(self, application: str) -> list[Step]:
        """All that was asked about an application."""
        with self._here.record.reading() as session:
            return list(
                session.scalars(sa.select(Step).where(Step.application == application).order_by(Step.id))
            )
