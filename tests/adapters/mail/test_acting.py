"""What mails lead to: the desk's page of that very step where there is one, else Prefect's; and a command for the staff."""

from __future__ import annotations

import pytest

from adapters.mail.acting import COMMANDS, DESK_PAGES, Pages, ways
from labels.mail import messages
from labels.mail.message import CallToAction, Message, Template
from tests.support.mails import ABOUT, ASKED, EXAMPLES, STEP

TOLD = {"step": STEP, "email": "anna@nss.example", "code": "7KQ4-M9XT-2C", "application": ABOUT.application}
PAGES = Pages("https://prefect.example/runs/flow-run/1", "https://labels.example/")


@pytest.mark.parametrize(
    "message",
    [
        messages.ReviewAsked(about=ASKED),
        messages.ReviewReturned(about=ASKED, question="Which?", answer="All."),
        messages.ReviewSentBack(about=ASKED, reason="the maps"),
    ],
    ids=lambda one: one.template.value,
)
def test_a_reviewers_mail_leads_to_the_desks_page_of_that_review(message: Message) -> None:
    way = ways(message, TOLD, PAGES)["review"]
    assert way.page == f"https://labels.example/reviews/{STEP}"
    assert "7KQ4" not in way.page, "no secret is in a link"
    assert way.command.startswith(f"labels answer {STEP} ")
    assert ways(message, TOLD, Pages(PAGES.run))["review"].page == PAGES.run


def test_a_teachers_mail_leads_to_the_page_of_their_application() -> None:
    page = f"https://labels.example/applications/{ABOUT.application}"
    asked = messages.InformationAsked(about=ASKED, question="Which?")
    assert ways(asked, TOLD, PAGES)["answer"].page == page
    assert ways(messages.AppealReceived(about=ABOUT), TOLD, PAGES)["withdraw"].page == page


def test_a_coordinators_mail_leads_to_the_page_of_the_case() -> None:
    message = messages.AssignmentAsked(about=ASKED, reasons=())
    way = ways(message, TOLD, PAGES)["assign"]
    assert way.page == f"https://labels.example/cases/{ABOUT.application}"
    assert ways(message, TOLD, Pages(PAGES.run))["assign"].page == PAGES.run


def test_a_mail_about_likeness_leads_to_the_passages() -> None:
    way = ways(EXAMPLES[Template.SIMILARITY_WARNING], TOLD | {"other": "NQL-2"}, PAGES)["see_other"]
    assert way.page == f"https://labels.example/cases/{ABOUT.application}/likeness"
    assert not way.command


def test_other_acts_lead_to_prefect_as_before() -> None:
    message = EXAMPLES[Template.SCREENING_ASKED]
    assert ways(message, TOLD, PAGES)["screen"].page == PAGES.run


def test_an_address_is_made_of_nothing_but_what_stands_in_it() -> None:
    message = messages.ReviewAsked(about=ASKED)
    way = ways(message, TOLD | {"step": "../x?y#<"}, PAGES)["review"]
    assert way.page == "https://labels.example/reviews/..%2Fx%3Fy%23%3C"
    assert set(DESK_PAGES) <= set(CallToAction)


@pytest.mark.parametrize("act", CallToAction)
def test_an_act_has_a_page_of_the_desk_or_a_command_and_both_for_what_the_staff_decides_alone(
    act: CallToAction,
) -> None:
    both = (CallToAction.REVIEW, CallToAction.ASSIGN, CallToAction.DECIDE)
    assert (act in DESK_PAGES) + (act in COMMANDS) == (2 if act in both else 1)
