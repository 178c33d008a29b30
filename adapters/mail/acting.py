"""How people act on what a mail invites them to: the one place where mails know of commands and of a page to open."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from labels.mail.message import CallToAction, Message
from labels.words.sentences import PLACE


@dataclass(frozen=True, slots=True)
class Way:
    """How one act is done."""

    command: str
    """For the command line, to be copied as it is; words in capitals are filled in first. Empty where a page of the desk is
    enough: its people have no command line."""
    page: str = ""
    """The address of the page with the form; empty where no page takes this answer."""


@dataclass(frozen=True, slots=True)
class Pages:
    """Where the pages are that mails lead to."""

    run: str = ""
    """The address of the run of the application in Prefect's UI, or of that UI."""
    desk: str = ""
    """The public address of the desk; empty where there is none."""


_ANSWER = "labels answer {step} --as {email} --code {code}"

COMMANDS: Mapping[CallToAction, str] = {
    CallToAction.REVIEW: f"{_ANSWER} review.json",
    CallToAction.ASSIGN: "labels reassign {step} --to EMAIL --reason REASON --as {email} --code {code}",
    CallToAction.DECIDE: "labels decision {step} DECISION --reason REASON --as {email} --code {code}",
    CallToAction.PLAN_REVIEWERS: "labels assign {organisation}",
    CallToAction.SCREEN: f"{_ANSWER} screening.json",
    CallToAction.AWARD: f"{_ANSWER} award.json",
    CallToAction.MAKE_CERTIFICATES: "labels pupils {award} names.csv certificates --as {email} --code {code}",
    CallToAction.SEE_CYCLE: "labels cycle {year}",
    CallToAction.GET_ORGANISATION_CODE: "labels code {organisation} --as {email}",
    CallToAction.SEE_MERGE: "labels persons confirm {merge}",
    CallToAction.CHECK_JOURNAL: "labels journal --verify --head {head}",
}
"""Of what the staff may do in Prefect's pages or at the command line, too, or no page does; for the rest a page is enough."""

DESK_PAGES: Mapping[CallToAction, str] = {
    CallToAction.REVIEW: "/reviews/{step}",
    CallToAction.ANSWER: "/applications/{application}",
    CallToAction.WITHDRAW: "/applications/{application}",
    CallToAction.APPEAL: "/applications/{application}",
    CallToAction.SEE_QUESTIONS: "/self-assessment/{application}",
    CallToAction.HAND_IN: "/self-assessment/{application}",
    CallToAction.HAND_IN_AGAIN: "/self-assessment/{application}",
    CallToAction.CONFIRM: "/self-assessment/{application}/confirm",
    CallToAction.SEND_BACK: "/self-assessment/{application}/confirm?back=1",
    CallToAction.SEE_OWN: "/applications/{application}",
    CallToAction.ASSIGN: "/cases/{application}",
    CallToAction.DECIDE: "/cases/{application}",
    CallToAction.SEE_APPLICATION: "/cases/{application}",
    CallToAction.SEE_OTHER: "/cases/{application}/likeness",
    CallToAction.SEE_INBOX: "/",
    CallToAction.SEE_STUCK: "/overview",
}
"""The page of the desk on which an act is done; whoever opens it signs in there, and needs no code of the step."""

HAVE_A_PAGE = frozenset(
    {
        CallToAction.REVIEW,
        CallToAction.ANSWER,
        CallToAction.ASSIGN,
        CallToAction.DECIDE,
        CallToAction.SCREEN,
        CallToAction.AWARD,
        CallToAction.SEE_INBOX,
    }
)
"""What Prefect's page of an application takes or shows: its run with the Resume form, or the list of runs."""


def ways(message: Message, told: Mapping[str, Any], pages: Pages) -> dict[str, Way]:
    """How each act that a message invites to is done, by the act's name.

    Args:
        message: what invites to them.
        told: the values that commands are made of: what the message tells, and its recipient's `email` and `code`.
        pages: where the pages are.
    """
    return {
        act.value: Way(_filled(COMMANDS.get(act, ""), told), _page(act, told, pages)) for act in message.calls
    }


def _page(act: CallToAction, told: Mapping[str, Any], pages: Pages) -> str:
    if pages.desk and act in DESK_PAGES:
        path = PLACE.sub(lambda place: quote(str(told[place[1]]), safe=""), DESK_PAGES[act])
        return pages.desk.rstrip("/") + path
    return pages.run if act in HAVE_A_PAGE else ""


def _filled(command: str, told: Mapping[str, Any]) -> str:
    return PLACE.sub(lambda place: shlex.quote(str(told[place[1]])), command)
