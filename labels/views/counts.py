"""What is counted of the applications of a year, by organisation and label, and which of it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache

from labels.kinds import LabelKind
from labels.views.small_numbers import Table, small, small_sums

COUNTED = (LabelKind.NATIONAL, LabelKind.SCHOOL)
"""The labels for which teachers and schools apply."""


class Count(StrEnum):
    """A number of applications, or of what belongs to them. What each counts is said in `statistic_words`."""

    RECEIVED = "received"
    DECIDED = "decided"
    AWARDED = "awarded"
    REFUSED = "refused"
    INELIGIBLE = "conditions not met"
    WITHDRAWN = "withdrawn"
    EXPIRED = "ran out"
    OPEN = "open"
    CHECKED = "being checked"
    REVIEWED = "in review"
    ASKED = "waits for an answer"
    UNASSIGNED = "needs a reviewer"
    REVOKED = "revoked"
    APPEALS = "appeals"
    UPHELD = "appeals upheld"
    NOT_UPHELD = "appeals not upheld"
    PENDING = "appeals pending"
    REVIEWS = "reviews"


class Part(StrEnum):
    """What the counts are sums of: an application is in one of the first ten, an appeal in one of the next three."""

    STANDING = "awarded, and not revoked"
    REVOKED = "revoked"
    REFUSED = "refused"
    INELIGIBLE = "conditions not met"
    WITHDRAWN = "withdrawn"
    EXPIRED = "ran out"
    CHECKED = "being checked"
    REVIEWED = "in review"
    ASKED = "waits for an answer"
    UNASSIGNED = "needs a reviewer"
    UPHELD = "upheld"
    NOT_UPHELD = "not upheld"
    PENDING = "pending"
    REVIEWS = "reviews"


_AWARDED = (Part.STANDING, Part.REVOKED)
_OPEN = (Part.CHECKED, Part.REVIEWED, Part.ASKED, Part.UNASSIGNED)
PARTS: Mapping[Count, tuple[Part, ...]] = {
    Count.AWARDED: _AWARDED,
    Count.DECIDED: (*_AWARDED, Part.REFUSED),
    Count.RECEIVED: (
        *_AWARDED, Part.REFUSED, Part.INELIGIBLE, Part.WITHDRAWN, Part.EXPIRED, *_OPEN,
    ),
    Count.REFUSED: (Part.REFUSED,),
    Count.OPEN: _OPEN,
    Count.INELIGIBLE: (Part.INELIGIBLE,),
    Count.WITHDRAWN: (Part.WITHDRAWN,),
    Count.EXPIRED: (Part.EXPIRED,),
    Count.REVIEWED: (Part.REVIEWED,),
    Count.ASKED: (Part.ASKED,),
    Count.UNASSIGNED: (Part.UNASSIGNED,),
    Count.CHECKED: (Part.CHECKED,),
    Count.REVOKED: (Part.REVOKED,),
    Count.APPEALS: (Part.UPHELD, Part.NOT_UPHELD, Part.PENDING),
    Count.UPHELD: (Part.UPHELD,),
    Count.NOT_UPHELD: (Part.NOT_UPHELD,),
    Count.PENDING: (Part.PENDING,),
    Count.REVIEWS: (Part.REVIEWS,),
}  # fmt: skip
"""Of which parts each count is the sum; in the order in which they are wanted where not all can be shown."""

Label = LabelKind | None
"""One of the labels, or None for all of them."""

_LABELS: tuple[Label, ...] = (None, *COUNTED)


@dataclass(frozen=True, slots=True)
class Amount:
    """How much there is of a part, and how many people stand behind it."""

    number: int
    people: int


@dataclass(frozen=True)
class Block:
    """What there is of one year and organisation."""

    amounts: tuple[tuple[LabelKind, Part, Amount], ...] = ()
    """In a steady order, and none of zero: equal blocks have equal tables."""
    reviewers: int = 0
    """How many people gave its reviews; one who reviews for two labels is one person."""

    @cached_property
    def _of(self) -> Mapping[tuple[LabelKind, Part], Amount]:
        return {(label, part): amount for label, part, amount in self.amounts}

    def parts(self, label: Label, count: Count) -> list[tuple[LabelKind, Part]]:
        """The parts of a count that there are any of."""
        labels = COUNTED if label is None else (label,)
        return [(one, part) for one in labels for part in PARTS[count] if (one, part) in self._of]

    def number(self, label: Label, count: Count) -> int:
        """A count, whether or not it is shown."""
        return sum(self._of[one].number for one in self.parts(label, count))

    def people(self, label: Label, count: Count) -> int:
        """How many people stand behind it."""
        if count is Count.REVIEWS and label is None:
            return self.reviewers
        return sum(self._of[one].people for one in self.parts(label, count))


def cells() -> Iterator[tuple[Label, Count]]:
    """Every number of a year and organisation, those first that are wanted most."""
    for wanted in (_LABELS[:1], _LABELS[1:]):
        for count in PARTS:
            for label in wanted:
                yield label, count


@dataclass(frozen=True, slots=True)
class Shown:
    """Which numbers of one year and organisation, or of all organisations, are shown."""

    cells: frozenset[tuple[Label, Count]]
    table: Table

    def __contains__(self, cell: tuple[Label, Count]) -> bool:
        return cell in self.cells


@lru_cache(maxsize=16_384)
def shown_of(block: Block, organisation: str) -> Shown:
    """Which numbers of one organisation's year are shown; the same in every table in which they stand."""
    table = Table()
    for kind in COUNTED:
        people = {(kind, part): one.people for own, part, one in block.amounts if own is kind}
        for parts in small_sums(people):
            table.keep_secret((organisation, *part) for part in parts)
    for label, count in cells():
        if small(block.people(label, count)):
            table.keep_secret((organisation, *part) for part in block.parts(label, count))
    chosen = {
        (label, count)
        for label, count in cells()
        if not small(block.people(label, count))
        and table.offer((organisation, *part) for part in block.parts(label, count))
    }
    return Shown(frozenset(chosen), table)


@lru_cache(maxsize=256)
def shown_of_all(blocks: tuple[tuple[str, Block], ...]) -> Shown:
    """Which sums over all organisations are shown, beside what is shown of each."""
    each = [(organisation, block, shown_of(block, organisation)) for organisation, block in blocks]
    table = Table(one.table.copy() for _, _, one in each)
    chosen: set[tuple[Label, Count]] = set()
    for label, count in cells():
        hidden = [(name, block) for name, block, shown in each if (label, count) not in shown]
        if small(sum(block.people(label, count) for _, block in hidden)):
            table.keep_secret((name, *part) for name, block in hidden for part in block.parts(label, count))
    for label, count in cells():
        parts = [(name, *part) for name, block in blocks for part in block.parts(label, count)]
        people = sum(block.people(label, count) for _, block in blocks)
        if not small(people) and table.offer(parts):
            chosen.add((label, count))
    return Shown(frozenset(chosen), table)


def number_of_all(blocks: Sequence[tuple[str, Block]], label: Label, count: Count) -> int:
    """A count over all organisations, whether or not it is shown."""
    return sum(block.number(label, count) for _, block in blocks)
