"""Digests of the rows that the journal's entries tell of: reviews, decisions, and papers that were issued."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from labels.record.chain import SALT, commitments, digest
from labels.record.schema import Base, Decision, Issued, Review

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToldOf:
    """How a fact about a row is told of by an entry of the journal."""

    table: type[Base]
    subject: Callable[[Row], str]
    """What it is called in the entry."""
    plain: tuple[str, ...]
    """The columns that are nobody's to have erased; those that change later have a fact of their own."""
    values: Callable[[Row], dict[str, Any]] = lambda row: {}
    """What a person may have erased, by name."""
    once: str = "salts"
    """The column that has a value once the fact is there."""


def _of_decision(row: Row) -> dict[str, Any]:
    return {f"verdict.{name}": value for name, value in row["verdict"].items()}


def _of_paper(row: Row) -> dict[str, Any]:
    stated = {f"facts.{name}": value for name, value in row["facts"].items()}
    return stated | {name: row.get(name) for name in ("facts_digest", "teacher")}


REVIEW = ToldOf(
    Review,
    lambda row: f"review/{row['step']}",
    ("step", "application", "instance", "scores", "given_at", "documents_digest"),
    lambda row: {name: row[name] for name in ("reviewer", "comment", "note")},
)
TAKEN_BACK = ToldOf(Review, lambda row: f"review/{row['step']}/void", ("step", "void_at"), once="void_at")
DECISION = ToldOf(
    Decision,
    lambda row: f"decision/{row['application']}/{row['instance']}",
    ("application", "instance", "outcome", "score", "inputs_digest", "rules", "decided_at"),
    _of_decision,
)
PAPER = ToldOf(
    Issued,
    lambda row: str(row["paper"]),
    (
        "paper", "kind", "label", "subject", "edition", "code", "award", "application", "school",
        "file_digest", "pupils", "marks", "valid_until", "signer", "issued_at",
    ),
    _of_paper,
)  # fmt: skip

REVOKED_PAPER = ToldOf(
    Issued, lambda row: f"{row['paper']}/revoked", ("paper", "revoked_at"), once="revoked_at"
)

TOLD_OF = (REVIEW, TAKEN_BACK, DECISION, PAPER, REVOKED_PAPER)


def salted(table: type[Base], row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """A new row with its salts, and the digests for the entry that tells of it."""
    row = row | {"salts": new_salts(table, row)}
    return row, told_of(table, row)


def new_salts(table: type[Base], row: Row) -> bytes:
    """A salt for each value of a row that a person may have erased."""
    return random_salts(sum(len(kind.values(row)) for kind in TOLD_OF if kind.table is table))


def random_salts(number: int) -> bytes:
    """So many salts that nobody can guess."""
    return os.urandom(SALT * number)


def told_of(table: type[Base], row: Row) -> dict[str, str]:
    """The digests of every fact about a row, by what they are called."""
    return {
        kind.subject(row): digest_of(kind, row) or ""
        for kind in TOLD_OF
        if kind.table is table and row.get(kind.once) is not None
    }


def happened(kind: ToldOf, row: Row) -> dict[str, str]:
    """The digest of what happened to a row that was there, for the entry that tells of it."""
    return {kind.subject(row): digest(plain_of(kind, row), {}).hex()}


def digest_of(kind: ToldOf, row: Row) -> str | None:
    """The digest of a fact as it is now; None where the row's salts do not fit it."""
    values = kind.values(row)
    committed = commitments(values, row["salts"] or b"", row.get("erased")) if values else {}
    return None if committed is None else digest(plain_of(kind, row), committed).hex()


def digest_of_words(review: Row) -> str:
    """A digest of a review's points, of its comment and of who gave it, whenever that was: it stays when the words
    are erased. Empty for a review from before the journal had digests."""
    if review["salts"] is None:
        return ""
    committed = commitments(REVIEW.values(review), review["salts"], review["erased"]) or {}
    words = {name: one for name, one in committed.items() if name in ("comment", "reviewer")}
    return digest([review["scores"]], words).hex()


def plain_of(kind: ToldOf, row: Row) -> list[Any]:
    """The part of a fact that stays for ever, as its digest has it."""
    return [_plainly(row.get(name)) for name in kind.plain]


def _plainly(value: Any) -> Any:
    if isinstance(value, datetime):
        return spelled(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, float) and value.is_integer():
        return int(value)  # a column of floats gives back 18.0 for 18
    return value


def spelled(instant: datetime) -> str:
    """An instant as the chain has it: in UTC, to the microsecond."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")
