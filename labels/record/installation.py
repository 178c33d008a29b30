"""Which installation a record belongs to, so that a host with another secret key, or another record, is found out."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.errors import NotAllowed
from labels.keyring import key_mark
from labels.record.schema import Installation

THE_ONLY = 1
"""The key of the one row."""


def installation(session: Session) -> Installation:
    """Which installation the record belongs to."""
    return session.get_one(Installation, THE_ONLY)


def mark(session: Session, keys: Sequence[bytes], *, another_key: bool = False) -> Installation:
    """The installation of the record, known by its key from then on.

    Args:
        session: where the record is written.
        keys: the secret keys of this home, the one in force first, by which the installation is known from then on.
        another_key: whether that one takes the place of a key that is lost for ever.

    Raises:
        NotAllowed: none of them is the installation's.
    """
    # One host at a time: the first one's key counts.
    found = session.scalars(sa.select(Installation).with_for_update()).one()
    if not another_key:
        see_that_it_fits(found, keys)
    found.known_by = key_mark(keys[0])
    return found


def see_that_it_fits(found: Installation, keys: Sequence[bytes]) -> None:
    """Lets whoever has the key of the record's installation pass, and everybody while no key is known.

    Raises:
        NotAllowed: none of `keys` is it, or there are none.
    """
    if not found.known_by:
        return
    if not keys:
        raise NotAllowed(NO_KEY)
    if found.known_by not in map(key_mark, keys):
        raise NotAllowed(ANOTHER_KEY)


def forget_key(session: Session) -> None:
    """Lets the installation have another key: that with which it is started next."""
    session.execute(sa.update(Installation).values(known_by=""))


_REMEDY = (
    "Set LABELS_SECRET to the secret of the installation that this record belongs to, or copy its secret.key into the "
    "home. Where that is lost for ever: labels up --with-another-key; people then ask for new codes."
)
ANOTHER_KEY = (
    f"The secret key here is another than that of the record: codes and links would be void. {_REMEDY}"
)
NO_KEY = f"The record belongs to an installation whose secret key is not here, and a new one would be another. {_REMEDY}"
