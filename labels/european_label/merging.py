"""The merging of the organisations' nominations: which projects qualify for the award, and which half failed.

Pure functions: the same nominations and labels give the same projects, in whatever order they come.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from labels.rules.model import EuropeanRules, Together


class Holder(NamedTuple):
    """A teacher with a valid National Quality Label for a project, and the country it was awarded in."""

    project: str
    teacher: str
    country: str


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
    NQL; in the newest variant, labels in at least two countries.
    """
    teachers: dict[str, set[str]] = {}
    countries: dict[str, set[str]] = {}
    for project, teacher, country in holders:
        teachers.setdefault(project, set()).add(teacher)
        countries.setdefault(project, set()).add(country)
    proposed: dict[str, set[str]] = {}
    for project, organisation in nominations:
        proposed.setdefault(project, set()).add(organisation)
    return [
        _project(
            project,
            tuple(sorted(proposed.get(project, ()))),
            len(teachers.get(project, ())),
            len(countries.get(project, ())),
            rules,
        )
        for project in sorted(teachers.keys() | proposed.keys())
    ]


def _proposers(proposed_by: Sequence[str]) -> str:
    return f"Proposed by {', '.join(proposed_by)}" if proposed_by else "No organisation put it forward"


def why_for(why: str, proposed_by: Sequence[str], own: Sequence[str]) -> str:
    """The reason of a project without the names of others who proposed it; nothing where it says something else."""
    named = _proposers(proposed_by)
    return _proposers(own) + why.removeprefix(named) if why.startswith(named) else ""


def _project(
    identifier: str, proposed_by: tuple[str, ...], partners: int, countries: int, rules: EuropeanRules
) -> Project:
    needed = rules.at_least.value
    if rules.together.value is Together.PARTNERS:
        found, what = partners, "labelled partner" if needed == 1 else "labelled partners"
    else:
        found, what = countries, "country with a label" if needed == 1 else "countries with a label"
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
    return Project(identifier, proposed_by, partners, countries, bool(proposed_by) and enough, why)
