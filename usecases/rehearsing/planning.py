"""Who applies in a rehearsal, when and for which project; and by which dates."""

from __future__ import annotations

import random
import shutil
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import sqlalchemy as sa
import yaml
from sqlalchemy.orm import Session

from labels.clock import BRUSSELS, brussels_day, end_of_day
from labels.errors import Fault, InvalidInput
from labels.european_label.freezing import window
from labels.record.schema import Member, Organisation, Project, School, Teacher
from labels.rules.calendars import next_round
from labels.rules.dates import read_moment
from labels.rules.loading import CENTRAL, RULES, load_rules
from usecases.rehearsing.copying import add_partner, put
from usecases.rehearsing.season import CycleDay, Planned, Season, arrivals, rushes, title

MOST_EACH = 3
"""Applications of one teacher in a year; the rules that ship allow four from a school."""
_SIZES = ((1, 40), (2, 35), (3, 15), (4, 10))
"""How many members of a project apply in one country, and how often."""
_SIX = time(6, 0)
_COMMON_LAST_DAY = (6, 30)
"""Where labels are awarded all year, the rush comes before the summer (docs/benchmarks.md)."""


def season_from(begins: datetime, last_day: date | None, rules: Path | None, *, central: bool) -> Season:
    """The year that begins then.

    Args:
        begins: its first instant.
        last_day: of applications where labels are awarded all year; else the end of June.
        rules: the folder of rules.
        central: whether there is a Central Support Service, for the School Label's round and the European year.
    """
    ends = begins + timedelta(days=365)
    first = brussels_day(begins)
    common = date(first.year, *_COMMON_LAST_DAY)
    if common <= first:
        common = date(first.year + 1, *_COMMON_LAST_DAY)
    edition = load_rules(CENTRAL, first, rules)
    round_on, cycle = None, None
    if central:
        opens = next(
            at
            for year in (first.year, first.year + 1)
            if (at := _at_six(brussels_day(read_moment(edition.school.opens.value, year, ends=False))))
            >= begins
        )
        round_on = opens if opens <= ends else None
        cycle = next(
            CycleDay(on, year)
            for year in (first.year, first.year + 1, first.year + 2)
            if (on := _at_six(window(edition.european, year)[1] + timedelta(days=1))) >= begins
        )
    return Season(begins, ends, end_of_day(last_day or common), round_on, cycle)


def _at_six(day: date) -> datetime:
    return datetime.combine(day, _SIX, BRUSSELS)


def last_day_of(season: Season, organisation: str, rules: Path | None) -> date:
    """The last on which applications come: of the season's last round, or the one before which the rush is."""
    calendar = load_rules(organisation or CENTRAL, brussels_day(season.begins), rules).national.calendar
    return brussels_day(rushes(calendar, season)[-1][1])


def plan(
    session: Session, numbers: Mapping[str, int], season: Season, rules: Path | None, chance: random.Random
) -> list[Planned]:
    """Enters the projects that so many of each organisation's teachers apply for; what they are going to hand in.

    Raises:
        InvalidInput: an organisation has too few teachers for so many applications.
    """
    planned: list[Planned] = []
    for organisation, number in sorted(numbers.items()):
        planned += _of_organisation(session, organisation, number, season, rules, chance)
    return sorted(planned, key=lambda one: (one.at, one.teacher, one.project))


def _of_organisation(
    session: Session,
    organisation: str,
    number: int,
    season: Season,
    rules: Path | None,
    chance: random.Random,
) -> list[Planned]:
    own = sa.select(School.id).where(School.organisation == organisation)
    people = list(session.scalars(sa.select(Teacher.id).where(Teacher.school.in_(own)).order_by(Teacher.id)))
    if number > MOST_EACH * len(people):
        problem = f"is {number}, and {organisation} has {len(people)} teachers"
        raise InvalidInput("rehearse", [Fault("applications", f"{problem}; {MOST_EACH} each are the most.")])
    chance.shuffle(people)
    calendar = load_rules(organisation, brussels_day(season.begins), rules).national.calendar
    times = sorted(arrivals(rushes(calendar, season), number, chance))
    chance.shuffle(times)
    began = brussels_day(season.begins) - timedelta(days=21)
    partner = add_partner(session, organisation, began - timedelta(days=365))
    planned: list[Planned] = []
    projects: list[dict[str, object]] = []
    members: list[dict[str, object]] = []
    while times:
        size = min(len(times), len(people), chance.choices([s for s, _ in _SIZES], [w for _, w in _SIZES])[0])
        project = f"P-V{organisation}-{len(projects):06}"
        projects.append(
            {
                "id": project,
                "title": f"{title(chance)} {len(projects) + 1}",
                "started_on": began,
                "ended_on": None,
            }
        )
        team = [people[(len(planned) + place) % len(people)] for place in range(size)]
        common = chance.gauss(0.0, 0.11)
        for place, teacher in enumerate([team[0], partner, *team[1:]]):
            members.append(
                {
                    "project": project, "teacher": teacher, "role": "founder" if place < 2 else "partner",
                    "joined_on": began + timedelta(days=5),
                }
            )  # fmt: skip
        for place, teacher in enumerate(team):
            planned.append(
                Planned(
                    at=times.pop().astimezone(UTC).replace(microsecond=0), teacher=teacher, project=project,
                    organisation=organisation, quality=min(0.97, max(0.2, chance.gauss(0.695, 0.08) + common)),
                    ready=chance.random() > 0.03, copied=place > 0 and chance.random() < 0.05,
                )
            )  # fmt: skip
    put(session, Project, projects)
    put(session, Member, members)
    return planned


# Other dates ------------------------------------------------------------------------------------


def with_last_day(
    folder: Path, rules: Path | None, organisation: str, last_day: date, begins: datetime
) -> Path | None:
    """A folder of rules in which an organisation's round closes on another day; None where labels are awarded all year.

    The day by which is decided moves with it.

    Raises:
        InvalidInput: the organisation has several rounds, or the rules would contradict themselves.
    """
    first = brussels_day(begins)
    edition = load_rules(organisation, first, rules)
    calendar = edition.national.calendar
    current = next_round(begins, calendar)
    if current is None:
        return None
    rounds = calendar.rounds.value if calendar.rounds else ()
    if len(rounds) != 1:
        problem = f"{organisation} has {len(rounds)} rounds a year: which is meant?"
        remedy = "Move them in a copy of the rules, and name that with --rules."
        raise InvalidInput("rehearse", [Fault("--deadline", problem, remedy)])
    root = RULES if rules is None else rules
    shutil.copytree(root, folder, ignore=lambda _, names: [one for one in names if one.endswith(".py")])
    decided = brussels_day(current.decided_by) + (last_day - brussels_day(current.closes_at))
    [only] = rounds
    moved = {
        "name": only.name,
        "opens": only.opens,
        "closes": f"{last_day:%m-%d}",
        "decided_by": f"{decided:%m-%d}",
    }
    file = folder / "editions" / edition.edition / f"{organisation}.yaml"
    own = yaml.safe_load(file.read_text("utf-8")) if file.is_file() else {}
    own.setdefault("national", {}).setdefault("calendar", {})["rounds"] = {
        "value": [moved],
        "source": "assumption",
    }
    file.write_text(yaml.safe_dump(own, allow_unicode=True), "utf-8")
    load_rules(organisation, first, folder)
    return folder


def national_organisations(session: Session) -> list[str]:
    """Every organisation whose teachers may apply."""
    return list(
        session.scalars(
            sa.select(Organisation.id).where(Organisation.kind != "CSS").order_by(Organisation.id)
        )
    )
