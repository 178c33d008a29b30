"""The merging of the organisations' nominations: which projects qualify for the award, and which half failed.

Pure functions: the same nominations and labels give the same projects, in whatever order they come.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from labels.rules.model import EuropeanRules, Together, holds


class Holder(NamedTuple):
    """A teacher with a valid National Quality Label for a project, and the country and the school it was awarded in."""

    project: str
    teacher: str
    country: str
    school: str | None = None
    founded_in: int | None = None
    """In how many countries the project's founders and labels are, 0 where fewer than two founders' are known; none where
    it was not looked at."""


class Nomination(NamedTuple):
    """What an organisation put forward after its screening."""

    project: str
    organisation: str


@dataclass(frozen=True, slots=True)
class Project:
    """What the two halves of the rule say about one project."""

    id: str
    proposed_by: tuple[str, ...]
    labelled_partners: int
    countries: int
    qualifies: bool
    why: str


def merge(
    nominations: Iterable[Nomination], holders: Iterable[Holder], rules: EuropeanRules
) -> list[Project]:
    """Every project with a label or a nomination, ordered by its id.

    Source: the brief: proposed by at least one NSS, and at least two partners that have received the
    NQL; in the newest variant, labels in at least two countries, and no national projects.
    """
    labelled: dict[str, list[Holder]] = {}
    for holder in holders:
        labelled.setdefault(holder.project, []).append(holder)
    proposed: dict[str, set[str]] = {}
    for project, organisation in nominations:
        proposed.setdefault(project, set()).add(organisation)
    return [
        _project(project, tuple(sorted(proposed.get(project, ()))), labelled.get(project, ()), rules)
        for project in sorted(labelled.keys() | proposed.keys())
    ]


def _proposers(proposed_by: Sequence[str]) -> str:
    return f"Proposed by {', '.join(proposed_by)}" if proposed_by else "No organisation put it forward"


def why_for(why: str, proposed_by: Sequence[str], own: Sequence[str]) -> str:
    """The reason of a project without the names of others who proposed it; nothing where it says something else."""
    named = _proposers(proposed_by)
    return _proposers(own) + why.removeprefix(named) if why.startswith(named) else ""


def is_national(founded_in: int | None) -> bool:
    """Whether the founders of a project, two at least, are known to be all of one country, and all its labels are of it."""
    return founded_in == 1


def _project(
    identifier: str, proposed_by: tuple[str, ...], holders: Collection[Holder], rules: EuropeanRules
) -> Project:
    needed = rules.at_least.value
    teachers = len({one.teacher for one in holders})
    partners = teachers
    if rules.together.value is Together.SCHOOLS:
        # Where no school is known, each teacher is a partner.
        partners = len({one.school or one.teacher for one in holders})
    countries = len({one.country for one in holders})
    if rules.together.value is Together.COUNTRIES:
        found, what = countries, "country with a label" if needed == 1 else "countries with a label"
    else:
        found, what = partners, "labelled partner" if needed == 1 else "labelled partners"
        if partners < teachers:
            what += " (colleagues of one school are one)"
    enough = found >= needed
    first = _proposers(proposed_by)
    second = f"{found} of at least {needed} {what}"
    match bool(proposed_by), enough:
        case True, True:
            why = f"{first}; {second}."
        case True, False:
            why = (
                f"{first}, but it has only {second}."
                if found
                else f"{first}, but it has none of {needed} {what}."
            )
        case False, True:
            why = f"{first}; it would have {second}."
        case _:
            why = f"{first}, and it has only {second}."
    qualifies = bool(proposed_by) and enough
    if holds(rules.european_only) and any(is_national(one.founded_in) for one in holders):
        qualifies, why = False, f"{why} {NATIONAL_PROJECT}"
    return Project(identifier, proposed_by, partners, countries, qualifies, why)


NATIONAL_PROJECT = (
    "It is a national project: its founders are all of one country, and the rules ask for a European one."
)
