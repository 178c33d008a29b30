"""Whether an installation is whole: its record, its journal and its documents, held against what must always be so."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.documents.store import DamagedDocument
from adapters.workspace import Workspace
from labels.errors import NotFound
from labels.views.invariants import Breach, Invariant, breaches
from usecases.backup import claimed
from usecases.sealing import verify_journal


@dataclass(frozen=True, slots=True)
class Checked:
    """What looking through an installation came to."""

    documents: int
    """Documents that the record names."""
    entries: int
    """Of the journal."""
    breaches: list[Breach]


def check(here: Workspace, *, read_documents: bool = False) -> Checked:
    """Looks for everything that does not hold; changes nothing.

    Args:
        read_documents: read every document and hold it against its digest, instead of asking whether it is there.

    Raises:
        OutOfReach: the record or the store does not answer.
    """
    with here.record.reading() as session:
        found = breaches(session, here.now())
        keys = claimed(session)
    state = verify_journal(here, [])
    found += [Breach(Invariant.JOURNAL, "journal", str(one)) for one in state.findings]
    for key in keys:
        try:
            if read_documents:
                here.documents.get(key)
            elif not here.documents.exists(key):
                raise NotFound(key)
        except NotFound:
            found.append(Breach(Invariant.DOCUMENTS, key, f"it is not in {here.documents}."))
        except DamagedDocument:
            found.append(Breach(Invariant.DOCUMENTS, key, f"it is damaged in {here.documents}."))
    return Checked(len(keys), state.entries, found)
