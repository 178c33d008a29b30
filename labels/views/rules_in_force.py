"""The rules in force for an organisation, each value with its source and place, and what open cases keep instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.errors import NotFound
from labels.kinds import LabelKind
from labels.record.schema import OPEN_STAGES, Application, RuleText
from labels.rules.kept import kept_rules
from labels.rules.loading import Placed, load_rules, placed
from labels.rules.model import RuleEdition


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that is not the same in two editions."""

    name: str
    kept: Any
    """What open cases go by; None where their edition has no such value."""
    now: Any


@dataclass(frozen=True, slots=True)
class Kept:
    """Open cases that go by one text of rules."""

    version: str
    digest: str
    cases: int
    first: str
    """The number of one of them."""
    differences: tuple[Difference, ...]
    """Where they go by something else than the rules in force."""


@dataclass(frozen=True, slots=True)
class InForce:
    """The rules of an organisation on a day."""

    organisation: str
    version: str
    values: tuple[Placed, ...]
    kept: tuple[Kept, ...]
    """The texts of rules that its open cases keep: a changed file changes nothing for them."""


def in_force(session: Session, organisation: str, on: date, folder: Path | None = None) -> InForce:
    """The rules by which an application is judged that is handed in on that day.

    Raises:
        InvalidInput: a rule file has mistakes.
    """
    edition = load_rules(organisation, on, folder)
    now = values_of(edition)
    rows = session.execute(
        sa.select(
            Application.rules,
            sa.func.count().label("cases"),
            sa.func.min(Application.id).label("first"),
        )
        .where(
            Application.organisation == organisation,
            Application.stage.in_(OPEN_STAGES),
            Application.outcome.is_(None),
            Application.label.in_((LabelKind.NATIONAL, LabelKind.SCHOOL)),
        )
        .group_by(Application.rules)
    ).all()
    kept = [
        Kept(
            session.get_one(RuleText, row.rules).version,
            row.rules,
            row.cases,
            row.first,
            differences(values_of(kept_rules(row.rules, session)), now),
        )
        for row in rows
    ]
    return InForce(
        organisation,
        edition.version,
        placed(organisation, on, folder),
        tuple(sorted(kept, key=lambda one: (-one.cases, one.digest))),
    )


def of_case(session: Session, application: str) -> tuple[str, tuple[tuple[str, Any, str], ...]]:
    """The rules that a case keeps: their version, and each value with its source.

    Raises:
        NotFound: there is no such case.
    """
    row = session.get(Application, application)
    if row is None:
        raise NotFound(f"There is no application {application}.")
    edition = kept_rules(row.rules, session)
    found = _sourced(edition.to_json(), "")
    return edition.version, tuple((name, value, source) for name, (value, source) in found.items())


def values_of(edition: RuleEdition) -> dict[str, Any]:
    """Every value of an edition by its name."""
    return {name: value for name, (value, _) in _sourced(edition.to_json(), "").items()}


def differences(kept: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Where two editions say something else, by name."""
    return tuple(
        Difference(name, kept.get(name), now.get(name))
        for name in sorted(kept.keys() | now.keys())
        if kept.get(name) != now.get(name)
    )


def _sourced(body: Any, name: str) -> dict[str, tuple[Any, str]]:
    if not isinstance(body, dict):
        return {}
    if "value" in body and "source" in body:
        return {name: (body["value"], str(body["source"]))}
    found: dict[str, tuple[Any, str]] = {}
    for key, inner in body.items():
        if key not in ("criteria_set", "self_assessment") or name:
            found |= _sourced(inner, f"{name}.{key}" if name else str(key))
    return found
