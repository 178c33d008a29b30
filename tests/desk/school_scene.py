"""A school before the desk: S-1 of the small registry, whose teachers were invited, and a school beside it."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import sqlalchemy as sa

from adapters.documents.opening import open_store
from adapters.workspace import Workspace
from labels.clock import frozen_clock
from labels.record import Record
from labels.record.schema import Person, StepKind, Teacher
from labels.settings import Settings
from tests.desk.conftest import Browser
from tests.support.people import KEY
from tests.support.school import FILES, School, whole

FIRST, SECOND, PRINCIPAL = "t-1@school.example", "t-3@school.example", "dyrektor@s.example"
OUTSIDER = "t-2@school.example"
"""A teacher of another school, S-2."""


class SchoolDesk:
    """The school, the desk of its record, and people who have signed in there."""

    def __init__(self, record: Record, settings: Settings) -> None:
        self.school = School(record)
        self.school.now -= timedelta(days=0)
        self.settings = settings
        with record.writing() as session:
            session.execute(sa.update(Person).values(language="en"))
            session.execute(sa.update(Teacher).values(language="en"))

    @property
    def here(self) -> Workspace:
        """The workspace at the school's present instant."""
        store = open_store(self.settings)
        return Workspace(self.settings, self.school.record, store, KEY, frozen_clock(self.school.now))

    def person(self, address: str) -> Browser:
        """Somebody who has signed in."""
        return Browser(self.here).signs_in(address)

    @property
    def form(self) -> str:
        return f"/self-assessment/{self.school.id}"

    @property
    def step(self) -> str:
        return self.school.open(StepKind.SELF_ASSESSMENT)[0].id


def fields_of(page: Any) -> dict[str, str]:
    """What a browser would send of the first form of a page with fields, as it was drawn."""
    [body, *_] = re.findall(r"<form method=\"post\" enctype.*?</form>", page.text, re.S)
    found = {}
    for tag in re.findall(r"<input [^>]*>", body):
        kept = dict(re.findall(r'(\w[\w-]*)="([^"]*)"', tag))
        name, kind = kept.get("name", ""), kept.get("type", "text")
        if (
            not name
            or kind in ("file", "submit")
            or (kind in ("radio", "checkbox") and " checked" not in tag)
        ):
            continue
        found[name] = unescape(kept.get("value", ""))
    for tag, text in re.findall(r"<textarea ([^>]*)>\n?(.*?)</textarea>", body, re.S):
        found[dict(re.findall(r'(\w[\w-]*)="([^"]*)"', tag))["name"]] = unescape(text)
    found.pop("form_token", None)
    return found


def complete() -> dict[str, str]:
    """Every field of a whole self-assessment as it is typed."""
    given = whole()
    fields = {f"confirmed.{name}": "1" for name in given.confirmed}
    for pillar, answers in given.answers.items():
        for question, said in answers.items():
            fields[f"answers.{pillar}.{question}.level"] = str(said.level)
            fields[f"answers.{pillar}.{question}.text"] = said.text
    return fields | {f"requirements.{name}": text for name, text in given.requirements.items()}


DOCUMENTS = FILES
