"""Finding a teacher, a school, a project or a case by what somebody types: words in any script, an address, a number."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from labels.errors import NotFound
from labels.kinds import LabelKind
from labels.people.searching import matches, typed_words
from labels.record.schema import (
    Application,
    FormerSchool,
    Member,
    Organisation,
    Person,
    Project,
    School,
    SearchWord,
    Teacher,
)
from labels.registry.search_index import BETWEEN, OF_ALL, Kind
from labels.views.numbers import application_named
from labels.words.text import clean

SHOWN = 8
"""Of each kind so many are shown; who means another types more."""

LONGEST = 100
"""Characters that are looked at."""

MOST_WORDS = 8

_MOST_ROWS = 500
"""Rows of the index that are read for one typed word."""

_MOST_COMPARED = 20_000
"""Those who have a word are compared with those who have another up to so many; of more, the names are looked at."""

_MOST_LOOKED_AT = 600
"""Rows of the registry that are looked at for each kind."""

_AT_ONCE = 100
_LAST = "\x7f"
"""Comes after every letter of the index."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found."""

    kind: str
    """`teacher`, `school`, `project` or `application`."""
    id: str
    name: str
    """The name or the title."""
    beside: str
    """Of a teacher the school, of a school the town, of a case the label's applicant."""
    country: str
    """Empty for a project."""
    cases: tuple[str, ...] = ()
    """Its applications with the organisations that are looked in, the newest first."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, by kind."""

    words: str
    hits: Mapping[str, tuple[Hit, ...]]
    more: frozenset[str] = frozenset()
    """The kinds of which there are more than are shown."""
    waits: bool = False
    """Nothing was looked for, since the index is not made yet."""

    @property
    def every(self) -> tuple[Hit, ...]:
        """All hits."""
        return tuple(hit for hits in self.hits.values() for hit in hits)


def find(session: Session, words: str, organisations: Collection[str] | None, *, shown: int = SHOWN) -> Found:
    """What is found by these words, of the schools and cases of some organisations; None for those of all.

    A word is looked for as the beginning of words, in every script and spelling; all words have to be there. A project
    is found by whoever one of its members is with.
    """
    words = clean(words).strip()[:LONGEST]
    if not words:
        return Found(words, {})
    every = list(session.scalars(sa.select(Organisation.id).order_by(Organisation.id)))
    look = _Look(session, None if organisations is None else frozenset(organisations), every, shown)
    found: dict[str, list[str]] = {}
    if " " not in words and any(one.isdigit() or one == "-" for one in words):  # as every number of ours has
        found["application"] = look.application(words)
        found |= {kind.value: look.by_number(kind, words) for kind in Kind}
    if " " not in words and not any(found.values()) and any(one in words for one in "@._"):
        found |= {kind.value: look.by_address(kind, words) for kind in Kind}
    more = {kind for kind, ids in found.items() if len(ids) > shown}
    if not any(found.values()) and (wanted := typed_words(words)[:MOST_WORDS]):
        for kind in Kind:
            found[kind.value], there_are_more = look.by_words(kind, wanted)
            more |= {kind.value} if there_are_more and found[kind.value] else set()
    hits = {kind: look.hits(kind, ids[:shown]) for kind, ids in found.items() if ids}
    return Found(words, hits, frozenset(more))


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the rows of one kind are, and what is looked at in them."""

    id: InstrumentedAttribute[str]
    texts: tuple[InstrumentedAttribute[str], ...]
    """By whose words it is found; the first is its name."""
    owner: sa.ColumnElement[bool]
    """Joins it to the school whose organisation it is with."""
    person: tuple[InstrumentedAttribute[str], ...] = ()
    """Whose address finds it, if anybody's."""


_SOURCES = {
    Kind.SCHOOL: _Source(School.id, (School.name, School.city), sa.true(), (School.principal,)),
    Kind.TEACHER: _Source(Teacher.id, (Teacher.name,), School.id == Teacher.school, (Teacher.person,)),
    Kind.PROJECT: _Source(
        Project.id,
        (Project.title,),
        sa.exists().where(
            Member.project == Project.id, Teacher.id == Member.teacher, School.id == Teacher.school
        ),
    ),
}

_WORDS = (
    sa.select(SearchWord.word, SearchWord.subjects)
    .where(
        SearchWord.kind == sa.bindparam("kind"),
        SearchWord.organisation.in_(sa.bindparam("organisations", expanding=True)),
        SearchWord.word >= sa.bindparam("beginning"),
        SearchWord.word < sa.bindparam("end"),
    )
    .order_by(SearchWord.organisation, SearchWord.word, SearchWord.first)
    .limit(_MOST_ROWS)
)
"""In the order of the table's key, so that the limit leaves the same rows each time and nothing is sorted for it."""


@dataclass(frozen=True, slots=True)
class _Having:
    """Who has a word."""

    lists: list[str]
    whole: bool
    """Whether that is all of them."""

    @property
    def size(self) -> int:
        """How many they are."""
        return sum(one.count(BETWEEN) + 1 for one in self.lists)

    def each(self) -> Iterator[str]:
        """All of them, in their order; who has two such words stands there twice."""
        return (one for some in self.lists for one in some.split(BETWEEN))


@dataclass(frozen=True, slots=True)
class _Look:
    """A search of one person."""

    session: Session
    organisations: frozenset[str] | None
    all_organisations: list[str]
    shown: int

    def application(self, words: str) -> list[str]:
        """The case that has this number, or whose step, label or certificate has; or those whose number begins so."""
        if len(words) < 4:
            return []
        own = [] if self.organisations is None else [Application.organisation.in_(self.organisations)]
        try:
            named = Application.id == application_named(self.session, words)
        except NotFound:
            named = self.begins(Application.id, words.upper())
        statement = sa.select(Application.id).where(named, *own).order_by(Application.id)
        return list(self.session.scalars(statement.limit(self.shown + 1)))

    def by_number(self, kind: Kind, words: str) -> list[str]:
        """The row of the registry that has this number."""
        return self.allowed(kind, [words, words.upper()])[:1]

    def by_address(self, kind: Kind, words: str) -> list[str]:
        """Teachers, or the schools of principals, whose present address begins so."""
        source = _SOURCES[kind]
        if not source.person:
            return []
        people = (
            sa.select(Person.id)
            .where(self.begins(Person.address, words.lower()))
            .order_by(Person.address)
            .limit(_MOST_LOOKED_AT)
        )
        theirs = source.person[0].in_(list(self.session.scalars(people)))
        ids = self.session.scalars(sa.select(source.id).where(theirs).order_by(source.id))
        return self.allowed(kind, list(ids))

    def by_words(self, kind: Kind, wanted: Sequence[frozenset[str]]) -> tuple[list[str], bool]:
        """Those who have all of the words, who has one as it was typed first; and whether there may be more."""
        lists = [self.with_word(kind, one) for one in wanted]
        rarest = min(lists, key=lambda one: one.size)
        others = [one for one in lists if one is not rarest]
        sure = all(one.whole and one.size <= _MOST_COMPARED for one in others)
        among = [frozenset(one.each()) for one in others if one.whole and one.size <= _MOST_COMPARED]
        having = (one for one in rarest.each() if all(one in those for those in among))
        candidates = list(itertools.islice(having, _MOST_LOOKED_AT + 1))
        found: list[str] = []
        for start in range(0, len(candidates), _AT_ONCE):
            some = [
                one for one in self.allowed(kind, candidates[start : start + _AT_ONCE]) if one not in found
            ]
            found += some if sure else self.having(kind, some, wanted)
            if len(found) > self.shown:
                return found, True
        return found, not rarest.whole or len(candidates) > _MOST_LOOKED_AT

    def with_word(self, kind: Kind, beginnings: Collection[str]) -> _Having:
        """Who has a word that begins so, who has it as it was typed first."""
        rows: list[sa.Row[Any]] = []
        whole = True
        for beginning in beginnings:
            of = {
                "kind": kind.value,
                "organisations": self.places(kind),
                "beginning": beginning,
                "end": beginning + _LAST,
            }
            found = self.session.execute(_WORDS, of).all()
            whole = whole and len(found) < _MOST_ROWS
            rows += found
        rows.sort(key=lambda row: (row.word not in beginnings, row.word))
        return _Having([row.subjects for row in rows], whole)

    def places(self, kind: Kind) -> list[str]:
        """The organisations under which the index has it."""
        if kind is Kind.PROJECT:
            return [OF_ALL]
        if self.organisations is not None:
            return sorted(self.organisations)
        return self.all_organisations

    def allowed(self, kind: Kind, ids: Sequence[str]) -> list[str]:
        """Those of these rows that are of the organisations that are looked in, in the order that was given."""
        source = _SOURCES[kind]
        statement = sa.select(source.id).where(source.id.in_(ids))
        if self.organisations is not None:
            own = School.organisation.in_(self.organisations)
            owner = source.owner
            statement = statement.where(
                owner.where(own) if isinstance(owner, sa.Exists) else sa.and_(owner, own)
            )
        there = set(self.session.scalars(statement)) if ids else set()
        return [one for one in dict.fromkeys(ids) if one in there]

    def having(self, kind: Kind, ids: Sequence[str], wanted: Sequence[frozenset[str]]) -> list[str]:
        """Those of these rows whose names have all of the words."""
        source = _SOURCES[kind]
        rows = self.session.execute(sa.select(source.id, *source.texts).where(source.id.in_(ids)))
        texts = {row[0]: tuple(row[1:]) for row in rows}
        return [one for one in ids if matches(wanted, *texts[one])]

    def begins(self, column: InstrumentedAttribute[str], beginning: str) -> sa.ColumnElement[bool]:
        """Whether a text begins so, in a way that an index serves on each of the databases."""
        if self.session.get_bind().dialect.name == "postgresql":
            return column.startswith(beginning, autoescape=True)
        return sa.and_(column >= beginning, column < beginning + "\U0010ffff")

    def hits(self, kind: str, ids: Sequence[str]) -> tuple[Hit, ...]:
        """What is shown of each, in the order that was given."""
        match kind:
            case "application":
                statement = (
                    sa.select(
                        Application.id,
                        sa.func.coalesce(Project.title, School.name, ""),
                        sa.func.coalesce(Teacher.name, ""),
                        Application.country,
                    )
                    .outerjoin(Project, Project.id == Application.project)
                    .outerjoin(School, School.id == Application.school)
                    .outerjoin(Teacher, Teacher.id == Application.teacher)
                    .where(Application.id.in_(ids))
                )
            case Kind.SCHOOL:
                statement = sa.select(School.id, School.name, School.city, School.country).where(
                    School.id.in_(ids)
                )
            case Kind.TEACHER:
                statement = (
                    sa.select(Teacher.id, Teacher.name, School.name, School.country)
                    .join(School, School.id == Teacher.school)
                    .where(Teacher.id.in_(ids))
                )
            case _:
                statement = sa.select(Project.id, Project.title, sa.literal(""), sa.literal("")).where(
                    Project.id.in_(ids)
                )
        rows = {row[0]: row for row in self.session.execute(statement)}
        cases = self.cases(kind, ids)
        found = []
        for one in ids:
            _, name, beside, country = rows[one]
            found.append(Hit(kind, one, name, beside, country, tuple(cases.get(one, ()))))
        return tuple(found)

    def cases(self, kind: str, ids: Sequence[str]) -> dict[str, list[str]]:
        """The applications of each, the newest first."""
        if kind == "application":
            return {}
        of = {
            Kind.SCHOOL.value: Application.school,
            Kind.TEACHER.value: Application.teacher,
            Kind.PROJECT.value: Application.project,
        }[kind]
        about: sa.ColumnElement[bool] = of.in_(ids)
        if kind == Kind.SCHOOL.value:
            about = sa.and_(about, Application.id.in_(_from_schools(ids)))
        statement = sa.select(of, Application.id).where(about).order_by(Application.submitted_at.desc())
        if self.organisations is not None:
            statement = statement.where(Application.organisation.in_(self.organisations))
        found: dict[str, list[str]] = {}
        for subject, application in self.session.execute(statement):
            found.setdefault(subject, []).append(application)
        return found


def _from_schools(ids: Sequence[str]) -> sa.CompoundSelect[tuple[str]]:
    """The applications among which those of these schools are: the schools' own, and those of everybody who teaches or
    taught there. Each part has an index; by `Application.school` alone every application would be read.
    """
    own = sa.select(Application.id).where(
        Application.label == sa.literal_column(f"'{LabelKind.SCHOOL.value}'"), Application.school.in_(ids)
    )
    theirs = (
        sa.select(Application.id)
        .join(table, table_teacher == Application.teacher)
        .where(table.school.in_(ids))
        for table, table_teacher in ((Teacher, Teacher.id), (FormerSchool, FormerSchool.teacher))
    )
    return sa.union(own, *theirs)
