"""The HTTP API for platforms: who may call it, what an organisation is told, and that it does what its description says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import jsonschema
import pytest
import sqlalchemy as sa
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from adapters.workspace import Workspace
from desk.api.app import OPERATIONS, ROOT, api_routes
from desk.app import public_app
from desk.arriving import Arriving
from labels.answering import accepting
from labels.clock import brussels_day
from labels.platform import keys, tokens
from labels.platform.tokens import MARK, TokenScope
from labels.record.journal import Event
from labels.record.schema import Journal, Organisation, Person, PlatformToken, Review
from labels.steps.answers import ReviewAnswer
from labels.steps.proof import SignedIn
from labels.views.changes import TOLD, Change
from tests.cli.conftest import Terminal
from tests.support.people import points
from tests.support.platform_programs import ORIGIN, Program, problem, token
from usecases import platform


@pytest.fixture
def application(terminal: Terminal) -> str:
    application = terminal.submitted()
    terminal.asked(application)
    return application


# Who may call it --------------------------------------------------------------------------------------


def test_a_token_is_shown_once_and_kept_as_a_digest(terminal: Terminal) -> None:
    text = token(terminal.here)
    with terminal.here.record.reading() as session:
        row = session.scalars(sa.select(PlatformToken)).one()
        kept = json.dumps([str(getattr(row, column.name)) for column in PlatformToken.__table__.columns])
        told = session.scalars(sa.select(Journal).where(Journal.what == Event.MADE_A_TOKEN)).one()
    assert len(text) == tokens.LENGTH
    assert text.startswith(f"{MARK}{row.id}_")
    assert text not in kept
    assert text.rpartition("_")[2] not in kept + json.dumps(told.details)


@pytest.mark.parametrize(
    "head",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {MARK}nobody00_{'x' * 43}"},
        {"Authorization": "Bearer " + "x" * 100_000},
        {"Authorization": "Basic eDp5"},
        {"Authorization": "Bearer żółw".encode()},
        {"Cookie": "session=abc"},
    ],
    ids=["nothing", "empty", "unknown", "huge", "basic", "no ascii", "a cookie"],
)
def test_without_a_token_there_is_nothing(terminal: Terminal, head: Any) -> None:
    client = TestClient(public_app(terminal.here), base_url=ORIGIN)
    answer = client.get(f"{ROOT}/cases", headers=head)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert problem(answer).type.endswith(":no-token")


def test_a_token_that_ran_out_was_ended_or_is_another_s_is_refused_with_the_same_bytes(
    terminal: Terminal, program: Callable[..., Program]
) -> None:
    one = program()
    unknown = Program(terminal.here, one.token[:-1] + ("A" if one.token[-1] != "A" else "B"))
    refused = unknown.gets("/cases", 401).content
    with terminal.here.record.writing() as session:
        row = session.scalars(sa.select(PlatformToken)).one()
        row.expires_on = brussels_day(terminal.here.now())
    assert one.gets("/cases").status_code == 200, "its last day counts"
    with terminal.here.record.writing() as session:
        row = session.scalars(sa.select(PlatformToken)).one()
        row.expires_on = brussels_day(terminal.here.now() - timedelta(days=1))
    assert one.gets("/cases", 401).content == refused
    other = program()
    number = other.token.removeprefix(MARK)[:8]
    assert terminal.run("token", "end", number).exit_code == 0
    assert other.gets("/cases", 401).content == refused


def test_a_token_does_what_its_scopes_allow_and_nothing_else(program: Callable[..., Program]) -> None:
    reads = program(scopes=(TokenScope.CASES_READ,))
    reads.gets("/cases")
    answer = reads.gets("/changes", 403)
    assert 'scope="changes:read"' in answer.headers["www-authenticate"]
    nothing = program(scopes=(TokenScope.REGISTRY_WRITE,))
    for operation in OPERATIONS:
        if operation.method == "GET" and operation.scope is not TokenScope.REGISTRY_WRITE:
            nothing.gets(operation.path.replace("{number}", "NQL-0").replace("{key}", "k"), 403)


def test_a_token_in_the_address_is_refused_whatever_stands_in_the_head(
    program: Callable[..., Program],
) -> None:
    one = program()
    assert problem(one.gets(f"/cases?access_token={one.token}", 400)).type.endswith(":token-in-address")
    assert one.token not in one.gets(f"/cases?access_token={one.token}", 400).text


def test_a_token_has_so_many_requests_a_minute_and_is_told_when_there_is_another(
    terminal: Terminal, program: Callable[..., Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = terminal.here.settings.model_copy(update={"api_per_minute": 2})
    here = Workspace(
        settings, terminal.here.record, terminal.here.documents, terminal.here.key, terminal.here.clock
    )
    one, other = Program(here, token(here)), Program(here, token(here))
    one.gets("/cases")
    one.gets("/changes")
    answer = one.gets("/cases", 429)
    assert 0 < int(answer.headers["retry-after"]) <= 30
    other.gets("/cases")


def test_the_day_of_its_last_use_is_kept(terminal: Terminal, program: Callable[..., Program]) -> None:
    program().gets("/cases")
    with terminal.here.record.reading() as session:
        assert session.scalars(sa.select(PlatformToken.used_on)).one() == brussels_day(terminal.here.now())


def test_no_answer_has_a_cookie_or_lets_pages_of_other_sites_read_it(program: Callable[..., Program]) -> None:
    answer = program().gets("/cases", Origin="https://elsewhere.example", Cookie="session=abc")
    assert "set-cookie" not in answer.headers
    assert not [name for name in answer.headers if name.startswith("access-control")]


# What it tells ----------------------------------------------------------------------------------------


def test_a_list_has_what_the_desk_s_has_page_by_page(
    terminal: Terminal, program: Callable[..., Program]
) -> None:
    numbers = {terminal.submitted(), terminal.submitted(teacher="T-3")}
    one = program()
    first = one.gets("/cases?limit=1").json()
    second = one.gets(f"/cases?limit=1&after={first['next'].replace('+', '%2B')}").json()
    assert {case["number"] for page in (first, second) for case in page["cases"]} == numbers
    assert (first["matching"], second["next"]) == (2, None)
    assert one.gets("/cases?stage=closed").json()["cases"] == []
    assert len(one.gets("/cases?label=national&part=open&order=due&about=T-1").json()["cases"]) == 1


@pytest.mark.parametrize(
    "query",
    ["stage=nowhere", "limit=0", "limit=9999", "year=x", "unknown=1", "stage=review&stage=closed", "after=x", "year=0",
     "about=%00", "after=0001-01-01T00:00:00%2B23:00~NQL-1"],
)  # fmt: skip
def test_a_filter_that_is_not_understood_is_refused_and_named(
    program: Callable[..., Program], query: str
) -> None:
    found = problem(program().gets(f"/cases?{query}", 422))
    assert query.partition("=")[0] in found.faults[0].where


def test_a_filter_that_nobody_knows_is_refused_with_those_that_are_known(
    program: Callable[..., Program],
) -> None:
    one = program()
    [fault] = problem(one.gets("/changes?since=2026-01-01", 422)).faults
    assert (fault.where, fault.problem) == ("since", "is not known here; known are after, limit.")
    [fault] = problem(one.gets("/cases?state=open", 422)).faults
    assert "known are part, urgent, label, stage, outcome," in fault.problem
    [fault] = problem(one.gets("/cases/NQL-NOTHING?full=1", 422)).faults
    assert fault.problem == "is not known here, where nothing is."


def test_nobody_s_name_or_address_is_in_what_a_platform_reads(
    terminal: Terminal, program: Callable[..., Program], application: str
) -> None:
    for step in terminal.open_reviews():
        given = ReviewAnswer(scores=points(4), comment="For the applicant.", note="A private note.")
        with terminal.here.record.writing() as session:
            turn = terminal.here.turn(session)
            proof = SignedIn(step.person, "mail code", terminal.here.now())
            accepting.answer(turn, step.id, proof, given)
    one = program()
    read = "".join(one.gets(path).text for path in ("/cases", f"/cases/{application}", "/changes"))
    with terminal.here.record.reading() as session:
        people = session.scalars(sa.select(Person)).all()
        assert session.scalars(sa.select(Review)).all()
    for person in people:
        assert person.name not in read
        assert person.address not in read
        assert person.id not in read
    assert "private note" not in read
    assert "For the applicant" not in read, "it is not decided"


@pytest.mark.slow
def test_what_is_another_organisation_s_is_not_there_with_the_same_bytes(
    program: Callable[..., Program], application: str
) -> None:
    other = program("NSS-PT")
    absent = other.gets("/cases/NQL-NOTHING", 404)
    hidden = other.gets(f"/cases/{application}", 404)
    assert hidden.content == absent.content
    assert dict(hidden.headers) == dict(absent.headers)
    assert other.gets("/cases").json() == {"cases": [], "matching": 0, "next": None}
    assert other.gets("/cases?organisation=NSS-PL").json()["cases"] == []
    assert other.gets("/changes").json()["changes"] == []
    assert program().gets(f"/cases/{application}").json()["number"] == application


def test_the_central_support_service_sees_the_cases_of_all(
    terminal: Terminal, program: Callable[..., Program], application: str
) -> None:
    with terminal.here.record.writing() as session:
        session.add(
            Organisation(id="CSS", country="EU", kind="CSS", name="CSS", email="css@x.example", language="en")
        )
    central = program("CSS")
    assert [one["number"] for one in central.gets("/cases").json()["cases"]] == [application]
    seen = central.gets(f"/cases/{application}").json()
    assert seen["awaits"]
    assert central.gets("/changes").json()["changes"]


def test_changes_come_once_in_order_and_go_on_after_their_key(
    terminal: Terminal, program: Callable[..., Program], application: str
) -> None:
    one = program()
    newest = one.gets("/changes?after=newest").json()
    assert newest["changes"] == []
    first = one.gets("/changes?limit=1").json()
    assert [change["what"] for change in first["changes"]] == [Change.SUBMITTED]
    assert first["more"]
    rest = one.gets(f"/changes?after={first['next']}").json()
    assert [change["what"] for change in rest["changes"]].count(Change.REVIEW_ASKED) == 2
    assert not rest["more"]
    assert one.gets(f"/changes?after={rest['next']}").json()["changes"] == []
    again = one.gets(f"/changes?after={first['changes'][0]['key']}").json()["changes"]
    assert again == rest["changes"]
    [step, *_] = terminal.open_reviews()
    with terminal.here.record.writing() as session:
        turn = terminal.here.turn(session)
        given = ReviewAnswer(scores=points(4), comment="Well done.")
        accepting.answer(turn, step.id, SignedIn(step.person, "mail code", turn.now), given)
    for before in (rest["next"], newest["next"]):
        [news] = one.gets(f"/changes?after={before}").json()["changes"]
        assert (news["what"], news["case"]) == (Change.REVIEW_GIVEN, application)


def test_a_key_of_another_organisation_or_of_nobody_is_refused(
    program: Callable[..., Program], application: str
) -> None:
    one, other = program(), program("NSS-PT")
    key = one.gets("/changes").json()["next"]
    for wrong in (key[:-1] + ("A" if key[-1] != "A" else "Q"), "x", "..", "A" * 22, "ż"):
        one.gets(f"/changes?after={wrong}", 410)
    other.gets(f"/changes?after={key}", 410)


def test_a_key_tells_nothing_of_how_many_entries_there_are() -> None:
    made = [keys.sealed(b"key", "NSS-PL", number) for number in range(3)]
    assert [keys.opened(b"key", "NSS-PL", one) for one in made] == [0, 1, 2]
    assert len({one[:8] for one in made}) == 3
    assert keys.opened(b"another", "NSS-PL", made[0]) is None


def test_what_concerns_codes_mail_staff_and_conflicts_is_told_to_no_platform() -> None:
    hidden = {
        Event.ASKED_FOR_A_CODE, Event.REFUSED_A_CODE, Event.NOT_ACCEPTED, Event.DECLARED_A_CONFLICT,
        Event.NAMES_ALIKE, Event.MAIL_LATE, Event.CLASS_MADE, Event.ERASED_A_PERSON, Event.MADE_A_TOKEN,
    }  # fmt: skip
    assert not hidden & set(TOLD)
    assert set(TOLD.values()) == set(Change)


def test_who_has_an_answer_already_is_told_so_in_no_bytes(
    program: Callable[..., Program], application: str
) -> None:
    one = program()
    for path in (f"/cases/{application}", "/cases", "/changes"):
        tag = one.gets(path).headers["etag"]
        one.gets(path, 304, **{"If-None-Match": f'"other", {tag}'})
        one.gets(path, 200, **{"If-None-Match": '"other"'})


# Its description ----------------------------------------------------------------------------------------


def test_every_route_is_described_and_nothing_else(
    terminal: Terminal, program: Callable[..., Program]
) -> None:
    description = program().description
    [mounted] = api_routes(terminal.here, Arriving())
    assert isinstance(mounted, Mount)
    there = {
        (route.path, method.lower())
        for route in mounted.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
        if route.path != "/openapi.json"
    }
    told = {(path, method) for path, methods in description["paths"].items() for method in methods}
    assert told == there
    assert description["openapi"] == "3.1.0"
    assert description["servers"] == [{"url": f"{terminal.here.settings.desk_url}{ROOT}"}]


def test_every_reference_of_the_description_leads_to_a_shape(program: Callable[..., Program]) -> None:
    description = program().description
    names = set(description["components"]["schemas"])
    found = {
        one["$ref"].removeprefix("#/components/schemas/")
        for one in walked(description)
        if isinstance(one, dict) and "$ref" in one
    }
    assert found
    assert found <= names
    for schema in description["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def walked(value: Any) -> Iterator[Any]:
    yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walked(one)


@pytest.mark.parametrize(
    "path", ["/nothing", "/cases/%00", "/cases/%ff", "/cases/", "/cases/a/b", "/", "/openapi.json/x"]
)
def test_an_address_that_is_not_there_is_a_problem_as_any_other(
    program: Callable[..., Program], path: str
) -> None:
    one = program()
    answer = one.client.get(ROOT + path, headers={"Authorization": f"Bearer {one.token}"})
    assert answer.status_code == 404
    assert problem(answer).type.endswith(":not-found")


def test_a_method_that_an_address_does_not_have_is_a_problem_as_any_other(
    program: Callable[..., Program],
) -> None:
    one = program()
    answer = one.client.delete(f"{ROOT}/cases", headers={"Authorization": f"Bearer {one.token}"})
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert problem(answer).status == 405


def test_what_nobody_foresaw_has_a_number_and_tells_nothing(
    program: Callable[..., Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any) -> None:
        raise ValueError("the name of somebody")

    one = program()
    monkeypatch.setattr(platform, "cases", breaks)
    answer = one.gets("/cases", 500)
    assert "E-" in answer.json()["detail"]
    assert "somebody" not in answer.text
