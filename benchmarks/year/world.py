"""The world of a year: a made-up registry of Europe's size by a factor, and who applies with what, when."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmarks.registry_generator import LAST_DAY, generate_registry
from labels.clock import BRUSSELS
from labels.identifiers import national_application_id, person_id
from labels.kinds import LabelKind
from labels.record import Record
from labels.record.schema import (
    Activity,
    Award,
    Member,
    Organisation,
    Person,
    Project,
    School,
    Staff,
    Teacher,
)
from labels.registry.importing import import_registry
from labels.rules.loading import load_rules
from labels.rules.model import CalendarRules
from usecases.rehearsing.season import CycleDay, Planned, Season, arrivals, rushes, title

# Europe's volumes of a year (docs/benchmarks.md names where they are from).
APPLICATIONS = 45_000
LARGEST, SMALLEST = 8_000, 5
"""Applications of the largest and the smallest organisation."""
TEACHERS, SCHOOLS = 1_200_000, 217_000
EARLIER_PROJECTS = 16_000
"""A tenth of Europe's: of the generator's, ten times as many schools would be eligible as there are."""
ELIGIBLE, INVITATIONS, SCHOOL_LABELS = 5_198, 39_346, 2_935
PUPILS_EACH = 20

BEGINS = datetime(2026, 10, 1, tzinfo=BRUSSELS)
ENDS = datetime(2027, 10, 1, tzinfo=BRUSSELS)
YEAR = 2027
ROUND_ON = datetime(2027, 1, 15, 6, 0, tzinfo=BRUSSELS)
CYCLE_ON = datetime(2027, 10, 1, 6, 0, tzinfo=BRUSSELS)
COMMON_LAST_DAY = date(2027, 6, 30)
"""Where labels are awarded all year, the rush comes before the summer: an assumption."""
LABELS = (LabelKind.NATIONAL, LabelKind.SCHOOL, LabelKind.EUROPEAN)
"""What can be played alone."""
SEASON = Season(
    BEGINS,
    ENDS,
    datetime.combine(COMMON_LAST_DAY, time(23, 59, 59), BRUSSELS),
    ROUND_ON,
    CycleDay(CYCLE_ON, YEAR),
)

BY_SIZE = ["TR", "IT", "PL", "ES", "RO", "GR", "FR", "PT", "UA", "HR", "LT", "CZ", "DE", "RS", "BG", "SK", "AL", "GE", "MD", "LV", "HU", "MK", "SI", "EE", "AM", "AZ", "FI", "TN", "JO", "BA", "NL", "BE", "CY", "SE", "AT", "ME", "NO", "DK", "MT", "IE", "XK", "LB", "IS", "PS", "LU", "LI"]  # fmt: skip  # a table
_STEEPNESS = 0.8963
"""With it the sizes between the largest and the smallest add up to Europe's applications."""

_SIZES = ((1, 5), (2, 20), (3, 16), (5, 20), (8, 20), (12, 16), (20, 3))
"""How many members of a project apply, and how often. Nobody publishes it: with these, and partners' qualities as near to
each other as below, the brief's rule gives Europe's numbers of labels, of awarded projects and of their labels."""
_QUALITY, _OF_PROJECT, _OF_PARTNER = 0.70, 0.18, 0.02
"""The mean of all, and how far projects and the partners of one differ."""
_LABELLED_BEFORE, _WITHOUT_THE_YEARS_OWN = 0.36, 0.80
"""Of the schools that are eligible, how many are given their label of last spring here; the others are found among the
registry's and the year's own, of which there are none where the School Label is played alone."""


@dataclass
class World:
    """What the year begins with."""

    planned: list[Planned]
    counts: dict[str, int] = field(default_factory=dict)
    """Rows of the registry."""


def shares(scale: float) -> dict[str, int]:
    """How many applications each country has, with the whole rounded once."""
    last = len(BY_SIZE) - 1
    exact = {
        country: scale * LARGEST * (SMALLEST / LARGEST) ** ((place / last) ** _STEEPNESS)
        for place, country in enumerate(BY_SIZE)
    }
    found = {country: int(value) for country, value in exact.items()}
    left = round(APPLICATIONS * scale) - sum(found.values())
    for country in sorted(exact, key=lambda one: found[one] - exact[one])[: max(left, 0)]:
        found[country] += 1
    return found


def calendar_of(organisation: str) -> CalendarRules:
    """By which an organisation's applications come."""
    return load_rules(organisation, BEGINS.date()).national.calendar


def make(record: Record, folder: Path, scale: float, seed: int, label: LabelKind | None = None) -> World:
    """Fills the record with a registry and plans who applies.

    The registry is made up, and is Europe's by the factor; of its schools, those with most of the applications
    are the ones that a round of the School Label can find eligible, as they are in life. `label` is the one that is
    played alone.
    """
    schools = max(207, round(SCHOOLS * scale))  # three for each place of the generator's list of countries
    counts = generate_registry(
        folder, schools=schools, seed=seed,
        teachers=max(6 * schools, round(TEACHERS * scale)), projects=max(20, round(EARLIER_PROJECTS * scale)),
    )  # fmt: skip
    import_registry(record, folder, LAST_DAY)
    with record.writing() as session:
        return World(_populate(session, scale, random.Random(f"{seed} world"), label), counts)


@dataclass
class _Country:
    """A country's organisation, and the teachers of its active schools."""

    organisation: str
    schools: list[str]
    teachers: list[str]


def _populate(
    session: Session, scale: float, chance: random.Random, label: LabelKind | None
) -> list[Planned]:
    numbers = shares(scale)
    labelled = _WITHOUT_THE_YEARS_OWN if label is LabelKind.SCHOOL else _LABELLED_BEFORE
    eligible = round(ELIGIBLE * scale * labelled)
    countries = _countries(session, numbers, chance)
    _staff(session, numbers, countries)
    _label_earlier(session, countries, eligible, chance)
    slots = [
        (country, at)
        for country, number in numbers.items()
        for at in arrivals(rushes(calendar_of(countries[country].organisation), SEASON), number, chance)
    ]
    return _projects(session, slots, countries, chance)


def _countries(session: Session, numbers: dict[str, int], chance: random.Random) -> dict[str, _Country]:
    """Active schools are large ones: those with seven or eight teachers, as many as the applications need."""
    teachers: dict[str, list[str]] = defaultdict(list)
    for school, teacher in session.execute(
        sa.select(Teacher.school, Teacher.id).order_by(Teacher.id)
    ).tuples():
        teachers[school].append(teacher)
    schools: dict[str, list[str]] = defaultdict(list)
    for country, school in session.execute(sa.select(School.country, School.id).order_by(School.id)).tuples():
        if len(teachers[school]) > 1:
            schools[country].append(school)
    responsible = dict(
        session.execute(
            sa.select(Organisation.country, Organisation.id).where(Organisation.kind != "CSS")
        ).tuples().all()
    )  # fmt: skip
    found = {}
    for country in BY_SIZE:
        everyone = sorted(schools[country], key=lambda school: (abs(len(teachers[school]) - 7.5), school))
        wanted = max(1, round(numbers[country] * ELIGIBLE / APPLICATIONS))
        chosen = everyone[:wanted]
        people = [teacher for school in chosen for teacher in teachers[school]]
        while len(people) * 3 < numbers[country] and len(chosen) < len(everyone):
            chosen.append(everyone[len(chosen)])
            people += teachers[chosen[-1]]
        chance.shuffle(people)
        found[country] = _Country(responsible[country], chosen, people)
    return found


def _staff(session: Session, numbers: dict[str, int], countries: dict[str, _Country]) -> None:
    """Reviewers beside the registry's few: teachers and experts, each with some sixty reviews a year."""
    languages = dict(session.execute(sa.select(Organisation.id, Organisation.language)).tuples().all())
    rows = [
        {
            "email": f"assessor.{n}@{country.lower()}.etwinning.example", "role": "reviewer", "school": None,
            "name": f"Assessor {country} {n}", "organisation": one.organisation,
            "language": languages[one.organisation],
        }
        for country, one in countries.items()
        for n in range(max(5, round(numbers[country] * 2.3 / 60)))
    ]  # fmt: skip
    for row in rows:
        row["person"] = person_id(row["email"], row["name"])
    persons = [
        {"id": row["person"], "name": row["name"], "address": row["email"], "language": row["language"]}
        for row in rows
    ]
    session.execute(sa.insert(Person), persons)
    session.execute(sa.insert(Staff), rows)


def _label_earlier(
    session: Session, countries: dict[str, _Country], eligible: int, chance: random.Random
) -> None:
    """Gives schools what the next round of the School Label looks for: a label of last spring, trained teachers."""
    schools = [(school, one) for one in countries.values() for school in one.schools]
    chance.shuffle(schools)
    chosen = schools[: eligible + eligible % 2]
    everyone = {school for school, _ in chosen}
    of_school: dict[str, list[str]] = defaultdict(list)
    for teacher, school in session.execute(
        sa.select(Teacher.id, Teacher.school).where(Teacher.school.in_(everyone)).order_by(Teacher.id)
    ).tuples():
        of_school[school].append(teacher)
    session.execute(sa.update(School).where(School.id.in_(everyone)).values(registered_on=date(2018, 9, 3)))
    projects, members, awards, activities = [], [], [], []
    for number, pair in enumerate(zip(chosen[::2], chosen[1::2], strict=True)):
        project = f"P-E{number:06}"
        projects.append(
            _project(project, f"Last year's letters {number}", date(2025, 9, 8), date(2026, 6, 12))
        )
        for school, one in pair:
            teacher = of_school[school][0]
            members.append(_member(project, teacher, "founder", date(2025, 9, 8)))
            awards.append(
                {
                    "id": f"NQL-E-{teacher}", "label": "national", "teacher": teacher, "project": project,
                    "school": school, "organisation": one.organisation, "awarded_on": date(2026, 5, 20), "score": 24.0,
                }
            )  # fmt: skip
            activities += [
                {
                    "id": f"A-E-{person}", "teacher": person, "kind": "online_seminar", "title": "Podcasts in class",
                    "on": date(2026, 3, 12), "confirmed": True,
                }
                for person in of_school[school][:3]
            ]  # fmt: skip
    for table, rows in ((Project, projects), (Member, members), (Award, awards), (Activity, activities)):
        if rows:
            session.execute(sa.insert(table), rows)


def _project(identifier: str, title: str, started: date, ended: date | None) -> dict[str, Any]:
    return {"id": identifier, "title": title, "started_on": started, "ended_on": ended}


def _member(project: str, teacher: str, role: str, joined: date) -> dict[str, Any]:
    return {"project": project, "teacher": teacher, "role": role, "joined_on": joined}


# One label alone ------------------------------------------------------------------------------------


def season_of(label: LabelKind | None) -> Season:
    """The year of one label, or of all; a label alone begins with its own first day."""
    begins = {LabelKind.SCHOOL: ROUND_ON, LabelKind.EUROPEAN: CYCLE_ON}
    return replace(
        SEASON,
        begins=begins.get(label, BEGINS) if label else BEGINS,
        round_on=SEASON.round_on if label in (None, LabelKind.SCHOOL) else None,
        cycle=SEASON.cycle if label in (None, LabelKind.EUROPEAN) else None,
    )


def label_at_once(record: Record, planned: Sequence[Planned], seed: int) -> int:
    """Gives the labels that the applications would have led to, for a year of the European one alone; how many.

    Two reviewers see an application's quality as those of a rehearsal do, and each label is a month younger than it.
    """
    rows = []
    for one in planned:
        chance = random.Random(f"{seed} labelled {one.teacher} {one.project}")
        score = sum(_points(one.quality, chance) for _ in range(_REVIEWERS)) / _REVIEWERS
        if one.ready and score >= _PASS_MARK:
            on = min((one.at + timedelta(days=30)).astimezone(BRUSSELS).date(), date(YEAR, 9, 30))
            rows.append(
                {
                    "id": national_application_id(one.teacher, one.project, 1), "label": LabelKind.NATIONAL,
                    "teacher": one.teacher, "project": one.project, "organisation": one.organisation,
                    "awarded_on": on, "score": score,
                }
            )  # fmt: skip
    with record.writing() as session:
        schools = dict(session.execute(sa.select(Teacher.id, Teacher.school)).tuples().all())
        session.execute(sa.insert(Award), [row | {"school": schools[str(row["teacher"])]} for row in rows])
    return len(rows)


_REVIEWERS, _CRITERIA, _MOST, _PASS_MARK = 2, 6, 5, 18
"""As the rules that ship have them for most."""


def _points(quality: float, chance: random.Random) -> int:
    seen = quality + chance.gauss(0.0, 0.06)
    return sum(min(_MOST, max(0, round(_MOST * (seen + chance.gauss(0.03, 0.09))))) for _ in range(_CRITERIA))


# What they apply with -------------------------------------------------------------------------------


@dataclass
class _Group:
    """A project that is still looking for members who apply."""

    size: int
    slots: list[tuple[str, datetime, str]] = field(default_factory=list)
    """Country, time and teacher."""


def _projects(
    session: Session, slots: list[tuple[str, datetime]], countries: dict[str, _Country], chance: random.Random
) -> list[Planned]:
    """Spreads the applications over teachers, and these over projects of two countries or more."""
    slots = sorted(slots, key=lambda slot: (slot[1], slot[0]))
    chance.shuffle(slots)
    turn = dict.fromkeys(countries, 0)
    growing: list[_Group] = []
    groups: list[_Group] = []
    for country, at in slots:
        people = countries[country].teachers
        teacher = people[turn[country] % len(people)]
        turn[country] += 1
        for group in growing:
            taken = {one for _, _, one in group.slots}
            alone = len(group.slots) == 1 and group.slots[0][0] == country
            if teacher not in taken and not alone:
                break
        else:
            group = _Group(chance.choices([s for s, _ in _SIZES], [w for _, w in _SIZES])[0])
            growing.append(group)
            groups.append(group)
        group.slots.append((country, at, teacher))
        if len(group.slots) >= group.size:
            growing.remove(group)
    planned, projects, members = [], [], []
    for number, group in enumerate(groups):
        project = f"P-Y{number:06}"
        projects.append(_project(project, f"{title(chance)} {number}", date(2026, 9, 10), None))
        people = [teacher for _, _, teacher in group.slots]
        if len({country for country, _, _ in group.slots[:2]}) == 1:
            elsewhere = countries[_another(group.slots[0][0], chance)].teachers
            people.insert(1, elsewhere[int(chance.random() * len(elsewhere))])
        members += [
            _member(project, teacher, "founder" if place < 2 else "partner", date(2026, 9, 15))
            for place, teacher in enumerate(people)
        ]
        common = chance.gauss(0.0, _OF_PROJECT)
        for place, (country, at, teacher) in enumerate(group.slots):
            planned.append(
                Planned(
                    at=at.astimezone(UTC).replace(microsecond=0), teacher=teacher, project=project,
                    organisation=countries[country].organisation,
                    quality=min(0.97, max(0.2, chance.gauss(_QUALITY, _OF_PARTNER) + common)),
                    ready=chance.random() > 0.03, copied=place > 0 and chance.random() < 0.05,
                )
            )  # fmt: skip
    session.execute(sa.insert(Project), projects)
    session.execute(sa.insert(Member), members)
    return sorted(planned, key=lambda one: (one.at, one.teacher, one.project))


def _another(country: str, chance: random.Random) -> str:
    return chance.choice([one for one in BY_SIZE if one != country])
