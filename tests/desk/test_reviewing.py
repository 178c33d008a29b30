"""A reviewer at the desk: the list, the first question, the case beside the points, sending, and what never shows."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from markupsafe import escape

from adapters.documents.opening import open_store
from adapters.mail.folder import MailFolder, plain_text
from adapters.mail.post import send_due
from adapters.workspace import Workspace
from labels.clock import frozen_clock
from labels.record import Record
from labels.record.journal import Event
from labels.record.schema import (
    Conflict,
    Document,
    Journal,
    KeptForm,
    Person,
    Review,
    ReviewDraft,
    SignIn,
    Staff,
    Step,
    StepState,
)
from labels.settings import Settings
from labels.steps.answers import ReviewTyped
from labels.turn import Door
from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.desk.conftest import Browser, words
from tests.support.people import CRITERIA, KEY, points
from tests.support.school import QUESTIONS, School
from tests.support.typed import typed

Opens = Callable[..., Browser]

CHECK = {"go": "check"}


class Desk:
    """A reviewer who was asked for a review, before the desk."""

    def __init__(self, terminal: Terminal, browser: Opens) -> None:
        self.terminal, self.browser = terminal, browser
        self.application = terminal.submitted()
        self.step, self.other = terminal.asked(self.application)
        self.who = terminal.step(self.step).assignee
        self.person = browser().signs_in(self.who)

    @property
    def page(self) -> str:
        return f"/reviews/{self.step}"

    def begins(self) -> None:
        """They have no conflict of interest."""
        answer = self.sends("/conflict", {"conflict": "no"})
        assert (answer.status_code, answer.headers["location"]) == (303, self.page)

    def sends(self, path: str = "", fields: dict[str, Any] | None = None, **more: Any) -> Any:
        return self.person.sends(self.page + path, fields, **more)

    def typed(self, each: Any = 4, version: Any = 0, **more: Any) -> dict[str, Any]:
        """What the form of the review has."""
        given = {f"points.{name}": str(value) for name, value in points(each or 0).items()} if each else {}
        return given | ({"version": str(version)} if version is not None else {}) | more

    def all(self, table: Any) -> list[Any]:
        with self.terminal.here.record.reading() as session:
            return list(session.scalars(sa.select(table)))


@pytest.fixture
def desk(terminal: Terminal, browser: Opens) -> Desk:
    return Desk(terminal, browser)


def mistakes(answer: Any) -> list[tuple[str, str]]:
    """What the summary of mistakes says, and where each line of it leads."""
    summary = answer.text.partition('<div class="errors"')[2].partition("</div>")[0]
    return re.findall(r'<li><a href="#([^"]+)">(.*?)</a>', summary)


# R1, R4, R5 ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_mails_link_leads_through_signing_in_to_that_review(desk: Desk, browser: Opens) -> None:
    send_due(desk.terminal.here)
    folder = MailFolder(desk.terminal.here.settings.mail_folder)
    [mail] = [plain_text(one) for one in folder.messages() if desk.step in plain_text(one)]
    assert re.findall(r"http\S+(/reviews/\S+)", mail) == [desk.page]
    stranger = browser()
    asked = stranger.opens(desk.page)
    assert (asked.status_code, asked.headers["location"]) == (303, f"/sign-in?then=%2Freviews%2F{desk.step}")
    assert desk.person.opens(desk.page).status_code == 200
    assert desk.person.opens(desk.page).status_code == 200, "as often as one likes"


@pytest.mark.slow
def test_the_conflict_question_comes_first_and_shows_nothing_of_the_case(desk: Desk) -> None:
    page = desk.person.opens(desk.page)
    assert "Do you have a conflict of interest" in words(page)
    assert "Zażółć Gęślą" in words(page)
    assert "Uczniowie badali" not in page.text
    assert desk.sends("/check", {"number": "0"}).headers["location"] == desk.page
    assert desk.sends("", desk.typed()).status_code == 409
    assert not [one for one in desk.all(ReviewDraft) if one.number]
    desk.begins()
    assert "Uczniowie badali" in desk.person.opens(desk.page).text


@pytest.mark.slow
def test_a_conflict_of_interest_is_a_yes_with_words_and_ends_the_review(desk: Desk) -> None:
    answer = desk.sends("/conflict", {})
    assert (answer.status_code, mistakes(answer)[0][0]) == (422, "conflict-no")
    answer = desk.sends("/conflict", {"conflict": "yes", "why": " "})
    assert (answer.status_code, mistakes(answer)[0][0]) == (422, "why")
    assert desk.sends("/conflict", {"conflict": "yes", "why": "My cousin."}).status_code == 303
    assert [one.reason for one in desk.all(Conflict)] == ["My cousin."]
    assert "You gave this review back" in words(desk.person.opens(desk.page))


# R2, R3 -------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_draft_saves_itself_and_says_when(desk: Desk) -> None:
    desk.begins()
    told = desk.sends("", desk.typed(None, comment="The maps", draft="1", **{f"points.{CRITERIA[0]}": "4"}))
    assert told.status_code == 200
    assert told.json()["state"] == "saved"
    assert re.fullmatch(r"Saved \d\d:\d\d", told.json()["text"])
    assert told.json()["version"] == "1"
    [draft] = desk.all(ReviewDraft)
    assert ReviewTyped.model_validate(draft.body) == ReviewTyped(scores={CRITERIA[0]: 4}, comment="The maps")
    assert "The maps" in desk.person.opens(desk.page).text


@pytest.mark.slow
def test_two_windows_do_not_overwrite_each_other_and_nothing_typed_is_lost(desk: Desk) -> None:
    desk.begins()
    desk.sends("", desk.typed(4, 0, comment="First.", go="later"))
    behind = desk.sends("", desk.typed(4, 0, comment="Second.", draft="1"))
    assert (behind.status_code, behind.json()["state"]) == (409, "fail")
    answer = desk.sends("", desk.typed(4, 0, comment="Second.", go="later"))
    assert answer.status_code == 409
    assert "saved in another window" in words(answer)
    assert "Second." in answer.text
    version = re.findall(r'name="version" value="(\d+)"', answer.text)[0]
    assert desk.sends("", desk.typed(4, int(version), comment="Second.", go="later")).status_code == 303
    assert [one.body["comment"] for one in desk.all(ReviewDraft)] == ["Second."]


def test_what_is_missing_is_told_at_the_top_linked_and_focused(desk: Desk) -> None:
    desk.begins()
    answer = desk.sends("", desk.typed(None, comment="Good.", **CHECK, **{f"points.{CRITERIA[0]}": "4"}))
    assert answer.status_code == 422
    told = mistakes(answer)
    assert [field for field, _ in told] == [f"points-{name}" for name in CRITERIA[1:]]
    for field, _ in told:
        assert f'id="{field}"' in answer.text
    assert 'class="errors" role="alert" tabindex="-1"' in answer.text
    assert "Good." in answer.text
    assert answer.text.index('class="errors"') < answer.text.index("<form")
    assert f'name="points.{CRITERIA[0]}" value="4" checked' in answer.text


def test_a_text_that_is_too_long_is_told_and_kept_as_far_as_it_goes(desk: Desk) -> None:
    desk.begins()
    answer = desk.sends("", desk.typed(4, 0, comment="x" * 10_001, go="later"))
    assert (answer.status_code, mistakes(answer)[0][0]) == (422, "comment")
    assert len(desk.all(ReviewDraft)[0].body["comment"]) == 10_000


@pytest.mark.slow
def test_a_review_is_checked_and_sent_and_the_next_one_offered(desk: Desk) -> None:
    desk.begins()
    answer = desk.sends("", desk.typed(4, 0, comment="Well done.", note="The best.", **CHECK))
    assert answer.headers["location"] == f"{desk.page}/check"
    page = desk.person.opens(f"{desk.page}/check")
    assert "24 of 30 points" in words(page)
    assert "would be awarded" in words(page)
    number = re.findall(r'name="number" value="(\d+)"', page.text)[0]
    answer = desk.sends("/check", {"number": number})
    assert (answer.status_code, answer.headers["location"]) == (303, desk.page)
    [review] = desk.all(Review)
    assert (review.scores, review.comment, review.note) == (points(4), "Well done.", "The best.")
    page = desk.person.opens(desk.page)
    assert "What happens next" in words(page)
    assert f"{desk.page}/next" in page.text
    assert desk.sends("/check", {"number": number}).headers["location"] == desk.page, "twice is as once"
    assert len(desk.all(Review)) == 1
    [entry] = [one for one in desk.all(Journal) if one.what == Event.REVIEWED]
    assert entry.details["door"] == Door.DESK.value


@pytest.mark.slow
def test_what_was_changed_since_it_was_checked_is_not_sent(desk: Desk) -> None:
    desk.begins()
    desk.sends("", desk.typed(4, 0, **CHECK))
    desk.sends("", desk.typed(1, 1, go="later"))
    answer = desk.sends("/check", {"number": "1"})
    assert answer.status_code == 409
    assert "changed since you checked it" in words(answer)
    assert "6 of 30 points" in words(answer)
    assert not desk.all(Review)


@pytest.mark.slow
def test_a_session_that_runs_out_while_typing_loses_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.begins()
    token = desk.person.token("/account")
    with desk.terminal.here.record.writing() as session:
        session.execute(sa.update(SignIn).values(seen_at=desk.terminal.here.now() - timedelta(hours=3)))
    answer = desk.sends("", desk.typed(3, 0, comment="Typed for long.", **CHECK), token=token)
    assert answer.headers["location"].startswith("/sign-in?")
    assert not [one for one in desk.all(ReviewDraft) if one.number]
    desk.person.signs_in(desk.who)
    page = desk.person.opens(desk.page)
    assert "You are back where you were" in words(page)
    assert "Typed for long." in page.text
    assert page.text.count(" checked") == len(CRITERIA)


@pytest.mark.slow
def test_every_page_works_without_a_script(desk: Desk) -> None:
    desk.begins()
    for path in ("", "/ask", "/decline"):
        page = desk.person.opens(desk.page + path).text
        assert re.search(r'<form method="post" action="/reviews/', page)
        assert "disabled" not in page


# Evidence -----------------------------------------------------------------------------------------


def with_evidence(desk: Desk, name: str, media_type: str, content: bytes) -> str:
    """Puts a document before the reviewers; the address at which the page shows it."""
    here = desk.terminal.here
    key = here.documents.put(content, media_type)
    with here.record.writing() as session:
        session.add(
            Document(
                application=desk.application, kind="evidence", name=name, key=key, media_type=media_type,
                size=len(content), stored_at=here.now(), meets=None, award=None,
            )
        )  # fmt: skip
    page = desk.person.opens(desk.page).text
    return re.findall(r'<iframe[^>]* src="([^"]+)"', page)[-1] if "<iframe" in page else ""


def a_pdf() -> bytes:
    import pikepdf

    made, packed = pikepdf.new(), io.BytesIO()
    made.add_blank_page(page_size=(300, 400))
    made.add_blank_page(page_size=(300, 400))
    made.save(packed, deterministic_id=True)
    return packed.getvalue()


@pytest.mark.slow
def test_evidence_is_drawn_in_a_sandbox_whose_address_needs_no_session_and_sets_none(
    desk: Desk, browser: Opens
) -> None:
    desk.begins()
    address = with_evidence(desk, "atlas.pdf", "application/pdf", a_pdf())
    stranger = browser()
    shown = stranger.opens(address)
    assert shown.status_code == 200
    assert shown.text.count("<img") == 2
    policy = shown.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'; ")
    assert "script-src" not in policy
    assert "set-cookie" not in shown.headers
    for source in re.findall(r'<img src="http://127.0.0.1:4280([^"]+)"', shown.text):
        drawn = stranger.opens(source)
        assert (drawn.headers["content-type"], drawn.content[8:12]) == ("image/webp", b"WEBP")
    saved = stranger.opens(address.partition("?")[0] + "/file")
    assert saved.headers["content-disposition"].startswith("attachment")
    assert saved.headers["content-security-policy"].startswith("sandbox")


def test_an_address_of_evidence_is_good_while_the_review_is_to_be_written(desk: Desk) -> None:
    desk.begins()
    address = with_evidence(desk, "atlas.pdf", "application/pdf", a_pdf())
    assert desk.person.opens(address.replace(".", "A.", 1)).status_code == 404, "it is signed"
    given = {"decline": "ill"}
    file = desk.terminal.file("decline.json", given)
    code = desk.terminal.code(desk.step)
    desk.terminal.run("answer", desk.step, file, "--as", desk.who, "--code", code)
    assert desk.person.opens(address).status_code == 404


def test_a_file_that_cannot_be_drawn_is_still_saved(desk: Desk) -> None:
    desk.begins()
    address = with_evidence(desk, "broken.pdf", "application/pdf", b"%PDF-1.7 not one")
    assert desk.person.opens(address).status_code == 422
    assert desk.person.opens(address.partition("?")[0] + "/file").content == b"%PDF-1.7 not one"


# R6, R7, asking -----------------------------------------------------------------------------------


def test_a_review_is_given_back_in_one_step_with_a_reason_from_the_list_and_words(desk: Desk) -> None:
    desk.begins()
    answer = desk.sends("/decline", {})
    assert [field for field, _ in mistakes(answer)] == ["conflict-no", "reason-no_time"]
    answer = desk.sends("/decline", {"conflict": "no", "reason": "other"})
    assert [field for field, _ in mistakes(answer)] == ["words"]
    assert desk.sends("/decline", {"conflict": "no", "reason": "no_time"}).status_code == 303
    [entry] = [one for one in desk.all(Journal) if one.what == Event.DECLINED_TO_REVIEW]
    assert (entry.details["reason"], entry.details["conflict"]) == ("no_time", False)
    assert not desk.all(Conflict)


def test_who_gives_back_for_a_conflict_says_so_in_a_field(desk: Desk) -> None:
    desk.begins()
    assert desk.sends("/decline", {"conflict": "yes", "words": "We share a project."}).status_code == 303
    assert len(desk.all(Conflict)) == 1


@pytest.mark.slow
def test_a_form_that_is_still_open_is_not_sent_after_reassigning_and_says_who_has_it(desk: Desk) -> None:
    desk.begins()
    desk.sends("", desk.typed(4, 0, **CHECK))
    code = desk.terminal.coordinators_code(desk.application)
    taken = {desk.who, desk.terminal.step(desk.other).assignee}
    free = next(n for n in range(1, 6) if f"r{n}@nss.example" not in taken)
    typed(
        "reassign", desk.step, "--to", f"r{free}@nss.example", "--reason", "ill", "--as", COORDINATOR, "--code", code
    )  # fmt: skip
    for path, fields in (
        ("/check", {"number": "1"}),
        ("", desk.typed(4, 1, comment="My words.", go="later")),
    ):
        answer = desk.sends(path, fields)
        assert answer.status_code == 409
        assert f"Recenzent {free} has it now" in words(answer)
    assert "My words." in answer.text, "what was typed can still be copied"
    assert not desk.all(Review)
    assert desk.step not in desk.person.opens("/reviews").text


@pytest.mark.slow
def test_the_applicant_is_asked_and_the_review_waits_with_its_draft(desk: Desk) -> None:
    desk.begins()
    assert desk.sends("", desk.typed(3, 0, go="ask")).headers["location"] == f"{desk.page}/ask"
    for nothing in (" ", "?!", "x" * 10_001):
        answer = desk.sends("/ask", {"question": nothing})
        assert (answer.status_code, mistakes(answer)[0][0]) == (422, "question")
    assert desk.sends("/ask", {"question": "Which maps?"}).status_code == 303
    assert desk.terminal.step(desk.step).state is StepState.ASKED
    assert "Your question is with the applicant" in words(desk.person.opens(desk.page))
    assert "Waiting for an answer 1" in words(desk.person.opens("/reviews"))
    assert len(desk.all(ReviewDraft)) == 1


# R12 ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_coordinator_sends_a_review_back_at_the_desk_with_a_reason(desk: Desk, browser: Opens) -> None:
    path = f"/cases/{desk.application}/reviews"
    coordinator = browser().signs_in(COORDINATOR)
    assert "No review is given" in words(coordinator.opens(path))
    desk.begins()
    desk.sends("", desk.typed(4, 0, comment="Bien.", **CHECK))
    desk.sends("/check", {"number": "1"})
    assert desk.who in words(coordinator.opens(path))
    blank = coordinator.sends(path, {"step": desk.step, f"reason-{desk.step}": " ? "})
    assert (blank.status_code, mistakes(blank)[0][0]) == (422, f"reason-{desk.step}")
    sent = coordinator.sends(path, {"step": desk.step, f"reason-{desk.step}": "Look at the maps."})
    assert "has the review back as a draft" in words(coordinator.opens(sent.headers["location"]))
    assert "sent back: Look at the maps." in words(desk.person.opens(desk.page))
    [entry] = [one for one in desk.all(Journal) if one.what == Event.SENT_BACK_A_REVIEW]
    assert (entry.who, entry.details["door"]) == (COORDINATOR, "desk")
    # What is sent back is no review any more, and of another case it never was one.
    for step in (desk.step, desk.other, "x"):
        assert coordinator.sends(path, {"step": step, f"reason-{step}": "Once more."}).status_code == 404


@pytest.mark.slow
def test_only_who_coordinates_a_case_has_the_page_of_its_reviews(desk: Desk, browser: Opens) -> None:
    path = f"/cases/{desk.application}/reviews"
    there = {browser().signs_in(who).opens(path).status_code for who in (TEACHER, desk.who)}
    assert there == {404}
    coordinator = browser().signs_in(COORDINATOR)
    assert coordinator.opens("/cases/NQL-0/reviews").status_code == 404


@pytest.mark.slow
def test_a_review_that_was_sent_back_opens_as_a_draft(desk: Desk) -> None:
    desk.begins()
    desk.sends("", desk.typed(4, 0, comment="Bien.", **CHECK))
    desk.sends("/check", {"number": "1"})
    code = desk.terminal.coordinators_code(desk.application)
    typed("send-back", desk.step, "--reason", "the maps", "--as", COORDINATOR, "--code", code)
    page = desk.person.opens(desk.page)
    assert "sent back: the maps" in words(page)
    again = re.findall(r'href="(/reviews/STEP-[^"/]+)"', page.text)[0]
    assert "Bien." in desk.person.opens(again).text


# R9, R10, R13, R16 ---------------------------------------------------------------------------------


def test_filters_are_in_the_address_and_survive_opening_a_case(desk: Desk) -> None:
    page = desk.person.opens("/reviews?label=national&due=month&q=mosty")
    link = re.findall(rf'href="({desk.page}[^"]*)"', page.text)[0]
    assert link == f"{desk.page}?due=month&amp;label=national&amp;q=mosty"
    case = desk.person.opens(link.replace("&amp;", "&"))
    assert 'href="/reviews?due=month&amp;label=national&amp;q=mosty"' in case.text
    assert desk.person.opens("/reviews?label=nothing&after=x&state=%00&due=1").status_code == 200


def test_the_list_says_what_is_due_and_overdue_of_which_country_and_label(desk: Desk) -> None:
    page = words(desk.person.opens("/reviews"))
    assert "Poland" in page
    assert "National Quality Label" in page
    assert "in 22 days" in page
    assert "overdue" not in page
    with desk.terminal.here.record.writing() as session:
        session.get_one(Step, desk.step).due_at = desk.terminal.here.now() - timedelta(days=2)
    page = words(desk.person.opens("/reviews"))
    assert "One is overdue." in page
    assert "2 days late" in page
    assert desk.page in desk.person.opens("/reviews?due=overdue").text
    assert desk.page not in desk.person.opens("/reviews?label=school").text


@pytest.mark.slow
def test_a_colleague_who_shares_the_mailbox_finds_what_a_stranger_finds(
    desk: Desk, browser: Opens, terminal: Terminal
) -> None:
    desk.begins()
    own, stranger = terminal.step(desk.step).person, browser().signs_in(COORDINATOR)
    kept, token = f"/reviews/{desk.step}", desk.person.token("/account")
    with terminal.here.record.writing() as session:
        others = session.scalars(sa.select(Staff).where(Staff.role == "reviewer")).all()
        colleague = next(
            one.person for one in others if one.email not in (desk.who, terminal.step(desk.other).assignee)
        )
        session.get_one(Person, colleague).address = desk.who
    assert desk.person.opens(desk.page).status_code == 200, "whose session it was stays who they are"
    other = browser().signs_in(desk.who)
    other.sends("/who", {"person": colleague}, page="/who")
    assert desk.step not in other.opens("/reviews").text
    for path in (desk.page, desk.page + "/check", desk.page + "/decline"):
        assert (other.opens(path).status_code, other.opens(path).text.count(desk.step)) == (
            404,
            stranger.opens(path).text.count(desk.step),
        )
    for path, fields in (
        ("", desk.typed()),
        ("/decline", {"why": "Ill."}),
        ("/conflict", {"conflict": "no"}),
    ):
        assert [one.sends(desk.page + path, fields).status_code for one in (other, stranger)] == [404, 404]
    with terminal.here.record.writing() as session:
        session.execute(sa.update(SignIn).values(seen_at=terminal.here.now() - timedelta(hours=3)))
    desk.person.sends(kept, desk.typed(comment="Mine."), token=token)
    assert [one.person for one in desk.all(KeptForm)] == [own]
    again = browser().signs_in(desk.who)
    again.sends("/who", {"person": colleague}, page="/who")
    again.sends("/account", {"everywhere": "1"})
    ended = {one.person for one in desk.all(SignIn) if one.ended_because == "signed out everywhere"}
    assert ended == {colleague}


@pytest.mark.slow
def test_nobody_sees_somebody_elses_review_or_learns_that_there_is_one(desk: Desk, browser: Opens) -> None:
    desk.begins()
    absent = desk.person.opens("/reviews/STEP-0000000000")
    for path in ("", "/check", "/ask", "/decline", "/next"):
        found = desk.person.opens(f"/reviews/{desk.other}{path}")
        if path == "/next":
            assert found.headers["location"] == desk.page
            continue
        assert found.status_code == 404, path
        assert found.text.replace(f"{desk.other}{path}", "") == absent.text.replace("STEP-0000000000", ""), (
            path
        )
    for path, fields in (
        ("", desk.typed()), ("/conflict", {"conflict": "no"}), ("/check", {"number": "1"}),
        ("/ask", {"question": "Why?"}), ("/decline", {"conflict": "no", "reason": "no_time"}),
    ):  # fmt: skip
        theirs = desk.person.sends(f"/reviews/{desk.other}{path}", fields)
        none = desk.person.sends(f"/reviews/STEP-0000000000{path}", fields)
        assert (theirs.status_code, none.status_code) == (404, 404), path
    teacher = browser().signs_in(TEACHER)
    assert teacher.opens("/reviews").status_code == 404
    assert teacher.opens(desk.page).status_code == 404


@pytest.mark.slow
@pytest.mark.parametrize("each", [0, 5])
def test_another_persons_review_changes_no_byte_of_what_one_sees(desk: Desk, each: int) -> None:
    desk.begins()
    desk.sends("", desk.typed(4, 0, **CHECK))
    pages = [
        "/reviews",
        "/reviews?state=sent",
        "/reviews/statistics",
        "/reviews/offline",
        desk.page,
        f"{desk.page}/check",
    ]

    def seen() -> list[tuple[str, dict[str, str]]]:
        answers = [desk.person.opens(path) for path in pages]
        return [(answer.text, dict(answer.headers)) for answer in answers]

    before = seen()
    file = desk.terminal.file(
        "theirs.json", {"scores": points(each), "comment": "Theirs.", "note": "Hidden."}
    )
    who, code = desk.terminal.step(desk.other).assignee, desk.terminal.code(desk.other)
    assert desk.terminal.run("answer", desk.other, file, "--as", who, "--code", code).exit_code == 5
    assert len(desk.all(Review)) == 1
    assert seen() == before


def test_whoever_leaves_the_staff_is_refused_at_the_next_click(desk: Desk) -> None:
    desk.begins()
    with desk.terminal.here.record.writing() as session:
        session.execute(sa.delete(Staff).where(Staff.email == desk.who))
    assert desk.person.opens(desk.page).status_code in (303, 404)
    assert desk.person.opens("/reviews").status_code in (303, 404)


@pytest.mark.slow
def test_a_reviewer_has_numbers_of_their_own(desk: Desk) -> None:
    assert "You have sent no review yet" in words(desk.person.opens("/reviews/statistics"))
    desk.begins()
    desk.sends("", desk.typed(4, 0, **CHECK))
    desk.sends("/check", {"number": "1"})
    page = words(desk.person.opens("/reviews/statistics"))
    assert "You have sent one review" in page
    assert "1 Sent of 1 that you were asked for" in page
    assert "100 % by their deadline" in page
    assert re.search(r"80–90 % 1\b", page), "24 of 30 points"
    for criterion in ("Pedagogical innovation and creativity", "Use of technology"):
        assert f"{criterion} 4 / 5" in page


# R14 ----------------------------------------------------------------------------------------------


def test_a_comment_that_names_a_reviewer_is_warned_of_before_it_is_sent(desk: Desk) -> None:
    with desk.terminal.here.record.writing() as session:
        session.execute(
            sa.update(Staff)
            .where(Staff.email == desk.terminal.step(desk.other).assignee)
            .values(name="Anna Nowakowska")
        )
    desk.begins()
    desk.sends("", desk.typed(4, 0, comment="As Ms Nowakowska says, go on.", **CHECK))
    page = words(desk.person.opens(f"{desk.page}/check"))
    assert "This seems to name a reviewer" in page
    assert "Nowakowska” – Anna Nowakowska" in page
    desk.sends("", desk.typed(4, 1, comment="Go on.", **CHECK))
    assert "name a reviewer" not in words(desk.person.opens(f"{desk.page}/check"))


# R11 ----------------------------------------------------------------------------------------------


def unzipped(answer: Any) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def test_all_cases_come_as_one_zip_with_a_file_each_to_fill_in(desk: Desk) -> None:
    assert list(unzipped(desk.person.opens("/reviews/offline.zip"))) == ["style.css"], (
        "the question comes first"
    )
    assert "One is left out" in words(desk.person.opens("/reviews/offline"))
    desk.begins()
    with_evidence(desk, "atlas.pdf", "application/pdf", a_pdf())
    found = unzipped(desk.person.opens("/reviews/offline.zip"))
    folder = desk.application
    assert set(found) == {
        "style.css", f"{folder}/application.html", f"{folder}/review.txt", f"{folder}/evidence/atlas.pdf",
    }  # fmt: skip
    assert found[f"{folder}/evidence/atlas.pdf"] == a_pdf()
    assert "Uczniowie badali" in found[f"{folder}/application.html"].decode()


def filled_in(desk: Desk, each: int = 3) -> bytes:
    name = f"{desk.application}/review.txt"
    text = unzipped(desk.person.opens("/reviews/offline.zip"))[name].decode("utf-8-sig")
    for criterion in CRITERIA:
        text = text.replace(f"{criterion} (0-5):", f"{criterion} (0-5): {each}")
    return text.encode()


def upload(desk: Desk, *files: tuple[str, bytes], **fields: str) -> Any:
    token = desk.person.token("/account")
    sent = [("files", (name, content)) for name, content in files]
    return desk.person.client.post("/reviews/offline", data={"form_token": token, **fields}, files=sent)


def test_a_file_that_was_filled_in_comes_back_as_a_draft_and_is_sent_by_its_reviewer(desk: Desk) -> None:
    desk.begins()
    answer = upload(desk, ("review.txt", filled_in(desk)))
    assert answer.status_code == 200
    assert "One file was read" in words(answer)
    assert [one.body["scores"] for one in desk.all(ReviewDraft)] == [points(3)]
    assert not desk.all(Review)


def test_the_whole_zip_can_come_back(desk: Desk) -> None:
    desk.begins()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr("x/application.html", "<p>")
        made.writestr("x/review.txt", filled_in(desk, 2))
        made.writestr("x/evidence/notes.txt", "Notes of the applicant.")
    assert upload(desk, ("reviews.zip", packed.getvalue())).status_code == 200
    assert [one.body["scores"] for one in desk.all(ReviewDraft)] == [points(2)]


def test_what_was_written_here_meanwhile_is_replaced_only_if_one_says_so(desk: Desk) -> None:
    desk.begins()
    file = filled_in(desk, 5)
    desk.sends("", desk.typed(1, 0, go="later"))
    answer = upload(desk, ("review.txt", file))
    assert answer.status_code == 422
    assert "saved in another window" in words(answer)
    assert [one.body["scores"] for one in desk.all(ReviewDraft)] == [points(1)]
    assert upload(desk, ("review.txt", file), replace="1").status_code == 200
    assert [one.body["scores"] for one in desk.all(ReviewDraft)] == [points(5)]


def test_a_file_that_is_no_review_of_theirs_is_refused_with_its_reason(desk: Desk) -> None:
    desk.begins()
    file = filled_in(desk)
    for name, content, why in (
        (
            "a.txt",
            file.replace(desk.step.encode(), desk.other.encode()),
            "No review of yours has this number",
        ),
        ("b.txt", file.replace(b": 3", b": 9"), "out of range"),
        ("c.txt", b"Hello", "is not “name: points”"),
        ("d.zip", b"PK\x03\x04 broken", "This ZIP can&#39;t be opened"),
    ):
        answer = upload(desk, (name, content))
        assert answer.status_code == 422, name
        assert why in words(answer), name
    assert upload(desk).status_code == 422
    assert not [one for one in desk.all(ReviewDraft) if one.number]


# Schools ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_a_school_is_reviewed_pillar_by_pillar_beside_its_own_answers(
    record: Record, settings: Settings
) -> None:
    school = School(record)
    school.hand_in()
    school.declare()
    step = school.ask()[0]
    here = Workspace(settings, record, open_store(settings), KEY, frozen_clock(school.now))
    person = Browser(here).signs_in(step.assignee)
    person.sends(f"/reviews/{step.id}/conflict", {"conflict": "no"})
    page = person.opens(f"/reviews/{step.id}")
    assert page.status_code == 200
    for one in QUESTIONS.questions:
        assert escape(one.text) in page.text
        assert f"O tym: {one.id}." in page.text
    assert "What the school shows besides" in words(page)
    assert "What the registry knows of the school" in words(page)
    given = {f"points.{pillar.id}": "3" for pillar in QUESTIONS.pillars}
    answer = person.sends(f"/reviews/{step.id}", given | {"version": "0", "go": "check"})
    assert answer.headers["location"] == f"/reviews/{step.id}/check"
    folder = unzipped(person.opens("/reviews/offline.zip"))
    first = QUESTIONS.pillars[0]
    assert f"{first.id} (0-{first.maximum}): 3" in folder[f"{school.id}/review.txt"].decode("utf-8-sig")
    person.sends(f"/reviews/{step.id}/check", {"number": "1"})
    assert "Your review is sent" in person.opens(f"/reviews/{step.id}").text
