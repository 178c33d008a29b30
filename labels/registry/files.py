"""What the registry's CSV files look like: their columns, and what each may hold."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from labels.registry.values import Values
from labels.words.addresses import LONGEST, all_plain, written
from labels.words.countries import COUNTRIES, OTHER_CODES


class Objection(NamedTuple):
    """Why a value is refused, and what to do about it."""

    problem: str
    remedy: str


_ACTING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line ends, those that turn the direction of writing, and halves of characters."""

LOST = "\ufffd"
"""What programs write for a letter that they could not read."""

ACTING_OR_LOST = re.compile(_ACTING.pattern[:-1] + LOST + "]")
_ACTING_OR_SPACE = re.compile(ACTING_OR_LOST.pattern[:-1] + "\\s\u00ad\u200b-\u200d\u2060-\u2064\ufeff]")
"""These, every space, and what has no width: by none of them may two identifiers differ."""

_SHORTENED = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_AGES = re.compile(r"([0-9]{1,2})-([0-9]{1,2})")
_COMMA = re.compile(r"[0-9]{1,4},[0-9]{1,2}")
_NUMBER = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,6})?")


def shown(value: str, limit: int = 60) -> str:
    """`value` as it may be quoted in a message: what can't be seen escaped, its length bounded."""
    cut = value if len(value) <= limit else value[:limit] + "…"
    return "“" + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in cut) + "”"


class Kind(ABC):
    """What a column holds. Asked for a whole column first, because nearly all columns are sound."""

    @abstractmethod
    def sound(self, values: Values) -> bool:
        """Whether none of `values`, which are not empty and have no blanks around them, can be objected to."""

    @abstractmethod
    def objection(self, value: str) -> Objection | None:
        """What is wrong with `value`, if anything."""

    def tidied(self, value: str) -> str:
        """`value` in the way in which it is kept, where a spreadsheet writes the same otherwise."""
        return value


@dataclass(frozen=True)
class Text(Kind):
    """A name or title on one line, of at most `limit` characters."""

    limit: int
    title: bool = False
    """Whether it is a title, in which people ask, exclaim and decorate."""

    def sound(self, values: Values) -> bool:
        return values.are_at_most(self.limit) and (
            values.harmless or not ACTING_OR_LOST.search("".join(values.each))
        )

    def objection(self, value: str) -> Objection | None:
        if len(value) > self.limit:
            return Objection(
                f"has {len(value):,} characters; at most {self.limit} are allowed.", "Shorten it."
            )
        if not value.strip():
            return Objection("is blank.", "Fill it in.")
        return _lost(value) or _acting(_ACTING, value)


@dataclass(frozen=True)
class Identifier(Kind):
    """The key of a row, here or in another file."""

    limit: int = 100

    def sound(self, values: Values) -> bool:
        joined = values.joined
        plain = values.harmless and " " not in joined and joined.isascii()
        return (
            values.are_at_most(self.limit)
            and (plain or not _ACTING_OR_SPACE.search("".join(values.each)))
            and not ("E+" in joined and any(map(_SHORTENED.fullmatch, values.each)))
        )

    def objection(self, value: str) -> Objection | None:
        if len(value) > self.limit:
            return Objection(
                f"has {len(value):,} characters; an identifier has at most {self.limit}.", "Shorten it."
            )
        if _SHORTENED.fullmatch(value):
            return Objection(
                f"{shown(value)} is what a spreadsheet makes of a long number.",
                "Write it as text (in Excel by the cell format “Text”).",
            )
        return _lost(value) or _acting(_ACTING_OR_SPACE, value)


def _lost(value: str) -> Objection | None:
    if LOST not in value:
        return None
    return Objection(
        f"{shown(value)} has lost letters: � stands in their place.",
        "Write them again, and save the file as “CSV UTF-8” or XLSX.",
    )


def _acting(unwanted: re.Pattern[str], value: str) -> Objection | None:
    if not (match := unwanted.search(value)):
        return None
    if (character := match.group()) == " ":
        return Objection(f"{shown(value)} has a space in it; an identifier has none.", "Remove it.")
    return Objection(
        f"{shown(value)} has the character U+{ord(character):04X} in it,"
        " which is a control character, a line end, or one that nobody sees; it does not belong there.",
        "Remove it.",
    )


@dataclass(frozen=True)
class Email(Kind):
    """An e-mail address; kept in small letters, its domain in its own ones."""

    def sound(self, values: Values) -> bool:
        return all_plain(values.each)

    def objection(self, value: str) -> Objection | None:
        if len(value) <= LONGEST and written(value) is not None:
            return None
        return Objection(
            f"{shown(value)} is not an e-mail address; expected one such as name@school.example.",
            "Correct the address.",
        )

    def tidied(self, value: str) -> str:
        return written(value) or value


@dataclass(frozen=True)
class Language(Kind):
    """A language tag."""

    def sound(self, values: Values) -> bool:
        distinct = set(values.each)
        return all(map(_LANGUAGE.fullmatch, distinct)) and max(map(len, distinct)) <= 35

    def objection(self, value: str) -> Objection | None:
        if _LANGUAGE.fullmatch(value) and len(value) <= 35:
            return None
        return Objection(
            f"{shown(value)} is not a language code; expected one such as en, pl or sr-Latn.",
            "Write the ISO 639 code in small letters.",
        )

    def tidied(self, value: str) -> str:
        return value.lower() if value.isalpha() else value


@dataclass(frozen=True)
class Several(Kind):
    """Values of one kind with `;` between; kept without blanks around them."""

    of: Kind

    def sound(self, values: Values) -> bool:
        parts = [one for value in values.each for one in value.split(";")]
        return all(one and one == one.strip() for one in parts) and self.of.sound(Values(parts))

    def objection(self, value: str) -> Objection | None:
        parts = [one.strip() for one in value.split(";")]
        return next((found for one in parts if (found := self.of.objection(one))), None)

    def tidied(self, value: str) -> str:
        parts = (one.strip() for one in value.split(";"))
        return ";".join(self.of.tidied(one) for one in parts if one)


@dataclass(frozen=True)
class Ages(Kind):
    """The youngest and the oldest of a group of pupils, in years: `6-11`."""

    def sound(self, values: Values) -> bool:
        return not any(map(self.objection, set(values.each)))

    def objection(self, value: str) -> Objection | None:
        if (found := _AGES.fullmatch(value)) and int(found[1]) <= int(found[2]):
            return None
        return Objection(
            f"{shown(value)} is no range of ages; expected one such as 6-11.",
            "Write the youngest and the oldest in years.",
        )

    def tidied(self, value: str) -> str:
        return value.replace("–", "-").replace(" ", "")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True)
class Choice(Kind):
    """One of a few words."""

    words: tuple[str, ...]

    def sound(self, values: Values) -> bool:
        return set(values.each).issubset(self.words)

    def objection(self, value: str) -> Objection | None:
        if value in self.words:
            return None
        return Objection(
            f"{shown(value)} is not known; expected {' or '.join(self.words)}.", "Write one of these."
        )

    def tidied(self, value: str) -> str:
        bare = value.casefold()
        if "true" in self.words:
            bare = "true" if bare in _TRUE else "false" if bare in _FALSE else bare
        return next((word for word in self.words if word.casefold() == bare), value)


_TRUE = _words(
    """
    wahr vrai verdadero vero verdadeiro waar prawda pravda igaz sand sann sant tosi doğru истина істина adevărat
    """
)
_FALSE = _words(
    """
    falsch faux falso onwaar fałsz nepravda hamis falsk usann falskt epätosi yanlış ложь хибність fals
    """
)
"""What Excel makes of true and false in other languages."""


@dataclass(frozen=True)
class Country(Kind):
    """The code of a country in `labels.words.countries`; `EU` too where `union` says so."""

    union: bool = False

    def sound(self, values: Values) -> bool:
        return all(map(self._is_known, set(values.each)))

    def _is_known(self, value: str) -> bool:
        return value in COUNTRIES or (self.union and value == "EU")

    def objection(self, value: str) -> Objection | None:
        if self._is_known(value):
            return None
        if ours := OTHER_CODES.get(value.upper()):
            return Objection(f"{shown(value)} is not the code of {COUNTRIES[ours]} here.", f"Write {ours}.")
        return Objection(
            f"{shown(value)} is not the code of a country in eTwinning;"
            " expected two capital letters such as PL.",
            "Write the ISO 3166-1 code.",
        )

    def tidied(self, value: str) -> str:
        return value.upper()


@dataclass(frozen=True)
class Day(Kind):
    """A date; not after `latest`, where that is given."""

    latest: date | None
    _seen: set[str] = field(default_factory=set)

    def sound(self, values: Values) -> bool:
        fresh = set(values.each) - self._seen
        if any(self.objection(value) for value in fresh):
            return False
        self._seen.update(fresh)
        return True

    def objection(self, value: str) -> Objection | None:
        try:
            day = date.fromisoformat(value) if _DAY.fullmatch(value) else None
        except ValueError:
            day = None
        if day is None:
            return Objection(
                f"{shown(value)} is not a date; expected year-month-day such as 2025-09-01.",
                "Correct the date.",
            )
        if self.latest and day > self.latest:
            return Objection(f"{value} is in the future; today is {self.latest}.", "Correct the date.")
        return None


@dataclass(frozen=True)
class Number(Kind):
    """Points, with a decimal point."""

    def sound(self, values: Values) -> bool:
        return all(map(_NUMBER.fullmatch, values.each))

    def objection(self, value: str) -> Objection | None:
        if _NUMBER.fullmatch(value):
            return None
        return Objection(
            f"{shown(value)} is not a number of points; expected one such as 24 or 21.5.",
            "Write digits, with a point before decimals.",
        )

    def tidied(self, value: str) -> str:
        return value.replace(",", ".") if _COMMA.fullmatch(value) else value


@dataclass(frozen=True)
class Column:
    """A column of a file."""

    name: str
    kind: Kind
    required: bool = True
    of: str = ""
    """The table whose key it repeats, if it is a reference."""
    optional: bool = False
    """Whether a file may be without it: then nothing is said of it, and the record stays as it is."""


@dataclass(frozen=True)
class RegistryFile:
    """One of the files: its columns in the contract's order, and the table it fills."""

    name: str
    table: str
    key: tuple[str, ...]
    """The columns that tell its rows apart."""
    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        assert set(self.key) <= {column.name for column in self.columns}

    @property
    def stem(self) -> str:
        """Its name without the format."""
        return self.name.rpartition(".")[0]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(column.name for column in self.columns)

    @property
    def expected(self) -> tuple[str, ...]:
        """The names of those that no file may be without."""
        return tuple(column.name for column in self.columns if not column.optional)


FORMATS = (".csv", ".tsv", ".txt", ".xlsx", ".ods")
"""The endings of files that are read; what is in one, its content says."""

NAME = Text(200)
TITLE = Text(300, title=True)
LABELS = ("national", "european", "school")
ACTIVITY_KINDS = (
    "learning_event",
    "online_seminar",
    "workshop",
    "group",
    "event_created",
    "event_attended",
)


def registry_files(today: date) -> tuple[RegistryFile, ...]:
    """The files in the order in which they refer to each other (CONTRACT, "Registry files").

    Nothing in them lies after `today`, but for the planned end of a project.
    """
    identifier, past = Identifier(), Day(today)

    def reference(name: str, required: bool = True) -> Column:
        return Column(name, identifier, required, of=name)

    def optional(name: str, kind: Kind, of: str = "") -> Column:
        return Column(name, kind, required=False, of=of, optional=True)

    return (
        RegistryFile(
            "organisations.csv",
            "organisation",
            ("organisation",),
            (
                Column("organisation", identifier),
                Column("country", Country(union=True)),
                Column("kind", Choice(("NSS", "PSA", "CSS"))),
                Column("name", NAME),
                Column("email", Email()),
                Column("language", Language()),
            ),
        ),
        RegistryFile(
            "schools.csv",
            "school",
            ("school",),
            (
                Column("school", identifier),
                Column("name", NAME),
                Column("country", Country()),
                reference("organisation"),
                Column("city", NAME),
                Column("registered_on", past),
                Column("principal_name", NAME),
                Column("principal_email", Email()),
                optional("succeeds", identifier, of="school"),
            ),
        ),
        RegistryFile(
            "teachers.csv",
            "teacher",
            ("teacher",),
            (
                Column("teacher", identifier),
                Column("name", NAME),
                Column("email", Email()),
                reference("school"),
                Column("registered_on", past),
                Column("language", Language()),
                optional("subjects", Several(NAME)),
                optional("school_since", past),
            ),
        ),
        RegistryFile(
            "projects.csv",
            "project",
            ("project",),
            (
                Column("project", identifier),
                Column("title", TITLE),
                Column("started_on", past),
                Column("ended_on", Day(None), required=False),
            ),
        ),
        RegistryFile(
            "members.csv",
            "member",
            ("project", "teacher"),
            (
                reference("project"),
                reference("teacher"),
                Column("role", Choice(("founder", "partner"))),
                Column("joined_on", past),
                optional("left_on", past),
                optional("school", identifier, of="school"),
            ),
        ),
        RegistryFile(
            "activities.csv",
            "activity",
            ("activity",),
            (
                Column("activity", identifier),
                reference("teacher"),
                Column("kind", Choice(ACTIVITY_KINDS)),
                Column("title", TITLE),
                Column("on", past),
                Column("confirmed", Choice(("true", "false"))),
            ),
        ),
        RegistryFile(
            "staff.csv",
            "staff",
            ("email", "role"),
            (
                Column("email", Email()),
                Column("name", NAME),
                reference("organisation"),
                Column("role", Choice(("reviewer", "coordinator"))),
                Column("language", Language()),
                reference("school", required=False),
                optional("staff", identifier),
                optional("languages", Several(Language())),
                optional("subjects", Several(NAME)),
                optional("ages", Several(Ages())),
                optional("away_from", Day(None)),
                optional("away_until", Day(None)),
                optional("left_on", Day(None)),
            ),
        ),
        RegistryFile(
            "awards.csv",
            "award",
            ("label", "teacher", "project", "school", "awarded_on"),
            (
                Column("label", Choice(LABELS)),
                reference("teacher", required=False),
                reference("project", required=False),
                reference("school", required=False),
                reference("organisation"),
                Column("awarded_on", past),
                Column("score", Number(), required=False),
                optional("revoked_on", past),
            ),
        ),
    )
