"""Who may be one person: told to people, who decide; by itself nothing is made one of it.

People at one school or on one staff with one name, and people with one mailbox. Who was said to be different is
left out.
"""

from __future__ import annotations

import heapq
import itertools
import operator
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.people.likeness import Likeness, likeness, sketch
from labels.people.persons import Held, batches, roles_of
from labels.record.schema import Address, DifferentPersons, Organisation, Person, School, Staff, Teacher
from labels.words.addresses import without_tag


class Because(StrEnum):
    """Why several people may be one."""

    SCHOOL = "one name at one school"
    STAFF = "one name on one staff"
    MAILBOX = "one mailbox"
    """`anna+labels@…` is `anna@…`."""


@dataclass(frozen=True, slots=True)
class Double:
    """One of several people who may be one."""

    person: str
    name: str
    address: str
    held: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class Doubtful:
    """Several people who may be one."""

    because: Because
    where: str
    """The school, the organisation or the mailbox."""
    people: tuple[Double, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Groups of people who may be one."""

    groups: tuple[Doubtful, ...]
    more: bool = False
    """Whether there are others, which were not looked for."""


class _Group(NamedTuple):
    because: Because
    where: str
    people: frozenset[str]


def doubtful(session: Session, most: int | None = None) -> Found:
    """Everybody who may be somebody else of the record, by mailbox, staff and school; the first `most` groups."""
    different = {
        frozenset((row.one, row.other))
        for row in session.execute(sa.select(DifferentPersons.one, DifferentPersons.other))
    }
    seen: set[frozenset[str]] = set()
    groups: list[_Group] = []
    for group in itertools.chain(_by_mailbox(session), _by_staff(session), _by_school(session)):
        if group.people not in seen and _in_doubt(group.people, different):
            if len(groups) == most:
                return Found(_in_full(session, groups), more=True)
            seen.add(group.people)
            groups.append(group)
    return Found(_in_full(session, groups))


def told_apart(session: Session, one: str, other: str) -> bool:
    """Whether somebody said of two persons that they are different."""
    first, second = sorted((one, other))
    return session.get(DifferentPersons, (first, second)) is not None


def apart(session: Session, persons: Iterable[str]) -> frozenset[frozenset[str]]:
    """The pairs of persons, one of whom is among these, that somebody said are different."""
    return frozenset(
        frozenset((row.one, row.other))
        for some in batches(sorted(persons))
        for row in session.execute(_APART, {"persons": some})
    )


_APART = sa.select(DifferentPersons.one, DifferentPersons.other).where(
    sa.or_(
        DifferentPersons.one.in_(sa.bindparam("persons", expanding=True)),
        DifferentPersons.other.in_(sa.bindparam("persons", expanding=True)),
    )
)


def _in_doubt(people: frozenset[str], different: set[frozenset[str]]) -> bool:
    """Whether two of them were not said to be different."""
    if not different:
        return True
    return any(frozenset(pair) not in different for pair in itertools.combinations(people, 2))


def _in_full(session: Session, groups: Sequence[_Group]) -> tuple[Doubtful, ...]:
    ids = sorted({one for group in groups for one in group.people})
    held = roles_of(session, ids)
    people = {
        row.id: Double(row.id, row.name, row.address, tuple(held[row.id]))
        for some in batches(ids)
        for row in session.execute(
            sa.select(Person.id, Person.name, Person.address).where(Person.id.in_(some))
        )
    }
    return tuple(
        Doubtful(one.because, one.where, tuple(people[each] for each in sorted(one.people))) for one in groups
    )


# One mailbox --------------------------------------------------------------------------------------


def _by_mailbox(session: Session) -> Iterator[_Group]:
    found: dict[str, set[str]] = defaultdict(set)
    for address, person in session.execute(sa.union_all(_SHARED, _SECOND, _TAGGED)):
        found[without_tag(address)].add(person)
    tagged = [mailbox for mailbox, people in found.items() if len(people) == 1]
    for some in batches(tagged):
        plain = sa.select(Person.address, Person.id).where(Person.address.in_(some))
        for address, person in session.execute(plain):
            found[address].add(person)
    mailboxes = set(session.scalars(sa.select(Organisation.person)))
    for mailbox in sorted(found):
        people = frozenset(found[mailbox] - mailboxes)
        if len(people) > 1:
            yield _Group(Because.MAILBOX, mailbox, people)


_OTHER = sa.orm.aliased(Person)
_MANY = sa.select(Person.address).group_by(Person.address).having(sa.func.count() > 1)
_SHARED = sa.select(Person.address, Person.id).where(Person.address.in_(_MANY), Person.address.contains("@"))
_SECOND = (
    sa.select(Address.address, Address.person)
    .join(_OTHER, _OTHER.address == Address.address)
    .where(Address.until.is_(None), _OTHER.id != Address.person)
)
_TAGGED = sa.select(Person.address, Person.id).where(Person.address.like("%+%@%"))


# One name -----------------------------------------------------------------------------------------


class _Named(NamedTuple):
    where: str
    name: str
    person: str


def _by_staff(session: Session) -> Iterator[_Group]:
    query = sa.select(Staff.organisation, Staff.name, Staff.person).order_by(Staff.organisation)
    yield from _namesakes(Because.STAFF, map(_Named._make, session.execute(query)))


def _by_school(session: Session) -> Iterator[_Group]:
    """Teachers, principals and staff of one school, in the order of the schools: a million of them are not held at once."""
    # As Python orders text, by code points; SQLite does so by itself.
    how = "C" if session.get_bind().dialect.name == "postgresql" else "BINARY"
    queries = (
        sa.select(Teacher.school, Teacher.name, Teacher.person).order_by(Teacher.school.collate(how)),
        sa.select(School.id, School.principal_name, School.principal).order_by(School.id.collate(how)),
        sa.select(Staff.school, Staff.name, Staff.person)
        .where(Staff.school.is_not(None))
        .order_by(Staff.school.collate(how)),
    )
    connection = session.connection().execution_options(yield_per=10_000)
    streams = [map(_Named._make, connection.execute(query)) for query in queries]
    yield from _namesakes(Because.SCHOOL, heapq.merge(*streams))


_where = operator.itemgetter(0)


def _namesakes(because: Because, rows: Iterable[_Named]) -> Iterator[_Group]:
    """Groups of one name among rows that come place by place."""
    for where, at in itertools.groupby(rows, _where):
        people = list(at)
        if len(people) > 1:
            for group in _of_one_name(people):
                yield _Group(because, where, group)


def _of_one_name(people: Sequence[_Named]) -> list[frozenset[str]]:
    """Who of some people have one name; compared in full only where a sketch of both names is the same."""
    by_sketch: dict[str, list[_Named]] = defaultdict(list)
    for one in people:
        by_sketch[sketch(one.name)].append(one)
    pairs: list[tuple[_Named, _Named]] = [
        pair for some in by_sketch.values() if len(some) > 1 for pair in itertools.combinations(some, 2)
    ]
    if len({_is_latin(one.name) for one in people}) > 1:  # a sketch is that of one script
        latin = [one for one in people if _is_latin(one.name)]
        others = [one for one in people if not _is_latin(one.name)]
        pairs += itertools.product(latin, others)
    groups: list[set[str]] = []
    for one, other in pairs:
        if one.person != other.person and (
            one.name == other.name or likeness(one.name, other.name) is Likeness.SAME
        ):
            joined = {one.person, other.person}
            apart = [group for group in groups if group.isdisjoint(joined)]
            groups = [*apart, joined.union(*(group for group in groups if group not in apart))]
    return [frozenset(group) for group in groups]


_LATIN = re.compile("[A-Za-zÀ-ɏ]")


def _is_latin(name: str) -> bool:
    return _LATIN.search(name) is not None
