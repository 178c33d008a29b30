"""The rules that applications were submitted under, stored in the record."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from labels.record.rows import read
from labels.record.schema import Application, RuleText
from labels.rules.model import RuleEdition

_KEPT = sa.select(RuleText.digest).where(RuleText.digest == sa.bindparam("digest"))


def keep_rules(session: Session, edition: RuleEdition) -> str:
    """Keeps the text of the rules once, and returns its digest."""
    if read(session, _KEPT, {"digest": edition.digest}).first():
        return edition.digest
    values: dict[str, Any] = {
        "digest": edition.digest,
        "version": edition.version,
        "body": edition.to_json(),
    }
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.execute(dialect.insert(RuleText).values(values).on_conflict_do_nothing())
    return edition.digest


def rules_of(session: Session, application: Application) -> RuleEdition:
    """The rules that this application was submitted under, whatever the files say now."""
    return kept_rules(application.rules, session)


_KNOWN: dict[str, RuleEdition] = {}


def kept_rules(kept_digest: str, session: Session) -> RuleEdition:
    """The rules of that digest, as they were stored."""
    if kept_digest not in _KNOWN:
        _KNOWN[kept_digest] = RuleEdition.from_json(session.get_one(RuleText, kept_digest).body)
    return _KNOWN[kept_digest]
