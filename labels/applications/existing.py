"""Whether the record has anything in it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.schema import Application, Organisation


def is_empty(session: Session) -> bool:
    """Whether there is neither an organisation nor any application, open or closed."""
    return all(session.scalar(sa.select(one.id).limit(1)) is None for one in (Organisation, Application))
