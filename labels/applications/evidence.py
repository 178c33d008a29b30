"""Evidence that joins what an application has: each file once, under a name of its own, within what the rules allow."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications.documents import StoredDocument
from labels.applications.uploads.limits import MIB
from labels.record.schema import Application, Document
from labels.rules.model import RuleEdition
from labels.turn import Turn


def evidence_of(session: Session, application: str) -> list[Document]:
    """The files of an application, in the order in which they came."""
    query = sa.select(Document).where(Document.application == application, Document.kind == "evidence")
    return list(session.scalars(query.order_by(Document.id)))


def fit(
    session: Session, application: Application, documents: Sequence[StoredDocument], edition: RuleEdition
) -> bool:
    """Whether an application may have these files too: they are no more, together, than the rules allow."""
    there = {one.key: one.size for one in evidence_of(session, application.id)}
    there |= {one.key: one.size for one in documents}
    return not documents or sum(there.values()) <= edition.national.limits.uploads_mib.value * MIB


def add_evidence(turn: Turn, application: Application, documents: Sequence[StoredDocument]) -> None:
    """Adds files that are in the store; one that the application has already stays one."""
    there = evidence_of(turn.session, application.id)
    keys, names = {one.key for one in there}, {one.name.casefold() for one in there}
    for one in documents:
        if one.key in keys:
            continue
        row = one.of(application.id, turn.now) | {"name": apart(one.name, names)}
        turn.session.add(Document(**row))
        keys.add(one.key)
        names.add(row["name"].casefold())
    turn.session.flush()


def apart(name: str, taken: set[str]) -> str:
    """The name, with a number in it where another file has it; `taken` is folded to one case."""
    stem, dot, ending = name.rpartition(".")
    number, found = 2, name
    while found.casefold() in taken:
        found = f"{stem}-{number}{dot}{ending}" if dot else f"{name}-{number}"
        number += 1
    return found
