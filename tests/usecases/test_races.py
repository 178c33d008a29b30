"""Two at the same moment: one counts, the other is told so, and nothing is done twice."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from prefect.client.schemas.objects import FlowRun
from prefect.states import Crashed

import adapters.prefect.client
import adapters.prefect.runs
from adapters.documents.opening import open_store
from adapters.prefect.client import FilledIn
from adapters.workspace import Workspace
from labels.answering import accepting, rights
from labels.applications import conditions, fingerprints, likeness
from labels.applications.submitting import Submitted
from labels.clock import frozen_clock
from labels.errors import InvalidInput
from labels.record import Record
from labels.record.journal import Event
from labels.record.schema import (
    Application,
    Decision,
    Document,
    Journal,
    Mail,
    Outcome,
    Resumption,
    Review,
    Step,
    StepKind,
    StepState,
)
from labels.reviews import asking, deciding
from labels.settings import Settings
from labels.steps.answers import ReviewAnswer
from labels.steps.outcome import Accepted, Refusal
from labels.steps.proof import Code
from labels.steps.step import steps_of
from labels.turn import Door
from tests.support.patience import PATIENCE
from tests.support.people import NOW, application_file, code_of, points, populate
from tests.support.small_prefect import SmallPrefect
from usecases.applying import submit_file
from usecases.likeness import keep_former_fingerprints, look_for_likeness
from usecases.recovering import recover
from usecases.resuming import take_answer

AT_ONCE = 4
"""How many do the same at the same moment."""


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each of them came to, begun at the same moment in threads of their own."""
    gate = threading.Barrier(len(acts))

    def begin(act: Callable[[], Any]) -> Any:
        gate.wait(PATIENCE)
        return act()

    with ThreadPoolExecutor(len(acts)) as threads:
        return [done.result() for done in [threads.submit(begin, act) for act in acts]]


@pytest.fixture
def here(record: Record, settings: Settings) -> Workspace:
    """A workspace with the tests' registry."""
    with record.writing() as session:
        populate(session)
    return Workspace(settings, record, open_store(settings), settings.key, frozen_clock(NOW))


def submitted(here: Workspace) -> Submitted:
    return submit_file(here, application_file(), "application.json", [])


@pytest.fixture
def asked(here: Workspace) -> str:
    """An application whose reviewers are asked."""
    application = submitted(here).application
    with here.record.writing() as session:
        assert conditions.check_conditions(here.turn(session), application)
        asking.ask(here.turn(session), application)
    return application


def step_of(here: Workspace, application: str, kind: StepKind) -> Step:
    with here.record.reading() as session:
        return steps_of(session, session.get_one(Application, application), kind)[0]


def count(here: Workspace, table: Any, *where: Any) -> int:
    with here.record.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table).where(*where)) or 0


def review(here: Workspace, step: Step, each: int = 4) -> Accepted | Refusal:
    with here.record.writing() as session:
        return accepting.answer(
            here.turn(session, Door.COMMAND_LINE),
            step.id,
            Code(code_of(step, here.key), step.assignee),
            ReviewAnswer(scores=points(each), comment="More of it together."),
        )


def test_of_the_same_submissions_at_once_one_counts_and_the_others_find_it(here: Workspace) -> None:
    done = at_once(*[lambda: submitted(here)] * AT_ONCE)
    assert len({one.application for one in done}) == 1
    assert [one.created for one in done].count(True) == 1
    assert count(here, Application) == count(here, Mail) == count(here, Document) == 1
    assert count(here, Journal, Journal.what == Event.SUBMITTED) == 1


def test_of_answers_to_one_step_at_once_one_counts_and_the_others_are_told(
    here: Workspace, asked: str
) -> None:
    step = step_of(here, asked, StepKind.REVIEW)
    results = at_once(*[lambda each=each: review(here, step, each) for each in range(1, 1 + AT_ONCE)])
    assert len([one for one in results if isinstance(one, Accepted)]) == 1
    told = [one.why for one in results if isinstance(one, Refusal)]
    assert len(told) == AT_ONCE - 1
    assert all(f"already answered by {step.assignee} at 2026-03-16 10:00" in why for why in told)
    assert count(here, Review) == 1
    assert count(here, Journal, Journal.what == Event.REVIEWED) == 1


def test_of_an_answer_by_form_and_one_by_command_one_counts(here: Workspace, asked: str) -> None:
    step = step_of(here, asked, StepKind.REVIEW)
    form: dict[str, str | int] = {f"points_{name}": value for name, value in points(3).items()} | {
        "code": code_of(step, here.key)
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapters.prefect.client, "get_client", SmallPrefect(nothing_happens).client)
        patch.setattr(adapters.prefect.client, "PREFECT_API_URL", SimpleNamespace(value=lambda: "in memory"))
        _, by_command = at_once(
            lambda: take_answer(here, asked, "a run", FilledIn(0, form)), lambda: review(here, step, 4)
        )
    assert count(here, Review) == 1
    with here.record.reading() as session:
        [resumption] = session.scalars(sa.select(Resumption)).all()
        [given] = session.scalars(sa.select(Review)).all()
    assert resumption.accepted is not isinstance(by_command, Accepted)
    assert given.scores == points(3 if resumption.accepted else 4)
    if not resumption.accepted:
        assert "already answered by" in resumption.remark


def test_of_the_same_forms_answer_read_twice_at_once_one_counts(here: Workspace, asked: str) -> None:
    step = step_of(here, asked, StepKind.REVIEW)
    form: dict[str, str | int] = {f"points_{name}": value for name, value in points(3).items()} | {
        "code": code_of(step, here.key)
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapters.prefect.client, "get_client", SmallPrefect(nothing_happens).client)
        patch.setattr(adapters.prefect.client, "PREFECT_API_URL", SimpleNamespace(value=lambda: "in memory"))
        remarks = at_once(*[lambda: take_answer(here, asked, "a run", FilledIn(0, form))] * AT_ONCE)
    assert set(remarks) == {"Thank you: your review is recorded."}
    assert count(here, Review) == count(here, Resumption) == 1


def test_of_a_decision_and_a_withdrawal_at_once_one_counts(here: Workspace, asked: str) -> None:
    with here.record.reading() as session:
        application = session.get_one(Application, asked)
        for step in steps_of(session, application, StepKind.REVIEW):
            assert isinstance(review(here, step), Accepted)
        right = steps_of(session, application, StepKind.WITHDRAWAL)[0]

    def decide() -> Outcome:
        with here.record.writing() as session:
            return deciding.decide(here.turn(session), asked)

    def withdraw() -> Accepted | Refusal:
        with here.record.writing() as session:
            return rights.withdraw(here.turn(session), asked, Code(code_of(right, here.key), right.assignee))

    outcome, refusal = at_once(decide, withdraw)
    assert count(here, Decision) == 1
    with here.record.reading() as session:
        assert session.get_one(Application, asked).outcome is outcome
    if isinstance(refusal, Accepted):
        assert outcome is Outcome.WITHDRAWN
    else:
        assert outcome is Outcome.AWARDED
        assert "the application is awarded" in refusal.why
    told = {"awarded": Outcome.AWARDED, "withdrawn": Outcome.WITHDRAWN}
    with here.record.reading() as session:
        mails = session.scalars(sa.select(Mail.template).where(Mail.template.in_(told))).all()
    assert [told[mail] for mail in mails] == [outcome]


def test_of_a_review_and_a_withdrawal_at_once_both_end_in_a_withdrawn_application(
    here: Workspace, asked: str
) -> None:
    step, right = (step_of(here, asked, kind) for kind in (StepKind.REVIEW, StepKind.WITHDRAWAL))

    def withdraw() -> Accepted | Refusal:
        with here.record.writing() as session:
            return rights.withdraw(here.turn(session), asked, Code(code_of(right, here.key), right.assignee))

    given, refusal = at_once(lambda: review(here, step), withdraw)
    assert isinstance(refusal, Accepted)
    assert count(here, Review) == isinstance(given, Accepted)
    if isinstance(given, Refusal):
        assert "the application is withdrawn" in given.why
    assert count(here, Step, Step.state == StepState.OPEN) == 0


def test_asking_at_once_asks_each_seat_once(here: Workspace) -> None:
    application = submitted(here).application

    def check_and_ask() -> list[str]:
        with here.record.writing() as session:
            conditions.check_conditions(here.turn(session), application)
        with here.record.writing() as session:
            return [s.id for s in asking.ask(here.turn(session), application)]

    asked = at_once(*[check_and_ask] * AT_ONCE)
    assert all(steps == asked[0] for steps in asked)
    assert count(here, Step, Step.kind == StepKind.REVIEW) == 2
    assert count(here, Journal, Journal.what == Event.MET_ALL_CONDITIONS) == 1


# Recovering ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def nothing_happens(_: str) -> Iterator[None]:
    """Nobody dies here."""
    yield


class MeetingPrefect(SmallPrefect):
    """Lets all who recover see the same before any of them goes on."""

    def __init__(self) -> None:
        super().__init__(nothing_happens)
        self.gate: threading.Barrier | None = None
        self._of_this = threading.local()

    def _meet(self) -> None:
        if self.gate is not None and not hasattr(self._of_this, "met"):
            self._of_this.met = True
            self.gate.wait(PATIENCE)

    def read_flow_runs(self, **asked: Any) -> list[FlowRun]:
        self._meet()
        return super().read_flow_runs(**asked)

    def read_deployment_by_name(self, name: str) -> Any:
        self._meet()
        return super().read_deployment_by_name(name)


@pytest.mark.parametrize("lost", ["never started", "its process died", "with Prefect's database"])
def test_of_recoveries_at_once_all_get_the_same_new_run(here: Workspace, asked: str, lost: str) -> None:
    prefect = MeetingPrefect()
    if lost != "never started":
        former = adapters.prefect.runs.start(here, prefect, asked)  # type: ignore[arg-type]  # stands in
        if lost == "its process died":
            prefect.set_flow_run_state(former, Crashed())
        else:
            prefect.lose_everything()
    prefect.gate = threading.Barrier(AT_ONCE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapters.prefect.client, "get_client", prefect.client)
        patch.setattr(adapters.prefect.client, "PREFECT_API_URL", SimpleNamespace(value=lambda: "in memory"))
        at_once(*[lambda: recover(here, prefect)] * AT_ONCE)  # type: ignore[arg-type]  # stands in
    assert not prefect.gate.broken
    [run] = prefect.scheduled()
    with here.record.reading() as session:
        assert session.get_one(Application, asked).run == str(run)


def test_one_application_that_cannot_be_brought_back_keeps_no_other_waiting(
    here: Workspace, asked: str
) -> None:
    other = submit_file(
        here, application_file(teacher="T-3"), "application.json", []
    ).application  # fmt: skip
    prefect = SmallPrefect(nothing_happens)
    with here.record.writing() as session:
        session.get_one(Application, asked).run = "no identifier of a run"
    did = {one.application: one.did for one in recover(here, prefect)}  # type: ignore[arg-type]  # stands in
    assert did[other] == "started a run"
    assert "could not be brought back" in did[asked]


# What comes through Prefect's own door ---------------------------------------------------------------

SMUGGLED: list[Any] = [
    {"__prefect_kind": "workspace_variable", "variable_name": "password"},
    {"__prefect_kind": "jinja", "template": "{{ prefect.variables.password }}"},
    {"__prefect_kind": "json", "value": '"secret"'},
    {
        "__prefect_kind": "none",
        "value": {"__prefect_kind": "workspace_variable", "variable_name": "password"},
    },
    ["a", {"__prefect_kind": "workspace_variable", "variable_name": "password"}],
]


@pytest.mark.parametrize("smuggled", SMUGGLED)
def test_an_answer_file_with_prefects_markers_is_refused_before_it_reaches_prefect(
    tmp_path: Path, smuggled: Any
) -> None:
    from cli.words import read_json
    from labels.steps.answers import read_answer

    for answer in (
        smuggled,
        {"scores": points(), "comment": smuggled},
        {"scores": points() | {"results": smuggled}},
        {"question": smuggled},
        {"text": "words", "links": smuggled},
        {"text": "words", "links": [smuggled]},
        {"question": "words", "__prefect_kind": "json", "value": smuggled},
    ):
        file = tmp_path / "answer.json"
        file.write_text(json.dumps(answer))
        with pytest.raises(InvalidInput):
            read_answer(read_json(file))


def test_markers_typed_as_words_stay_words(here: Workspace, asked: str) -> None:
    step = step_of(here, asked, StepKind.REVIEW)
    typed = '{{ prefect.variables.password }} {"__prefect_kind": "jinja"}'
    with here.record.writing() as session:
        given = ReviewAnswer(scores=points(), comment=typed)
        code = code_of(session.get_one(Step, step.id), here.key)
        accepting.answer(here.turn(session, Door.COMMAND_LINE), step.id, Code(code, step.assignee), given)
        assert session.scalars(sa.select(Review.comment)).one() == typed


@pytest.mark.slow
def test_of_two_partners_looked_at_at_once_the_coordinator_hears_that_they_read_alike(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = [
        submit_file(here, application_file(teacher=teacher), "application.json", []).application
        for teacher in ("T-1", "T-3")
    ]
    known, met = likeness._known, threading.Barrier(2)

    def meets(*arguments: Any) -> Any:
        found = known(*arguments)
        with contextlib.suppress(threading.BrokenBarrierError):  # as it is where one waits for the other
            met.wait(1)
        return found

    monkeypatch.setattr(likeness, "_known", meets)
    assert at_once(*[lambda one=one: look_for_likeness(here, one) for one in both]) == [True, True]
    assert count(here, Mail, Mail.template == "similarity_warning") == 1


@pytest.mark.slow
def test_upkeep_and_the_run_that_look_at_one_application_at_once_keep_its_fingerprints_once(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = submitted(here).application
    with here.record.writing() as session:
        assert conditions.check_conditions(here.turn(session), application)
    known, met = likeness._known, threading.Barrier(2)

    def meets(*arguments: Any) -> Any:
        with contextlib.suppress(threading.BrokenBarrierError):
            met.wait(1)
        return known(*arguments)

    monkeypatch.setattr(likeness, "_known", meets)
    done = at_once(lambda: look_for_likeness(here, application), lambda: keep_former_fingerprints(here))
    assert done in ([True, 0], [True, 1], [False, 1])
    with here.record.reading() as session:
        assert fingerprints.are_kept(session, application)
