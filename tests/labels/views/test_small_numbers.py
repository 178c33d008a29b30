"""No number of fewer than five people can be worked out from what is shown, whatever is added and subtracted."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labels.kinds import LabelKind
from labels.views.counts import COUNTED, Amount, Block, Count, Label, Part, cells, shown_of, shown_of_all
from labels.views.small_numbers import LEAST, small

_NUMBERS = st.one_of(st.integers(0, 7), st.integers(0, 300))
_PARTS = [(label, part) for label in COUNTED for part in Part if part is not Part.REVIEWS]


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    """A year of an organisation."""
    amounts = [
        (label, part, draw(_NUMBERS)) for label, part in draw(st.lists(st.sampled_from(_PARTS), unique=True))
    ]
    there = sorted((label, part, Amount(number, number)) for label, part, number in amounts if number)
    return Block(tuple(there))


def rank(rows: Sequence[dict[object, Fraction]]) -> int:
    """How many of some rows do not follow from the others, counted with fractions."""
    rows = [dict(row) for row in rows]
    found = 0
    while rows:
        pivot = rows.pop()
        if not pivot:
            continue
        found += 1
        at, value = next(iter(pivot.items()))
        for row in rows:
            if times := row.get(at):
                for part, there in pivot.items():
                    row[part] = row.get(part, Fraction(0)) - times / value * there
                    if not row[part]:
                        del row[part]
    return found


def follows(secret: Sequence[object], shown: Sequence[Sequence[object]]) -> bool:
    """Whether a sum of parts is a combination of sums that are shown."""
    known = [dict.fromkeys(one, Fraction(1)) for one in shown]
    return rank([*known, dict.fromkeys(secret, Fraction(1))]) == rank(known)


def few_together(block: Block) -> list[list[tuple[LabelKind, Part]]]:
    """Parts of a label that have fewer than five together."""
    found: list[list[tuple[LabelKind, Part]]] = []
    for label in COUNTED:
        there = {(own, part): one.people for own, part, one in block.amounts if own is label}
        for size in range(1, LEAST):
            for parts in itertools.combinations(there, size):
                if small(sum(there[one] for one in parts)):
                    found.append(list(parts))
    return found


def told(block: Block, chosen: object) -> list[list[tuple[LabelKind, Part]]]:
    return [block.parts(*cell) for cell in cells() if cell in chosen]  # type: ignore[operator]  # either kind of shown


@settings(max_examples=150)
@given(blocks())
def test_no_count_of_few_follows_from_what_is_shown(block: Block) -> None:
    shown = shown_of(block, "NSS-AA")
    public = told(block, shown)
    for label, count in cells():
        if small(block.people(label, count)):
            assert (label, count) not in shown
            assert not follows(block.parts(label, count), public), (label, count)
    for parts in few_together(block):
        assert not follows(parts, public), parts


@pytest.mark.slow
@settings(max_examples=60)
@given(st.lists(blocks(), min_size=1, max_size=5))
def test_nor_do_they_beside_the_sums_over_all_organisations(years: list[Block]) -> None:
    named = tuple((f"NSS-{number}", block) for number, block in enumerate(years))
    whole = shown_of_all(named)

    def of_all(label: Label, count: Count) -> list[object]:
        return [(name, *part) for name, block in named for part in block.parts(label, count)]

    public: list[Sequence[object]] = [of_all(*cell) for cell in cells() if cell in whole]
    for name, block in named:
        public += [[(name, *part) for part in parts] for parts in told(block, shown_of(block, name))]
    for label, count in cells():
        if small(sum(block.people(label, count) for _, block in named)):
            assert (label, count) not in whole
            assert not follows(of_all(label, count), public)
        for name, block in named:
            if small(block.people(label, count)):
                secret = [(name, *part) for part in block.parts(label, count)]
                assert not follows(secret, public), (name, label, count)


@given(blocks())
def test_what_is_shown_of_an_organisation_is_the_same_beside_others(block: Block) -> None:
    """So no two tables differ by what one of them leaves out."""
    alone = shown_of(block, "NSS-AA").cells
    shown_of_all((("NSS-AA", block), ("NSS-BB", block)))
    assert shown_of(block, "NSS-AA").cells == alone


def test_where_nobody_is_few_everything_is_shown() -> None:
    large = tuple(sorted((label, part, Amount(50, 50)) for label, part in _PARTS))
    assert shown_of(Block(large), "NSS-AA").cells == frozenset(cells())


def test_awarded_and_decided_are_shown_where_something_has_to_go() -> None:
    """What is wanted most is offered first: of a year with three withdrawn, labels and refusals are still told."""
    amounts = {Part.STANDING: 60, Part.REFUSED: 20, Part.WITHDRAWN: 3, Part.INELIGIBLE: 9}
    block = Block(
        tuple(sorted((LabelKind.NATIONAL, part, Amount(number, number)) for part, number in amounts.items()))
    )
    shown = shown_of(block, "NSS-AA")
    for count in (Count.AWARDED, Count.DECIDED, Count.REFUSED, Count.RECEIVED):
        assert (None, count) in shown
    assert (None, Count.WITHDRAWN) not in shown
    assert (None, Count.INELIGIBLE) not in shown
