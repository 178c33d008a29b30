"""How well a reviewer suits an application: what each drawback costs by the rules, once nobody has a conflict of interest.

Costs are whole numbers that are added up; the least is chosen. What is not known of somebody costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from labels.kinds import Wish
from labels.reviews.choosing import Candidate
from labels.rules.model import AssignmentRules


class Drawback(StrEnum):
    """What a choice may cost something for; its value is what the record calls it."""

    WISH = "wish"
    LANGUAGE = "language"
    SUBJECT = "subject"
    AGE = "age"
    PARTNER = "judged a partner"
    NAME = "name"
    SAME_SCHOOL = "same school"
    ONE_SIDED = "one-sided"


ALIKE = 1_000
"""What it costs that somebody may be a member of the project by name: more than all else together, less than a conflict."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What an application asks of whoever reviews it, alike for many applications."""

    rules: AssignmentRules | None = None
    """None in rules that were stored before there were weights: then nothing costs anything."""
    language: str = ""
    subjects: frozenset[str] = frozenset()
    """The applicant's."""
    age: float | None = None
    """The pupils', in years."""


@dataclass(frozen=True, slots=True)
class Sought:
    """A reviewer for one application, as far as costs ask."""

    profile: Profile
    wishes: Mapping[str, Wish] = field(default_factory=dict)
    """What reviewers said of it, by person."""
    judged_partner: frozenset[str] = frozenset()
    """Persons who judged another application of the same project."""


NOTHING_SOUGHT = Sought(Profile())


def general_costs(candidate: Candidate, profile: Profile) -> dict[Drawback, int]:
    """What speaks against a reviewer at every application of this profile; only what costs something."""
    rules = profile.rules
    if rules is None:
        return {}
    costs = {Drawback.WISH: rules.wishes.value.none}
    reads = {one.split("-")[0] for one in candidate.languages}
    if reads and profile.language and profile.language.split("-")[0] not in reads:
        costs[Drawback.LANGUAGE] = rules.language.value
    if candidate.subjects and profile.subjects and not candidate.subjects & profile.subjects:
        costs[Drawback.SUBJECT] = rules.subject.value
    if (
        candidate.ages
        and profile.age is not None
        and not any(low <= profile.age < high + 1 for low, high in candidate.ages)
    ):
        costs[Drawback.AGE] = rules.age.value
    return {what: cost for what, cost in costs.items() if cost}


def own_costs(person: str, sought: Sought) -> dict[Drawback, int]:
    """What is another cost for this reviewer at this very application; it takes the place of a general one."""
    rules = sought.profile.rules
    if rules is None:
        return {}
    costs = {}
    if person in sought.wishes:
        costs[Drawback.WISH] = rules.wishes.value.of(sought.wishes[person])
    if person in sought.judged_partner:
        costs[Drawback.PARTNER] = rules.judged_partner.value
    return costs


def costs_beside(
    beside: Iterable[Candidate], rules: AssignmentRules | None
) -> Callable[[Candidate], Mapping[Drawback, int]]:
    """What it costs that somebody sits beside those who review the application already; only what costs something."""
    others = list(beside)
    if rules is None or not others:
        return lambda candidate: NO_COSTS
    schools = frozenset().union(*(one.schools for one in others))
    kinds = {is_experienced(one, rules) for one in others}
    same_school, one_sided = rules.same_school.value, rules.one_sided.value

    def costs(candidate: Candidate) -> Mapping[Drawback, int]:
        shared = same_school * len(candidate.schools & schools)
        alike = one_sided * (kinds == {is_experienced(candidate, rules)})
        return ({Drawback.SAME_SCHOOL: shared} if shared else {}) | (
            {Drawback.ONE_SIDED: alike} if alike else {}
        )

    return costs


NO_COSTS: Mapping[Drawback, int] = {}
"""Where nothing costs anything."""


def is_experienced(candidate: Candidate, rules: AssignmentRules) -> bool:
    """Whether somebody has given enough reviews to count as experienced."""
    return candidate.given >= rules.experienced_from.value


def costs_of(
    candidate: Candidate, sought: Sought, beside: Iterable[Candidate] = (), *, alike: bool = False
) -> dict[Drawback, int]:
    """All that speaks against a reviewer at an application; only what costs something."""
    return added_up(
        general_costs(candidate, sought.profile),
        own_costs(candidate.person, sought),
        costs_beside(beside, sought.profile.rules)(candidate),
        {Drawback.NAME: ALIKE} if alike else NO_COSTS,
    )


def added_up(*several: Mapping[Drawback, int]) -> dict[Drawback, int]:
    """Costs together, a later one in the place of a former; only what costs something."""
    costs: dict[Drawback, int] = {}
    for some in several:
        costs.update(some)
    return {what: cost for what, cost in costs.items() if cost}
