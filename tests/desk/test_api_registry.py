"""The registry by JSON: batches of rows, each once, with the faults of a file, and of nobody's but the organisation's own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from desk.api.app import ROOT
from desk.api.registry import FILES, LARGEST, MOST_ROWS
from labels.answering import own_staff
from labels.people.persons import addresses, behind
from labels.platform.tokens import TokenScope
from labels.record.schema import (
    Address,
    Base,
    FormerStaff,
    Member,
    Organisation,
    Person,
    PlatformBatch,
    Project,
    School,
    Staff,
    Step,
    Teacher,
)
from labels.registry.letters import nothing_missing
from tests.cli.conftest import COORDINATOR, Terminal
from tests.support.platform_programs import Program, problem

Makes = Callable[..., Program]

TEACHER = {
    "teacher": "T-50", "name": "Ewa Nowak", "email": "ewa@s.example", "school": "S-1",
    "registered_on": "2025-09-01", "language": "pl",
}  # fmt: skip
SCHOOL = {
    "school": "S-50", "name": "Szkoła nr 50", "country": "PL", "organisation": "NSS-PL", "city": "Łódź",
    "registered_on": "2024-01-08", "principal_name": "Jan Kos", "principal_email": "jan@s50.example",
}  # fmt: skip
MEMBER = {"project": "P-1", "teacher": "T-3", "role": "partner", "joined_on": "2025-10-01"}


def sends(
    one: Program, resource: str, body: Any, status: int = 200, *, key: str = "k-1", **headers: str
) -> Any:
    """The answer to a batch, which the description has."""
    content = (
        body if isinstance(body, bytes) else json.dumps({"rows": body} if isinstance(body, list) else body)
    )
    return one.sends(f"/registry/{resource}", content, status, **{"Idempotency-Key": key, **headers})


def registry(terminal: Terminal) -> dict[str, list[Any]]:
    """All that a batch could change."""
    with terminal.here.record.reading() as session:
        return {
            name: sorted(map(repr, session.execute(sa.select(Base.metadata.tables[name]))))
            for name in ("person", "address", "school", "teacher", "project", "member", "activity", "award", "platform_batch")
        }  # fmt: skip


@pytest.mark.slow
def test_rows_come_in_as_by_a_file(terminal: Terminal, program: Makes) -> None:
    one = program()
    taken = sends(one, "teachers", {"rows": [TEACHER, TEACHER | {"teacher": "T-3", "name": "Łucja Źdźbło",
        "email": "t-3@school.example"}], "position": "page 7"}).json()  # fmt: skip
    assert (taken["rows"], taken["inserted"], taken["position"]) == (2, 1, "page 7")
    with terminal.here.record.reading() as session:
        assert session.get_one(Teacher, "T-50").name == "Ewa Nowak"
    sends(one, "schools", [SCHOOL], key="k-2")
    sends(
        one,
        "projects",
        [{"project": "P-50", "title": "Rzeki", "started_on": "2025-09-01", "ended_on": None}],
        key="k-3",
    )
    sends(one, "members", [MEMBER | {"project": "P-50", "teacher": "T-50"}], key="k-4")
    sends(one, "activities", [{"activity": "A-50", "teacher": "T-50", "kind": "workshop", "title": "Podcasts",
        "on": "2026-01-15", "confirmed": True}], key="k-5")  # fmt: skip
    sends(one, "awards", [{"label": "national", "teacher": "T-50", "project": "P-50", "school": None,
        "organisation": "NSS-PL", "awarded_on": "2026-02-01", "score": 21.5}], key="k-6")  # fmt: skip
    assert one.gets("/registry/position").json()["last"]["key"] == "k-6"
    assert one.gets("/registry/batches/k-1").json() == taken
    one.gets("/registry/batches/k-7", 404)


def test_the_same_key_answers_the_same_and_another_body_under_it_is_refused(
    terminal: Terminal, program: Makes
) -> None:
    one = program()
    first = sends(one, "teachers", [TEACHER])
    before = registry(terminal)
    assert sends(one, "teachers", [TEACHER]).content == first.content
    assert problem(sends(one, "teachers", [TEACHER | {"name": "Another"}], 422)).type.endswith(
        ":key-of-another"
    )
    assert problem(sends(one, "schools", [SCHOOL], 422)).type.endswith(":key-of-another")
    assert registry(terminal) == before
    for key in ("", "a/b", "a?b", "a%2Fb", ".."):
        assert problem(sends(one, "teachers", [TEACHER], 400, key=key)).type.endswith(":idempotency-key")


def test_of_two_at_once_with_one_key_one_is_taken_and_both_are_answered_alike(
    terminal: Terminal, program: Makes
) -> None:
    one = program()
    both = [Program(terminal.here, one.token) for _ in range(2)]
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda each=each: answers.append(sends(each, "teachers", [TEACHER])))
        for each in both
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer.content for answer in answers}) == 1
    with terminal.here.record.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(PlatformBatch)) == 1


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("resource", "rows", "where", "said"),
    [
        ("teachers", [TEACHER, TEACHER | {"teacher": "T-51", "email": "nothing"}], (1, "email"), "is not an e-mail address"),
        ("teachers", [TEACHER, TEACHER], (1, "teacher"), "stands in row 0 already"),
        ("teachers", [TEACHER | {"name": ""}], (0, "name"), "is empty, but every row needs it"),
        ("teachers", [TEACHER | {"name": "a\nb"}, TEACHER | {"teacher": "T 1"}], (1, "teacher"), "has a space in it"),
        ("teachers", [TEACHER | {"name": "\ud800"}], (0, "name"), "is not UTF-8"),
        ("teachers", [TEACHER | {"name": "a\0b"}], (0, "name"), "U+0000"),
        ("teachers", [TEACHER | {"registered_on": "2030-01-01"}], (0, "registered_on"), "is in the future"),
        ("teachers", [{"teacher": "T-50"}], (None, "name"), "is missing"),
        ("teachers", [TEACHER | {"shoe": 44}], (None, None), "is not a column"),
        ("teachers", [TEACHER, {"teacher": "T-51"}], (1, None), "has other fields than the first row"),
        ("teachers", [TEACHER | {"name": ["x"]}], (0, "name"), "is neither text nor a number"),
        ("teachers", [TEACHER, "x"], (1, None), "is no object"),
        ("teachers", [dict.fromkeys(TEACHER)], (0, None), "is empty"),
        ("teachers", [], (None, None), "expected 1 to"),
        ("teachers", [TEACHER] * (MOST_ROWS + 1), (None, None), "expected 1 to"),
        ("members", [MEMBER | {"project": "P-0"}], (0, "project"), "is no project"),
    ],
)  # fmt: skip
def test_every_fault_is_named_by_row_and_field_and_nothing_is_changed(
    terminal: Terminal,
    program: Makes,
    resource: str,
    rows: list[Any],
    where: tuple[int | None, str | None],
    said: str,
) -> None:
    one = program()
    before = registry(terminal)
    faults = problem(sends(one, resource, rows, 422)).faults
    found = {(fault.row, fault.field): fault.problem for fault in faults}
    assert said in found[where], found
    assert registry(terminal) == before
    one.gets("/registry/batches/k-1", 404)
    assert one.gets("/registry/position").json() == {"last": None}


def test_what_is_left_out_stays_and_null_takes_out(terminal: Terminal, program: Makes) -> None:
    one = program()

    def left_on() -> Any:
        with terminal.here.record.reading() as session:
            return str(session.get_one(Member, ("P-1", "T-3")).left_on)

    sends(one, "members", [MEMBER | {"left_on": "2025-12-01"}])
    assert left_on() == "2025-12-01"
    sends(one, "members", [MEMBER], key="k-2")
    assert left_on() == "2025-12-01"
    sends(one, "members", [MEMBER | {"left_on": None}], key="k-3")
    assert left_on() == "None"


# Nobody's but the organisation's own ------------------------------------------------------------------------


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("resource", "row", "field"),
    [
        ("schools", SCHOOL | {"organisation": "NSS-PT"}, "organisation"),
        ("schools", SCHOOL | {"school": "S-2"}, "school"),
        ("teachers", TEACHER | {"school": "S-2"}, "school"),
        ("teachers", TEACHER | {"school": "S-0"}, "school"),
        ("teachers", TEACHER | {"teacher": "T-2"}, "teacher"),
        ("members", MEMBER | {"teacher": "T-2"}, "teacher"),
        ("members", MEMBER | {"teacher": "T-0"}, "teacher"),
        ("members", MEMBER | {"school": "S-2"}, "school"),
        ("members", MEMBER | {"project": "P-60", "role": "founder"}, "role"),
        ("members", MEMBER | {"project": "P-61", "role": "founder"}, "role"),
        ("projects", {"project": "P-60", "title": "x", "started_on": "2024-09-01", "ended_on": ""}, "project"),
        ("activities", {"activity": "A-1", "teacher": "T-2", "kind": "workshop", "title": "x", "on": "2025-09-01",
            "confirmed": True}, "teacher"),
        ("awards", {"label": "national", "teacher": "T-2", "project": "P-1", "school": "", "organisation": "NSS-PL",
            "awarded_on": "2025-09-01", "score": 20}, "teacher"),
        ("awards", {"label": "european", "teacher": "T-1", "project": "P-1", "school": "", "organisation": "NSS-PL",
            "awarded_on": "2025-09-01", "score": 20}, "label"),
        ("awards", {"label": "national", "teacher": "T-1", "project": "P-1", "school": "", "organisation": "NSS-PT",
            "awarded_on": "2025-09-01", "score": 20}, "organisation"),
    ],
)  # fmt: skip
def test_rows_of_others_are_refused(
    terminal: Terminal, program: Makes, resource: str, row: Any, field: str
) -> None:
    with terminal.here.record.writing() as session:
        for project in ("P-60", "P-61"):
            session.add(
                Project(id=project, title="Rios", started_on=terminal.here.now().date(), ended_on=None)
            )
        session.flush()
        today = terminal.here.now().date()
        session.add(
            Teacher(
                id="T-70", name="Rui", email="rui@s.example", school="S-2", registered_on=today, language="pt"
            )
        )
        session.flush()
        for one, role in (("T-2", "founder"), ("T-70", "founder"), ("T-1", "partner")):
            session.add(Member(project="P-60", teacher=one, role=role, joined_on=today))
        session.add(Member(project="P-61", teacher="T-2", role="founder", joined_on=today))
    before = registry(terminal)
    faults = problem(sends(program(), resource, [row], 422)).faults
    assert (0, field) in {(one.row, one.field) for one in faults}, faults
    assert registry(terminal) == before


def test_a_school_or_teacher_of_others_is_refused_as_one_that_is_not_there(program: Makes) -> None:
    one = program()
    [there] = problem(sends(one, "teachers", [TEACHER | {"school": "S-2"}], 422)).faults
    [absent] = problem(sends(one, "teachers", [TEACHER | {"school": "S-0"}], 422)).faults
    assert there.problem.replace("S-2", "S-0") == absent.problem
    assert there.remedy == absent.remedy


@pytest.mark.parametrize("organisation", ["NSS-PL", "CSS"])
def test_no_platform_changes_the_address_by_which_somebody_of_a_staff_signs_in(
    terminal: Terminal, program: Makes, organisation: str
) -> None:
    with terminal.here.record.writing() as session:
        session.add(
            Organisation(id="CSS", country="EU", kind="CSS", name="CSS", email="css@x.example", language="en")
        )
        coordinator = session.scalars(sa.select(Staff).where(Staff.email == COORDINATOR)).one()
        teacher = session.get_one(Teacher, "T-3")
        teacher.person = coordinator.person
        row = {"teacher": "T-3", "name": teacher.name, "email": "thief@x.example", "school": teacher.school,
               "registered_on": teacher.registered_on.isoformat(), "language": teacher.language}  # fmt: skip
    before = registry(terminal)
    [fault] = problem(sends(program(organisation), "teachers", [row], 422)).faults
    assert (fault.row, fault.field) == (0, "email")
    assert registry(terminal) == before


NAMED, READS = "Rita Sousa", "rita@agency.example"


def somebody_of(terminal: Terminal, what: str, organisation: str = "NSS-PT") -> str:
    """Makes somebody of an organisation, of whom another one's rows are to know nothing; their id."""
    with terminal.here.record.writing() as session:
        person = Person(id="PER-RITA", name=NAMED, address=READS, language="pt")
        session.add(person)
        session.flush()
        match what:
            case "coordinator":
                session.add(
                    Staff(
                        email=READS,
                        role="coordinator",
                        name=NAMED,
                        organisation=organisation,
                        language="pt",
                        person=person.id,
                    )
                )
            case "organisation":
                session.get_one(Organisation, organisation).person = person.id
            case "principal":
                session.get_one(School, "S-2").principal = person.id
            case "former coordinator":
                session.add(
                    FormerStaff(
                        person=person.id,
                        organisation=organisation,
                        role="coordinator",
                        email=READS,
                        name=NAMED,
                        language="pt",
                        left_on=terminal.here.now().date(),
                        left_by="",
                    )
                )
                session.get_one(School, "S-1").principal = person.id
                session.get_one(School, "S-1").principal_name = NAMED
                session.get_one(School, "S-1").principal_email = READS
            case "second address":
                person.address = "rita@home.example"
                session.get_one(School, "S-2").principal = person.id
                session.add(Address(person=person.id, address=READS, since=None, until=None))
    return "PER-RITA"


@pytest.mark.parametrize("what", ["coordinator", "organisation", "principal", "second address"])
@pytest.mark.parametrize("resource", ["teachers", "schools", "another principal"])
def test_no_platform_makes_a_row_of_its_own_that_of_another_organisation_s_people(
    terminal: Terminal, program: Makes, what: str, resource: str
) -> None:
    somebody_of(terminal, what)
    row = TEACHER | {"name": NAMED, "email": READS}
    if resource != "teachers":
        row = SCHOOL | {"principal_name": NAMED, "principal_email": READS}
    if resource == "another principal":
        row["school"] = "S-1"
    before = registry(terminal)
    sent = sends(program(), "teachers" if resource == "teachers" else "schools", [row], 422)
    said = {fault.field: fault.problem for fault in problem(sent).faults}
    assert "another organisation" in said["email" if resource == "teachers" else "principal_email"]
    assert registry(terminal) == before


@pytest.mark.parametrize(
    ("resource", "field", "value"),
    [
        ("teachers", "name", "Rita Another"),
        ("teachers", "language", "en"),
        ("schools", "principal_name", "Rita Another"),
    ],
)
def test_no_platform_says_how_somebody_of_another_organisation_is_called(
    terminal: Terminal, program: Makes, resource: str, field: str, value: str
) -> None:
    person = somebody_of(terminal, "coordinator")
    with terminal.here.record.writing() as session:
        teacher, school = session.get_one(Teacher, "T-3"), session.get_one(School, "S-1")
        teacher.person, teacher.name, teacher.email, teacher.language = person, NAMED, READS, "pt"
        school.principal, school.principal_name, school.principal_email = person, NAMED, READS
        row = TEACHER | {
            "teacher": "T-3",
            "name": NAMED,
            "email": READS,
            "language": "pt",
            "school": teacher.school,
        }
        if resource == "schools":
            row = SCHOOL | {"school": "S-1", "principal_name": NAMED, "principal_email": READS}
    one = program()
    sends(one, resource, [row])  # what stays as it is does no harm
    before = registry(terminal)
    faults = problem(sends(one, resource, [row | {field: value}], 422, key="k-2")).faults
    assert field in {fault.field for fault in faults}, faults
    assert registry(terminal) == before


def test_one_s_own_staff_may_teach_as_people_of_their_own(terminal: Terminal, program: Makes) -> None:
    somebody_of(terminal, "coordinator", "NSS-PL")
    sends(program(), "teachers", [TEACHER | {"name": NAMED, "email": READS}])
    with terminal.here.record.reading() as session:
        assert session.get_one(Teacher, "T-50").person != "PER-RITA", "who is one person, coordinators say"


def test_the_central_support_service_brings_in_whom_it_knows(terminal: Terminal, program: Makes) -> None:
    with terminal.here.record.writing() as session:
        session.add(
            Organisation(id="CSS", country="EU", kind="CSS", name="CSS", email="css@x.example", language="en")
        )
    somebody_of(terminal, "coordinator", "NSS-PL")
    row = TEACHER | {"teacher": "T-51", "name": NAMED, "email": READS, "school": "S-2"}
    sends(program("CSS"), "teachers", [row])
    with terminal.here.record.reading() as session:
        assert session.get_one(Teacher, "T-51").person == "PER-RITA"


def test_no_platform_takes_the_address_of_somebody_who_may_be_back_on_a_staff(
    terminal: Terminal, program: Makes
) -> None:
    somebody_of(terminal, "former coordinator")
    before = registry(terminal)
    row = SCHOOL | {"school": "S-1", "principal_name": NAMED, "principal_email": "evil@s1.example"}
    faults = problem(sends(program(), "schools", [row], 422)).faults
    assert {fault.field for fault in faults} == {"principal_email"}
    assert registry(terminal) == before


def test_no_rows_of_a_platform_make_its_own_address_that_of_who_is_entered_on_a_staff_later(
    terminal: Terminal, program: Makes
) -> None:
    one = program()
    for number, (school, address) in enumerate(
        [
            ("S-50", "zofia@nss.example"),
            ("S-51", "zofia@nss.example"),
            ("S-51", "between@s51.example"),
            ("S-50", "evil@s50.example"),
            ("S-51", "zofia@nss.example"),
        ]
    ):
        row = SCHOOL | {"school": school, "principal_name": "Zofia Wilk", "principal_email": address}
        sends(one, "schools", [row], key=f"k-{number}")
    with terminal.here.record.writing() as session:
        new = own_staff.Entry("zofia@nss.example", "Zofia Wilk", "coordinator", "pl")
        own_staff.enter(terminal.here.turn(session), "NSS-PL", new, nothing_missing)
    with terminal.here.record.reading() as session:
        of_staff = session.scalars(sa.select(Staff.person).where(Staff.email == "zofia@nss.example")).one()
        assert [one.id for one in behind(session, "evil@s50.example")] != [of_staff]
        assert addresses(session, of_staff) == ["zofia@nss.example"]


def test_a_corrected_address_is_followed_as_after_a_file(terminal: Terminal, program: Makes) -> None:
    application = terminal.submitted()
    with terminal.here.record.reading() as session:
        row = session.get_one(Teacher, "T-1")
        sent = {"teacher": "T-1", "name": row.name, "email": "new@school.example", "school": row.school,
                "registered_on": row.registered_on.isoformat(), "language": row.language}  # fmt: skip
    assert sends(program(), "teachers", [sent]).json()["corrections"] == 1
    with terminal.here.record.reading() as session:
        assert session.get_one(Teacher, "T-1").email == "new@school.example"
        assert session.scalars(sa.select(Step.id).where(Step.application == application)) is not None


def test_the_platform_of_the_central_support_service_brings_in_rows_of_all(
    terminal: Terminal, program: Makes
) -> None:
    with terminal.here.record.writing() as session:
        session.add(
            Organisation(id="CSS", country="EU", kind="CSS", name="CSS", email="css@x.example", language="en")
        )
    sends(
        program("CSS"),
        "schools",
        [SCHOOL, SCHOOL | {"school": "S-51", "organisation": "NSS-PT", "country": "PT"}],
    )
    with terminal.here.record.reading() as session:
        assert session.get_one(School, "S-51").organisation == "NSS-PT"


def test_organisations_and_staff_are_no_platform_s_to_bring_in(program: Makes) -> None:
    assert not {"organisations", "staff"} & set(FILES)
    one = program()
    for resource in ("organisations", "staff", "nothing"):
        answer = one.client.post(
            f"{ROOT}/registry/{resource}", headers={"Authorization": f"Bearer {one.token}"}
        )
        assert answer.status_code == 404


def test_batches_of_others_are_not_there(program: Makes) -> None:
    sends(program(), "teachers", [TEACHER])
    other = program("NSS-PT")
    other.gets("/registry/batches/k-1", 404)
    assert other.gets("/registry/position").json() == {"last": None}


# What may arrive ----------------------------------------------------------------------------------------------


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"", 400, "no-json"),
        (b"[" * 100_000, 400, "no-json"),
        (b'{"rows": [], "rows": []}', 400, "no-json"),
        (b'{"rows": [{"score": NaN}]}', 400, "no-json"),
        (b'{"rows": [{"score": ' + b"9" * 5_000 + b"}]}", 400, "no-json"),
        (b'{"rows": ["\xff"]}', 400, "no-json"),
        (b'"rows"', 422, "faults"),
        (b'{"rows": {}}', 422, "faults"),
        (b'{"rows": [[]]}', 422, "faults"),
        (b'{"rows": [{}]}', 422, "faults"),
        (b'{"rows": [{"a": 1}], "more": 1, "position": 7}', 422, "faults"),
        (rb'{"rows": [{"a": 1}], "position": "\ud800"}', 422, "faults"),
        (b'{"rows": [{"a": 1}], "position": 0}', 422, "faults"),
        (b'{"rows": [{"a": 1}], "position": []}', 422, "faults"),
        (rb'{"rows": [{"a": 1}], "\ud800": 1}', 422, "faults"),
        (rb'{"rows": [{"\ud800": []}]}', 422, "faults"),
        (rb'{"rows": [{"\ud800": 1}]}', 422, "faults"),
        (json.dumps({"rows": [{str(name): 1 for name in range(100_000)}]}).encode(), 422, "faults"),
        (b" " * (LARGEST + 1), 413, "too-large"),
    ],
    ids=["empty", "deep", "twice", "nan", "digits", "bytes", "text", "object", "lists", "nothing", "more", "half", "zero", "list",
         "half a name", "half a field", "half a column", "wide", "large"],
)  # fmt: skip
def test_what_is_no_batch_is_refused_and_changes_nothing(
    terminal: Terminal, program: Makes, body: bytes, status: int, kind: str
) -> None:
    before = registry(terminal)
    assert problem(sends(program(), "teachers", body, status)).type.endswith(f":{kind}")
    assert registry(terminal) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Encoding": "gzip"},
    ],
    ids=["a form", "another charset", "compressed"],
)
def test_a_body_that_says_it_is_something_else_is_not_read(program: Makes, headers: dict[str, str]) -> None:
    assert problem(sends(program(), "teachers", [TEACHER], 415, **headers)).type.endswith(":media-type")


def test_a_body_is_read_from_nobody_without_the_scope(program: Makes) -> None:
    one = program(scopes=(TokenScope.CASES_READ,))
    sends(one, "teachers", b" " * (LARGEST + 1), 403)


def test_the_rows_of_these_tests_are_as_the_description_has_them(program: Makes) -> None:
    described = program().description
    schemas = described["components"]["schemas"]
    for resource, row in (("teachers", TEACHER), ("schools", SCHOOL), ("members", MEMBER)):
        reference = described["paths"][f"/registry/{resource}"]["post"]["requestBody"]["content"][
            "application/json"
        ]["schema"]
        batch = schemas[reference["$ref"].rpartition("/")[2]]
        [of] = [one["$ref"] for one in [batch["properties"]["rows"]["items"]]]
        columns = schemas[of.rpartition("/")[2]]
        assert set(columns["required"]) == set(row)
        assert set(columns["properties"]) == set(FILES[resource].names)
