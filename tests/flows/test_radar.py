"""Each cause that `labels stuck` can name is made to happen, and each cure that it names is followed to the end of the case.

An application's life is lived by the real flow, commands, upkeep and mail around a small Prefect, as in
`test_kill_points.py`, until something happens that keeps it from going on. A cause that no test makes fails the last test.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

import adapters.prefect.client
import cli.applying
import tasks.upkeep
from adapters.documents.directory import DirectoryStore
from adapters.fonts import missing_characters
from adapters.mail.transports import FolderTransport, NotDelivered
from adapters.workspace import Workspace
from labels import mending
from labels.clock import brussels_day
from labels.errors import OutOfReach
from labels.kinds import LabelKind
from labels.mending import Mend
from labels.record import Record
from labels.record.schema import (
    Application,
    Award,
    Cycle,
    Document,
    Mail,
    Outcome,
    SchoolRound,
    Staff,
    Stage,
    Step,
    StepKind,
    StepState,
)
from labels.record.schema import (
    School as SchoolRow,
)
from labels.registry.importing import import_registry
from labels.settings import Settings
from labels.steps.proof import SignedIn
from labels.steps.step import open_steps
from labels.turn import Door
from labels.views.stuck import Problem, Stuck
from tests.labels.school_label import test_inviting as small_round
from tests.support import european
from tests.support.case import COORDINATOR
from tests.support.killing import BEFORE, Fate, Killed, Point
from tests.support.people import KEY, populate
from tests.support.persons import person_at
from tests.support.receivers import Receiver, receiving
from tests.support.school import School
from tests.support.small_world import COMMAND, Act, Story, World, review
from usecases import beginning, coordinating, inviting, webhooks
from usecases.acts import Act as Doing
from usecases.performing import perform
from usecases.rehearsing.engine import InProcess, Uncounted
from usecases.upkeep import keep_up, look_for_stuck

pytestmark = pytest.mark.slow

on_sqlite = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)


def answers(step: Step) -> Act:
    """Everybody answers at once, with enough for the label."""
    return COMMAND, {"text": "They voted."} if step.kind is StepKind.INFORMATION else review(4)


class OneDeath(Fate):
    """The process dies at one moment of a kind, once a test waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.awaits: Point | None = None
        self.passes = 0
        """How many moments of the kind go by before."""

    def meet(self, point: Point) -> None:
        if self.awaits == point:
            self.passes -= 1
            if self.passes < 0:
                self.awaits = None
                raise Killed(str(point))
        super().meet(point)


class Course(World):
    """One application, and services that a test stops: Prefect, upkeep, mailboxes, people."""

    def __init__(self, home: Path, record: Record) -> None:
        self.death = OneDeath()
        super().__init__(Story("an award", Outcome.AWARDED, answers), home, record, self.death)
        settings = self.here.settings.model_copy(update={"webhooks": "private"})
        self.here = Workspace(settings, record, self.here.documents, self.here.key, lambda: self.time)
        self.prefect_away = False
        self.silent: set[str] = set()
        """Addresses whose owners do not answer."""
        self.refused: set[str] = set()
        """Addresses whose mailboxes take nothing."""
        self.receiver = Receiver()

    # What goes on -------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def lives(self) -> Iterator[None]:
        """Everything in place, with services that can be away."""
        get_client, send = self.prefect.client, FolderTransport.send

        def client(*arguments: Any, **more: Any) -> Any:
            if self.prefect_away:
                raise httpx.ConnectError("All connection attempts failed")
            return get_client(*arguments, **more)

        def sending(transport: FolderTransport, message: EmailMessage) -> None:
            if any(address in str(message["To"]) for address in self.refused):
                raise NotDelivered("550 No such mailbox.")
            send(transport, message)

        with pytest.MonkeyPatch.context() as patch, receiving() as self.receiver:
            patch.setattr(FolderTransport, "send", sending)
            with self._in_place():
                patch.setattr(adapters.prefect.client, "get_client", client)
                yield

    def until(self, so: Callable[[], bool]) -> None:
        """People and services go on until something is so."""
        for _ in range(100):
            if so():
                return
            assert self._go_on(), self.remains()
        raise AssertionError(self.remains())

    def until_asked(self) -> None:
        """Two reviewers are asked and have their mail."""
        self.silent |= {f"r{n}@nss.example" for n in range(1, 6)}
        self.until(lambda: len(self.open(StepKind.REVIEW)) == 2 and not self.prefect.scheduled())
        self.until(lambda: not self.unsent())
        self.silent.clear()

    def dies(self, before: str, passes: int = 0) -> None:
        """The process dies right before something takes effect, after that went well so often; nobody comes to mend it."""
        self.death.awaits, self.death.passes = Point(BEFORE, before), passes
        with pytest.raises(Killed):
            self.until(lambda: False)
        self.prefect.executing = None

    def later(self, by: timedelta) -> None:
        """Time passes, while upkeep stands still."""
        self.time += by
        self.prefect.age(by)

    def ends(self) -> None:
        """Everything goes its way again, to the end: one label, its papers, all mail sent, nothing on the radar."""
        self.until(self._rests)
        with self.here.record.reading() as session:
            row = session.scalars(sa.select(Application)).one()
            papers = session.scalars(sa.select(Document.kind).where(Document.application == row.id)).all()
            labels = len(session.scalars(sa.select(Award)).all())
        assert (row.stage, row.outcome) == (Stage.CLOSED, Outcome.AWARDED)
        assert labels == papers.count("certificate") == 1
        assert look_for_stuck(self.here) == []

    def _upkeep(self) -> None:
        keep_up(self.here)

    def _submit(self) -> None:
        with contextlib.suppress(Exception):  # where Prefect is away, it ends with 5, and counts
            self._command(cli.applying.submit, file=self.home / "application.json", evidence=[])
        with self.here.record.reading() as session:
            self._submitted = session.scalars(sa.select(Application.id)).one()

    def _somebody_acts(self) -> Callable[[], None] | None:
        with self.here.record.reading() as session:
            application = session.scalars(sa.select(Application)).one()
            for step in open_steps(session, application):
                code = self._code_for(step)
                if step.assignee in self.silent or code is None:
                    continue
                if step.kind in (StepKind.REVIEW, StepKind.INFORMATION):
                    return partial(self._answer, step.id, step.assignee, code, answers(step)[1])
        return None

    # What is there ------------------------------------------------------------------------------------------

    def open(self, kind: StepKind) -> list[Step]:
        """The open steps of a kind, by their seats."""
        with self.here.record.reading() as session:
            found = sa.select(Step).where(Step.kind == kind, Step.state == StepState.OPEN)
            return list(session.scalars(found.order_by(Step.seat)))

    def unsent(self) -> int:
        """How many messages wait."""
        with self.here.record.reading() as session:
            return session.scalar(sa.select(sa.func.count()).where(Mail.sent_at.is_(None))) or 0

    def tried(self) -> int:
        """How often the message was tried that failed most."""
        with self.here.record.reading() as session:
            return session.scalar(sa.select(sa.func.max(Mail.attempts)).where(Mail.sent_at.is_(None))) or 0

    def application(self) -> Application:
        """The only one."""
        with self.here.record.reading() as session:
            return session.scalars(sa.select(Application)).one()

    def free(self) -> str:
        """The address of a reviewer whom nobody has asked."""
        asked = sa.select(Step.assignee).where(Step.kind == StepKind.REVIEW)
        free = sa.select(Staff.email).where(Staff.role == "reviewer", Staff.email.not_in(asked))
        with self.here.record.reading() as session:
            return session.scalars(free.order_by(Staff.email)).first() or ""

    def asks(self, step: Step, question: str) -> None:
        """A reviewer asks the applicant."""
        code = self._code_for(step)
        assert code
        self._answer(step.id, step.assignee, code, {"question": question})

    # What people do about it --------------------------------------------------------------------------------

    def coordinator(self, act: Doing) -> None:
        """A coordinator does it, signed in at the desk."""
        proof = SignedIn(person_at(self.here.record, COORDINATOR), "passkey", self.time)
        perform(self.here, act, by=proof, door=Door.DESK)

    def corrects(self, file: str, content: str) -> None:
        """The registry is imported with one file that is right."""
        folder = self.home / "registry"
        folder.mkdir()
        (folder / file).write_text(content, encoding="utf-8")
        import_registry(self.here.record, folder, brussels_day(self.time), missing=missing_characters)


def follow(course: Course, mend: Mend) -> None:
    """Does what the radar says that mends it, as whoever reads it would."""
    match mend:
        case mending.Recover():
            tasks.upkeep.recover_applications.fn()
        case mending.KeepUp():
            keep_up(course.here)
        case mending.Reassign(step):
            course.coordinator(coordinating.reassign(step, course.free(), "Somebody else has the time."))
            course.silent.clear()
        case mending.MoveDeadline(step):
            until = course.time + timedelta(days=7)
            course.coordinator(coordinating.move_deadline(step, until, "There was a holiday."))
            course.silent.clear()
        case mending.LookAtCase(application):  # which shows who is awaited
            assert application == course.application().id
            for one in course.open(StepKind.REVIEW):
                course.coordinator(coordinating.remind(one.id, "The decision is due."))
            course.silent.clear()
        case mending.LookAtMail():  # which shows whose mailbox takes nothing
            course.refused.clear()
        case mending.ImportRegistry("schools.csv"):
            course.corrects("schools.csv", SCHOOL)
        case mending.ImportRegistry("staff.csv"):
            course.corrects("staff.csv", NEW_COORDINATOR)
        case mending.SetClock():
            course.time += timedelta(days=3)
        case mending.StartServices():
            course.prefect_away = False
        case mending.TellAgain(webhook):
            course.receiver.answers = 204
            webhooks.replay(course.here, webhook, None)
            assert webhooks.tell(course.here).told
        case _:
            raise AssertionError(f"nobody follows {mend}")


SCHOOL = """\
school,name,country,organisation,city,registered_on,principal_name,principal_email
S-1,Szkoła Podstawowa nr 7,PL,NSS-PL,Łódź,2015-01-01,Dyrektor,dyrektor@s.example
"""

NEW_COORDINATOR = """\
email,name,organisation,role,language,school
new@nss.example,Nowa Osoba,NSS-PL,coordinator,pl,
"""


# What happens ---------------------------------------------------------------------------------------------------


def handed_in_while_prefect_is_away(course: Course) -> None:
    course.prefect_away = True
    course._submit()
    course.prefect_away = False
    course.later(timedelta(minutes=11))


def answered_while_prefect_is_away(course: Course) -> None:
    course.until_asked()
    course.prefect_away = True
    act = course._somebody_acts()
    assert act
    with contextlib.suppress(Exception):  # it ends with 5, and counts
        act()
    course.prefect_away = False
    course.later(timedelta(minutes=11))


def prefect_is_away(course: Course) -> None:
    course.until_asked()
    course.prefect_away = True


def prefects_database_is_lost(course: Course) -> None:
    course.until_asked()
    course.prefect.lose_everything()


def died_before_anybody_was_asked(course: Course) -> None:
    course.dies("the record is written (tasks.process.asked)")
    course.later(timedelta(hours=2))


def died_before_the_decision(course: Course) -> None:
    course.until_asked()
    course.until(lambda: not course.open(StepKind.REVIEW))
    course.dies("the record is written (tasks.process.in_a_turn)", passes=1)
    course.later(timedelta(hours=2))


def died_before_the_papers(course: Course) -> None:
    course.until_asked()
    course.dies("a document is stored (adapters.papers.issuing.store)")
    course.later(timedelta(hours=2))


def died_before_the_mail(course: Course) -> None:
    course.dies("the record is written (adapters.mail.delivery._claim)")
    course.later(timedelta(hours=2))


def a_reviewer_is_gone_from_the_staff(course: Course) -> None:
    course.until_asked()
    gone = course.open(StepKind.REVIEW)[0].assignee
    with course.here.record.writing() as session:
        session.execute(sa.delete(Staff).where(Staff.email == gone))
    course.silent.add(gone)


def nobody_looked_at_a_passed_deadline(course: Course) -> None:
    course.until_asked()
    course.asks(course.open(StepKind.REVIEW)[0], "How did pupils decide?")
    course.silent.add("t-1@school.example")
    course.until(lambda: bool(course.open(StepKind.INFORMATION)) and not course.unsent())
    [question] = course.open(StepKind.INFORMATION)
    assert question.due_at
    course.later(question.due_at - course.time + timedelta(minutes=11))


def a_reviewer_is_late(course: Course) -> None:
    course.until_asked()
    late = course.open(StepKind.REVIEW)[0]
    course.silent.add(late.assignee)
    assert late.due_at
    course.later(late.due_at - course.time + timedelta(hours=1))


def the_decision_is_late(course: Course) -> None:
    course.until_asked()
    for step in course.open(StepKind.REVIEW):
        course.coordinator(
            coordinating.move_deadline(step.id, course.time + timedelta(days=300), "They are ill.")
        )
    due = course.application().decide_by
    assert due
    course.later(due - course.time + timedelta(hours=1))


def nobody_was_named_until_the_decision_was_due(course: Course) -> None:
    with course.here.record.writing() as session:
        session.execute(sa.update(Staff).where(Staff.email != "r1@nss.example").values(school="S-1"))
    course.until(lambda: bool(course.open(StepKind.ASSIGNMENT)))
    with course.here.record.writing() as session:
        session.execute(sa.update(Staff).values(school=None))
    course.silent = {f"r{n}@nss.example" for n in range(1, 6)}
    course.until(lambda: not course.unsent())
    due = course.application().decide_by
    assert due
    course.later(due - course.time + timedelta(hours=1))


def a_mailbox_takes_nothing(course: Course) -> None:
    course.refused = {f"r{n}@nss.example" for n in range(1, 6)}
    course.until(lambda: course.tried() >= 3)


def a_question_never_left_and_its_deadline_passed(course: Course) -> None:
    course.until_asked()
    course.refused = {"t-1@school.example"}
    course.asks(course.open(StepKind.REVIEW)[0], "How did pupils decide?")
    course.until(lambda: bool(course.open(StepKind.INFORMATION)) and course.tried() >= 1)
    [question] = course.open(StepKind.INFORMATION)
    assert question.due_at
    course.later(question.due_at - course.time + timedelta(hours=1))


def nobody_coordinates(course: Course) -> None:
    course.until_asked()
    with course.here.record.writing() as session:
        session.execute(sa.delete(Staff).where(Staff.role == "coordinator"))


def the_schools_city_has_a_letter_that_no_font_has(course: Course) -> None:
    course.until_asked()
    with course.here.record.writing() as session:
        session.get_one(SchoolRow, "S-1").city = "Łódź 李"


def a_platform_was_not_told_for_days(course: Course) -> None:
    webhooks.add(course.here, "NSS-PL", course.receiver.address)
    course.receiver.answers = 500
    course.until_asked()
    course.silent = {one.assignee for one in course.open(StepKind.REVIEW)}
    for _ in range(9):
        webhooks.tell(course.here)
        course.later(timedelta(hours=12))
    course.silent.clear()


def the_clock_was_put_back(course: Course) -> None:
    course.until_asked()
    course.time -= timedelta(days=3)


@dataclass(frozen=True)
class Cause:
    """Something that happens to an application, and what the radar must say of it."""

    happens: Callable[[Course], None]
    problem: Problem
    mend: type[Mend]


CAUSES = [
    Cause(handed_in_while_prefect_is_away, Problem.NO_RUN, mending.Recover),
    Cause(answered_while_prefect_is_away, Problem.NOT_SEEN, mending.Recover),
    Cause(prefect_is_away, Problem.PREFECT_AWAY, mending.StartServices),
    Cause(prefects_database_is_lost, Problem.RUN_AILING, mending.Recover),
    Cause(died_before_anybody_was_asked, Problem.RUN_AILING, mending.Recover),
    Cause(died_before_the_decision, Problem.NOBODY_AWAITED, mending.Recover),
    Cause(died_before_the_papers, Problem.MAIL_WAITS, mending.Recover),
    Cause(died_before_the_mail, Problem.MAIL_UNTRIED, mending.KeepUp),
    Cause(a_reviewer_is_gone_from_the_staff, Problem.DEPARTED, mending.Reassign),
    Cause(nobody_looked_at_a_passed_deadline, Problem.DEADLINE_PASSED, mending.KeepUp),
    Cause(a_reviewer_is_late, Problem.OVERDUE, mending.Reassign),
    Cause(the_decision_is_late, Problem.UNDATED, mending.LookAtCase),
    Cause(nobody_was_named_until_the_decision_was_due, Problem.UNDATED, mending.Reassign),
    Cause(a_mailbox_takes_nothing, Problem.MAIL_FAILED, mending.LookAtMail),
    Cause(a_question_never_left_and_its_deadline_passed, Problem.MAIL_FAILED, mending.LookAtMail),
    Cause(nobody_coordinates, Problem.UNCOORDINATED, mending.ImportRegistry),
    Cause(the_schools_city_has_a_letter_that_no_font_has, Problem.UNPRINTABLE, mending.ImportRegistry),
    Cause(a_platform_was_not_told_for_days, Problem.WEBHOOK_FAILED, mending.TellAgain),
    Cause(the_clock_was_put_back, Problem.CLOCK, mending.SetClock),
]  # fmt: skip
OTHERS = {Problem.IDLE, Problem.ROUND_UNFINISHED, Problem.YEAR_MISSED}
"""What does not happen to a teacher's application; each has a test below."""


@pytest.fixture
def course(record: Record, tmp_path: Path) -> Course:
    with record.writing() as session:
        populate(session)
    home = tmp_path / "home"
    home.mkdir()
    return Course(home, record)


@on_sqlite
@pytest.mark.parametrize(
    "cause", CAUSES, ids=lambda cause: f"{cause.happens.__name__}-{cause.problem.value}".replace(" ", "-")
)
def test_each_cause_is_named_and_its_cure_brings_the_case_to_its_end(course: Course, cause: Cause) -> None:
    with course.lives():
        cause.happens(course)
        named = of(look_for_stuck(course.here), cause.problem)
        assert {type(one.mend) for one in named} == {cause.mend}, look_for_stuck(course.here)
        for mend in dict.fromkeys(one.mend for one in named):
            follow(course, mend)
        course.ends()


def of(found: list[Stuck], problem: Problem) -> list[Stuck]:
    return [one for one in found if one.problem is problem]


class DiesBeforeTheReceipt(InProcess):
    """The steps of a school's flow, in which a process can die once the principal's word was seen."""

    dies = False

    def _acknowledge(self, application: str) -> None:
        if self.dies:
            raise Killed("before the receipt")
        super()._acknowledge(application)


@on_sqlite
def test_a_school_whose_run_died_after_the_principals_word_goes_on_to_its_label(
    settings: Settings, record: Record
) -> None:
    school = School(record)
    time = [school.now]
    here = Workspace(settings, record, DirectoryStore.from_settings(settings), KEY, lambda: time[0])
    engine = DiesBeforeTheReceipt(here, lambda paper: False, Uncounted())
    engine.begun(school.id)
    school.hand_in()
    school.declare()
    engine.dies = True
    with pytest.raises(Killed):
        engine.moved(school.id)
    time[0] += timedelta(hours=2)
    [idle] = of(look_for_stuck(here), Problem.IDLE)
    assert (idle.subject, idle.mend) == (school.id, mending.Recover())
    engine.dies = False
    engine.moved(school.id)  # as its new run does, which recovery begins
    school.review(3)
    engine.moved(school.id)
    assert (school.row().stage, school.row().outcome) == (Stage.CLOSED, Outcome.AWARDED)
    assert [one for one in look_for_stuck(here) if one.subject == school.id] == []


# Years ----------------------------------------------------------------------------------------------------------


@on_sqlite
def test_a_year_that_was_missed_is_made_up_and_goes_on_to_its_award(
    settings: Settings, record: Record
) -> None:
    now = european.BEGINS + timedelta(days=3)
    here = Workspace(settings, record, DirectoryStore.from_settings(settings), KEY, lambda: now)
    with record.writing() as session:
        european.populate_year(session)
    missed = of(look_for_stuck(here), Problem.YEAR_MISSED)
    assert mending.BeginCycle(european.YEAR) in [one.mend for one in missed]
    with contextlib.suppress(OutOfReach):  # Prefect is away: what follows is what its run would do
        beginning.begin_cycle(here, european.YEAR)
    engine = InProcess(here, lambda paper: False, Uncounted())
    with record.reading() as session:
        cycle = session.get_one(Cycle, european.YEAR).application
    engine.begun(cycle)
    while True:
        with record.writing() as session:
            asked = sa.select(Step).where(
                Step.kind.in_((StepKind.SCREENING, StepKind.AWARDING)), Step.state == StepState.OPEN
            )
            step = session.scalars(asked.order_by(Step.id).limit(1)).first()
            if step is None:
                break
            european.answered(session, [step], {"approve": ["all"]}, now)
        engine.moved(step.application)
    with record.reading() as session:
        assert session.get_one(Application, cycle).stage is Stage.CLOSED
        assert session.scalar(sa.select(sa.func.count()).where(Award.label == LabelKind.EUROPEAN))
    assert not [one for one in look_for_stuck(here) if one.subject.startswith("European")]


@on_sqlite
def test_a_round_that_was_missed_and_one_that_lost_its_run_are_made_up_to_their_invitations(
    settings: Settings, record: Record
) -> None:
    time = [small_round.NOW]
    here = Workspace(settings, record, DirectoryStore.from_settings(settings), KEY, lambda: time[0])
    with record.writing() as session:
        small_round.Europe(4).write(session)
    [missed] = of(look_for_stuck(here), Problem.YEAR_MISSED)
    assert isinstance(missed.mend, mending.GoOnWithRound)
    begun = inviting.begin(here, missed.mend.on)
    assert of(look_for_stuck(here), Problem.YEAR_MISSED) == []
    time[0] += timedelta(hours=2)
    [unfinished] = of(look_for_stuck(here), Problem.ROUND_UNFINISHED)
    assert unfinished.mend == mending.GoOnWithRound(begun.on)
    assert inviting.begin(here, begun.on).year == begun.year, "it goes on with the same round"
    InProcess(here, lambda paper: False, Uncounted()).round()
    with record.reading() as session:
        assert session.get_one(SchoolRound, begun.year).invited_at
        asked = session.scalars(sa.select(Step.assignee).where(Step.kind == StepKind.SELF_ASSESSMENT)).all()
    assert asked
    left = {one.problem for one in look_for_stuck(here)}
    assert left == {Problem.PREFECT_AWAY, Problem.UNCOORDINATED}, "it has neither a server nor a staff"


def test_a_cause_that_no_test_makes_is_noticed() -> None:
    assert {one.problem for one in CAUSES} | OTHERS == set(Problem)
