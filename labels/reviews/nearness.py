"""Finds who of many reviewers could have a conflict of interest with an application, without asking each of them.

Whoever has one has an address, a school, a project, a declared conflict or a name in common with it. Only those are
looked at closely.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from labels.people.likeness import signs
from labels.reviews.choosing import Candidate, Judged, conflicts_of_interest, may_be_one, names_alike
from labels.words.addresses import without_tag


class Nearness:
    """Reviewers by what they could be near to an application by."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._by: dict[tuple[str, object], list[Candidate]] = defaultdict(list)
        for one in candidates:
            for key in _keys_of(one):
                self._by[key].append(one)

    def barred(self, judged: Judged) -> frozenset[str]:
        """Who may not judge an application, by the persons' ids."""
        return frozenset(one.person for one in self._near(judged) if conflicts_of_interest(one, judged))

    def alike(self, judged: Judged) -> frozenset[str]:
        """Who may be the applicant or a member by name, by the persons' ids."""
        return frozenset(one.person for one in self._near(judged) if names_alike(one, judged))

    def maybe_one(self, known: Collection[Candidate]) -> list[tuple[Candidate, Candidate]]:
        """Of these people each with every other one who may be the same person."""
        found = []
        for one in known:
            keys = _same_as(one)
            others = {id(each): each for key in keys for each in self._by.get(key, ())}
            found += [(one, each) for each in others.values() if each is not one and may_be_one(one, each)]
        return found

    def _near(self, judged: Judged) -> list[Candidate]:
        found = {id(one): one for key in _keys_to(judged) for one in self._by.get(key, ())}
        return list(found.values())


def _same_as(one: Candidate) -> Iterator[tuple[str, object]]:
    yield "mailbox", without_tag(one.email)
    yield from (("name", sign) for sign in signs(one.name))


def _keys_of(one: Candidate) -> Iterator[tuple[str, object]]:
    yield from _same_as(one)
    yield "email", one.email
    yield from (("school", school) for school in one.schools | {school for school, _ in one.left})
    yield from (("project", project) for project in one.projects)
    yield from (("declared", what) for what in one.declared)


def _keys_to(judged: Judged) -> Iterator[tuple[str, object]]:
    yield from (("email", email) for email in {judged.applicant_email, *judged.member_emails})
    schools = judged.project_schools | judged.former_schools | {judged.school}
    yield from (("school", school) for school in schools)
    yield from (("project", project) for project in judged.shared_projects | {judged.project})
    yield from (("declared", what) for what in judged.declared)
    yield from {("name", sign) for _, name in judged.named for sign in signs(name)}
