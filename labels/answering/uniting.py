"""Makes two persons of the record one: every row that refers to the one refers to the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.answering.following import follow
from labels.clock import brussels_day
from labels.record.schema import (
    Address,
    Application,
    Award,
    Base,
    DailyMail,
    DifferentPersons,
    FormerStaffSchool,
    KeptForm,
    Member,
    OrganisationCode,
    Passkey,
    Person,
    PersonMerge,
    Review,
    School,
    SignIn,
    Staff,
    Step,
    Teacher,
)
from labels.registry.entering import Correction
from labels.sessions import session as sessions
from labels.turn import Turn


@dataclass(frozen=True, slots=True)
class Pair:
    """Two persons who are one: the one whose id goes, and the one who stays."""

    gone: str
    kept: str


def merge(turn: Turn, pair: Pair) -> Counter[str]:
    """Makes two persons one in the turn's transaction: all that refers to the one refers to the other; how many of what."""
    session = turn.session
    session.flush()
    moved = _counted(session, pair.gone)
    _follow_to_the_address(turn, pair)
    _keep_differences(session, pair)
    _keep_the_stronger(session, pair)
    sessions.end_all(turn, pair.gone, "made one with another person")
    session.flush()
    session.execute(sa.delete(DailyMail).where(DailyMail.person == pair.gone))
    session.execute(sa.delete(OrganisationCode).where(OrganisationCode.person == pair.gone))
    session.execute(sa.delete(Passkey).where(Passkey.person == pair.gone))
    session.execute(
        sa.delete(PersonMerge).where(
            PersonMerge.confirmed_at.is_(None),
            sa.or_(
                PersonMerge.gone == pair.kept,
                PersonMerge.kept == pair.gone,
                sa.and_(PersonMerge.gone == pair.gone, PersonMerge.kept != pair.kept),
            ),
        )
    )
    for column in referring():
        moved[_WHAT.get(column.table.name, column.table.name.replace("_", " "))] += _move(
            session, column, pair
        )
    kept = session.get_one(Person, pair.kept)
    session.execute(sa.delete(Address).where(Address.person == kept.id, Address.address == kept.address))
    session.execute(sa.delete(Person).where(Person.id == pair.gone))
    session.expire_all()
    return Counter({what: number for what, number in moved.items() if number})


_WHAT = {
    "teacher": "numbers of a teacher",
    "school": "schools that they lead",
    "staff": "places on a staff",
    "former_staff": "former places on a staff",
    "former_staff_school": "former schools",
    "step": "steps",
    "draft": "saves of a self-assessment",
    "handing_in": "choices of who hands in",
    "conflict": "conflicts of interest",
    "mail": "messages",
    "notice": "notices",
    "provider_account": "accounts of identity providers",
    "sign_in": "sessions",
    "address": "other addresses",
    "legal_hold": "legal holds",
    "kept_form": "forms that were kept",
    "reviewer_wish": "wishes",
    "reviewer_choice": "choices in which they were next",
    "bulk_plan": "plans for many applications",
    "saved_list": "lists that were kept",
}
"""What a plan calls the rows of a table."""

MATTERS = frozenset(
    {
        "numbers of a teacher",
        "schools that they lead",
        "places on a staff",
        "former places on a staff",
        "former schools",
        "steps",
        "reviews",
        "applications",
        "awards",
        "memberships of projects",
        "conflicts of interest",
        "legal holds",
    }
)
"""What a coordinator decides by, of all that moves."""


def referring() -> Iterator[sa.Column[Any]]:
    """Every column of the record that names a person by their id and is changed when two are made one."""
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            names_one = any(key.column is Person.__table__.c.id for key in column.foreign_keys)
            if names_one or column is SignIn.__table__.c.person:
                yield column


def _move(session: Session, column: sa.Column[Any], pair: Pair) -> int:
    """Gives the rows of one person to another, less those that the other has already."""
    table = column.table
    keys = [set(table.primary_key.columns)]
    keys += [set(one.columns) for one in table.constraints if isinstance(one, sa.UniqueConstraint)] + [
        set(one.columns) for one in table.indexes if one.unique
    ]
    for key in keys:
        if column not in key:
            continue
        theirs = table.alias()
        same = [theirs.c[one.name] == one for one in key if one is not column]
        session.execute(
            sa.delete(table).where(
                column == pair.gone,
                sa.exists(sa.select(1).select_from(theirs).where(theirs.c[column.name] == pair.kept, *same)),
            )
        )
    done = session.execute(sa.update(table).where(column == pair.gone).values({column: pair.kept}))
    return cast("sa.CursorResult[Any]", done).rowcount


def _counted(session: Session, gone: str) -> Counter[str]:
    """What moves with a teacher's number or a step, and has no column of its own for the person."""
    teachers = list(session.scalars(sa.select(Teacher.id).where(Teacher.person == gone)))

    def number(query: sa.Select[Any]) -> int:
        return session.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0

    return Counter(
        {
            "reviews": number(
                sa.select(Review.step).join(Step, Step.id == Review.step).where(Step.person == gone)
            ),
            "applications": number(sa.select(Application.id).where(Application.teacher.in_(teachers))),
            "awards": number(sa.select(Award.id).where(Award.teacher.in_(teachers))),
            "memberships of projects": number(
                sa.select(Member.project, Member.teacher).where(Member.teacher.in_(teachers))
            ),
            "passkeys that are deleted": number(sa.select(Passkey.id).where(Passkey.person == gone)),
        }
    )


def _follow_to_the_address(turn: Turn, pair: Pair) -> None:
    """What is asked of them goes to the address that stays, with new codes; their own is read still, if a row has it."""
    session = turn.session
    gone, kept = session.get_one(Person, pair.gone), session.get_one(Person, pair.kept)
    former = gone.address
    gone.name, gone.language = kept.name, kept.language
    if former == kept.address:
        session.flush()
        return
    gone.address = kept.address
    session.flush()
    follow(turn, [Correction(gone.id, kept.name, former, kept.address, "merged")])
    own = session.get(Address, (kept.id, former))
    is_read = _is_named(session, former) or (own is not None and own.until is None)
    until = None if is_read else brussels_day(turn.now)
    if own is None:
        session.add(Address(person=kept.id, address=former, since=None, until=until))
    else:
        own.until = until
    session.flush()


def _is_named(session: Session, address: str) -> bool:
    return any(
        session.scalar(sa.select(sa.literal(1)).where(column == address).limit(1))
        for column in (Staff.email, Teacher.email, School.principal_email)
    )


def _keep_the_stronger(session: Session, pair: Pair) -> None:
    """Of what both have, what counts for longer stays: an address that is still read, a school left later, a form kept later."""
    for address in session.scalars(sa.select(Address).where(Address.person == pair.gone)):
        own = session.get(Address, (pair.kept, address.address))
        if own is not None and own.until is not None:
            own.until = None if address.until is None else max(address.until, own.until)
    for school in session.scalars(sa.select(FormerStaffSchool).where(FormerStaffSchool.person == pair.gone)):
        same = session.get(FormerStaffSchool, (pair.kept, school.school))
        if same is not None:
            same.until = max(same.until, school.until)
    for form in session.scalars(sa.select(KeptForm).where(KeptForm.person == pair.gone)):
        earlier = session.get(KeptForm, (pair.kept, form.page))
        if earlier is not None and earlier.kept_at < form.kept_at:
            session.delete(earlier)
    session.flush()


def _keep_differences(session: Session, pair: Pair) -> None:
    """Of whom the one is different, the other is; of each other they are not."""
    rows = session.scalars(
        sa.select(DifferentPersons).where(
            sa.or_(DifferentPersons.one == pair.gone, DifferentPersons.other == pair.gone)
        )
    ).all()
    for row in rows:
        third = row.other if row.one == pair.gone else row.one
        one, other = sorted((third, pair.kept))
        if third != pair.kept and session.get(DifferentPersons, (one, other)) is None:
            session.add(
                DifferentPersons(
                    one=one, other=other, said_by=row.said_by, said_at=row.said_at, reason=row.reason
                )
            )
        session.delete(row)
    session.flush()
