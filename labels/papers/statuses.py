"""Which credentials do not count, as published lists say it: one bit for each, in lists so long that nobody learns which was meant.

The lists are those of the W3C's Bitstring Status List 1.0. A credential's place is the number of its certificate's document,
which is never given twice and stays when its holder is erased; a list covers so many places of one organisation.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.papers.credential import StatusEntry
from labels.record.schema import Award, Document, Issued, PaperKind

PLACES = 131_072
"""In one list; the standard asks for no fewer."""


def organisation_of(session: Session, issued: Issued) -> str:
    """The key of the organisation that awarded, `NSS-PL`."""
    if key := issued.facts.get("issuer"):
        return str(key)
    return session.get_one(Award, issued.award).organisation


def list_address(check_url: str, organisation: str, part: int) -> str:
    """Where a list is published."""
    return f"{check_url}/lists/{organisation}/{part}"


def entry(session: Session, issued: Issued, check_url: str, ending: str = "") -> StatusEntry:
    """Where it is published whether a certificate's credential counts; `ending` of the address says in which form."""
    number = session.scalars(sa.select(Document.id).where(Document.paper == issued.paper)).one()
    part, place = divmod(number, PLACES)
    address = list_address(check_url, organisation_of(session, issued), part) + ending
    return StatusEntry(id=f"{address}#{place}", status_list_index=str(place), status_list_credential=address)


def is_there(session: Session, part: int) -> bool:
    """Whether there is a list with that number: nobody has others made for nothing."""
    last = session.scalar(sa.select(sa.func.max(Document.id))) or 0
    return 0 <= part <= last // PLACES


def not_counting(session: Session, organisation: str, part: int) -> list[int]:
    """The places in a list of an organisation's credentials that do not count: taken back, replaced by a corrected one, or of
    a decision that was reopened. None of these counts ever again: what is awarded after it has a certificate of its own."""
    found = session.execute(_NOT_COUNTING, {"first": part * PLACES, "last": (part + 1) * PLACES - 1})
    return [number % PLACES for issued, number in found if organisation_of(session, issued) == organisation]


_NOT_COUNTING = (
    sa.select(Issued, Document.id)
    .join(Document, Document.paper == Issued.paper)
    .outerjoin(Award, Award.id == Issued.award)
    .where(
        Issued.kind == PaperKind.CERTIFICATE,
        Document.id.between(sa.bindparam("first"), sa.bindparam("last")),
        sa.or_(
            Issued.revoked_at.is_not(None), Award.revoked_at.is_not(None), Issued.superseded_by.is_not(None)
        ),
    )
    .order_by(Document.id)
)
