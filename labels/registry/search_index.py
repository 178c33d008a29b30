"""The index by which teachers, schools and projects are found: for each form of a word those in whose names it is.

It is written together with the registry's rows, in the same transaction, and holds nothing that they do not say:
`fill` makes it from them at any time.
"""

from __future__ import annotations

import bisect
import itertools
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import sqlalchemy as sa

from labels.people.persons import batches
from labels.people.searching import words_of
from labels.record.schema import School, SearchWord
from labels.registry.bulk import copy_rows, insert_rows


class Kind(StrEnum):
    """What is found, as the index names it; the registry's tables are called so."""

    SCHOOL = "school"
    TEACHER = "teacher"
    PROJECT = "project"


OF_ALL = ""
"""Stands for the organisation of what is no single one's: a project."""

AT_ONCE = 250_000
"""Rows of the registry whose words are in memory together while the index is filled."""

MANY = 100_000
"""From so many changed rows on, the index is made anew: that is faster."""

IN_A_ROW = 80
"""Subjects of one row: few rows for a word that many have, and little to write where one of them changes."""

BETWEEN = "\n"
"""Stands between two subjects of a row."""

_AT_A_TIME = 20_000
_INDEXED = SearchWord.__tablename__
_AS_IT_IS = {column: f"{{{place}}}" for place, column in enumerate(SearchWord.__table__.columns.keys())}


class Entry(NamedTuple):
    """A word by which one row of the registry is found."""

    organisation: str
    word: str
    subject: str


_READ = {
    Kind.SCHOOL: "SELECT r.organisation, r.id, r.name, r.city FROM school r",
    Kind.TEACHER: "SELECT r.school, r.id, r.name FROM teacher r",
    Kind.PROJECT: f"SELECT '{OF_ALL}', r.id, r.title FROM project r",
}
"""For each kind the organisation (of a teacher the school), the id, and the texts by whose words it is found."""

_IN_FILES = {
    "school": ("organisation", "school", "name", "city"),
    "teacher": ("school", "teacher", "name"),
    "project": ("", "project", "title"),
}
"""The same in the registry's files."""

_WRITTEN = {
    Kind.SCHOOL: ("organisation", "name", "city"),
    Kind.TEACHER: ("school", "name"),
    Kind.PROJECT: ("title",),
}
"""The columns of the registry's files on which an entry depends."""


def is_empty(connection: sa.Connection) -> bool:
    """Whether nothing is in the index."""
    return connection.exec_driver_sql(f"SELECT 1 FROM {_INDEXED} LIMIT 1").first() is None


def fill(connection: sa.Connection, kinds: Collection[Kind] = tuple(Kind)) -> None:
    """Makes the index of these kinds anew, from what the registry's tables have."""
    filling = Filling(connection, [kind.value for kind in kinds])
    for kind in kinds:
        found = connection.exec_driver_sql(_READ[kind], execution_options={"stream_results": True})
        while rows := found.fetchmany(_AT_A_TIME):
            filling.take(kind, list(zip(*rows, strict=True)))
    filling.finish()


class Filling:
    """Writes the index of some tables anew, whose rows come in large numbers: words are gathered, and written many at once."""

    def __init__(self, connection: sa.Connection, tables: Collection[str]) -> None:
        self._connection = connection
        for table in tables:
            connection.exec_driver_sql(f"DELETE FROM {_INDEXED} WHERE kind = '{table}'")
        self._lists: dict[Kind, Lists] = {kind: defaultdict(lambda: defaultdict(list)) for kind in Kind}
        self._whole: dict[Kind, Lists] = {kind: defaultdict(lambda: defaultdict(list)) for kind in Kind}
        """The same by whole texts, where many rows have the same one: its pieces are looked for once."""
        self._names_at: dict[str, dict[str, list[str]]] = defaultdict(self._names_of)
        """The teachers of each name in a school's organisation, by school."""
        self._taken = 0

    def take_file(self, table: str, columns: Mapping[str, Sequence[str]]) -> None:
        """Rows of a file of the registry, by columns; of other files nothing is indexed."""
        if table in _IN_FILES:
            self.take(Kind(table), [columns[name] if name else () for name in _IN_FILES[table]])

    def take(self, kind: Kind, columns: Sequence[Sequence[str]]) -> None:
        """The organisations (of teachers the schools), ids and texts of some rows."""
        of, subjects, *texts = columns
        if kind is Kind.SCHOOL:
            self._note_schools(zip(subjects, of, strict=True))
            gather(self._lists[kind], of, subjects, texts)
        elif kind is Kind.TEACHER:
            if not self._names_at:
                self._note_schools(_organisations(self._connection))
            names_at = self._names_at
            for school, subject, name in zip(of, subjects, texts[0], strict=True):
                names_at[school][name].append(subject)
        else:
            titles = self._whole[kind][OF_ALL]
            for subject, title in zip(subjects, texts[0], strict=True):
                titles[title].append(subject)
        self._taken += len(subjects)
        if self._taken >= AT_ONCE:
            self.finish()

    def finish(self) -> None:
        """Writes what was gathered."""
        for kind, lists in self._lists.items():
            for organisation, texts in self._whole[kind].items():
                lists[organisation] = _by_piece(texts)
                texts.clear()
            _insert(self._connection, _rows(kind, lists))
            lists.clear()
        self._taken = 0

    def _note_schools(self, schools: Iterable[tuple[str, str]]) -> None:
        """Takes the schools with their organisations."""
        self._names_at.update((school, self._names_of(organisation)) for school, organisation in schools)

    def _names_of(self, organisation: str = OF_ALL) -> dict[str, list[str]]:
        return self._whole[Kind.TEACHER][organisation]


def _organisations(connection: sa.Connection) -> Sequence[tuple[str, str]]:
    return connection.execute(sa.select(School.id, School.organisation)).tuples().all()


def _by_piece(texts: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The subjects by what stands between the spaces of their texts."""
    found: dict[str, list[str]] = defaultdict(list)
    for text, subjects in texts.items():
        for piece in {*text.split()}:
            found[piece] += subjects
    return found


Lists = dict[str, dict[str, list[str]]]
"""The subjects by what stands between the spaces of the texts by which they are found, by organisation."""


def gather(
    lists: Lists, organisations: Iterable[str], subjects: Sequence[str], texts: Sequence[Sequence[str]]
) -> None:
    """Adds some rows to the subjects of the pieces of their texts; every text is a column of the rows."""
    several = len(texts) > 1
    whole: Iterable[str] = map(" ".join, zip(*texts, strict=True)) if several else texts[0]
    for organisation, subject, text in zip(organisations, subjects, whole, strict=False):
        pieces = lists[organisation]
        for piece in text.split():
            having = pieces[piece]
            if not having or having[-1] is not subject:  # else the text has it twice
                having.append(subject)


def by_words(having: Mapping[str, list[str]]) -> Iterator[tuple[Sequence[str], list[str]]]:
    """Forms of words, and the subjects that have them all, in their order, by the subjects of each piece.

    Many are forms of one piece alone: they stand together, so that what they have in common is made once.
    """
    of: dict[str, str] = {}
    shared: dict[str, set[str]] = {}
    for piece in having:
        for word in words_of(piece):
            other = of.setdefault(word, piece)
            if other is not piece:
                shared.setdefault(word, {other}).add(piece)
    several = {piece for pieces in shared.values() for piece in pieces}
    for piece, subjects in having.items():
        words = words_of(piece)
        if piece in several:
            words = tuple(word for word in words if word not in shared)
        if words:
            yield words, sorted(subjects)
    for word, pieces in shared.items():
        every = sorted(
            itertools.chain.from_iterable(map(having.__getitem__, pieces))
        )  # each in its order already
        yield (word,), [*dict.fromkeys(every)]


def _rows(kind: Kind, lists: Lists) -> Iterator[tuple[str, str, str, str, str]]:
    """Rows in the order of the table's key: written so, they take a part of the time."""
    for organisation, texts in sorted(lists.items()):
        rows: list[tuple[str, str, str]] = []
        for words, subjects in by_words(texts):
            parts = [(some[0], BETWEEN.join(some)) for some in _parted(subjects)]
            rows += [(word, *part) for word in words for part in parts]
        for row in sorted(rows):
            yield kind.value, organisation, *row


def _parted(subjects: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(subjects), IN_A_ROW):
        yield subjects[start : start + IN_A_ROW]


def _insert(connection: sa.Connection, rows: Iterator[tuple[str, ...]]) -> None:
    if connection.dialect.name == "postgresql":
        copy_rows(connection, _INDEXED, rows)
    else:
        insert_rows(connection, _INDEXED, _AS_IT_IS, rows)


# What changes ---------------------------------------------------------------------------------------


def entries(connection: sa.Connection, kind: Kind, subjects: Iterable[str]) -> set[Entry]:
    """What the index would say now of these rows of the registry."""
    found: set[Entry] = set()
    for some in batches(sorted(set(subjects))):
        rows = connection.execute(_SOME[kind], {"some": some}).all()
        if not rows:
            continue
        of, ids, *texts = zip(*rows, strict=True)
        if kind is Kind.TEACHER:
            place = dict(connection.execute(_SCHOOLS, {"some": sorted(set(of))}).tuples().all())
            of = tuple(place[school] for school in of)
        lists: Lists = defaultdict(lambda: defaultdict(list))
        gather(lists, of, ids, texts)
        found |= {
            Entry(organisation, word, subject)
            for organisation, named in lists.items()
            for words, having in by_words(named)
            for word in words
            for subject in having
        }
    return found


_SOME = {
    kind: sa.text(f"{read} WHERE r.id IN :some").bindparams(sa.bindparam("some", expanding=True))
    for kind, read in _READ.items()
}
_SCHOOLS = sa.select(School.id, School.organisation).where(
    School.id.in_(sa.bindparam("some", expanding=True))
)


def change(
    connection: sa.Connection, kind: Kind, before: Collection[Entry], after: Collection[Entry]
) -> None:
    """Puts the entries of `after` in the place of those of `before`."""
    old, new = frozenset(before), frozenset(after)
    changed: dict[tuple[str, str], tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for entry in old - new:
        changed[entry.organisation, entry.word][0].add(entry.subject)
    for entry in new - old:
        changed[entry.organisation, entry.word][1].add(entry.subject)
    for (organisation, word), (gone, come) in sorted(changed.items()):
        _change_word(connection, (kind.value, organisation, word), gone, come)


def _change_word(
    connection: sa.Connection, key: tuple[str, str, str], gone: set[str], come: set[str]
) -> None:
    """Writes anew those rows of a word in which a subject goes or comes."""
    of = dict(zip(("kind", "organisation", "word"), key, strict=True))
    rows = {row.first: set(row.subjects.split(BETWEEN)) for row in connection.execute(_ROWS, of)}
    firsts = sorted(rows)
    touched = {first for first, subjects in rows.items() if subjects & gone}
    for subject in come:
        place = max(bisect.bisect_right(firsts, subject) - 1, 0)
        first = firsts[place] if firsts else ""
        rows.setdefault(first, set()).add(subject)
        touched.add(first)
    for first in sorted(touched):
        connection.execute(_DELETE, of | {"first": first})
        left = _parted(sorted(rows[first] - gone))
        _insert(connection, iter([(*key, some[0], BETWEEN.join(some)) for some in left]))


_OF_WORD = tuple(column == sa.bindparam(column.name) for column in list(SearchWord.__table__.columns)[:3])
_ROWS = sa.select(SearchWord.first, SearchWord.subjects).where(*_OF_WORD)
_DELETE = sa.delete(SearchWord).where(*_OF_WORD, SearchWord.first == sa.bindparam("first"))


# While files are imported --------------------------------------------------------------------------


class IndexChanges:
    """Keeps the index in step with rows that are staged and then taken over."""

    def __init__(self, connection: sa.Connection, tables: Collection[str]) -> None:
        self._connection = connection
        self._kinds = [kind for kind in Kind if kind in tables]
        self._anew = is_empty(connection)
        self._before: dict[Kind, set[Entry]] = {}
        self._changed: dict[Kind, set[str]] = {}

    def note(self) -> None:
        """Notes what will change, while the record has the former rows still."""
        for kind in self._kinds:
            self._changed[kind] = set() if self._anew else self._differing(kind)
        if self._changed.get(Kind.SCHOOL) and not self._anew:
            self._changed.setdefault(Kind.TEACHER, set()).update(self._teachers_of_moved_schools())
        self._anew = self._anew or sum(map(len, self._changed.values())) >= MANY
        if not self._anew:
            for kind, subjects in self._changed.items():
                self._before[kind] = entries(self._connection, kind, subjects)

    def finish(self) -> None:
        """Changes the index, once the rows are in the record."""
        if self._anew:
            fill(self._connection)
            return
        for kind, subjects in self._changed.items():
            change(self._connection, kind, self._before[kind], entries(self._connection, kind, subjects))

    def _differing(self, kind: Kind) -> set[str]:
        differs = " OR ".join(f"r.{name} <> s.{name}" for name in _WRITTEN[kind])
        return self._ids(
            f"SELECT s.{kind} FROM staged_{kind} s LEFT JOIN {kind} r ON r.id = s.{kind}"
            f" WHERE r.id IS NULL OR {differs}"
        )

    def _teachers_of_moved_schools(self) -> set[str]:
        return self._ids(
            "SELECT t.id FROM staged_school s JOIN school r ON r.id = s.school AND r.organisation <> s.organisation"
            " JOIN teacher t ON t.school = s.school"
        )

    def _ids(self, question: str) -> set[str]:
        return set(self._connection.exec_driver_sql(question).scalars())


Changes = Callable[[], None]


def with_its_index(
    connection: sa.Connection, kind: Kind, subjects: Collection[str], changes: Changes
) -> None:
    """Does what changes some rows of the registry, and the index with them, where there is one."""
    if is_empty(connection):
        changes()
        return
    before = entries(connection, kind, subjects)
    changes()
    change(connection, kind, before, entries(connection, kind, subjects))
