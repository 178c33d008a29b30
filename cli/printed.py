"""What commands print as JSON where it is more than a view: with addresses, and with the command that mends it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from adapters.prefect.pages import run_page
from labels.settings import Settings
from labels.views.case import Case
from labels.views.inbox import InboxItem
from labels.views.stuck import Problem


class ShownCase(Case):
    """Where an application stands (`labels show`)."""

    url: str
    """Where its run is in Prefect's pages; empty where there is none."""


class ShownItem(InboxItem):
    """One step that awaits a person (`labels inbox`)."""

    url: str
    """Where its form is in Prefect's pages; empty where nobody can open it."""


class ShownStuck(BaseModel):
    """One reason why something does not go on by itself (`labels stuck`)."""

    subject: str
    """The application; an organisation or a message where it is not about one."""
    organisation: str | None
    stage: str | None
    awaits: str | None
    """Whose turn it is."""
    since: datetime | None
    problem: Problem
    reason: str
    """The problem in a sentence."""
    mend: str
    """The command that mends it."""


def shown_case(case: Case, settings: Settings) -> ShownCase:
    """The case with the address of its run."""
    return ShownCase(**dict(case), url=run_page(settings, case.run) if case.run else "")


def shown_item(item: InboxItem, settings: Settings, answers: bool) -> ShownItem:
    """The item with the address of its form, if Prefect's server answers."""
    return ShownItem(**dict(item), url=run_page(settings, item.run) if item.run and answers else "")
