"""What reviewers say of judging applications, read from a file: gladly, perhaps, rather not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.errors import Fault, InvalidInput
from labels.kinds import Wish
from labels.people.persons import behind
from labels.people.roles import Role
from labels.people.staff import has_role
from labels.record.journal import Event, note
from labels.record.rows import write
from labels.record.schema import Application, ReviewerWish
from labels.registry.files import shown
from labels.registry.tables import CutShort, opened, plain_name
from labels.turn import Turn
from labels.words.sentences import say

COLUMNS = ("reviewer", "application", "wish")
MOST_ROWS = 1_000_000
MOST_FAULTS = 50

_WORDS = {one.value.replace("_", " "): one for one in Wish}


def take_over(turn: Turn, organisation: str, path: Path) -> int:
    """Keeps the wishes in a file (CSV, XLSX or ODS), each in the place of what the same reviewer said of the same
    application before; `none` takes it back. How many rows there are.

    Raises:
        InvalidInput: rows that name nobody on the staff or no application of the organisation, or two that contradict
            each other; nothing was kept.
        OSError: the file can't be read.
    """
    faults: list[Fault] = []
    rows: dict[tuple[str, str], Wish] = {}
    known = _Known(turn.session, organisation)
    for line, reviewer, application, word in _rows(path, faults):
        where = f"{path.name}:{line}"
        person, wish = known.reviewer(reviewer), _WORDS.get(word.strip().casefold().replace("_", " "))
        if person is None:
            faults.append(
                Fault(
                    f"{where} · reviewer",
                    f"{shown(reviewer)} is no address of one reviewer of {organisation}.",
                )
            )
        if not known.application(application):
            faults.append(
                Fault(f"{where} · application", f"{shown(application)} is no application to {organisation}.")
            )
        if wish is None:
            faults.append(
                Fault(f"{where} · wish", f"{shown(word)} is not known; expected {', '.join(_WORDS)}.")
            )
        if person and wish and rows.setdefault((person, application), wish) is not wish:
            faults.append(
                Fault(where, "the same reviewer says something else of the same application further up.")
            )
        if len(faults) >= MOST_FAULTS:
            break
    if faults:
        raise InvalidInput(path.name, faults)
    _keep(turn, rows)
    note(turn, None, turn.by, Event.WISHES_TAKEN_OVER, organisation=organisation, rows=len(rows))
    return len(rows)


def record(turn: Turn, organisation: str, person: str, application: str, wish: Wish) -> None:
    """Keeps what one reviewer says of judging one application; nothing takes it back.

    Raises:
        InvalidInput: they are no reviewer of the organisation, or it is no application to it: nobody learns which
            others there are.
    """
    known = _Known(turn.session, organisation)
    if not known.application(application):
        problem = say("{number} is no application to your organisation.", number=shown(application))
        raise InvalidInput("wish", [Fault("application", problem)])
    if not has_role(turn.session, person, organisation, Role.REVIEWER):
        raise InvalidInput("wish", [Fault("application", say("Only who reviews can wish."))])
    _keep(turn, {(person, application): wish})
    note(turn, None, turn.by, Event.WISHES_TAKEN_OVER, organisation=organisation, rows=1)


def wishes_of(session: Session, organisation: str, person: str) -> list[tuple[str, Wish]]:
    """What a reviewer said of judging applications to an organisation, by their numbers."""
    rows = session.execute(
        sa.select(ReviewerWish.application, ReviewerWish.wish)
        .join(Application, Application.id == ReviewerWish.application)
        .where(ReviewerWish.person == person, Application.organisation == organisation)
        .order_by(ReviewerWish.application)
    )
    return list(rows.tuples())


def _keep(turn: Turn, rows: dict[tuple[str, str], Wish]) -> None:
    by_application: dict[str, set[str]] = {}
    for person, application in rows:
        by_application.setdefault(application, set()).add(person)
    for application, people in by_application.items():
        turn.session.execute(
            sa.delete(ReviewerWish).where(
                ReviewerWish.application == application, ReviewerWish.person.in_(people)
            )
        )
    write(
        turn.session,
        ReviewerWish,
        *(
            {"person": person, "application": application, "wish": wish, "said_at": turn.now}
            for (person, application), wish in rows.items()
            if wish is not Wish.NONE
        ),
    )


class _Known:
    """Who and what a file may name, each looked up once."""

    def __init__(self, session: Session, organisation: str) -> None:
        self._session, self._organisation = session, organisation
        self._reviewers: dict[str, str | None] = {}
        self._applications = set(
            session.scalars(sa.select(Application.id).where(Application.organisation == organisation))
        )

    def reviewer(self, address: str) -> str | None:
        if address not in self._reviewers:
            people = [
                one.id
                for one in behind(self._session, address.strip())
                if has_role(self._session, one.id, self._organisation, Role.REVIEWER)
            ]
            self._reviewers[address] = people[0] if len(people) == 1 else None
        return self._reviewers[address]

    def application(self, identifier: str) -> bool:
        return identifier in self._applications


def _rows(path: Path, faults: list[Fault]) -> Iterator[tuple[int, str, str, str]]:
    try:
        with opened(path, COLUMNS) as table:
            header = [plain_name(title) for title in table.header]
            missing = [name for name in COLUMNS if name not in header]
            if missing:
                problem = f"has no column {', '.join(missing)}; expected {', '.join(COLUMNS)}."
                faults.append(Fault(f"{path.name}:{table.line}", problem))
                return
            places = [header.index(name) for name in COLUMNS]
            count = 0
            for block in table.blocks:
                for line, row in zip(block.lines, block.rows, strict=True):
                    if not any(cell.strip() for cell in row):
                        continue
                    count += 1
                    if count > MOST_ROWS:
                        faults.append(Fault(f"{path.name}:{line}", f"more than {MOST_ROWS:,} rows."))
                        return
                    reviewer, application, wish = (row[at].strip() if at < len(row) else "" for at in places)
                    yield line, reviewer, application, wish
    except CutShort as error:
        faults.append(Fault(f"{path.name}:{error.line}", *error.objection))
