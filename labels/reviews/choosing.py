"""Choosing reviewers: conflicts of interest, and who is asked next."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from labels.people.likeness import Likeness, likeness, same
from labels.words.addresses import without_tag
from labels.words.sentences import Sentence, say


@dataclass(frozen=True, slots=True)
class Judged:
    """Whom and what an application is about, as far as conflicts of interest ask."""

    applicant_email: str
    school: str | None
    project: str
    project_schools: frozenset[str]
    """The schools of all members of the project."""
    named: frozenset[tuple[str, str]]
    """The applicant and all members: the person's id, and the name."""
    member_emails: frozenset[str]
    shared_projects: frozenset[str]
    """Every project that the applicant is or was a member of."""
    teachers: frozenset[str]
    """The applicant and the other members, by id: what a declared conflict may name."""
    former_schools: frozenset[str] = frozenset()
    """The applicant's other schools: the present one, where that is another, and those left not long ago."""
    since: date | None = None
    """A school that somebody left after this day counts as theirs; none does where there is no such day."""

    @property
    def declared(self) -> frozenset[tuple[str, str]]:
        """Whatever a declared conflict of interest that stands in the way of judging it may name."""
        return frozenset(
            {("project", self.project), ("school", self.school or "")}
            | {("teacher", teacher) for teacher in self.teachers}
            | {("school", school) for school in self.project_schools | self.former_schools}
        )

    def names(self, candidate: Candidate) -> frozenset[str]:
        """The names of the applicant and of all members but those who are said to be different people."""
        return frozenset(name for person, name in self.named if person not in candidate.different)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may be asked to judge."""

    email: str
    """Their present address."""
    name: str
    schools: frozenset[str]
    """Where they teach, by their staff entry and by the registry."""
    projects: frozenset[str]
    """Projects they are or were a member of, by the registry."""
    declared: frozenset[tuple[str, str]]
    """Conflicts declared for them: (`teacher`, `project` or `school`; its id)."""
    load: int
    """How many applications of the school year they have been asked to judge."""
    language: str = "en"
    """In which they are written to."""
    organisations: frozenset[str] = frozenset()
    """Those on whose staff they are."""
    person: str = ""
    """Their id."""
    left: frozenset[tuple[str, date]] = frozenset()
    """Schools where they taught, each with the day until which they did."""
    languages: frozenset[str] = frozenset()
    """Which they read, as far as it is known."""
    subjects: frozenset[str] = frozenset()
    """What they teach, as far as it is known."""
    ages: frozenset[tuple[int, int]] = frozenset()
    """Whom they teach, as far as it is known: the youngest and the oldest of each group, in years."""
    given: int = 0
    """How many reviews they have given, in all years."""
    different: frozenset[str] = frozenset()
    """Persons, by id, who are said to be others than this one, whatever their name is."""
    away: bool = False
    """Whether they are away on the day in question, so that the rules do not choose them."""


Cost = Callable[[Candidate], int]
"""What speaks against somebody by the rules' weights (`labels/reviews/suiting.py`)."""


def nothing(_: Candidate) -> int:
    """The cost of everybody where no weights are known."""
    return 0


def conflicts_of_interest(candidate: Candidate, judged: Judged) -> list[Sentence]:
    """Why this person may not judge this application; empty where nothing speaks against it.

    Source: nobody assesses their own school or project (assumption), nor a former school for as many years as the
    rules say; a school of the project, a
    project shared now or earlier, name variants and declared conflicts follow what the best
    conference systems check.
    """
    found = []
    if candidate.email == judged.applicant_email:
        found.append(say("is the applicant"))
    elif candidate.email in judged.member_emails:
        found.append(say("is a member of the project"))
    if any(same(candidate.name, name) for name in judged.names(candidate)):
        found.append(say("has the name of a member of the project"))
    if school := _near_by_school(candidate, judged):
        found.append(school)
    if judged.project in candidate.projects:
        if "is a member of the project" not in found and "is the applicant" not in found:
            found.append(say("is a member of the project"))
    elif candidate.projects & judged.shared_projects:
        found.append(say("shares or shared a project with the applicant"))
    if candidate.declared and candidate.declared & judged.declared:
        found.append(say("has a declared conflict of interest"))
    return found


def _near_by_school(candidate: Candidate, judged: Judged) -> Sentence | None:
    """How somebody is near to an application by a school, now or not long ago; None where they are not."""
    left = frozenset(
        school for school, until in candidate.left if judged.since is not None and until > judged.since
    )
    if judged.school in candidate.schools:
        return say("teaches at the applicant's school")
    if candidate.schools & judged.former_schools:
        return say("teaches at another school of the applicant, present or former")
    if candidate.schools & judged.project_schools:
        return say("teaches at a school of the project")
    if left & ({judged.school} | judged.former_schools):
        return say("taught at a school of the applicant not long ago")
    if left & judged.project_schools:
        return say("taught at a school of the project not long ago")
    return None


def names_alike(candidate: Candidate, judged: Judged) -> tuple[str, ...]:
    """The names of whom this person may be, though it is not certain: a coordinator looks, nothing is blocked."""
    alike = (name for name in judged.names(candidate) if likeness(candidate.name, name) is Likeness.MAYBE)
    return tuple(sorted(alike))


def may_be_one(one: Candidate, other: Candidate) -> bool:
    """Whether two people of a staff may be one: the same name, or one mailbox, `anna+labels@…` being `anna@…`."""
    if without_tag(one.email) == without_tag(other.email):
        return True
    return same(one.name, other.name)


def choose_reviewer(
    candidates: Iterable[Candidate],
    judged: Judged,
    excluded: Collection[str],
    salt: str,
    cost: Cost = nothing,
) -> Candidate | None:
    """Who is asked next: the first `in_order` who is not excluded and has no conflict; None if nobody is left."""
    may = without_conflict(judged, excluded)
    return next(in_order(may, candidates, judged, salt, cost), None)


def without_conflict(judged: Judged, excluded: Collection[str]) -> Callable[[Candidate], bool]:
    """Whether somebody may be asked, but for those whose addresses are excluded."""
    return lambda one: one.email not in excluded and not conflicts_of_interest(one, judged)


def _load(candidate: Candidate) -> int:
    return candidate.load


def in_order(
    may: Callable[[Candidate], bool],
    candidates: Iterable[Candidate],
    judged: Judged,
    salt: str,
    cost: Cost = nothing,
    load: Cost = _load,
) -> Iterator[Candidate]:
    """Those who may be asked, whom first; looks at no more of them than it must.

    The least loaded go first; among equals, who may be a member of the project by name comes last, and the one who costs
    least first; then a digest with `salt` (the application's id) decides, so that a re-run asks the same person and nobody
    is first by alphabet. Always taking the least loaded keeps the loads of people without conflicts within one of each other.
    """

    def order(candidate: Candidate) -> tuple[int, str]:
        return cost(candidate), hashlib.sha256(f"{salt}\x1f{candidate.email}".encode()).hexdigest()

    for _, equals in itertools.groupby(sorted(candidates, key=load), key=load):
        perhaps_near = []
        for candidate in sorted(equals, key=order):
            if not may(candidate):
                continue
            if names_alike(candidate, judged):
                perhaps_near.append(candidate)
            else:
                yield candidate
        yield from perhaps_near
