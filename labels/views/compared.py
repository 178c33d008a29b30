"""The reviews of a case beside each other, criterion by criterion, as far as somebody may see what is in them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from labels.record.schema import Application
from labels.reviews.asking import seated_reviews
from labels.rules.kept import rules_of
from labels.steps.step import every_step
from labels.views.case import Case, ReviewView


@dataclass(frozen=True, slots=True)
class Line:
    """What everybody gave for one criterion."""

    criterion: str
    """Its name."""
    points: tuple[int | None, ...]
    """In the order of the reviews; None where one gave none."""
    maximum: int
    minimum: int
    """What the label needs of it, whatever the total; 0 for nothing."""
    apart: int
    """Between the most and the fewest."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The reviews that count, and what is in them."""

    reviews: tuple[ReviewView, ...]
    """In the order of their seats."""
    lines: tuple[Line, ...]
    """None as long as what is in them is nobody's to see."""
    maximum: int
    pass_mark: int
    apart: int
    """Between the highest and the lowest total."""
    called_beyond: int
    """Two totals further apart than this call another reviewer."""


def compared(session: Session, case: Case) -> Compared:
    """The reviews of a case that count, as it shows them to whoever looks: without points where these are hidden."""
    application = session.get_one(Application, case.application)
    edition = rules_of(session, application)
    criteria = edition.criteria_set
    seated = {one.id for one in seated_reviews(session, application, every_step(session, application))}
    counted = (one for one in case.reviews if one.void_because is None and one.step in seated)
    reviews = sorted(counted, key=lambda one: one.seat)
    shown = [one for one in reviews if one.scores is not None]
    totals = [one.total for one in shown if one.total is not None]
    lines = []
    for criterion in criteria.criteria if shown else ():
        points = tuple((one.scores or {}).get(criterion.id) for one in reviews)
        given = [one for one in points if one is not None]
        lines.append(
            Line(
                criterion.name,
                points,
                criterion.maximum,
                edition.minimum(criterion),
                max(given) - min(given) if given else 0,
            )
        )
    return Compared(
        reviews=tuple(reviews),
        lines=tuple(lines),
        maximum=criteria.maximum,
        pass_mark=edition.national.pass_mark.value,
        apart=max(totals) - min(totals) if totals else 0,
        called_beyond=edition.national.review.disagreement.value,
    )
