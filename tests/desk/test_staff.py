"""The staff of one's own organisation at the desk: entered, changed, away, from a file, and leaving with what goes back."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from labels.answering.own_staff import entry_id
from labels.people.staff import OPERATOR
from labels.record.journal import Event
from labels.record.schema import FormerStaff, Journal, Mail, Organisation, Person, School, Staff, Teacher
from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.desk.conftest import Browser, words
from usecases import staffing

Opens = Callable[..., Browser]
NEW = {"name": "Ada Lis", "email": "ada@nss.example", "role": "reviewer", "language": "pl"}


@pytest.fixture
def coordinator(terminal: Terminal, browser: Opens) -> Browser:
    application = terminal.submitted()
    terminal.asked(application)
    return browser().signs_in(COORDINATOR)


def page_of(email: str, role: str = "reviewer") -> str:
    return f"/staff/{entry_id(email, role)}"


def row(terminal: Terminal, email: str, role: str = "reviewer") -> Staff | None:
    with terminal.here.record.reading() as session:
        return session.get(Staff, (email, role))


def fields_of(browser: Browser, path: str) -> dict[str, str]:
    """What the first form of an entry's page has."""
    text = browser.opens(path).text
    found = re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', text)
    fields = {name: html.unescape(value) for name, value in found if name not in ("form_token", "act")}
    chosen = re.search(r'name="language".*?<option value="(\w+)" selected', text, re.S)
    return fields | {"language": chosen[1] if chosen else ""}


def changes(browser: Browser, path: str, **fields: str) -> Any:
    return browser.sends(path, fields_of(browser, path) | fields)


def test_everybody_of_the_staff_is_listed_with_what_is_open(coordinator: Browser, terminal: Terminal) -> None:
    listed = coordinator.opens("/staff")
    assert 'href="/staff"' in coordinator.opens("/overview").text
    assert "Krystyna" in words(listed)
    assert "Recenzent 5" in words(listed)
    busy = terminal.open_reviews()[0].person
    assert f'href="/cases?part=open&amp;reviewer={busy}"' in listed.text


def test_somebody_new_is_entered_and_is_asked_to_review(
    coordinator: Browser, terminal: Terminal, browser: Opens
) -> None:
    assert coordinator.sends("/staff/new", NEW).status_code == 303
    ada = row(terminal, "ada@nss.example")
    assert ada is not None
    assert (ada.organisation, ada.name) == ("NSS-PL", "Ada Lis")
    assert "Ada Lis" in words(coordinator.opens("/staff"))
    assert browser().signs_in("ada@nss.example").opens("/reviews").status_code == 200
    with terminal.here.record.reading() as session:
        [noted] = session.scalars(sa.select(Journal).where(Journal.what == Event.ENTERED_ON_A_STAFF))
    assert (noted.who, noted.details["persons"], noted.details["role"]) == (
        COORDINATOR,
        [ada.person],
        "reviewer",
    )


def test_who_is_on_the_staff_already_is_not_entered_again(coordinator: Browser) -> None:
    answer = coordinator.sends("/staff/new", NEW | {"email": "r1@nss.example"})
    assert answer.status_code == 422
    assert "Recenzent 1 has that address in that role already" in words(answer)


def test_every_field_that_is_wrong_is_named_and_keeps_what_was_typed(coordinator: Browser) -> None:
    typed = {
        "name": "", "email": "ada at nss", "role": "king", "language": "pl", "ages": "old", "languages": "Polish; x",
        "away_from": "soon", "school": "S-404",
    }  # fmt: skip
    answer = coordinator.sends("/staff/new", typed)
    assert answer.status_code == 422
    for said in ("Write the name", "no mail address", "Choose a role", "youngest", "semicolon", "no day"):
        assert said in words(answer), said
    assert 'value="ada at nss"' in answer.text
    answer = coordinator.sends("/staff/new", NEW | {"away_until": "2026-05-01"})
    assert "Say from which day on" in words(answer)
    answer = coordinator.sends("/staff/new", NEW | {"away_from": "2026-05-02", "away_until": "2026-05-01"})
    assert "The last day is before the first" in words(answer)


def test_another_address_takes_what_is_asked_along(coordinator: Browser, terminal: Terminal) -> None:
    step = terminal.open_reviews()[0]
    with terminal.here.record.reading() as session:
        address = session.get_one(Person, step.person).address
    answer = changes(coordinator, page_of(address), email="new@nss.example")
    assert answer.headers["location"].partition("?")[0] == page_of("new@nss.example")
    moved = row(terminal, "new@nss.example")
    assert moved is not None
    assert moved.person == step.person
    assert terminal.step(step.id).code_number == step.code_number + 1
    with terminal.here.record.reading() as session:
        told = set(session.scalars(sa.select(Mail.to_address).where(Mail.template == "address_corrected")))
    assert told == {address, "new@nss.example"}


def test_name_and_address_may_change_at_once_and_it_is_the_same_person(
    coordinator: Browser, terminal: Terminal
) -> None:
    before = row(terminal, "r1@nss.example")
    changes(coordinator, page_of("r1@nss.example"), name="Ewa Sowa", email="sowa@nss.example")
    after = row(terminal, "sowa@nss.example")
    assert before
    assert after
    assert before.person == after.person
    assert row(terminal, "r1@nss.example") is None
    with terminal.here.record.reading() as session:
        assert session.get_one(Person, after.person).name == "Ewa Sowa"


def test_the_address_of_a_teacher_is_not_changed_from_a_staff(
    coordinator: Browser, terminal: Terminal
) -> None:
    """Whoever reads the mail at the new one could apply, or judge elsewhere, as that person."""
    with terminal.here.record.writing() as session:
        person = session.get_one(Staff, ("r1@nss.example", "reviewer")).person
        session.get_one(Teacher, "T-3").person = person
    answer = changes(coordinator, page_of("r1@nss.example"), email="mine@nss.example")
    assert answer.status_code == 422
    assert "known beside your staff" in words(answer)
    rows = "email,name,organisation,role,language,school\nmine@nss.example,Recenzent 1,NSS-PL,reviewer,pl,\n"
    file = {"file": ("staff.csv", rows.encode(), "text/csv")}
    answer = coordinator.sends("/staff/file", {"organisation": "NSS-PL"}, files=file)
    assert answer.status_code == 422
    assert "known beside your staff" in words(answer)
    assert changes(coordinator, page_of("r1@nss.example"), subjects="Art").status_code == 303


def test_what_somebody_changed_meanwhile_is_not_overwritten(coordinator: Browser, terminal: Terminal) -> None:
    path = page_of("r1@nss.example")
    opened = fields_of(coordinator, path)
    changes(coordinator, path, subjects="Art")
    answer = coordinator.sends(path, opened | {"subjects": "Biology"})
    assert answer.status_code == 409
    assert "Somebody changed this entry meanwhile" in words(answer)
    changed = row(terminal, "r1@nss.example")
    assert changed
    assert changed.subjects == "Art"


@pytest.mark.slow
def test_who_is_away_is_asked_for_no_review_until_they_are_back(
    coordinator: Browser, terminal: Terminal
) -> None:
    for number in (1, 2, 3, 4, 5):
        assert (
            changes(
                coordinator,
                page_of(f"r{number}@nss.example"),
                away_from="2026-03-16",
                away_until="2026-03-20",
            ).status_code
            == 303
        )
    assert words(coordinator.opens("/staff")).count("16 March 2026 to 20 March 2026") == 5
    coordinator.sends("/staff/new", NEW)
    asked = [step.kind.value for step in asked_of(terminal, terminal.submitted(project="P-1", teacher="T-3"))]
    assert asked == ["review", "assignment"]
    assert {one.assignee for one in terminal.open_reviews()} >= {"ada@nss.example"}


def asked_of(terminal: Terminal, application: str) -> list[Any]:
    return [terminal.step(one) for one in terminal.asked(application)]


def looked_at(browser: Browser, path: str) -> Any:
    """The page of somebody who leaves, with what goes to whom."""
    return browser.sends(path, {"on": "2026-03-16", "look": "1"})


@pytest.mark.slow
def test_who_is_back_reads_and_teaches_what_they_did_and_is_away_when_they_were(
    coordinator: Browser, terminal: Terminal
) -> None:
    known = {
        "languages": "en;de", "subjects": "Art;Biology", "ages": "6-11;12-15",
        "away_from": "2026-04-01", "away_until": "2026-04-10",
    }  # fmt: skip
    assert changes(coordinator, page_of("r1@nss.example"), **known).status_code == 303
    before = entry_id("r1@nss.example", "reviewer")
    path = f"/staff/{before}/leaving"
    word = re.search(r'name="word" value="(\w+)"', looked_at(coordinator, path).text)
    assert word
    assert coordinator.sends(path, {"on": "2026-03-16", "word": word[1]}).status_code == 303
    assert row(terminal, "r1@nss.example") is None
    back = {"organisation": "NSS-PL", "person": "r1@nss.example", "role": "reviewer"}
    assert coordinator.sends("/staff", back).status_code == 303
    again = row(terminal, "r1@nss.example")
    assert again
    assert {name: str(getattr(again, name)) for name in known} == known


def test_looking_takes_the_record_from_nobody(coordinator: Browser, terminal: Terminal) -> None:
    locks: list[str] = []

    @sa.event.listens_for(terminal.here.record.engine, "before_cursor_execute")
    def noted(_: Any, __: Any, statement: str, *___: Any) -> None:
        if "IMMEDIATE" in statement:
            locks.append(statement)

    page = page_of("r1@nss.example")
    for path in ("/staff", "/staff/new", page, f"{page}/leaving"):
        assert coordinator.opens(path).status_code == 200
        assert locks == [], path
    looked_at(coordinator, f"{page}/leaving")
    assert locks, "what would go to whom is tried out, and thrown away"


def test_leaving_shows_first_what_goes_to_whom(
    coordinator: Browser, terminal: Terminal, browser: Opens
) -> None:
    step = terminal.open_reviews()[0]
    path = f"{page_of(step.assignee)}/leaving"
    before = words(coordinator.opens(path))
    assert "1 task is open." in before
    assert step.application in before
    plan = looked_at(coordinator, path)
    assert "1 task goes to others." in words(plan)
    assert "Nothing is changed yet" in words(plan)
    assert terminal.step(step.id).state == step.state
    word = re.search(r'name="word" value="(\w+)"', plan.text)
    assert word
    answer = coordinator.sends(path, {"on": "2026-03-16", "word": "another"})
    assert answer.status_code == 409
    assert "something has changed since you saw this" in words(answer)
    assert coordinator.sends(path, {"on": "2026-03-16", "word": word[1]}).status_code == 303
    assert row(terminal, step.assignee) is None
    assert step.person not in {one.person for one in terminal.open_reviews()}
    [new] = [one for one in terminal.open_reviews() if one.seat == step.seat]
    whom = row(terminal, new.assignee)
    assert whom
    assert f"{whom.name} ({whom.email})" in words(plan)
    with terminal.here.record.reading() as session:
        left = session.scalars(sa.select(FormerStaff)).one()
        [noted] = session.scalars(sa.select(Journal).where(Journal.what == Event.TO_LEAVE_A_STAFF))
    assert (left.person, noted.who) == (step.person, COORDINATOR)
    listed = coordinator.opens("/staff")
    assert "left on 16 March 2026" in words(listed)
    fields = {"organisation": "NSS-PL", "person": step.person, "role": "reviewer"}
    assert coordinator.sends("/staff", fields).status_code == 303
    assert row(terminal, step.assignee) is not None


def test_who_leaves_later_stays_until_then_or_after_all(coordinator: Browser, terminal: Terminal) -> None:
    path = page_of("r1@nss.example")
    assert coordinator.sends(f"{path}/leaving", {"on": "2026-09-01"}).status_code == 303
    assert "leaves on 1 September 2026" in words(coordinator.opens("/staff"))
    assert "Leaves on 1 September 2026" in words(coordinator.opens(path))
    changes(coordinator, path, subjects="Art")
    leaving = row(terminal, "r1@nss.example")
    assert leaving
    assert leaving.left_on
    assert leaving.subjects == "Art"
    assert coordinator.sends(f"{path}/leaving", {"stays": "1"}).status_code == 303
    stays = row(terminal, "r1@nss.example")
    assert stays
    assert stays.left_on is None
    assert coordinator.sends(f"{path}/leaving", {"on": "1.9.2026"}).status_code == 422


def test_a_wish_of_a_reviewer_is_kept(coordinator: Browser, terminal: Terminal) -> None:
    application = terminal.open_reviews()[0].application
    path = page_of("r1@nss.example")
    wish = {"act": "wish", "application": application, "wish": "rather_not"}
    assert coordinator.sends(path, wish).status_code == 303
    assert f"{application} : rather not" in words(coordinator.opens(path))
    answer = coordinator.sends(path, wish | {"application": "NQL-2026-XXXXXXXX"})
    assert answer.status_code == 422
    assert "no application to your organisation" in words(answer)


def hidden(answer: Any) -> dict[str, str]:
    return {
        name: html.unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', answer.text)
        if name != "form_token"
    }


def brought(coordinator: Browser, content: bytes) -> Any:
    file = {"file": ("staff.csv", content, "text/csv")}
    return coordinator.sends("/staff/file", {"organisation": "NSS-PL"}, files=file)


def test_a_file_is_shown_first_and_then_done(coordinator: Browser, terminal: Terminal) -> None:
    taken = coordinator.opens("/staff.csv")
    assert taken.headers["content-type"].startswith("text/csv")
    unchanged = brought(coordinator, taken.content)
    assert "nothing changes" in words(unchanged)
    content = taken.content.replace(b"Recenzent 1,reviewer,pl,,,", b"Recenzent 1,reviewer,pl,,,en;fr")
    content += b"NSS-PL,ada@nss.example,Ada Lis,reviewer,pl,,,,,,,,\r\n"
    plan = brought(coordinator, content)
    assert plan.status_code == 200, words(plan)
    assert "Nothing is changed yet" in words(plan)
    assert "en;fr" in words(plan)
    assert "Ada Lis" in words(plan)
    assert row(terminal, "ada@nss.example") is None
    done = coordinator.sends("/staff/file", hidden(plan) | {"confirmed": "1"})
    assert done.status_code == 303, words(done)
    changed = row(terminal, "r1@nss.example")
    assert changed
    assert changed.languages == "en;fr"
    assert row(terminal, "ada@nss.example") is not None
    stale = coordinator.sends("/staff/file", hidden(plan) | {"confirmed": "1"})
    assert stale.status_code == 409
    assert "something has changed since you saw this" in words(stale)


def test_a_file_with_one_bad_row_changes_nothing_and_names_it(
    coordinator: Browser, terminal: Terminal
) -> None:
    header = b"email,name,organisation,role,language,school\n"
    good = b"ada@nss.example,Ada Lis,NSS-PL,reviewer,pl,\n"
    for bad, said in (
        (b"b@nss.example,B,NSS-PT,reviewer,pl,\n", "is not your organisation"),
        (b"b@nss.example,B,NSS-XX,reviewer,pl,\n", "is not your organisation"),
        (b"b@nss.example,B,NSS-PL,reviewer,pl,S-2\n", "is no school of your organisation"),
        (b"b@nss.example,B,NSS-PL,reviewer,pl,S-404\n", "is no school of your organisation"),
        (b"b@nss.example,B,NSS-PL,king,pl,\n", "king"),
    ):
        answer = brought(coordinator, header + good + bad)
        assert answer.status_code == 422, bad
        assert said in words(answer), bad
        assert "staff.csv:3" in words(answer)
    assert row(terminal, "ada@nss.example") is None
    assert coordinator.sends("/staff/file", {"organisation": "NSS-PL"}).status_code == 422
    assert brought(coordinator, b"\x00\x01").status_code == 422


@pytest.mark.slow
def test_another_organisations_staff_is_not_there(
    coordinator: Browser, terminal: Terminal, browser: Opens
) -> None:
    with terminal.here.record.writing() as session:
        session.add(
            Staff(email="rui@pt.example", role="reviewer", name="Rui", organisation="NSS-PT", language="pt")
        )
    theirs = page_of("rui@pt.example")
    for path in (theirs, f"{theirs}/leaving", "/staff?organisation=NSS-PT", "/staff.csv?organisation=NSS-PT",
                 "/staff/new?organisation=NSS-PT", page_of("nobody@pt.example")):  # fmt: skip
        assert coordinator.opens(path).status_code == 404, path
    for path, fields in (
        (theirs, NEW), (f"{theirs}/leaving", {"on": "2026-03-16"}),
        ("/staff/new", NEW | {"organisation": "NSS-PT"}), ("/staff/file", {"organisation": "NSS-PT"}),
        ("/staff", {"organisation": "NSS-PT", "person": "PER-1", "role": "reviewer"}),
    ):  # fmt: skip
        assert coordinator.sends(path, fields).status_code == 404, path
    for nobody in (browser().signs_in(TEACHER), browser().signs_in("r1@nss.example")):
        for path in ("/staff", "/staff/new", page_of("r1@nss.example")):
            assert nobody.opens(path).status_code == 404


def test_what_is_elsewhere_changes_no_byte_here(coordinator: Browser, terminal: Terminal) -> None:
    """Two worlds that differ in another country's staff and schools give the same pages and plans."""
    header = b"email,name,organisation,role,language,school\n"
    rows = b"ada@nss.example,Ada Lis,NSS-PL,reviewer,pl,\nb@x.example,B,NSS-PL,reviewer,pl,S-77\n"

    def seen() -> list[str]:
        answers = [
            coordinator.opens("/staff"),
            coordinator.opens(page_of("r1@nss.example")),
            coordinator.opens(page_of("rui@pt.example")),
            coordinator.opens("/staff.csv"),
            brought(coordinator, header + rows),
            brought(coordinator, header + rows.splitlines()[0]),
        ]
        return [re.sub(r"E-\w{4}-\w{4}", "", one.text) for one in answers]

    before = seen()
    with terminal.here.record.writing() as session:
        session.add(
            Organisation(
                id="NSS-DE", country="DE", kind="NSS", name="PAD", email="p@d.example", language="de"
            )
        )
        session.flush()
        school = session.get_one(School, "S-2")
        session.add(
            School(
                id="S-77", name="Escola", country="PT", organisation="NSS-PT", city="Porto",
                registered_on=school.registered_on, principal_name="D", principal_email="d@pt.example",
            )
        )  # fmt: skip
        session.add(
            Staff(
                email="rui@pt.example", role="reviewer", name="Ada Lis", organisation="NSS-PT", language="pt"
            )
        )
    assert seen() == before


PT = {"role": "reviewer", "name": "Rui Costa", "organisation": "NSS-PT", "language": "pt"}


def leaves_another_staff_today(terminal: Terminal) -> None:
    with terminal.here.record.writing() as session:
        session.add(Staff(email="rui@pt.example", **PT, left_on=date(2026, 3, 16), left_by=OPERATOR))


def still_is_on_that_staff(terminal: Terminal) -> bool:
    with terminal.here.record.reading() as session:
        told = session.scalars(sa.select(Journal).where(Journal.what == Event.LEFT_A_STAFF)).all()
    assert "NSS-PT" not in {one.details["organisation"] for one in told}
    return row(terminal, "rui@pt.example") is not None


@pytest.mark.slow
def test_whoever_leaves_another_staff_that_day_is_not_shown_and_left_to_upkeep(
    coordinator: Browser, terminal: Terminal
) -> None:
    leaves_another_staff_today(terminal)
    path = f"{page_of('r1@nss.example')}/leaving"
    plan = looked_at(coordinator, path)
    assert "Rui" not in plan.text
    header = b"email,name,organisation,role,language,school\n"
    shown = brought(coordinator, header + b"ada@nss.example,Ada Lis,NSS-PL,reviewer,pl,\n")
    assert shown.status_code == 200
    assert "Rui" not in shown.text
    assert coordinator.sends("/staff/file", hidden(shown) | {"confirmed": "1"}).status_code == 303
    assert coordinator.sends("/staff/new", NEW | {"email": "b@nss.example", "name": "B"}).status_code == 303
    assert coordinator.sends(path, {"on": "2026-09-01"}).status_code == 303, "nothing of hers has changed"
    word = re.search(r'name="word" value="(\w+)"', looked_at(coordinator, path).text)
    assert word
    assert coordinator.sends(path, {"on": "2026-03-16", "word": word[1]}).status_code == 303
    assert still_is_on_that_staff(terminal)
    staffing.end_due(terminal.here)
    assert row(terminal, "rui@pt.example") is None
    with terminal.here.record.reading() as session:
        farewells = session.scalars(sa.select(Mail.to_address).where(Mail.template == "left_staff")).all()
    assert "rui@pt.example" in farewells


def test_who_cannot_be_back_since_another_staff_has_their_address_learns_nothing_of_it(
    coordinator: Browser, terminal: Terminal
) -> None:
    path = f"{page_of('r1@nss.example')}/leaving"
    former = row(terminal, "r1@nss.example")
    assert former
    word = re.search(r'name="word" value="(\w+)"', looked_at(coordinator, path).text)
    assert word
    coordinator.sends(path, {"on": "2026-03-16", "word": word[1]})
    with terminal.here.record.writing() as session:
        session.add(Staff(email="r1@nss.example", **PT))
    for whom in (former.person, "r1@nss.example"):
        fields = {"organisation": "NSS-PL", "person": whom, "role": "reviewer"}
        answer = coordinator.sends("/staff", fields)
        assert answer.status_code == 409
        assert "“r1@nss.example” can’t be entered here" in words(answer)
        assert "Rui" not in answer.text
        assert "NSS-PT" not in answer.text
