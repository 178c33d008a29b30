"""A teacher at the desk, from the first page to the papers (A1 to A18 of the desk's design)."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.responses import Response

from adapters.documents.directory import DirectoryStore
from adapters.workspace import Workspace
from desk import following
from desk.standing import standing_line
from labels.applications import drafting
from labels.errors import OutOfReach
from labels.kinds import LabelKind
from labels.record.journal import Event
from labels.record.schema import (
    Application,
    ApplicationDraft,
    Award,
    Document,
    DraftEvidence,
    Journal,
    KeptForm,
    Mail,
    Member,
    Outcome,
    Project,
    Stage,
    StepKind,
    StepState,
)
from labels.settings import PROJECT
from labels.views.applicant import Standing
from labels.words.text import word_count
from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.cli.test_verify import awarded_application
from tests.desk.conftest import Browser, words
from tests.desk.test_signing_in import at
from tests.support.case import Case, decided
from tests.support.people import CRITERIA, application_file
from tests.support.small_prefect import SmallPrefect
from usecases.applying import submit_file
from usecases.privacy import delete_outside
from usecases.recovering import recover

ROUNDS = """
national:
  calendar:
    kind: {value: rounds, source: assumption}
    rounds:
      value:
        - {name: Annual round, opens: '10-01', closes: '02-28', decided_by: '06-15'}
      source: assumption
    late: {value: roll_over, source: assumption}
"""
"""One round a year, which ended a fortnight ago."""
Opens = Callable[..., Browser]
APPLY = "/projects/P-1/apply"
CHECK = "/projects/P-1/check"


def filled(**changes: Any) -> dict[str, Any]:
    """The form of a good application, as a browser sends it."""
    file = application_file()
    fields = {f"precondition.{name}": "1" for name in file["preconditions"]}
    fields |= {f"sections.{name}": text for name, text in file["sections"].items()}
    fields |= {"description": file["description"], "links": "\n".join(file["links"])}
    fields |= {"pupils": "24", "average_age": "13", "version": "0"}
    return {name: value for name, value in (fields | changes).items() if value is not None}


@pytest.fixture
def teacher(browser: Opens) -> Browser:
    """A teacher who has signed in."""
    return browser().signs_in(TEACHER)


def writes(person: Browser, **changes: Any) -> Any:
    """Sends the form, on from the draft that there is."""
    version = re.findall(r'name="version" value="(\d+)"', person.opens(APPLY).text)
    return person.sends(APPLY, filled(version=version[0] if version else "0", **changes))


def hands_in(person: Browser) -> str:
    """Writes a whole application and hands it in; its number."""
    writes(person)
    done = person.sends(CHECK, {"true": "1"})
    assert done.status_code == 303, words(done)
    found = re.fullmatch(r"/applications/([^?]+)\?received=1", done.headers["location"])
    assert found
    return found[1]


def rows(terminal: Terminal, kind: Any) -> list[Any]:
    with terminal.here.record.reading() as session:
        return list(session.scalars(sa.select(kind)))


# Before writing -----------------------------------------------------------------------------------


def test_a8_a_teacher_sees_which_projects_may_apply_which_not_and_why_and_until_when(
    teacher: Browser, terminal: Terminal
) -> None:
    with terminal.here.record.writing() as session:
        for project, title in {"P-3": "Only ours", "P-4": "Labelled"}.items():
            session.add(
                Project(id=project, title=title, started_on=date(2025, 9, 1), ended_on=date(2026, 1, 1))
            )
        session.flush()
        for project in ("P-3", "P-4"):
            session.add(Member(project=project, teacher="T-1", role="founder", joined_on=date(2025, 9, 1)))
        session.add(Member(project="P-4", teacher="T-2", role="founder", joined_on=date(2025, 9, 1)))
        session.add(
            Award(
                id="NQL-OLD", label="national", teacher="T-1", project="P-4", school="S-1",
                organisation="NSS-PL", awarded_on=date(2026, 2, 1), score=21.0,
            )
        )  # fmt: skip
    page = words(teacher.opens("/projects"))
    may, _, rest = page.partition("Not now, and why")
    assert "Mosty przez Europę" in may
    assert "Begin the form" in may
    assert "Only ours" in rest
    assert "founders of this one are all from one country" in rest
    assert "You were awarded this label for this project" in rest
    assert re.search("Applications are taken (all year|until)", may)
    assert "My labels" in rest


def test_a7_all_questions_can_be_read_and_downloaded_before_starting(teacher: Browser) -> None:
    page = teacher.opens("/projects/P-1/questions")
    form = words(teacher.opens(APPLY))
    for question in ("What the project was about", "It may be quoted when the label is awarded.", "Links"):
        assert question in form, "the form asks it"
        assert question in words(page), question
    file = teacher.opens("/projects/P-1/questions?download=1")
    assert file.headers["content-disposition"].startswith("attachment")
    asked = re.findall(
        r'<label for="(?:description|pupils|average_age|sections[^"]*|links)">(.*?)</label>',
        teacher.opens(APPLY).text,
    )
    assert len(asked) == 4 + len(CRITERIA)
    for question in asked:
        assert question in file.text, "the blank form has every question of the form"


# Drafts -------------------------------------------------------------------------------------------


def test_a1_a_draft_may_lack_everything_and_is_there_the_next_day(teacher: Browser) -> None:
    assert teacher.sends(APPLY, {"version": "0", "description": "Half a", "keep": "1"}).status_code == 303
    next_day = at(teacher, timedelta(hours=11))
    assert "Half a" in next_day.opens(APPLY).text
    assert "Go on with the form" in words(next_day.opens("/projects"))


def test_a2_a_save_while_typing_answers_with_when_it_was(teacher: Browser) -> None:
    saved = teacher.sends(APPLY, filled(draft="1"))
    assert saved.json()["state"] == "saved"
    assert re.fullmatch(
        r"Saved 16 March 2026, \d\d:\d\d \(Brussels\)", saved.json()["text"].replace("\xa0", " ")
    )
    assert saved.json()["version"] == "1"
    again = teacher.sends(APPLY, filled(draft="1", version="1", description="Another"))
    assert again.json()["version"] == "2"


def test_a2_a_save_while_typing_says_what_is_done_of_each_part(teacher: Browser) -> None:
    def states(draft: dict[str, str]) -> list[str]:
        saved = teacher.sends(APPLY, draft).json()
        return re.findall(r'<span class="tag [^<]*<svg.*?</svg>([a-z ]+)</span>', saved["aside"])

    assert set(states(filled(draft="1"))) == {"done"}
    begun = states({"draft": "1", "version": "1", "description": "Half a"})
    assert begun[1] == "begun"
    assert begun.count("not begun") == len(begun) - 1


def test_a_save_from_another_window_is_not_overwritten_unseen(teacher: Browser, terminal: Terminal) -> None:
    teacher.sends(APPLY, filled(draft="1", description="first window"))
    late = teacher.sends(APPLY, filled(draft="1", description="second window"))
    assert late.json()["state"] == "fail"
    [draft] = rows(terminal, ApplicationDraft)
    assert draft.body["description"] == "first window"
    page = teacher.sends(APPLY, filled(description="second window"))
    assert page.status_code == 409
    assert "second window" in page.text
    assert "changed in another window" in words(page)


@pytest.mark.slow
def test_a3_what_is_sent_when_the_session_has_run_out_comes_back_into_the_form(
    teacher: Browser, terminal: Terminal
) -> None:
    token = teacher.token(APPLY)
    late = at(teacher, timedelta(hours=13))
    sent = late.sends(APPLY, filled(description="an evening of typing"), token=token)
    assert sent.headers["location"] == "/sign-in?then=%2Fprojects%2FP-1%2Fapply&kept=1"
    late.signs_in(TEACHER)
    page = late.opens(APPLY)
    assert "an evening of typing" in page.text
    assert "You are back where you were" in words(page)
    late.sends(APPLY, filled(description="an evening of typing", keep="1"))
    assert rows(terminal, KeptForm) == []


def test_a4_a_mistake_keeps_every_field_and_every_file(teacher: Browser) -> None:
    fields = filled(pupils="many", **{"sections.technology": "word " * 500})
    file = ("file.pdf", some_pdf(), "application/pdf")
    sent = teacher.sends(APPLY, fields, files={"upload": file})
    assert sent.headers["location"] == CHECK
    page = teacher.opens(CHECK)
    assert "Write how many pupils took part" in words(page)
    assert "file.pdf" in words(page)
    form = teacher.opens(APPLY).text
    assert 'value="many"' in form
    assert "word word word" in form


def some_pdf() -> bytes:
    return next(iter(sorted((PROJECT / "examples" / "evidence").glob("*.pdf")))).read_bytes()


def other_pdf() -> bytes:
    return sorted((PROJECT / "examples" / "evidence").glob("*.pdf"))[1].read_bytes()


# Evidence -----------------------------------------------------------------------------------------


def test_a11_a_file_is_stored_at_once_the_same_twice_is_one_and_it_can_be_taken_out(
    teacher: Browser, terminal: Terminal
) -> None:
    files = [("upload", (name, some_pdf(), "application/pdf")) for name in ("a.pdf", "b.pdf")]
    list_ = teacher.sends(APPLY, filled(upload_only="1"), files=files)
    assert list_.status_code == 200
    assert "a.pdf" in list_.text
    assert "b.pdf" not in list_.text
    [one] = rows(terminal, DraftEvidence)
    assert terminal.here.documents.exists(one.key)
    teacher.sends(APPLY, filled(version="1", remove=str(one.id)))
    assert rows(terminal, DraftEvidence) == []
    delete_outside(terminal.here)
    assert not terminal.here.documents.exists(one.key), (
        "the store does not keep what nobody can find any more"
    )


def test_a_file_that_was_taken_out_and_put_in_again_stays_in_the_store(
    teacher: Browser, terminal: Terminal
) -> None:
    files = [("upload", ("a.pdf", some_pdf(), "application/pdf"))]
    teacher.sends(APPLY, filled(upload_only="1"), files=files)
    [one] = rows(terminal, DraftEvidence)
    teacher.sends(APPLY, filled(version="1", remove=str(one.id)))
    [draft] = rows(terminal, ApplicationDraft)
    teacher.sends(APPLY, filled(upload_only="1", version=str(draft.version)), files=files)
    [one] = rows(terminal, DraftEvidence)
    delete_outside(terminal.here)
    assert terminal.here.documents.exists(one.key)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("x.pdf", b"MZ\x90\x00", "x.pdf"),
        ("empty.pdf", b"", "empty"),
        ("script.svg", b"<svg onload=alert(1)>", "script.svg"),
    ],
)
def test_a11_a_file_that_is_not_taken_says_why_and_the_rest_is_saved(
    teacher: Browser, terminal: Terminal, name: str, content: bytes, why: str
) -> None:
    sent = teacher.sends(APPLY, filled(), files={"upload": (name, content, "application/pdf")})
    assert sent.status_code == 422
    assert why in words(sent)
    assert "Projekt o mostach" in sent.text
    assert rows(terminal, ApplicationDraft)
    assert rows(terminal, DraftEvidence) == []


def test_a11_a_file_beyond_the_limit_is_refused_by_its_announced_length(teacher: Browser) -> None:
    token = teacher.token(APPLY)
    huge = {"content-length": str(200 * 2**20), "content-type": "multipart/form-data; boundary=x"}
    sent = teacher.client.post(APPLY, content=iter([b"x"]), headers=huge)
    assert sent.status_code == 413
    assert token


# Checking and handing in --------------------------------------------------------------------------


def test_everything_that_is_missing_is_said_before_handing_in_each_with_its_field(teacher: Browser) -> None:
    writes(
        teacher,
        description="",
        average_age="99",
        links="twinspace\nhttps://fine.example",
        **{"sections.results": "", "sections.technology": "word " * 400, "precondition.safe": None},
    )
    page = teacher.opens(CHECK)
    said = words(page)
    for what in ("average age", "“twinspace” is no link"):
        assert what in said
    fixed = writes(teacher, description="", **{"sections.results": "", "precondition.safe": None})
    assert fixed.headers["location"] == CHECK
    page = teacher.opens(CHECK)
    for field in ("description", "sections.results", "precondition.safe"):
        assert f'href="{APPLY}#{field}"' in page.text, field
        assert f'id="{field}"' in teacher.opens(APPLY).text
    assert "The description is empty." in words(page)
    summary = re.findall(rf'href="{APPLY}#([\w.-]+)"', page.text)[:3]
    assert summary == ["precondition.safe", "description", "sections.results"], "as they stand in the form"


def test_the_conditions_that_no_form_can_meet_are_said_too(teacher: Browser, terminal: Terminal) -> None:
    with terminal.here.record.writing() as session:
        session.execute(sa.delete(Member).where(Member.teacher == "T-2"))
    writes(teacher)
    assert "founders of this one are all from one country" in words(teacher.opens(CHECK))
    refused = teacher.sends(CHECK, {"true": "1"})
    assert refused.status_code == 422
    assert rows(terminal, Application) == []


def test_labels_submit_check_says_the_same(teacher: Browser, terminal: Terminal) -> None:
    file = application_file(
        description="", preconditions={**application_file()["preconditions"], "safe": False}
    )
    run = terminal.run("submit", terminal.file("application.json", file), "--check", "--json")
    found = json.loads(run.stdout)
    assert run.exit_code == 2
    assert {one["code"] for one in found["unmet"]} == {"description", "precondition.safe"}
    writes(teacher, description="", **{"precondition.safe": None})
    page = words(teacher.opens(CHECK))
    for one in found["unmet"]:
        assert one["problem"] in page
    assert rows(terminal, Application) == []
    good = terminal.run("submit", terminal.file("good.json", application_file()), "--check")
    assert good.exit_code == 0
    assert rows(terminal, Application) == []


@pytest.mark.slow
def test_an_application_is_handed_in_and_its_receipt_is_on_its_way(
    teacher: Browser, terminal: Terminal
) -> None:
    writes(teacher)
    teacher.sends(APPLY, filled(version="1"), files={"upload": ("a.pdf", some_pdf(), "application/pdf")})
    number = hands_in(teacher)
    [one] = rows(terminal, Application)
    assert one.id == number
    assert one.teacher == "T-1"
    assert one.content["sections"] == {name: application_file()["sections"][name] for name in CRITERIA}
    kinds = {document.kind: document.name for document in rows(terminal, Document)}
    assert kinds == {"application": "application.json", "evidence": "a.pdf"}
    assert rows(terminal, ApplicationDraft) == []
    assert rows(terminal, DraftEvidence) == []
    assert any(mail.template == "receipt" for mail in rows(terminal, Mail))
    page = words(teacher.opens(f"/applications/{number}?received=1"))
    assert "Your application has arrived" in page
    assert number in page


@pytest.mark.slow
def test_while_prefect_is_away_what_is_sent_is_recorded_and_the_page_says_that_the_rest_comes_later(
    teacher: Browser, terminal: Terminal
) -> None:
    writes(teacher)
    sent = teacher.sends(CHECK, {"true": "1"})
    assert len(rows(terminal, Application)) == 1
    page = words(teacher.opens(sent.headers["location"]))
    assert "Your application has arrived" in page
    assert "What follows begins a little later" in page
    # Once Prefect is there, upkeep starts its run; and of what is sent then nobody need say that it comes later.
    prefect = SmallPrefect(lambda _: contextlib.nullcontext())
    recover(terminal.here, prefect)  # type: ignore[arg-type]  # stands in
    [one] = rows(terminal, Application)
    assert one.run is not None
    assert "begins a little later" not in words(teacher.opens(f"/applications/{one.id}"))


def test_hand_in_is_answered_before_the_run_starts(
    teacher: Browser, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes(teacher)
    seen: list[str] = []

    def follows(here: Workspace, application: str) -> None:
        seen.append(f"{application} is followed")

    answered = Response.__call__

    async def answers(self: Response, scope: Any, receive: Any, send: Any) -> None:
        async def sends(message: Any) -> None:
            await send(message)
            seen.append(message["type"])

        await answered(self, scope, receive, sends)

    monkeypatch.setattr(following, "started", follows)
    token = teacher.token(CHECK)
    monkeypatch.setattr(Response, "__call__", answers)
    teacher.sends(CHECK, {"true": "1"}, token=token)
    [one] = rows(terminal, Application)
    assert seen == ["http.response.start", "http.response.body", f"{one.id} is followed"]


def test_the_file_at_the_desk_is_the_one_that_the_command_line_takes(
    teacher: Browser, terminal: Terminal
) -> None:
    number = hands_in(teacher)
    [one] = rows(terminal, Application)
    run = terminal.run("submit", terminal.file("application.json", application_file()), "--json")
    again = json.loads(run.stdout)  # Prefect is away, which the exit code says
    assert (again["application"], again["created"]) == (number, False)
    assert one.id == number


def test_i8_who_handed_in_and_how_they_were_known_is_in_the_journal(
    teacher: Browser, terminal: Terminal
) -> None:
    hands_in(teacher)
    [entry] = [one for one in rows(terminal, Journal) if one.what == Event.SUBMITTED]
    assert (entry.who, entry.details["door"], entry.details["known_by"]) == (TEACHER, "desk", "mail code")


@pytest.mark.slow
def test_i8_who_answers_with_the_code_of_a_mail_is_known_by_it(teacher: Browser, terminal: Terminal) -> None:
    number = hands_in(teacher)
    asked(terminal, number)
    [entry] = [one for one in rows(terminal, Journal) if one.what == Event.ASKED_THE_APPLICANT]
    assert (entry.details["door"], entry.details["known_by"]) == ("command line", "code")


@pytest.mark.slow
def test_a5_a_double_click_or_a_reload_makes_no_second_application(
    teacher: Browser, terminal: Terminal
) -> None:
    number = hands_in(teacher)
    for _ in range(2):
        again = teacher.sends(CHECK, {"true": "1"})
        assert again.headers["location"] == f"/applications/{number}"
    assert len(rows(terminal, Application)) == 1
    assert teacher.opens(APPLY).headers["location"] == f"/applications/{number}"
    assert teacher.opens(CHECK).headers["location"] == f"/applications/{number}"


def test_what_is_not_confirmed_is_not_sent(teacher: Browser, terminal: Terminal) -> None:
    writes(teacher)
    sent = teacher.sends(CHECK)
    assert sent.status_code == 422
    assert 'href="#true"' in sent.text
    assert rows(terminal, Application) == []


def test_what_counts_is_when_hand_in_arrived(browser: Opens, terminal: Terminal) -> None:
    arrives = datetime(2026, 3, 31, 21, 59, 30, tzinfo=UTC)
    clock = iter([arrives - timedelta(minutes=5)] * 60)
    here = dataclasses.replace(terminal.here, clock=lambda: next(clock))
    person = Browser(here).signs_in(TEACHER)
    writes(person)
    token = person.token(CHECK)
    clock = iter([arrives, *[arrives + timedelta(minutes=2)] * 60])
    assert person.sends(CHECK, {"true": "1"}, token=token).status_code == 303
    [one] = rows(terminal, Application)
    assert one.submitted_at == arrives


class Meanwhile:
    """What happens while a teacher's hand-in waits for the document store, which takes its time once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.happens: Callable[[], object] | None = None
        put = DirectoryStore.put

        def slowly(store: DirectoryStore, content: bytes, media_type: str) -> str:
            happens, self.happens = self.happens, None
            if happens:
                happens()
            return put(store, content, media_type)

        monkeypatch.setattr(DirectoryStore, "put", slowly)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Does something else while the store is waited for."""
    return Meanwhile(monkeypatch)


def test_whoever_hands_in_keeps_nobody_from_writing_while_the_store_is_waited_for(
    teacher: Browser, terminal: Terminal, meanwhile: Meanwhile
) -> None:
    writes(teacher)
    wrote: list[bool] = []

    def another_writes() -> None:
        url = terminal.here.record.engine.url.database
        with contextlib.closing(sqlite3.connect(url or "", timeout=0, isolation_level=None)) as one:
            one.execute("BEGIN IMMEDIATE")
            one.execute("ROLLBACK")
        wrote.append(True)

    meanwhile.happens = another_writes
    assert teacher.sends(CHECK, {"true": "1"}).status_code == 303
    assert wrote == [True]


def test_what_is_saved_in_another_window_just_before_is_what_is_handed_in(
    teacher: Browser, terminal: Terminal, meanwhile: Meanwhile
) -> None:
    writes(teacher)
    token, other = teacher.token(CHECK), teacher.token(APPLY)
    newer = filled(description="Written in the other window.", version="1", keep="1")
    meanwhile.happens = lambda: teacher.sends(APPLY, newer, token=other)
    assert teacher.sends(CHECK, {"true": "1"}, token=token).status_code == 303
    [one] = rows(terminal, Application)
    [file] = [each for each in rows(terminal, Document) if each.kind == "application"]
    assert one.content["description"] == "Written in the other window."
    assert json.loads(terminal.here.documents.get(file.key)) == one.content
    assert rows(terminal, ApplicationDraft) == []


def test_what_was_emptied_in_another_window_just_before_is_not_handed_in(
    teacher: Browser, terminal: Terminal, meanwhile: Meanwhile
) -> None:
    writes(teacher)
    token, other = teacher.token(CHECK), teacher.token(APPLY)
    meanwhile.happens = lambda: teacher.sends(
        APPLY, filled(description="", version="1", keep="1"), token=other
    )
    answer = teacher.sends(CHECK, {"true": "1"}, token=token)
    assert answer.status_code == 422
    assert "The description is empty" in words(answer)
    assert rows(terminal, Application) == []
    assert len(rows(terminal, ApplicationDraft)) == 1


def test_of_five_that_a_teacher_hands_in_together_the_last_to_arrive_is_told_of_the_limit(
    teacher: Browser, terminal: Terminal, meanwhile: Meanwhile
) -> None:
    writes(teacher)
    others = [f"P-{n}" for n in range(11, 15)]
    with terminal.here.record.writing() as session:
        day = date(2025, 9, 1)
        session.add_all(Project(id=one, title=one, started_on=day, ended_on=day) for one in others)

    before = terminal.here.now()
    earlier = dataclasses.replace(terminal.here, clock=lambda: before)

    def four_are_in() -> None:
        for one in others:
            submit_file(earlier, application_file(project=one), "application.json", [])

    meanwhile.happens = four_are_in
    answer = teacher.sends(CHECK, {"true": "1"})
    assert answer.status_code == 422
    assert "You have already applied 4 times in this school year" in words(answer)
    assert len(rows(terminal, Application)) == 4


def test_where_the_store_is_away_hand_in_says_so_with_a_number_and_can_be_sent_again(
    teacher: Browser, terminal: Terminal, meanwhile: Meanwhile
) -> None:
    writes(teacher)

    def away() -> None:
        raise OutOfReach("The document store", "it does not answer.")

    meanwhile.happens = away
    answer = teacher.sends(CHECK, {"true": "1"})
    assert answer.status_code == 503
    assert re.search(r"E-[0-9A-Z]{4}-[0-9A-Z]{4}", words(answer))
    assert rows(terminal, Application) == []
    assert len(rows(terminal, ApplicationDraft)) == 1
    assert teacher.sends(CHECK, {"true": "1"}).status_code == 303


def test_ten_thousand_characters_where_few_words_go_are_kept_counted_and_not_handed_in(
    teacher: Browser, terminal: Terminal
) -> None:
    long = "rzeka " * 1_667
    writes(teacher, description=long)
    answer = teacher.sends(CHECK, {"true": "1"})
    assert answer.status_code == 422
    assert re.search(r"The description has 1,?667 words; at most \d+ are allowed", words(answer))
    assert rows(terminal, Application) == []
    [draft] = rows(terminal, ApplicationDraft)
    assert draft.body["description"] == long


# Whose it is --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_other_peoples_things_are_not_there_with_the_same_bytes(
    browser: Opens, teacher: Browser, terminal: Terminal
) -> None:
    number = hands_in(teacher)
    other = browser().signs_in("t-3@school.example")
    nothing = other.opens("/applications/NQL-NOTHING00")
    assert nothing.status_code == 404

    def bytes_of(path: str) -> bytes:
        answer = other.opens(path)
        assert answer.status_code == 404, path
        body: bytes = answer.content.replace(path.encode(), b"")
        return body

    absent = bytes_of("/applications/NQL-NOTHING00")
    assert bytes_of(f"/applications/{number}") == absent
    assert other.sends(f"/applications/{number}", {"withdraw": "1", "confirmed": "1"}).status_code == 404
    for path in (
        "/projects/P-2/apply",
        "/projects/P-9/apply",
        "/projects/P-2/check",
        "/projects/P-2/questions",
    ):
        assert other.opens(path).status_code == 404
    [application] = rows(terminal, Application)
    assert application.outcome is None


def test_staff_who_teach_nothing_have_no_projects(browser: Opens) -> None:
    coordinator = browser().signs_in(COORDINATOR)
    assert coordinator.opens("/projects").status_code == 404
    assert coordinator.sends(APPLY, filled()).status_code == 404


@pytest.mark.slow
def test_a_document_is_its_applicants_alone_and_saved_never_shown(
    browser: Opens, teacher: Browser, terminal: Terminal
) -> None:
    writes(teacher)
    teacher.sends(APPLY, filled(version="1"), files={"upload": ("a.pdf", some_pdf(), "application/pdf")})
    hands_in(teacher)
    for document in rows(terminal, Document):
        mine = teacher.opens(f"/my-documents/{document.id}")
        theirs = browser().signs_in("t-3@school.example").opens(f"/my-documents/{document.id}")
        assert theirs.status_code == 404
        if document.kind == "evidence":
            assert mine.content == some_pdf()
            assert mine.headers["content-disposition"].startswith("attachment")
            assert "sandbox" in mine.headers["content-security-policy"]
        else:
            assert mine.status_code == 404


# One's application --------------------------------------------------------------------------------


def asked(terminal: Terminal, application: str, question: str = "Which activities?") -> str:
    """A reviewer's question; the step of the applicant."""
    [step, *_] = terminal.asked(application)
    reviewer = terminal.step(step).assignee
    terminal.file("question.json", {"question": question})
    run = terminal.run("answer", step, "--as", reviewer, "--code", terminal.code(step), "question.json")
    assert run.exit_code in (0, 5), run.output
    return terminal.right(application, StepKind.INFORMATION).id


def test_a12_a_line_says_the_stage_since_when_whose_turn_and_when_it_is_decided(
    teacher: Browser, terminal: Terminal
) -> None:
    number = hands_in(teacher)
    page = words(teacher.opens(f"/applications/{number}"))
    assert "Received on 16 March 2026" in page.replace("\xa0", " ")
    assert "This happens by itself" in page
    terminal.asked(number)
    page = words(teacher.opens(f"/applications/{number}"))
    assert "In review since 16 March 2026" in page.replace("\xa0", " ")
    assert "It is the turn of the reviewers." in page
    assert "You have the decision by" in page
    assert "You sent the application" in page
    assert "All conditions are met" in page


@pytest.mark.parametrize(
    "outcome", [None, Outcome.AWARDED, Outcome.REFUSED, Outcome.WITHDRAWN, Outcome.EXPIRED]
)
def test_a_line_says_the_day_of_brussels_before_midnight_in_utc(outcome: Outcome | None) -> None:
    late = datetime(2026, 3, 16, 23, 24, tzinfo=UTC)
    stage = Stage.REVIEW if outcome is None else Stage.CLOSED
    one = Standing("NQL-1", LabelKind.NATIONAL, "A project", stage, late, late, outcome, 0, None, None)
    assert standing_line(one).values["day"] == date(2026, 3, 17)


def test_nothing_on_the_page_says_who_judges(teacher: Browser, terminal: Terminal) -> None:
    number = hands_in(teacher)
    steps = terminal.asked(number)
    asked_of = {terminal.step(step).assignee for step in steps}
    text = teacher.opens(f"/applications/{number}").text
    for reviewer in asked_of:
        assert reviewer not in text
    assert "Recenzent" not in text


@pytest.mark.slow
def test_a13_a_question_is_answered_on_the_same_page(teacher: Browser, terminal: Terminal) -> None:
    number = hands_in(teacher)
    step = asked(terminal, number)
    path = f"/applications/{number}"
    assert "asks you something" in words(teacher.opens("/projects")) or "ask you something" in words(
        teacher.opens("/projects")
    )
    page = teacher.opens(path)
    assert "Which activities?" in words(page)
    assert "It is your turn." in words(page)
    empty = teacher.sends(path, {"answer": "1", "step": step, "text": " ", "links": "ftp://x"})
    assert empty.status_code == 422
    assert 'href="#text"' in empty.text
    assert 'href="#links"' in empty.text
    sent = teacher.sends(
        path, {"answer": "1", "step": step, "text": "All of them.", "links": "https://x.example/1"}
    )
    assert sent.headers["location"] == f"{path}?answered=1&later=1"
    one = terminal.step(step)
    assert (one.state, one.answer) == (
        StepState.ANSWERED,
        {"text": "All of them.", "links": ["https://x.example/1"]},
    )
    again = teacher.sends(path, {"answer": "1", "step": step, "text": "Once more."})
    assert again.status_code == 422
    assert "takes no answer any more" in words(again)
    told = words(teacher.opens(path))
    assert "You answered the question" in told
    assert "signed in with a code by mail" in told


def kept_in(page: Any) -> list[str]:
    """What a page's form carries of files that are stored already."""
    return re.findall(r'name="kept" value="([^"]+)"', page.text)


@pytest.mark.slow
def test_a13_files_go_with_an_answer_and_are_evidence_once_it_is_sent(
    teacher: Browser, terminal: Terminal
) -> None:
    writes(teacher)
    teacher.sends(APPLY, filled(version="1"), files={"upload": ("a.pdf", some_pdf(), "application/pdf")})
    number = hands_in(teacher)
    step, path = asked(terminal, number), f"/applications/{number}"
    image = ("upload", ("a.pdf", other_pdf(), "application/pdf"))
    # A mistake elsewhere keeps the file, and one that is not taken says why.
    first = teacher.sends(path, {"step": step, "add": "1", "text": "See the file."}, files=[image])
    assert first.status_code == 200
    assert len(kept_in(first)) == 1
    assert "See the file." in first.text
    bad = ("upload", ("b.pdf", b"no PDF", "application/pdf"))
    wrong = teacher.sends(path, {"step": step, "add": "1", "kept": kept_in(first)}, files=[bad])
    assert wrong.status_code == 422
    assert 'href="#upload"' in wrong.text
    empty = teacher.sends(path, {"step": step, "answer": "1", "text": "", "kept": kept_in(wrong)})
    assert empty.status_code == 422
    assert kept_in(empty) == kept_in(first)
    # The script sends each file by itself, and has the list anew; the same file twice is one.
    again = teacher.sends(path, {"step": step, "upload_only": "1", "kept": kept_in(empty)}, files=[image])
    assert (again.status_code, kept_in(again)) == (200, kept_in(first))
    assert kind_and_name(terminal) == {("evidence", "a.pdf"), ("application", "application.json")}
    sent = teacher.sends(path, {"step": step, "answer": "1", "text": "See it.", "kept": kept_in(again)})
    assert sent.headers["location"] == f"{path}?answered=1&later=1"
    assert ("evidence", "a-2.pdf") in kind_and_name(terminal)
    assert "a-2.pdf" in words(teacher.opens(path))


@pytest.mark.slow
def test_a13_a_file_is_taken_out_of_an_answer_and_nobody_brings_a_file_of_somebody_elses(
    teacher: Browser, terminal: Terminal
) -> None:
    number = hands_in(teacher)
    step, path = asked(terminal, number), f"/applications/{number}"
    image = ("upload", ("a.pdf", some_pdf(), "application/pdf"))
    page = teacher.sends(path, {"step": step, "add": "1"}, files=[image])
    [word] = kept_in(page)
    remove = re.search(r'name="remove" value="([^"]+)"', page.text)
    assert remove
    out = teacher.sends(path, {"step": step, "remove": remove[1], "kept": word})
    assert kept_in(out) == []
    for invented in (word[:-2], f"x{word}", "x.y", word.partition(".")[0]):
        none = teacher.sends(path, {"step": step, "add": "1", "kept": invented})
        assert kept_in(none) == []
    elsewhere = teacher.sends(path, {"step": f"{step}x", "add": "1", "kept": word})
    assert kept_in(elsewhere) == []


@pytest.mark.slow
def test_a3_an_answer_that_is_sent_when_the_session_has_run_out_is_in_the_form_again(
    teacher: Browser, terminal: Terminal
) -> None:
    number = hands_in(teacher)
    step, path = asked(terminal, number), f"/applications/{number}"
    image = ("upload", ("a.pdf", some_pdf(), "application/pdf"))
    kept = kept_in(teacher.sends(path, {"step": step, "add": "1"}, files=[image]))
    token = teacher.token(path)
    later = dataclasses.replace(terminal.here, clock=lambda: terminal.here.now() + timedelta(hours=13))
    away = Browser(later)
    away.client.cookies = teacher.client.cookies
    answer = {
        "step": step,
        "answer": "1",
        "text": "Half a day later.",
        "links": "https://x.example/1",
        "kept": kept,
    }
    assert "kept=1" in away.sends(path, answer, token=token).headers["location"]
    page = away.signs_in(TEACHER).opens(path)
    assert "Half a day later." in page.text
    assert "https://x.example/1" in page.text
    assert kept_in(page) == kept
    assert [one.page for one in rows(terminal, KeptForm)] == [path]
    assert "answered=1" in away.sends(path, answer).headers["location"]
    assert rows(terminal, KeptForm) == []


def kind_and_name(terminal: Terminal) -> set[tuple[str, str]]:
    return {(one.kind, one.name) for one in rows(terminal, Document)}


@pytest.mark.slow
def test_a18_an_application_is_withdrawn_after_reading_what_that_means(
    teacher: Browser, terminal: Terminal
) -> None:
    number = hands_in(teacher)
    path = f"/applications/{number}"
    assert "Withdraw this application?" in words(teacher.opens(f"{path}?asks=withdraw"))
    first = teacher.sends(path, {"withdraw": "1"})
    assert "Withdraw this application?" in words(first)
    teacher.sends(path, {"withdraw": "1", "confirmed": "1"})
    [one] = rows(terminal, Application)
    assert one.outcome == "withdrawn"
    assert "You withdrew it" in words(teacher.opens(path))


@pytest.mark.slow
def test_a18_one_applies_again_with_the_old_text_and_files(teacher: Browser, terminal: Terminal) -> None:
    writes(teacher)
    teacher.sends(APPLY, filled(version="1"), files={"upload": ("a.pdf", some_pdf(), "application/pdf")})
    number = hands_in(teacher)
    path = f"/applications/{number}"
    teacher.sends(path, {"withdraw": "1", "confirmed": "1"})
    assert teacher.sends(path, {"again": "1"}).headers["location"] == APPLY
    form = teacher.opens(APPLY).text
    assert application_file()["description"] in form
    assert "a.pdf" in form
    second = teacher.sends(CHECK, {"true": "1"})
    assert second.headers["location"].startswith("/applications/NQL-")
    assert len(rows(terminal, Application)) == 2


@pytest.mark.slow
def test_a18_a_refusal_says_why_and_is_appealed_against(terminal: Terminal) -> None:
    rules = terminal.folder / "rules"
    shutil.copytree(PROJECT / "labels" / "rules", rules, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    default = rules / "editions" / "2026" / "default.yaml"
    default.write_text(
        default.read_text("utf-8").replace("appeal_days: {value: 0", "appeal_days: {value: 15"), "utf-8"
    )
    settings = terminal.here.settings.model_copy(update={"rules": rules})
    teacher = Browser(dataclasses.replace(terminal.here, settings=settings)).signs_in(TEACHER)
    number = hands_in(teacher)
    case = Case(terminal.here.record)
    assert case.id == number, "the same file is the same application"
    assert case.conditions()
    assert decided(case, 1) == Outcome.REFUSED
    path = f"/applications/{number}"
    page = words(teacher.opens(path))
    assert "The label was not awarded" in page
    assert "What the reviewers say by 1" in page
    assert "You can appeal until" in page
    assert teacher.sends(path, {"appeal": "1", "grounds": ""}).status_code == 422
    grounds = {"appeal": "1", "grounds": "The second criterion was misread."}
    token, late = teacher.token(path), at(teacher, timedelta(hours=13))
    assert "kept=1" in late.sends(path, grounds, token=token).headers["location"]
    assert "misread." in late.signs_in(TEACHER).opens(path).text
    assert [one.page for one in rows(terminal, KeptForm)] == [path]
    late.sends(path, grounds)
    assert rows(terminal, KeptForm) == []
    page = words(late.opens(path))
    assert "You appealed" in page
    assert "The second criterion was misread." in page


# Hostile hands ------------------------------------------------------------------------------------


def test_a18_certificate_and_letter_are_there_to_be_saved_whenever_one_comes_back(
    terminal: Terminal, browser: Opens
) -> None:
    awarded_application(terminal)
    years_later = dataclasses.replace(terminal.here, clock=lambda: datetime(2029, 6, 1, 9, tzinfo=UTC))
    teacher = Browser(years_later).signs_in(TEACHER)
    page = teacher.opens("/projects")
    assert "My labels" in words(page)
    papers = re.findall(r'href="(/my-documents/\d+)"', page.text)
    assert len(papers) == 2
    for path in papers:
        paper = teacher.opens(path)
        assert paper.headers["content-disposition"].startswith("attachment")
        assert paper.content.startswith(b"%PDF")


def test_a17_what_is_past_is_said_with_when_it_is_possible_again(terminal: Terminal, browser: Opens) -> None:
    """Where a round has ended, the project is not hidden: the page says that it would count for the next one, and from when."""
    rules = terminal.folder / "rules"
    shutil.copytree(PROJECT / "labels" / "rules", rules, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (rules / "editions" / "2026" / "NSS-PL.yaml").write_text(ROUNDS, "utf-8")
    settings = terminal.here.settings.model_copy(update={"rules": rules})
    teacher = Browser(dataclasses.replace(terminal.here, settings=settings)).signs_in(TEACHER)
    page = words(teacher.opens("/projects"))
    assert "Mosty przez Europę" in page
    assert re.search(r"No round is open now: it would count for the next, which opens on \d+ \w+ 2026", page)


def test_what_hostile_hands_type_is_shown_as_text_and_cut(teacher: Browser, terminal: Terminal) -> None:
    nasty = "<script>alert(1)</script>\u202eevil\x00" + "x" * 100_000
    sent = teacher.sends(
        APPLY, filled(description=nasty, pupils="9" * 500, links=nasty, unknown="x", keep="1")
    )
    assert sent.status_code == 303
    [draft] = rows(terminal, ApplicationDraft)
    assert len(draft.body["description"]) <= 20_000
    assert "\u202e" not in draft.body["description"]
    assert "\x00" not in draft.body["description"]
    for path in (APPLY, CHECK, "/projects"):
        assert "<script>alert" not in teacher.opens(path).text


def test_a10_words_are_counted_as_the_page_counts_them() -> None:
    """The page's pattern in templates/desk/assets/desk.js is that of labels/words/text.py."""
    script = (PROJECT / "templates/desk/assets/desk.js").read_text(encoding="utf-8")
    assert r"['’ʼ‘`´\-‐‑·]" in script
    assert word_count("l'école, peer-to-peer 3.5 https://x.example/a-b") == 4


@pytest.mark.slow
def test_the_draft_is_dropped_in_the_same_transaction(
    teacher: Browser, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes(teacher)

    def dies(*_: object) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(drafting, "drop", dies)
    assert teacher.sends(CHECK, {"true": "1"}).status_code == 500
    assert rows(terminal, Application) == []
    assert len(rows(terminal, ApplicationDraft)) == 1
