"""Values of rules that are right each for itself and wrong together, each with where it stands and why."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import date, datetime

from labels.rules.dates import read_moment
from labels.rules.model import EARLIER, CalendarKind, CriteriaSet, RuleEdition, Ties, Unit, share_of
from labels.words.text import one_line

At = tuple[str, ...]
"""Where a value stands: `("national", "pass_mark")`; places in a list are numbers as text."""


def contradictions(edition: RuleEdition) -> Iterator[tuple[At, str]]:
    """Values that are right each for itself and wrong together."""
    rules = edition.national
    yield from within_criteria(edition.criteria_set)
    if edition.criteria_set.counted:
        yield from _points_out_of_reach(edition)
    if rules.review.most_reviewers.value < rules.review.reviewers.value:
        yield ("national", "review", "most_reviewers"), "is fewer than the reviewers that are always asked."
    yield from _within_late_reviews(edition)
    if rules.limits.uploads_mib.value < rules.limits.upload_mib.value:
        yield ("national", "limits", "uploads_mib"), "is less than one upload may have."
    yield from _within_calendar(edition)
    yield from _within_european(edition)
    try:
        date.fromisoformat(f"2023-{edition.school.opens.value}")
    except ValueError:
        yield ("school", "opens", "value"), "is no day that every year has; expected MM-DD."
    days = edition.reminders.days_before.value
    if repeated := sorted({day for day in days if days.count(day) > 1}):
        yield ("reminders", "days_before"), f"{', '.join(map(str, repeated))} stands twice."


def _within_late_reviews(edition: RuleEdition) -> Iterator[tuple[At, str]]:
    late, here = edition.national.review.late, ("national", "review", "late")
    if late is None:
        return
    for name in ("others", "enough"):
        if getattr(late, name) is not None and late.ends_after is None:
            yield (*here, name), "has no effect without ends_after: a late review stays open."
    if late.enough is not None and late.enough.value > edition.national.review.reviewers.value:
        yield (*here, "enough"), "is more than the reviewers that are always asked."


def _within_european(edition: RuleEdition) -> Iterator[tuple[At, str]]:
    rules = edition.european
    for name, share in (("share", rules.share), ("tie_bound", rules.tie_bound)):
        if share and share_of(share.value) > 1:
            yield ("european", name, "value"), f"{share.value} is more than the whole."
    if rules.tie_bound and share_of(rules.tie_bound.value) < share_of(rules.share.value):
        problem = f"{rules.tie_bound.value} is less than the share, {rules.share.value}."
        yield ("european", "tie_bound", "value"), problem
    if rules.unit.value is not Unit.PROJECTS:
        for name in ("average", "await_others"):
            if getattr(rules, name):
                yield ("european", name), "is of use only where projects are ranked (unit: projects)."
    for end in ("begins", "ends"):
        try:
            # A window must have a first and a last day in every year.
            date.fromisoformat(f"2023-{getattr(rules.window.value, end)}")
        except ValueError:
            problem = "is no day that every year has; expected MM-DD."
            yield ("european", "window", "value", end), problem
    told_apart = rules.ties.value is Ties.CHAIN or (rules.ties.value is Ties.TOGETHER and rules.tie_bound)
    if not told_apart:
        return
    if not rules.tie_chain.value:
        yield ("european", "tie_chain"), "is empty, and ties are told apart by it."
    known = [*(criterion.id for criterion in edition.criteria_set.criteria), EARLIER]
    for place, name in enumerate(rules.tie_chain.value):
        at = ("european", "tie_chain", "value", str(place))
        if name not in known:
            yield at, f"“{name}” is no criterion; known are {', '.join(known)}."
        elif name in rules.tie_chain.value[:place]:
            yield at, f"“{name}” stands twice."


def within_criteria(criteria: CriteriaSet) -> Iterator[tuple[At, str]]:
    ids = [criterion.id for criterion in criteria.criteria]
    counted = [criterion.id for criterion in criteria.counted]
    if not counted:
        yield ("criteria",), "has no criterion that counts: each is part of another."
    for place, criterion in enumerate(criteria.criteria):
        at = ("criteria", str(place))
        if criterion.minimum > criterion.maximum:
            yield (*at, "minimum"), f"is above the criterion's maximum {criterion.maximum}."
        if criterion.id in ids[:place]:
            yield (*at, "id"), f"“{criterion.id}” stands twice."
        if criterion.part_of is not None and criterion.part_of not in counted:
            yield (*at, "part_of"), f"“{criterion.part_of}” is no criterion; known are {', '.join(counted)}."
        if missing := [n for n in range(criterion.maximum + 1) if n not in criteria.points]:
            yield ("points",), f"does not say what {', '.join(map(str, missing))} points mean."


def _points_out_of_reach(edition: RuleEdition) -> Iterator[tuple[At, str]]:
    rules, criteria = edition.national, edition.criteria_set
    if rules.pass_mark.value > criteria.maximum:
        most = f"the most that criteria set {criteria.id} gives"
        yield (
            ("national", "pass_mark", "value"),
            f"{rules.pass_mark.value} is above {criteria.maximum}, {most}.",
        )
    smallest = min(criterion.maximum for criterion in criteria.counted)
    if rules.criterion_minimum.value > smallest:
        yield ("national", "criterion_minimum", "value"), f"is above {smallest}, the most for one criterion."
    known = {criterion.id: criterion for criterion in criteria.criteria}
    for name, points in (rules.knock_outs.value if rules.knock_outs else {}).items():
        at = ("national", "knock_outs", "value", name)
        if name not in known:
            yield at, f"is no criterion of the set {criteria.id}; known are {', '.join(known)}."
        elif points > known[name].maximum:
            yield at, f"{points} is above {known[name].maximum}, the most for this criterion."


def _within_calendar(edition: RuleEdition) -> Iterator[tuple[At, str]]:
    calendar = edition.national.calendar
    here: At = ("national", "calendar")
    if calendar.kind.value is CalendarKind.ROLLING:
        given = calendar.working_days.value if calendar.working_days else {}
        if missing := [month for month in range(1, 13) if month not in given]:
            yield (*here, "working_days"), f"gives no working days for month {', '.join(map(str, missing))}."
        return
    if not calendar.rounds or not calendar.rounds.value:
        yield (*here, "rounds"), "a calendar of rounds names at least one."
        return
    wrong = False
    for place, dates in enumerate(calendar.rounds.value):
        for name in ("opens", "closes", "decided_by"):
            try:
                read_moment(getattr(dates, name), 2024, ends=name != "opens")
            except ValueError as error:
                wrong = True
                yield (*here, "rounds", "value", str(place), name), f"{error}."
    names = [dates.name for dates in calendar.rounds.value]
    for place, name in enumerate(names):
        if name in names[:place]:
            yield (*here, "rounds", "value", str(place), "name"), f"“{one_line(name, 40)}” stands twice."
    if not wrong:
        yield from _overlaps(edition)


def _overlaps(edition: RuleEdition) -> Iterator[tuple[At, str]]:
    """Rounds that are open at one time, looked at in leap years and others."""
    rounds = edition.national.calendar.rounds
    spans: list[tuple[datetime, datetime, int]] = []
    for year in range(2023, 2029):
        for place, dates in enumerate(rounds.value if rounds else ()):
            closes = read_moment(dates.closes, year, ends=True)
            opens = read_moment(dates.opens, year, ends=False)
            if opens > closes:
                opens = read_moment(dates.opens, year - 1, ends=False)
            spans.append((opens, closes, place))
    spans.sort()
    found = set()
    for (_, closes, one), (opens, _, other) in itertools.pairwise(spans):
        if opens <= closes:
            found.add(tuple(sorted((one, other))))
    for one, other in sorted(found):
        at = ("national", "calendar", "rounds", "value", str(other))
        name = one_line(rounds.value[one].name, 40) if rounds else ""
        yield at, f"is open while “{name}” is."
