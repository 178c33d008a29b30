"""Two worlds that differ only in what is hidden from somebody look the same to them, byte by byte."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from adapters.prefect.form import form_for
from adapters.prefect.markdown.briefs import whole
from labels.errors import NotAllowed, NotFound
from labels.people.persons import behind
from labels.record import open_record
from labels.record.engine import close_records
from labels.record.schema import Application, Award, Organisation, Person, Step, Teacher
from labels.reviews import deciding
from labels.settings import Settings
from labels.steps.answers import ReviewAnswer
from labels.steps.step import open_steps
from labels.views.briefs.by_label import brief_of
from labels.views.case import case_for
from labels.views.cycle import inspect
from labels.views.exports import EXPORTS, export, hidden_reviews
from labels.views.inbox import inbox
from labels.views.looker import Audience, Reach, looker_at, reach_of
from tests.support.case import COORDINATOR, Case, open_case
from tests.support.european import OTHER, OWN, YEAR, begun, edition, label_id, populate_year, screen
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
        reach = reach_of(session, person)
        brief = brief_of(session, application, open_steps(session, application))
        return exported(session, reach) | {
            "case": case_for(session, case.id, looker).model_dump_json().encode(),
            "inbox": json.dumps([one.model_dump(mode="json") for one in inbox(session, person)]).encode(),
            "brief": whole(brief, lambda document, days: document.key).encode(),
            "form": json.dumps(
                form_for(brief, lambda document, days: document.key).model_json_schema()
            ).encode(),
        }


def exported(session: Session, reach: Reach) -> dict[str, bytes]:
    """All that `labels export` and `labels journal` give to a person."""
    return {
        f"export {what}": json.dumps(list(export(session, what, reach)), default=str).encode()
        for what in EXPORTS
    } | {"reviews left out": str(hidden_reviews(session, reach)).encode()}


def same(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    assert {name: one[name] == other[name] for name in one} == dict.fromkeys(one, True), (one, other)


@pytest.mark.slow
def test_the_second_reviewer_learns_nothing_of_the_firsts_review(world: World) -> None:
    seen = []
    for each, words, wrong in ((5, "Brilliant.", "results"), (0, "Copied.", "technology")):
        case = world()
        first, second = case.ask()
        reviewed(case, first, each, words, wrong)
        seen.append(surfaces(case, second.assignee))
    same(*seen)


@pytest.mark.slow
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


@pytest.mark.slow
def test_an_applicant_learns_no_name_no_note_and_no_points_before_the_decision(world: World) -> None:
    seen = []
    for each, words, wrong in ((5, "Brilliant.", "results"), (0, "Copied.", "technology")):
        case = world()
        first, _ = case.ask()
        reviewed(case, first, each, words, wrong)
        seen.append(surfaces(case, APPLICANT))
    same(*seen)
    assert b"r1@nss.example" not in b"".join(seen[0].values())


@pytest.mark.slow
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
    seen = surfaces(case, "css@eu.example")
    for where in ("case", "export reviews"):
        assert b"Good." in seen[where]
    theirs = seen["case"] + b"".join(found for name, found in seen.items() if name.startswith("export"))
    assert b"Read it twice." not in theirs
    assert all(f"r{n}@nss.example".encode() not in theirs for n in range(1, 6))


@pytest.mark.slow
def test_an_applicant_learns_no_note_after_the_decision(world: World) -> None:
    seen = []
    for note in ("Read it twice.", "Her husband is the minister."):
        case = world()
        for step in case.ask():
            case.answer(step, ReviewAnswer(scores=points(4), comment="Good.", note=note))
        case.do(deciding.decide, case.id)
        seen.append(surfaces(case, APPLICANT))
    same(*seen)


@pytest.mark.slow
def test_a_coordinator_learns_neither_points_nor_which_were_wrong_before_the_decision(world: World) -> None:
    seen = []
    for each, words, wrong in ((5, "Brilliant.", "results"), (0, "Copied.", "technology")):
        case = world()
        first, _ = case.ask()
        reviewed(case, first, each, words, wrong)
        seen.append(surfaces(case, COORDINATOR))
    same(*seen)


@pytest.mark.slow
def test_a_reviewer_exports_their_own_review_and_none_before_the_decision(world: World) -> None:
    case = world()
    first, second = case.ask()
    for step, words in ((first, "Good."), (second, "Weak.")):
        case.answer(step, ReviewAnswer(scores=points(4), comment=words))
        assert surfaces(case, first.assignee)["export reviews"] == b"[]"
    assert surfaces(case, first.assignee)["reviews left out"] == b"1"
    case.do(deciding.decide, case.id)
    seen = surfaces(case, first.assignee)["export reviews"]
    assert b"Good." in seen
    assert b"Weak." not in seen
    assert surfaces(case, APPLICANT)["export reviews"] == b"[]"


@pytest.mark.slow
def test_a_coordinator_exports_their_own_countrys_cases_with_what_is_theirs(world: World) -> None:
    case = world()
    for step in case.ask():
        case.answer(step, ReviewAnswer(scores=points(4), comment="Good.", note="Read it twice."))
    case.do(deciding.decide, case.id)
    seen = surfaces(case, COORDINATOR)
    for what in ("applications", "reviews", "mail", "journal"):
        assert json.loads(seen[f"export {what}"]), what
    assert b"Read it twice." in seen["export reviews"]
    for row in json.loads(seen["export journal"]):
        assert row["id"] is None
        assert not [name for name in row["details"] if "digest" in name]
    for row in json.loads(seen["export applications"]) + json.loads(seen["export reviews"]):
        assert not [name for name, value in row.items() if value is not None and "digest" in name]


@pytest.mark.slow
def test_a_teacher_exports_their_own_applications_labels_and_mail(world: World) -> None:
    case = world()
    case.ask()
    seen = {name: json.loads(found) for name, found in surfaces(case, APPLICANT).items() if "export" in name}
    assert [one["id"] for one in seen["export applications"]] == [case.id]
    assert {one["to_address"] for one in seen["export mail"]} == {APPLICANT}
    assert {one["who"] for one in seen["export journal"]} <= {APPLICANT}


def test_who_shares_a_mailbox_exports_nothing_of_the_other(world: World) -> None:
    case = world()
    with case.record.writing() as session:
        mine, other = (session.get_one(Teacher, one).person for one in ("T-1", "T-3"))
        for whose in (mine, other):
            session.get_one(Person, whose).address = APPLICANT
    with case.record.reading() as session:
        with pytest.raises(NotAllowed, match="Several people"):
            reach_of(session, APPLICANT)
        theirs = exported(session, reach_of(session, other))
        assert {name: json.loads(found) for name, found in theirs.items() if found not in (b"[]", b"0")} == {}


@pytest.mark.slow
def test_a_stranger_exports_nothing(world: World) -> None:
    case = world()
    case.ask()
    with case.record.reading() as session:
        with pytest.raises(NotFound, match="Nobody in the registry"):
            reach_of(session, "nobody@nowhere.example")
        seen = exported(session, reach_of(session, "nss@pt.example"))
        assert set(seen.values()) == {b"[]", b"0"}


@pytest.mark.slow
def test_a_coordinator_learns_nothing_of_another_countrys_points_from_a_year(tmp_path: Path) -> None:
    seen = []
    for number, points_of_others in enumerate((27.0, 3.0)):
        home = tmp_path / f"year-{number}"
        home.mkdir()
        record = open_record(Settings(_env_file=None, home=home, secret="a secret for tests"))
        with record.writing() as session:
            populate_year(session)
            session.get_one(Award, label_id("T-A2", "P-A")).score = points_of_others
        found: dict[str, bytes] = {}
        for stage in ("before", "begun", "screened"):
            with record.writing() as session:
                if stage == "begun":
                    begun(session)
                if stage == "screened":
                    screen(session, OTHER)
            with record.reading() as session:
                reach = reach_of(session, COORDINATOR)
                view = inspect(session, YEAR, edition, reach)
                assert [one.organisation for one in view.organisations] == [OWN]
                assert all(one.proposed_by == [OWN] for one in view.projects)
                found[f"{stage}: the year"] = view.model_dump_json().encode()
                found |= {f"{stage}: {name}": value for name, value in exported(session, reach).items()}
        seen.append(found)
    close_records()
    same(*seen)


def test_a_year_is_there_for_coordinators_alone(world: World) -> None:
    case = world()
    with case.record.reading() as session:
        for year in (2026, 1999):
            with pytest.raises(NotFound, match=f"There is no cycle {year}"):
                inspect(session, year, edition, reach_of(session, APPLICANT))


@pytest.mark.slow
def test_to_whom_a_case_is_nothing_it_is_not_there(world: World) -> None:
    case = world()
    with case.record.reading() as session:
        for stranger in ("nss@pt.example", "nobody@nowhere.example"):
            with pytest.raises(NotFound, match=f"There is no application {case.id}"):
                looker_at(session, case.id, stranger)
            with pytest.raises(NotFound, match="There is no application NQL-NONE"):
                looker_at(session, "NQL-NONE", stranger)
        assert looker_at(session, case.id, APPLICANT).audience is Audience.APPLICANT
