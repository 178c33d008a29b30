"""How long what is kept: periods as data with their sources, and what is past its period at an instant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.orm import Session

from labels.clock import brussels_day
from labels.errors import Fault, InvalidInput
from labels.files import contents
from labels.privacy.subject import schools_applications
from labels.record.chain import ERASED
from labels.record.schema import (
    Application,
    Award,
    Bounce,
    BulkPlan,
    Deletion,
    DeletionKind,
    DifferentPersons,
    Document,
    Draft,
    FormerStaff,
    FormerStaffSchool,
    HandingIn,
    KeptForm,
    LegalHold,
    Mail,
    PersonMerge,
    ReviewDraft,
    ReviewerChoice,
    ReviewerWish,
    SignIn,
    SignInCode,
    Stage,
    Step,
    Teacher,
)
from labels.turn import Turn

SHIPPED = Path(__file__).parent / "periods.yaml"


class Period(BaseModel):
    """How long one kind of data is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: int = Field(ge=0, le=36_500)
    what: str
    purpose: str
    source: str


LARGEST = 1_000_000
"""Bytes of a list of periods."""


def periods(file: Path | None) -> dict[str, Period]:
    """The periods in force: those that ship, with those of a controller's own file in their place.

    Raises:
        InvalidInput: the file can't be read, or names what there is no period of.
    """
    found = _read(SHIPPED)
    return found | (_read(file, known=found) if file else {})


def _read(file: Path, known: Mapping[str, Period] | None = None) -> dict[str, Period]:
    try:
        if len(content := contents(file, LARGEST)) > LARGEST:
            raise ValueError("it is larger than a list of periods can be")
        raw = yaml.safe_load(content.decode("utf-8"))
        read = {name: Period.model_validate(one) for name, one in dict(raw).items()}
    except (OSError, yaml.YAMLError, TypeError, ValueError, ValidationError) as error:
        problem = "; ".join(str(error).splitlines()[:3])
        raise InvalidInput(file.name, [Fault("(whole file)", f"is no list of periods: {problem}.")]) from None
    if known is not None and (strange := sorted(set(read) - set(known))):
        expected = f"expected one of {', '.join(known)}."
        raise InvalidInput(file.name, [Fault(name, f"is kept for no period; {expected}") for name in strange])
    return read


def let_go(turn: Turn, kept: Mapping[str, Period]) -> dict[str, int]:
    """Removes what is past its period, but for what a legal hold keeps; how many of each."""
    return {name: _REMOVES[name](turn, turn.now - timedelta(days=one.days)) for name, one in kept.items()}


def _sessions(turn: Turn, before: datetime) -> int:
    ended = sa.func.coalesce(SignIn.ended_at, SignIn.ends_at)
    return _delete(turn.session, SignIn, ended < before) + _delete(
        turn.session, SignInCode, SignInCode.expires_at < before
    )


def _forms(turn: Turn, before: datetime) -> int:
    return _delete(turn.session, KeptForm, KeptForm.kept_at < before)


def _plans(turn: Turn, before: datetime) -> int:
    return _delete(turn.session, BulkPlan, BulkPlan.made_at < before)


def _drafts(turn: Turn, before: datetime) -> int:
    closed = sa.select(Application.id).where(
        Application.stage == Stage.CLOSED,
        Application.stage_since < before,
        Application.id.not_in(_held_applications(turn.session)),
    )
    of_closed = sa.select(Step.id).where(Step.application.in_(closed))
    return sum(
        _delete(turn.session, table, where)
        for table, where in (
            (ReviewDraft, ReviewDraft.step.in_(of_closed)),
            (Draft, Draft.application.in_(closed)),
            (HandingIn, HandingIn.application.in_(closed)),
        )
    )


def _choices(turn: Turn, before: datetime) -> int:
    closed = sa.select(Application.id).where(
        Application.stage == Stage.CLOSED,
        Application.stage_since < before,
        Application.id.not_in(_held_applications(turn.session)),
    )
    steps = sa.select(Step.id).where(Step.application.in_(closed))
    return _delete(turn.session, ReviewerChoice, ReviewerChoice.step.in_(steps)) + _delete(
        turn.session, ReviewerWish, ReviewerWish.application.in_(closed)
    )


def _mail(turn: Turn, before: datetime) -> int:
    past = turn.session.scalars(
        sa.select(Mail).where(
            Mail.sent_at < before,
            Mail.template != ERASED,
            sa.or_(Mail.application.is_(None), Mail.application.not_in(_held_applications(turn.session))),
        )
    ).all()
    fresh = [one for one in past if one.context != {ERASED: True}]
    for one in fresh:
        one.context = {ERASED: True}
        _note(turn, DeletionKind.MAIL, one.message_id)
    counts_no_more = sa.or_(Bounce.hard.is_(False), Bounce.lifted_at.is_not(None))
    return len(fresh) + _delete(turn.session, Bounce, sa.and_(Bounce.read_at < before, counts_no_more))


def _evidence(turn: Turn, before: datetime) -> int:
    past = turn.session.scalars(
        sa.select(Document)
        .join(Application, Application.id == Document.application)
        .where(
            Document.kind.in_(["application", "evidence"]),
            Document.name.not_like(f"{ERASED}-%"),
            Application.stage == Stage.CLOSED,
            Application.stage_since < before,
            Application.id.not_in(_held_applications(turn.session)),
        )
    ).all()
    for one in past:
        one.name = f"{ERASED}-{one.id}"
        _note(turn, DeletionKind.DOCUMENT, one.key)
    return len(past)


def _former_staff(turn: Turn, before: datetime) -> int:
    day, held = brussels_day(before), sa.select(LegalHold.person).where(LegalHold.lifted_at.is_(None))
    left = sa.and_(FormerStaff.left_on < day, FormerStaff.person.not_in(held))
    taught = sa.and_(FormerStaffSchool.until < day, FormerStaffSchool.person.not_in(held))
    return _delete(turn.session, FormerStaff, left) + _delete(turn.session, FormerStaffSchool, taught)


def _merging(turn: Turn, before: datetime) -> int:
    """Requests that nobody confirmed, and reasons; which two are one or different is still known."""
    held = sa.select(LegalHold.person).where(LegalHold.lifted_at.is_(None))
    free = sa.and_(PersonMerge.gone.not_in(held), PersonMerge.kept.not_in(held))
    asked = sa.and_(PersonMerge.confirmed_at.is_(None), PersonMerge.asked_at < before)
    done = sa.and_(PersonMerge.confirmed_at < before, PersonMerge.reason != ERASED)
    apart = sa.and_(
        DifferentPersons.said_at < before,
        DifferentPersons.reason != ERASED,
        DifferentPersons.one.not_in(held),
        DifferentPersons.other.not_in(held),
    )
    return (
        _delete(turn.session, PersonMerge, free & asked)
        + _empty_reason(turn.session, PersonMerge, free & done)
        + _empty_reason(turn.session, DifferentPersons, apart)
    )


def _empty_reason(session: Session, table: Any, where: Any) -> int:
    emptied = sa.update(table).where(where).values(reason=ERASED)
    done = session.execute(emptied.execution_options(synchronize_session=False))
    return cast("sa.CursorResult[Any]", done).rowcount


def _held_applications(session: Session) -> sa.Select[tuple[str]]:
    """Applications of people on whose data a legal hold lies, of their awards and schools, and those in which they
    were asked for something."""
    people = session.scalars(sa.select(LegalHold.person).where(LegalHold.lifted_at.is_(None))).all()
    held = sa.select(Teacher.id).where(Teacher.person.in_(people))
    awards = sa.select(Award.id).where(Award.teacher.in_(held))
    asked = sa.select(Step.application).where(Step.person.in_(people))
    return sa.select(Application.id).where(
        sa.or_(
            Application.teacher.in_(held),
            Application.id.in_(awards),
            Application.id.in_(asked),
            Application.id.in_(schools_applications(session, people)),
        )
    )


def _note(turn: Turn, kind: DeletionKind, key: str) -> None:
    turn.session.add(Deletion(kind=kind, key=key, erasure="retention", noted_at=turn.now))


def _delete(session: Session, table: Any, where: Any) -> int:
    done = session.execute(sa.delete(table).where(where).execution_options(synchronize_session=False))
    return cast("sa.CursorResult[Any]", done).rowcount


_REMOVES: dict[str, Callable[[Turn, datetime], int]] = {
    "sessions": _sessions,
    "forms": _forms,
    "plans": _plans,
    "drafts": _drafts,
    "choices": _choices,
    "mail": _mail,
    "evidence": _evidence,
    "former_staff": _former_staff,
    "merging": _merging,
}
