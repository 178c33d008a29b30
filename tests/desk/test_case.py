"""A case's page: what a coordinator may do there, each by the use case of every door, and nobody else."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.languages.desk import DeskTexts
from desk.languages import COOKIE
from labels.answering import accepting
from labels.applications import ending
from labels.record.schema import Application, Conflict, Journal, Mail, Outcome, Staff, Step, StepState
from labels.reviews import deciding
from labels.rules.kept import keep_rules
from labels.steps.answers import ReviewAnswer
from labels.steps.proof import SignedIn
from labels.turn import Door
from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.desk.conftest import Browser, words
from tests.desk.test_applications import central
from tests.support.case import Case, reviewed_by
from tests.support.people import points

Opens = Callable[..., Browser]


@pytest.fixture
def application(terminal: Terminal) -> str:
    application = terminal.submitted()
    terminal.asked(application)
    return application


@pytest.fixture
def coordinator(browser: Opens, application: str) -> Browser:
    return browser().signs_in(COORDINATOR)


@pytest.mark.slow
def test_a_review_is_given_to_somebody_else(
    terminal: Terminal, coordinator: Browser, application: str
) -> None:
    first, second = terminal.open_reviews()
    page = f"/cases/{application}"
    with terminal.here.record.reading() as session:
        taken = {first.person, second.person}
        free = session.scalars(
            sa.select(Staff.person).where(Staff.role == "reviewer", Staff.person.not_in(taken))
        ).first()
    assert f'value="{free}"' in coordinator.opens(page).text
    fields = {
        "step": first.id,
        "act": "reassign",
        f"to-{first.id}": free,
        f"reason-{first.id}": "She is ill.",
    }
    answer = coordinator.sends(page, fields)
    assert (answer.status_code, answer.headers["location"].partition("&")[0]) == (303, f"{page}?sent=1")
    assert [one.person for one in terminal.open_reviews()] == [free, second.person]
    with terminal.here.record.reading() as session:
        entry = session.scalars(sa.select(Journal).where(Journal.what.contains("reassigned"))).one()
    assert (entry.details["because"], entry.details["door"]) == ("She is ill.", Door.DESK.value)
    assert "She is ill." in words(coordinator.opens(page))
    assert coordinator.sends(page, fields).status_code == 404, "the step is no longer awaited"


@pytest.mark.slow
def test_all_that_happened_stands_in_time_order_with_who_did_it_and_how_they_were_known(
    terminal: Terminal, coordinator: Browser, application: str
) -> None:
    first, second = terminal.open_reviews()
    for step in (first, second):
        fields = {"step": step.id, "act": "remind", f"reason-{step.id}": f"Number {step.seat}."}
        assert coordinator.sends(f"/cases/{application}", fields).status_code == 303
    page = coordinator.opens(f"/cases/{application}")
    told = words(page).partition("All that happened")[2]
    places = [told.index(what) for what in ("Number 2.", "Number 1.", "assigned a reviewer", "submitted")]
    assert places == sorted(places), "the newest first"
    assert f"{COORDINATOR}" in told
    assert "signed in with a code by mail" in told
    with terminal.here.record.reading() as session:
        names = {row.email: row.name for row in session.scalars(sa.select(Staff))}
    assert f"assigned a reviewer {names[first.assignee]}" in told
    waits = words(page).partition("What it waits for")[2].partition("All that happened")[0]
    assert f"{names[first.assignee]} {first.assignee}" in waits, "by name, with the address behind it"


@pytest.mark.slow
def test_only_who_may_have_a_review_is_offered_for_it(
    terminal: Terminal, coordinator: Browser, application: str
) -> None:
    first, second = terminal.open_reviews()
    with terminal.here.record.writing() as session:
        free = session.scalars(
            sa.select(Staff.person).where(
                Staff.role == "reviewer", Staff.person.not_in((first.person, second.person))
            )
        ).all()
        assert len(free) > 1
        near, *others = free
        session.add(
            Conflict(
                person=near, kind="teacher", target="T-1", reason="Cousins.", declared_by="c",
                declared_at=terminal.here.now(),
            )
        )  # fmt: skip

    def offered(step: str) -> set[str]:
        select = coordinator.opens(f"/cases/{application}").text.partition(
            f'<select class="form-select" id="to-{step}"'
        )[2]
        return set(re.findall(r'<option value="([^"]+)"', select.partition("</select>")[0]))

    assert offered(first.id) == offered(second.id) == {"me", *others}
    coordinator.sends(
        f"/cases/{application}",
        {"step": first.id, "act": "reassign", f"to-{first.id}": "me", f"reason-{first.id}": "She is ill."},
    )
    mine, _ = terminal.open_reviews()
    assert "me" not in offered(mine.id), "who has it already"
    assert offered(second.id) == offered(mine.id)


def test_why_each_reviewer_was_asked_is_on_the_coordinators_page(
    terminal: Terminal, coordinator: Browser, application: str
) -> None:
    shown = words(coordinator.opens(f"/cases/{application}"))
    assert "Why the rules asked them" in shown
    assert "1 review of the year with this one · what they wish +2" in shown
    assert "was next, at the same cost." in shown


@pytest.mark.slow
def test_what_is_missing_or_refused_is_said_and_nothing_is_lost(
    terminal: Terminal, coordinator: Browser, application: str
) -> None:
    first, second = terminal.open_reviews()
    page = f"/cases/{application}"
    answer = coordinator.sends(page, {"step": first.id, "act": "reassign", f"to-{first.id}": "me"})
    assert answer.status_code == 422
    fields = {f"reason-{first.id}": "Because of that.", "step": first.id}
    answer = coordinator.sends(page, fields | {"act": "reassign", f"to-{first.id}": second.person})
    assert answer.status_code == 409
    assert "judges or judged this application already" in words(answer)
    assert "Because of that." in answer.text
    for until, status in (("2020-01-01", 409), ("soon", 422), ("", 422)):
        answer = coordinator.sends(page, fields | {"act": "deadline", f"until-{first.id}": until})
        assert answer.status_code == status, until
    assert [one.id for one in terminal.open_reviews()] == [first.id, second.id]


def test_what_is_no_day_is_said_beside_its_field(
    terminal: Terminal, coordinator: Browser, application: str
) -> None:
    first, second = terminal.open_reviews()
    page = f"/cases/{application}"
    fields = {"step": first.id, f"reason-{first.id}": "Easter."}
    wrong = coordinator.sends(page, fields | {"act": "deadline", f"until-{first.id}": "soon"})
    assert wrong.status_code == 422
    assert f'id="until-{first.id}-error"' in wrong.text
    assert "write it as 2026-04-20" in wrong.text
    refused = coordinator.sends(page, fields | {"act": "reassign", f"to-{first.id}": second.person})
    assert refused.status_code == 409
    assert f'id="to-{first.id}-error"' in refused.text


@pytest.mark.slow
def test_what_the_domain_refuses_is_marked_as_english_where_the_language_lacks_it(
    terminal: Terminal, coordinator: Browser, application: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = terminal.open_reviews()
    given = ReviewAnswer(scores=points(3), comment="a word")
    case_of(terminal, application).do(
        accepting.answer, first.id, SignedIn(first.person, "mail code", terminal.here.now()), given
    )
    with terminal.here.record.writing() as session:
        session.execute(sa.delete(Staff).where(Staff.person == first.person))
    coordinator.client.cookies.set("language", "pl")
    monkeypatch.setattr(DeskTexts, "can_say", lambda *_: False)
    refused = coordinator.sends(
        f"/cases/{application}/reviews", {"step": first.id, f"reason-{first.id}": "Once more, please."}
    )
    assert refused.status_code == 409
    assert '<span lang="en" dir="ltr">' in refused.text


def test_a_deadline_is_moved(terminal: Terminal, coordinator: Browser, application: str) -> None:
    first, _ = terminal.open_reviews()
    answer = coordinator.sends(
        f"/cases/{application}",
        {
            "step": first.id,
            "act": "deadline",
            f"until-{first.id}": "2026-04-27",
            f"reason-{first.id}": "Easter.",
        },
    )
    assert answer.status_code == 303
    assert str(terminal.step(first.id).due_at).startswith("2026-04-27")


@pytest.mark.slow
def test_another_countrys_case_answers_as_one_that_is_not_there(
    terminal: Terminal, browser: Opens, application: str
) -> None:
    with terminal.here.record.writing() as session:
        session.add(
            Staff(
                email="c@pt.example", role="coordinator", name="Inês", organisation="NSS-PT", language="pt",
                school=None,
            )
        )  # fmt: skip
    first, _ = terminal.open_reviews()
    other = browser().signs_in("c@pt.example")
    there, nowhere = other.opens(f"/cases/{application}"), other.opens("/cases/NQL-0000000000")
    assert there.status_code == 404
    assert there.text.replace(application, "N") == nowhere.text.replace("NQL-0000000000", "N")
    fields = {"step": first.id, "act": "reassign", f"to-{first.id}": "me", f"reason-{first.id}": "Mine."}
    assert other.sends(f"/cases/{application}", fields).status_code == 404
    assert browser().signs_in(TEACHER).opens(f"/cases/{application}").status_code == 404


def journal(terminal: Terminal, what: str) -> list[Journal]:
    with terminal.here.record.reading() as session:
        return list(session.scalars(sa.select(Journal).where(Journal.what == what)))


def test_whoever_is_awaited_is_reminded(terminal: Terminal, coordinator: Browser, application: str) -> None:
    first, _ = terminal.open_reviews()
    fields = {"step": first.id, "act": "remind", f"reason-{first.id}": "The committee meets on Friday."}
    assert coordinator.sends(f"/cases/{application}", fields).status_code == 303
    [entry] = journal(terminal, "reminded")
    assert (entry.step, entry.details["to"]) == (first.id, first.assignee)
    with terminal.here.record.reading() as session:
        [mail] = session.scalars(sa.select(Mail).where(Mail.template == "changed_together"))
    assert mail.to_address == first.assignee
    assert mail.context["message"]["reason"] == "The committee meets on Friday."


@pytest.mark.slow
def test_a_conflict_of_interest_is_declared_shown_and_lifted(
    terminal: Terminal, coordinator: Browser, application: str
) -> None:
    first, _ = terminal.open_reviews()
    page = f"/cases/{application}"
    fields = {"act": "declare", "whose-conflict": first.person, "reason-conflict": "Cousins."}
    assert coordinator.sends(page, fields).status_code == 303
    [entry] = journal(terminal, "declared a conflict of interest")
    assert entry.details["reviewer"] == first.assignee
    assert "Cousins." in words(coordinator.opens(page))
    lift = fields | {"act": "lift", "reason-conflict": "Another Anna."}
    assert coordinator.sends(page, lift).status_code == 303
    assert "None is declared." in words(coordinator.opens(page))
    refused = coordinator.sends(page, lift)
    assert refused.status_code == 409
    assert 'id="whose-conflict-error"' in refused.text
    assert coordinator.sends(page, fields | {"reason-conflict": " "}).status_code == 422


def case_of(terminal: Terminal, application: str) -> Case:
    """An application of the terminal's record, to be taken through the domain."""
    case = Case.__new__(Case)
    case.record, case.now, case.id = terminal.here.record, terminal.here.now(), application
    return case


def decided(terminal: Terminal, application: str, each: int = 4) -> None:
    case = case_of(terminal, application)
    for step in terminal.open_reviews():
        case.do(
            accepting.answer,
            step.id,
            SignedIn(step.person, "mail code", case.now),
            ReviewAnswer(
                scores=points(each + step.seat - 1), comment=f"comment {step.seat}", note=f"note {step.seat}"
            ),
        )
    case.do(deciding.decide, application)
    case.do(ending.close, application)


def test_reviews_stand_side_by_side_once_nobody_can_be_swayed(
    terminal: Terminal, coordinator: Browser, application: str
) -> None:
    first, second = terminal.open_reviews()
    case = case_of(terminal, application)
    given = ReviewAnswer(scores=points(3), comment="a word to the applicant", note="a word to colleagues")
    case.do(accepting.answer, first.id, SignedIn(first.person, "mail code", case.now), given)
    page = coordinator.opens(f"/cases/{application}")
    assert "What is in them is shown once the case is decided" in words(page)
    assert first.assignee in words(page)
    assert "a word to" not in page.text
    case.do(
        accepting.answer,
        second.id,
        SignedIn(second.person, "mail code", case.now),
        ReviewAnswer(scores=points(4), comment="another word"),
    )
    case.do(deciding.decide, application)
    shown = coordinator.opens(f"/cases/{application}")
    assert re.search(r"Pedagogical innovation and creativity\s+3\s+4", words(shown))
    assert "6 points apart" in words(shown)
    assert "a word to the applicant another word" in words(shown)
    assert "a word to colleagues" in words(shown)


def test_the_central_service_sees_the_points_and_no_reviewer(
    terminal: Terminal, browser: Opens, application: str
) -> None:
    first, _ = terminal.open_reviews()
    decided(terminal, application)
    central(terminal)
    page = browser().signs_in("head@eu.example").opens(f"/cases/{application}")
    assert "Pedagogical innovation" in words(page)
    assert first.assignee not in page.text
    assert "note 1" not in page.text
    assert 'name="act"' not in page.text


@pytest.mark.slow
def test_a_decision_is_reopened_with_what_hangs_on_it(
    terminal: Terminal, coordinator: Browser, application: str
) -> None:
    assert coordinator.opens(f"/cases/{application}/reopen").status_code == 404, "nothing is decided"
    decided(terminal, application)
    page = f"/cases/{application}/reopen"
    assert f'href="{page}"' in coordinator.opens(f"/cases/{application}").text
    assert "Why is it decided again?" in words(coordinator.opens(page))
    shown = coordinator.sends(page, {"cause": "registry", "look": "1"})
    assert "What hangs on it" in words(shown)
    assert journal(terminal, "reopened a decision") == []
    plan = re.search(r'name="plan" value="([^"]+)"', shown.text)
    assert plan
    fields = {"cause": "registry", "plan": plan[1]}
    assert coordinator.sends(page, fields).status_code == 422
    stale = coordinator.sends(page, fields | {"plan": "other", "reason": "The school moved."})
    assert stale.status_code == 409
    assert "Nothing was done" in words(stale)
    with terminal.here.record.reading() as session:
        assert session.get_one(Application, application).outcome is not None
    assert coordinator.sends(page, fields | {"reason": "The school moved."}).status_code == 303
    with terminal.here.record.reading() as session:
        row = session.get_one(Application, application)
        assert (row.outcome, row.instance) == (None, 2)
    assert [one.details["because"] for one in journal(terminal, "reopened a decision")] == [
        "The school moved."
    ]


@pytest.mark.slow
def test_the_place_in_the_process_is_told_and_drawn(coordinator: Browser, application: str) -> None:
    page = coordinator.opens(f"/cases/{application}")
    assert 'aria-label="The process; the case stands at: Review"' in page.text
    assert "0 of 2 sent" in page.text
    assert drawn(page) == [
        "Received",
        "Conditions",
        "Review",
        "Decision",
        "Papers",
        "Closed",
        "Question",
        "Reviewer missing",
    ]
    coordinator.client.cookies.set(COOKIE, "ar", domain="127.0.0.1")
    assert not [word for word in drawn(coordinator.opens(f"/cases/{application}")) if word.isascii()]


def drawn(page: Any) -> list[str]:
    """What stands in the boxes of the picture of the process."""
    return re.findall(r'rx="20"/><text [^>]*>([^<]+)</text>', page.text)


def under(terminal: Terminal, application: str, **rules: Any) -> None:
    """Has an application go by rules of its own for its reviews."""
    with terminal.here.record.writing() as session:
        row = session.get_one(Application, application)
        row.rules = keep_rules(session, reviewed_by(row.organisation, **rules))


BY_RULES = {"most": 2, "chosen_by": "rules"}


@pytest.mark.slow
def test_one_more_reviewer_is_called_where_the_rules_allow_it(
    terminal: Terminal, coordinator: Browser, application: str
) -> None:
    page = f"/cases/{application}"
    assert "One more reviewer" not in words(coordinator.opens(page))
    under(terminal, application, additional=BY_RULES)
    assert "One more reviewer" in words(coordinator.opens(page))
    select = coordinator.opens(page).text.partition('id="to-more"')[2].partition("</select>")[0]
    offered = re.findall(r'<option value="([^"]+)"', select)
    taken = {one.person for one in terminal.open_reviews()}
    assert offered
    assert not taken & set(offered)
    refused = coordinator.sends(page, {"act": "call", "to-more": offered[0], "reason-more": " "})
    assert (refused.status_code, len(terminal.open_reviews())) == (422, 2)
    answer = coordinator.sends(page, {"act": "call", "to-more": offered[0], "reason-more": "Not sure."})
    assert answer.status_code == 303
    assert {one.person for one in terminal.open_reviews()} == {*taken, offered[0]}
    assert "called one more reviewer" in words(coordinator.opens(page))


@pytest.mark.slow
def test_a_coordinator_reads_the_reviews_and_decides_where_the_rules_leave_it_to_them(
    terminal: Terminal, coordinator: Browser, application: str
) -> None:
    under(terminal, application, decided_by="coordinator")
    page = f"/cases/{application}"
    case = Case.__new__(Case)
    case.record, case.now = terminal.here.record, terminal.here.now()
    for step in terminal.open_reviews():
        by = SignedIn(step.person, "mail code", case.now)
        given = ReviewAnswer(scores=points(4), comment="A fine project.")
        assert "recorded" in case.do(accepting.answer, step.id, by, given).remark
    assert "A fine project." not in words(coordinator.opens(page)), "nobody is asked to decide yet"
    terminal.asked(application)
    shown = coordinator.opens(page)
    assert "A fine project." in words(shown)
    forms = [form for form in re.findall(r"<form.*?</form>", shown.text, re.S) if 'name="step"' in form]
    [decides, moves] = forms
    assert 'value="award"' in decides
    assert "<input class" not in decides, "Enter in a line sends a form's first button"
    assert re.findall(r'name="act" value="(\w+)"', moves)[0] == "deadline"
    [step] = set(re.findall(r'name="step" value="([^"]+)"', shown.text))
    until = (terminal.here.now() + timedelta(days=30)).date().isoformat()
    moved = {"act": "deadline", "step": step, f"until-{step}": until}
    assert coordinator.sends(page, moved).status_code == 422, "the reason of the other form is none of this"
    assert coordinator.sends(page, {**moved, f"reason-of-{step}": "A colleague is ill."}).status_code == 303
    with terminal.here.record.reading() as session:
        assert session.get_one(Step, step).state is StepState.OPEN
    decision = {"act": "award", "step": step, f"reason-{step}": "It convinces me."}
    asked = coordinator.sends(page, decision)
    assert asked.status_code == 200
    assert "Is this your decision?" in words(asked)
    assert "It convinces me." in words(asked)
    with terminal.here.record.reading() as session:
        assert session.get_one(Step, step).answer is None, "nothing is decided before it is confirmed"
    answer = coordinator.sends(page, {**decision, "confirmed": "1"})
    assert answer.status_code == 303
    assert case.do(deciding.decide, application) is Outcome.AWARDED
    assert "It convinces me." in words(coordinator.opens(page))


def test_the_page_says_when_a_late_review_ends_by_itself(
    terminal: Terminal, coordinator: Browser, application: str
) -> None:
    page = f"/cases/{application}"
    assert "ends by itself" not in words(coordinator.opens(page))
    late = {"pauses": [], "tell_every": 7, "ends_after": 5, "others": 1}
    under(terminal, application, late=late)
    assert "Not given by then, it ends by itself on" in words(coordinator.opens(page))
