"""The names that an application's papers will state, and the letters in them that no font prints."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications.submitting import Submitted
from labels.record.rows import read
from labels.record.schema import Application, Organisation, Project, School, Teacher
from labels.registry.letters import Missing
from labels.words.text import DECORATION, described


@dataclass(frozen=True, slots=True)
class Unprintable:
    """A name with letters that no font prints; the name itself is left out wherever this is shown."""

    what: str
    """Whose name it is, e.g. `the project's title`."""
    letters: Sequence[str]
    file: str
    """The registry's file that has it."""

    def __str__(self) -> str:
        some = ", ".join(map(described, self.letters[:5]))
        more = f" and {len(self.letters) - 5} more" if len(self.letters) > 5 else ""
        return f"No font here has {some}{more}, which is in {self.what}: no certificate could be printed."


_NAMES = (
    ("the teacher's name", "teachers.csv", Teacher.name),
    ("the school's name", "schools.csv", School.name),
    ("the school's city", "schools.csv", School.city),
    ("the project's title", "projects.csv", Project.title),
    ("the organisation's name", "organisations.csv", Organisation.name),
)


_NAMED = (
    sa.select(Application, *(column for _, _, column in _NAMES))
    .join(Organisation, Organisation.id == Application.organisation)
    .outerjoin(Teacher, Teacher.id == Application.teacher)
    .outerjoin(School, School.id == Application.school)
    .outerjoin(Project, Project.id == Application.project)
)
_NAMED_IN_ONE = _NAMED.with_only_columns(*(column for _, _, column in _NAMES)).where(
    Application.id == sa.bindparam("application")
)


def unprintable(
    session: Session, which: sa.ColumnElement[bool], missing: Missing
) -> Iterator[tuple[Application, Unprintable]]:
    """Every such name of the applications under a condition."""
    for application, *names in session.execute(_NAMED.where(which).order_by(Application.id)):
        for one in _unprintable(names, missing):
            yield application, one


def _unprintable(names: Iterable[str | None], missing: Missing) -> Iterator[Unprintable]:
    """Those of the names; symbols in a title count not: certificates leave them out."""
    for (what, file, column), name in zip(_NAMES, names, strict=True):
        if not name or name.isascii():
            continue
        letters = missing(name)
        if column is Project.title:
            letters = [one for one in letters if unicodedata.category(one) not in DECORATION]
        if letters:
            yield Unprintable(what, letters, file)


def with_unprintable(
    session: Session, done: Submitted, missing: Missing, held: sa.Row[Any] | None = None
) -> Submitted:
    """What a submission led to, with what its papers could not print: now it can be corrected in time.

    `held` is who applies with what, where the caller has it (`labels.applications.submitting.held`).
    """
    if held is not None and done.created:
        names: Iterable[str] = (
            held.teacher_name, held.school_name, held.city, held.title, held.organisation_name
        )  # fmt: skip
    else:
        names = read(session, _NAMED_IN_ONE, {"application": done.application}).one()
    found = _unprintable(names, missing)
    told = " ".join(f"{one} Ask your organisation to correct it." for one in found)
    return replace(done, remark=f"{done.remark} {told}") if told else done
