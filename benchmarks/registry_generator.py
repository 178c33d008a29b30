"""Makes up a registry of any size: the same one for the same seed, written row by row."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from labels.errors import Fault, InvalidInput
from labels.registry.files import ACTIVITY_KINDS, registry_files
from labels.words.countries import COUNTRIES

FIRST_DAY = date(2012, 1, 1)
"""Nothing in a made-up registry is older."""

LAST_DAY = date(2026, 6, 30)
"""Nothing in it is newer, but for the planned end of a project."""

_DAYS = [str(FIRST_DAY + timedelta(days)) for days in range((LAST_DAY - FIRST_DAY).days + 400)]
_LAST = (LAST_DAY - FIRST_DAY).days


class _Tongue(NamedTuple):
    """What people, schools, towns and projects are called in one script."""

    given: tuple[str, ...]
    family: tuple[str, ...]
    school: tuple[str, ...]
    """With `{}` for the town and `{n}` for a number."""
    towns: tuple[str, ...]
    titles: tuple[str, ...]


_LATIN = _Tongue(
    ("Zoë", "Łucja", "Søren", "Ağça", "Þórunn", "Ģirts", "Ștefania", "Élodie", "Ċensu", "Ñusta", "Žofie"),
    ("O’Neill", "Dąbrowska", "Çelik", "Țurcanu", "Ólafsdóttir", "Müller-Weiß", "Šķēle", "Őri", "Nuñez"),
    ("School no. {n} of {}", "“{}” Lyceum {n}", "Gymnasium {}, house {n}", 'The "{}" primary school {n}'),
    (
        "Łódź",
        "Çorlu",
        "Malmö",
        "Siófok",
        "Český Krumlov",
        "Iași",
        "Rēzekne",
        "A Coruña",
        "Żabbar",
        "Reykjavík",
    ),
    ("Rivers, bridges and borders", "Weather letters", "A radio play in five acts", "Café des sciences"),
)
_GREEK = _Tongue(
    ("Ελένη", "Γιώργος", "Αθηνά", "Νίκος", "Μαρία", "Οδυσσέας"),
    ("Παπαδοπούλου", "Αγγελίδης", "Χατζής", "Οικονόμου", "Ζέρβα"),
    ("{n}ο Γυμνάσιο, {}", "{n}ο Δημοτικό Σχολείο «{}»"),
    ("Ιωάννινα", "Χανιά", "Πάφος", "Καλαμάτα", "Βόλος"),
    ("Ταξίδι στη θάλασσα", "Μύθοι, γέφυρες και λέξεις"),
)
_CYRILLIC = _Tongue(
    ("Олена", "Иван", "Љиљана", "Ѓорѓи", "Цветелина", "Їрина", "Щилиян"),
    ("Шевченко", "Йорданова", "Ђорђевић", "Ќосева", "Гончаренко"),
    ("ОУ „{}“ {n}", "Школа № {n}, {}", "Гимназија {n}, {}"),
    ("Пловдив", "Полтава", "Крушевац", "Битола", "Чернівці"),
    ("Дунав, мостове и хора", "Листи з дому", "Игре наших бака"),
)
_GEORGIAN = _Tongue(
    ("ნინო", "გიორგი", "თამარ", "ლევან"),
    ("ბერიძე", "კაპანაძე", "ჯავახიშვილი"),
    ("{} N{n} საჯარო სკოლა",),
    ("ქუთაისი", "ბათუმი", "თელავი"),
    ("ჩვენი მდინარეები", "მთის სიმღერები"),
)
_ARMENIAN = _Tongue(
    ("Անահիտ", "Արամ", "Գայանե", "Տիգրան"),
    ("Սարգսյան", "Հակոբյան", "Մկրտչյան"),
    ("{}ի թիվ {n} դպրոց",),
    ("Գյումրի", "Վանաձոր", "Դիլիջան"),
    ("Խաղողի ճանապարհը", "Մեր լեռները"),
)
_ARABIC = _Tongue(
    ("ليلى", "يوسف", "آمنة", "كريم"),
    ("الخطيب", "بن صالح", "حدّاد"),
    ("مدرسة {} الثانوية {n}",),
    ("إربد", "صفاقس", "طرابلس", "رام الله"),
    ("حكايات البحر", "طريق الزيتون"),
)

_LANGUAGES = {
    "AL": "sq", "AM": "hy", "AT": "de", "AZ": "az", "BA": "bs", "BE": "fr", "BG": "bg", "CY": "el",
    "CZ": "cs", "DE": "de", "DK": "da", "EE": "et", "ES": "es", "FI": "fi", "FR": "fr", "GB": "en",
    "GE": "ka", "GR": "el", "HR": "hr", "HU": "hu", "IE": "en", "IS": "is", "IT": "it", "JO": "ar",
    "LB": "ar", "LI": "de", "LT": "lt", "LU": "fr", "LV": "lv", "MD": "ro", "ME": "sr-Latn", "MK": "mk",
    "MT": "mt", "NL": "nl", "NO": "nb", "PL": "pl", "PS": "ar", "PT": "pt", "RO": "ro", "RS": "sr",
    "SE": "sv", "SI": "sl", "SK": "sk", "TN": "ar", "TR": "tr", "UA": "uk", "XK": "sq",
}  # fmt: skip
_TONGUES = {
    "el": _GREEK, "bg": _CYRILLIC, "mk": _CYRILLIC, "sr": _CYRILLIC, "uk": _CYRILLIC, "ka": _GEORGIAN,
    "hy": _ARMENIAN, "ar": _ARABIC,
}  # fmt: skip
_PARTNER_AGENCIES = frozenset({"AM", "AZ", "GE", "JO", "LB", "MD", "PS", "TN", "UA"})
_LARGE = ("TR", "IT", "PL", "ES", "FR", "RO", "GR", "DE", "PT", "UA")
"""Countries with many schools: each comes more often among the made-up ones."""

_PLACES = (*COUNTRIES, *_LARGE, *_LARGE, "TR", "TR", "IT")
"""The country of each school in turn."""

_ACTIVITY_TITLES = (
    "Partner fair, for small schools",
    "Podcasts in class",
    "Online seminar: e-safety",
    "Šolski dan",
)


@dataclass(frozen=True)
class _World:
    """What can be said of any school or teacher by its number alone, so that none need be remembered."""

    schools: int
    seed: int

    def scatter(self, number: int, salt: int) -> int:
        """A number that looks like chance and is always the same."""
        mixed = ((number + 1) * 0x9E3779B97F4A7C15 + (salt << 32) + self.seed) & 0xFFFFFFFFFFFFFFFF
        mixed ^= mixed >> 31
        mixed = mixed * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
        return mixed ^ (mixed >> 29)

    def country_of(self, school: int) -> str:
        """The country of a school."""
        return _PLACES[school % len(_PLACES)]

    def school_of(self, teacher: int) -> int:
        """The school of a teacher; colleagues are scattered over the file, as they are in life."""
        return self.scatter(teacher, 1) % self.schools

    def school_since(self, school: int) -> int:
        """The day on which a school was registered."""
        return self.scatter(school, 2) % (_LAST - 365)

    def teacher_since(self, teacher: int) -> int:
        """The day on which a teacher was registered; not before the school."""
        since = self.school_since(self.school_of(teacher))
        return since + self.scatter(teacher, 3) % (_LAST - 180 - since)


def generate_registry(
    folder: Path, *, teachers: int, schools: int, projects: int, seed: int = 1
) -> dict[str, int]:
    """Writes all the registry's files into `folder`; returns how many rows each has.

    They refer to each other soundly, in several scripts, and can be imported on any day from
    `LAST_DAY` on. The same numbers and seed make the same files, byte for byte; how many rows there
    are does not change how much memory it takes.

    Raises:
        InvalidInput: a number is negative, teachers have no school, or projects not two teachers.
    """
    faults = [
        Fault(name, f"is {number}; expected 0 or more.")
        for name, number in (("teachers", teachers), ("schools", schools), ("projects", projects))
        if number < 0
    ]
    if teachers > 0 and schools == 0:
        faults.append(Fault("schools", "is 0, but every teacher belongs to one."))
    if projects > 0 and 0 <= teachers < 2:
        faults.append(Fault("teachers", f"is {teachers}, but a project is founded by two."))
    if faults:
        raise InvalidInput("generate", faults)
    folder.mkdir(parents=True, exist_ok=True)
    world = _World(schools, seed)
    counts = dict.fromkeys((file.name for file in registry_files(LAST_DAY)), 0)
    with ExitStack() as stack:
        writers: dict[str, Callable[[Sequence[object]], object]] = {}
        for file in registry_files(LAST_DAY):
            stream = stack.enter_context((folder / file.name).open("w", encoding="utf-8", newline=""))
            writers[file.name] = csv.writer(stream, lineterminator="\n").writerow
            writers[file.name](file.expected)
        for rows in (
            _organisations(),
            _staff(world, teachers),
            _schools(world),
            _teachers(world, teachers),
            _projects(world, teachers, projects),
        ):
            for name, row in rows:
                writers[name](row)
                counts[name] += 1
    return counts


_Rows = Iterator[tuple[str, Sequence[object]]]
"""Rows with the file that each belongs to."""


def _organisation(country: str) -> str:
    return f"{'PSA' if country in _PARTNER_AGENCIES else 'NSS'}-{country}"


def _organisations() -> _Rows:
    yield (
        "organisations.csv",
        ("CSS", "EU", "CSS", "Central Support Service", "labels@css.etwinning.example", "en"),
    )
    for country, name in sorted(COUNTRIES.items()):
        organisation = _organisation(country)
        kind = organisation[:3]
        title = f"{'National' if kind == 'NSS' else 'Partner'} Support, {name}"
        email = f"labels@{country.lower()}.etwinning.example"
        yield "organisations.csv", (organisation, country, kind, title, email, _LANGUAGES[country])


def _person(chance: random.Random, country: str) -> str:
    tongue = _TONGUES.get(_LANGUAGES[country], _LATIN)
    return f"{_one_of(chance, tongue.given)} {_one_of(chance, tongue.family)}"


def made_up_names() -> list[str]:
    """Every name that a person in a made-up registry may have."""
    tongues = {id(tongue): tongue for tongue in (_LATIN, *_TONGUES.values())}.values()
    return [f"{given} {family}" for tongue in tongues for given in tongue.given for family in tongue.family]


def _one_of(chance: random.Random, words: Sequence[str]) -> str:
    return words[int(chance.random() * len(words))]  # much faster than choice(), and the same on every Python


def _staff(world: _World, teachers: int) -> _Rows:
    """A coordinator for each organisation, and reviewers as its teachers are many."""
    chance = random.Random(f"{world.seed} staff")
    reviewers = 3 + teachers // 10_000
    everyone = [("CSS", "EU"), *((_organisation(country), country) for country in sorted(COUNTRIES))]
    for organisation, country in everyone:
        spoken = "en" if country == "EU" else _LANGUAGES[country]
        for number in range(1 + reviewers):
            role = "reviewer" if number else "coordinator"
            name = _person(chance, "IE" if country == "EU" else country)
            email = f"{role}.{number}@{country.lower()}.etwinning.example"
            school = "" if country == "EU" else _PLACES.index(country) + number * len(_PLACES)
            teaches = role == "reviewer" and isinstance(school, int) and school < world.schools
            where = f"S-{school:07}" if teaches else ""
            yield "staff.csv", (email, name, organisation, role, spoken, where)


def _schools(world: _World) -> _Rows:
    """The schools, and the School Labels that some have."""
    chance = random.Random(f"{world.seed} schools")
    for number in range(world.schools):
        country = world.country_of(number)
        tongue = _TONGUES.get(_LANGUAGES[country], _LATIN)
        town = _one_of(chance, tongue.towns)
        name = _one_of(chance, tongue.school).format(town, n=1 + int(chance.random() * 200))
        since = world.school_since(number)
        identifier = f"S-{number:07}"
        yield (
            "schools.csv",
            (
                identifier,
                name,
                country,
                _organisation(country),
                town,
                _DAYS[since],
                _person(chance, country),
                f"principal@s{number:07}.{country.lower()}.example",
            ),
        )
        first = since + 800
        if chance.random() < 0.03 and first < _LAST:
            day = first + int(chance.random() * (_LAST - first))
            yield "awards.csv", ("school", "", "", identifier, "CSS", _DAYS[day], "")


def _teachers(world: _World, teachers: int) -> _Rows:
    """The teachers, and what they took part in."""
    chance = random.Random(f"{world.seed} teachers")
    activities = 0
    for number in range(teachers):
        school = world.school_of(number)
        country = world.country_of(school)
        since = world.teacher_since(number)
        identifier = f"T-{number:07}"
        email = f"teacher.{number}@s{school:07}.{country.lower()}.example"
        row = identifier, _person(chance, country), email, f"S-{school:07}", _DAYS[since], _LANGUAGES[country]
        yield "teachers.csv", row
        if chance.random() < 0.25:
            activities += 1
            day = since + int(chance.random() * (_LAST - since))
            yield (
                "activities.csv",
                (
                    f"A-{activities:07}",
                    identifier,
                    _one_of(chance, ACTIVITY_KINDS),
                    _one_of(chance, _ACTIVITY_TITLES),
                    _DAYS[day],
                    "true" if chance.random() < 0.8 else "false",
                ),
            )


def _projects(world: _World, teachers: int, projects: int) -> _Rows:
    """The projects, their members, and the labels that some of the founders have."""
    chance = random.Random(f"{world.seed} projects")
    for number in range(projects):
        members = _members(world, chance, teachers)
        start = max(world.teacher_since(member) for member in members[:2])
        start += int(chance.random() * (_LAST - start))
        end = start + 60 + int(chance.random() * 330)
        identifier = f"P-{number:07}"
        tongue = _TONGUES.get(_LANGUAGES[world.country_of(world.school_of(members[0]))], _LATIN)
        title = f"{_one_of(chance, tongue.titles)}: {_one_of(chance, tongue.towns)}"
        open_ended = chance.random() < 0.1
        yield "projects.csv", (identifier, title, _DAYS[start], "" if open_ended else _DAYS[end])
        latest = min(end, _LAST)
        for place, member in enumerate(members):
            joined = start if place < 2 else max(start, world.teacher_since(member))
            if joined > latest:
                continue  # was no teacher here yet
            if place >= 2:
                joined += int(chance.random() * (latest - joined + 1))
            role = "founder" if place < 2 else "partner"
            yield "members.csv", (identifier, f"T-{member:07}", role, _DAYS[joined])
        if not open_ended and end < _LAST - 90 and chance.random() < 0.1:
            day = end + int(chance.random() * 90)
            for member in members[:2]:
                country = world.country_of(world.school_of(member))
                teacher = f"T-{member:07}"
                award = teacher, identifier, f"S-{world.school_of(member):07}"
                score = f"{18 + chance.random() * 12:.1f}".removesuffix(".0")
                yield "awards.csv", ("national", *award, _organisation(country), _DAYS[day], score)
                if chance.random() < 0.2:
                    yield "awards.csv", ("european", *award, "CSS", _DAYS[min(day + 200, _LAST)], "")


def _members(world: _World, chance: random.Random, teachers: int) -> list[int]:
    """Two to six teachers; the founders, who come first, from two countries wherever that can be."""
    first = int(chance.random() * teachers)
    country = world.country_of(world.school_of(first))
    for _ in range(20):
        second = int(chance.random() * teachers)
        if world.country_of(world.school_of(second)) != country:
            break
    others = [int(chance.random() * teachers) for _ in range(int(chance.random() * 5))]
    members = list(dict.fromkeys((first, second, *others)))
    return members if len(members) > 1 else [first, (first + 1) % teachers]
