"""Two worlds that differ only in what is hidden from somebody look the same to them, byte by byte."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.prefect.form import form_for
from adapters.prefect.markdown.briefs import whole
from labels.errors import NotFound
from labels.people.persons import behind
from labels.record import open_record
from labels.record.engine import close_records
from labels.record.schema import Application, Organisation, Step
from labels.reviews import deciding
from labels.settings import Settings
from labels.steps.answers import ReviewAnswer
from labels.steps.step import open_steps
from labels.views.briefs.by_label import brief_of
from labels.views.case import case_for
from labels.views.inbox import inbox
from labels.views.looker import Audience, looker_at
from tests.support.case import COORDINATOR, Case, open_case
from tests.support.people import points

APPLICANT = "t-1@school.example"

World = Callable[[], Case]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An application in a record of its own, at the same instant as in the other world."""
    number = itertools.count()

    def begin() -> Case:
        home = tmp_path / f"world-{next(number)}"
        home.mkdir()
        return open_case(open_record(Settings(_env_file=None, home=home, secret="a secret for tests")))

    yield begin
    close_records()


def reviewed(case: Case, step: Step, each: int, words: str, wrong: str) -> None:
    """A review that is refused for one criterion and then taken."""
    case.answer(step, ReviewAnswer(scores=points(each, **{wrong: 9})))
    given = ReviewAnswer(scores=points(each), comment=f"Comment: {words}", note=f"Note: {words}")
    case.answer(step, given)


def surfaces(case: Case, person: str) -> dict[str, bytes]:
    """All that views tell a person of a case, and what Prefect's pages show of it to whoever reaches them."""
    with case.record.reading() as session:
        application = session.get_one(Application, case.id)
        looker = looker_at(session, case.id, person)
        brief = brief_of(session, application, open_steps(session, application))
        return {
            "case": case_for(session, case.id, looker).model_dump_json().encode(),
            "inbox": json.dumps([one.model_dump(mode="json") for one in inbox(session, person)]).encode(),
            "brief": whole(brief, lambda document, days: document.key).encode(),
            "form": json.dumps(
                form_for(brief, lambda document, days: document.key).model_json_schema()
            ).encode(),
        }


def same(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    assert {name: one[name] == other[name] for name in one} == dict.fromkeys(one, True), (one, other)


def test_the_second_reviewer_learns_nothing_of_the_firsts_review(world: World) -> None:
    seen = []
    for each, words, wrong in ((5, "Brilliant.", "results"), (0, "Copied.", "technology")):
        case = world()
        first, second = case.ask()
        reviewed(case, first, each, words, wrong)
        seen.append(surfaces(case, second.assignee))
    same(*seen)


def test_the_second_reviewer_does_not_learn_who_the_first_is(world: World) -> None:
    seen = []
    for changes in (False, True):
        case = world()
        first, second = case.ask()
        if changes:
            others = {f"r{n}@nss.example" for n in range(1, 6)} - {first.assignee, second.assignee}
            with case.record.writing() as session:
                session.get_one(Step, first.id).person = behind(session, min(others))[0].id
        seen.append(surfaces(case, second.assignee))
    same(*seen)


def test_an_applicant_learns_no_name_no_note_and_no_points_before_the_decision(world: World) -> None:
    seen = []
    for each, words, wrong in ((5, "Brilliant.", "results"), (0, "Copied.", "technology")):
        case = world()
        first, _ = case.ask()
        reviewed(case, first, each, words, wrong)
        seen.append(surfaces(case, APPLICANT))
    same(*seen)
    assert b"r1@nss.example" not in b"".join(seen[0].values())


def test_the_central_service_sees_every_case_and_nobodys_name_among_the_reviewers(world: World) -> None:
    case = world()
    with case.record.writing() as session:
        session.add(
            Organisation(
                id="CSS", kind="CSS", country="EU", name="CSS", email="css@eu.example", language="en"
            )
        )
    for step in case.ask():
        case.answer(step, ReviewAnswer(scores=points(4), comment="Good.", note="Read it twice."))
    case.do(deciding.decide, case.id)
    seen = surfaces(case, "css@eu.example")["case"]
    assert b"Good." in seen
    assert b"Read it twice." not in seen
    assert all(f"r{n}@nss.example".encode() not in seen for n in range(1, 6))


def test_an_applicant_learns_no_note_after_the_decision(world: World) -> None:
    seen = []
    for note in ("Read it twice.", "Her husband is the minister."):
        case = world()
        for step in case.ask():
            case.answer(step, ReviewAnswer(scores=points(4), comment="Good.", note=note))
        case.do(deciding.decide, case.id)
        seen.append(surfaces(case, APPLICANT))
    same(*seen)


def test_a_coordinator_learns_neither_points_nor_which_were_wrong_before_the_decision(world: World) -> None:
    seen = []
    for each, words, wrong in ((5, "Brilliant.", "results"), (0, "Copied.", "technology")):
        case = world()
        first, _ = case.ask()
        reviewed(case, first, each, words, wrong)
        seen.append(surfaces(case, COORDINATOR))
    same(*seen)


def test_to_whom_a_case_is_nothing_it_is_not_there(world: World) -> None:
    case = world()
    with case.record.reading() as session:
        for stranger in ("nss@pt.example", "nobody@nowhere.example"):
            with pytest.raises(NotFound, match=f"There is no application {case.id}"):
                looker_at(session, case.id, stranger)
            with pytest.raises(NotFound, match="There is no application NQL-NONE"):
                looker_at(session, "NQL-NONE", stranger)
        assert looker_at(session, case.id, APPLICANT).audience is Audience.APPLICANT
