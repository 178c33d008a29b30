"""Recovery asks for what it needs to know by the page, and looks closer only where something is wrong."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import orjson
import pytest
import sqlalchemy as sa
from prefect.states import Completed, Running, Suspended

import adapters.prefect.client
import adapters.prefect.runs
import usecases.recovering
from adapters.documents.opening import open_store
from adapters.prefect.form import form_for
from adapters.prefect.markdown.links import links
from adapters.workspace import Workspace
from labels.applications import conditions
from labels.clock import frozen_clock
from labels.kinds import LabelKind
from labels.record import Record
from labels.record.schema import Application, Resumption, Review, Stage, Step, StepState
from labels.reviews import asking
from labels.settings import Settings
from labels.turn import Turn
from labels.views.briefs.by_label import brief_of
from tests.support.people import KEY, NOW, application_file, code_of, points, populate
from tests.support.small_prefect import SmallPrefect
from usecases.applying import submit_file
from usecases.recovering import catch_up, recover
from usecases.running import Woken, wake

MANY = 30


@contextlib.contextmanager
def nothing_happens(_: str) -> Iterator[None]:
    yield


class CountingPrefect(SmallPrefect):
    """Counts what it is asked."""

    def __init__(self) -> None:
        super().__init__(nothing_happens)
        self.asked: Counter[str] = Counter()

    def read_flow_runs(self, **filters: Any) -> Any:
        self.asked["page"] += 1
        return super().read_flow_runs(**filters)

    def read_flow_run(self, run: UUID) -> Any:
        self.asked["run"] += 1
        return super().read_flow_run(run)

    def read_flow_run_input(self, run: UUID, key: str) -> str:
        self.asked["form"] += 1
        return super().read_flow_run_input(run, key)


@pytest.fixture
def here(record: Record, settings: Settings) -> Workspace:
    with record.writing() as session:
        populate(session)
    return Workspace(settings, record, open_store(settings), settings.key, frozen_clock(NOW))


@pytest.fixture
def prefect() -> CountingPrefect:
    return CountingPrefect()


@pytest.fixture
def waiting(here: Workspace, prefect: CountingPrefect, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Many applications, each with a run that waits with its form and has seen all there is."""
    monkeypatch.setattr(usecases.recovering, "PAGE", 10)
    first = submit_file(here, application_file(), "application.json", []).application
    with here.record.writing() as session:
        row = session.execute(sa.select(Application.__table__).where(Application.id == first)).one()
        others = [f"NQL-{n:010}" for n in range(1, MANY)]
        copies = [dict(row._mapping) | {"id": other, "teacher": None, "project": None} for other in others]
        session.execute(sa.insert(Application), copies)
    everyone = sorted([first, *others])
    for one in everyone:
        run = adapters.prefect.runs.start(here, prefect, one)  # type: ignore[arg-type]  # stands in
        suspend(prefect, run)
    with here.record.writing() as session:
        session.execute(sa.update(Application).values(parked_revision=Application.revision))
    return everyone


def suspend(prefect: SmallPrefect, run: UUID, *, form: bool = True) -> None:
    state: Any = Suspended(pause_key="0")
    names = {"schema": "suspended-0-schema", "response": "suspended-0-response"}
    state.state_details.run_input_keyset = names
    prefect.runs[run].state = state
    if form:
        prefect.runs[run].inputs[names["schema"]] = b"{}"


def recovered(here: Workspace, prefect: SmallPrefect) -> dict[str, str]:
    prefect.age(timedelta(minutes=5))
    return {one.application: one.did for one in recover(here, prefect)}  # type: ignore[arg-type]  # stands in


def run_of(here: Workspace, application: str) -> UUID:
    with here.record.reading() as session:
        return UUID(session.get_one(Application, application).run)


def test_once_the_forms_were_seen_it_asks_by_the_page_alone(
    here: Workspace, prefect: CountingPrefect, waiting: list[str]
) -> None:
    assert recovered(here, prefect) == {}
    assert prefect.asked["form"] == MANY
    prefect.asked.clear()
    assert recovered(here, prefect) == {}
    assert prefect.asked["form"] == 0
    # A page of applications each, and one of the runs that are under way.
    assert prefect.asked["page"] == MANY / 10 + 1


def test_what_came_while_prefect_was_away_is_caught_up_with_and_costs_nothing_where_nothing_did(
    here: Workspace, prefect: CountingPrefect, waiting: list[str]
) -> None:
    recovered(here, prefect)
    prefect.asked.clear()
    assert catch_up(here, prefect) == []  # type: ignore[arg-type]  # stands in
    assert not prefect.asked
    handed_in, answered = waiting[3], waiting[5]
    with here.record.writing() as session:
        session.get_one(Application, handed_in).run = None
        session.get_one(Application, answered).revision += 1
    caught = {one.application: one.did for one in catch_up(here, prefect)}  # type: ignore[arg-type]  # stands in
    assert caught == {handed_in: "started a run", answered: "its run goes on"}
    assert prefect.asked["page"] == 1


def test_a_run_that_waits_is_woken_without_a_look_and_one_that_prefect_lost_is_replaced(
    here: Workspace, prefect: CountingPrefect, waiting: list[str]
) -> None:
    with here.record.writing() as session:
        session.execute(sa.update(Application).values(revision=Application.revision + 1))
    prefect.asked.clear()
    assert wake(here, prefect, waiting[0]) == Woken(True, "its run goes on")  # type: ignore[arg-type]  # stands in
    assert not prefect.asked
    assert wake(here, prefect, waiting[0]) == Woken(True, "its run is about to start")  # type: ignore[arg-type]
    prefect.lose_everything()
    assert wake(here, prefect, waiting[1]) == Woken(True, "a new run goes on with it")  # type: ignore[arg-type]


def test_what_a_round_invites_is_begun_by_the_round_and_not_by_every_host_as_well(
    here: Workspace, prefect: CountingPrefect, waiting: list[str]
) -> None:
    recovered(here, prefect)
    prefect.asked.clear()
    invited = {
        "label": LabelKind.SCHOOL,
        "school": None,
        "stage": Stage.SELF_ASSESSMENT,
        "parked_revision": -1,
    }
    with here.record.writing() as session:
        schools = session.scalars(sa.select(Application).where(Application.id.in_(waiting[:20])))
        for number, one in enumerate(schools):
            for name, value in (invited | ({"run": None} if number % 2 else {})).items():
                setattr(one, name, value)
    assert catch_up(here, prefect) == []  # type: ignore[arg-type]  # stands in
    assert not prefect.asked
    with here.record.writing() as session:  # one that its run has seen, and which was handed in since
        handed_in = session.get_one(Application, waiting[0])
        handed_in.parked_revision, handed_in.run = 0, None
    caught = [one.application for one in catch_up(here, prefect)]  # type: ignore[arg-type]  # stands in
    assert caught == [waiting[0]]


def test_among_many_it_finds_every_one_that_is_lost(
    here: Workspace, prefect: CountingPrefect, waiting: list[str]
) -> None:
    assert recovered(here, prefect) == {}
    lost, ended, stalled, formless, news = waiting[::6]
    del prefect.runs[run_of(here, lost)]
    prefect.runs[run_of(here, ended)].state = Completed()
    prefect.runs[run_of(here, stalled)].state = Running()
    prefect.runs[run_of(here, formless)].inputs.clear()
    suspend(prefect, run_of(here, formless), form=False)
    with here.record.writing() as session:
        session.get_one(Application, news).revision += 1
    did = recovered(here, prefect)
    assert did == {
        **dict.fromkeys((lost, ended, stalled, formless), "replaced a run that was lost"),
        news: "its run goes on",
    }
    assert recovered(here, prefect) == {}


@pytest.fixture
def asked(here: Workspace, prefect: CountingPrefect, monkeypatch: pytest.MonkeyPatch) -> Step:
    """The first of two reviews of an application whose run waits with the form for them."""
    monkeypatch.setattr(adapters.prefect.client, "get_client", prefect.client)
    monkeypatch.setattr(
        adapters.prefect.client, "PREFECT_API_URL", SimpleNamespace(value=lambda: "in memory")
    )
    application = submit_file(here, application_file(), "application.json", []).application
    adapters.prefect.runs.start(here, prefect, application)  # type: ignore[arg-type]  # stands in
    with here.record.writing() as session:
        assert conditions.check_conditions(Turn(session, NOW, KEY), application)
    with here.record.writing() as session:
        first, second = asking.ask(Turn(session, NOW, here.key), application)
        brief = brief_of(session, session.get_one(Application, application), [first, second])
    form = form_for(brief, links(here))
    suspend(prefect, run_of(here, application))
    schema = orjson.dumps(form.model_json_schema())
    prefect.runs[run_of(here, application)].inputs["suspended-0-schema"] = schema
    return first


def good_review(here: Workspace, step: Step) -> dict[str, Any]:
    """What a reviewer types into the form."""
    given = {f"points_{name}": number for name, number in points(4).items()}
    return {"code": code_of(step, here.key), "comment": "Good."} | given


def sent_back(here: Workspace, prefect: SmallPrefect, step: Step, filled: dict[str, Any]) -> None:
    """The form comes back, the run dies before it has read it, and recovery takes what was filled in."""
    run = run_of(here, step.application)
    prefect.resume_flow_run(run, run_input=filled)
    prefect.runs[run].state = Completed()
    assert recovered(here, prefect) == {step.application: "replaced a run that was lost"}


@pytest.mark.parametrize(
    "more",
    [
        {"answer": "An applicant's, for which this form has no field."},
        {"approve": "all", "strike": "P-1: copied"},
        {"points_charm": 5},
        {"note": ["not", "text"]},
        {"note": {"__prefect_kind": "none"}},
    ],
)
def test_what_the_shown_form_does_not_have_does_not_come_in(
    here: Workspace, prefect: CountingPrefect, asked: Step, more: dict[str, Any]
) -> None:
    """Whoever asks Prefect's server directly may send anything."""
    sent_back(here, prefect, asked, good_review(here, asked) | more)
    with here.record.reading() as session:
        assert session.get_one(Step, asked.id).state is StepState.ANSWERED
        [review] = session.scalars(sa.select(Review))
        assert (review.scores, review.comment, review.note) == (points(4), "Good.", "")


def test_what_is_neither_text_nor_a_number_is_as_if_it_were_left_out(
    here: Workspace, prefect: CountingPrefect, asked: Step
) -> None:
    sent_back(here, prefect, asked, {"code": "", "comment": ["x"], "points_results": {"y": 1}})
    with here.record.reading() as session:
        assert session.scalars(sa.select(Resumption.remark)).one() == "looked at the record again"
        assert session.get_one(Step, asked.id).refused is None


def test_an_answer_counts_by_the_form_that_was_shown_whatever_is_asked_for_since(
    here: Workspace, prefect: CountingPrefect, asked: Step
) -> None:
    with here.record.writing() as session:
        session.execute(sa.update(Step).where(Step.id != asked.id).values(state=StepState.VOID))
    sent_back(here, prefect, asked, good_review(here, asked))
    with here.record.reading() as session:
        assert session.get_one(Step, asked.id).state is StepState.ANSWERED
