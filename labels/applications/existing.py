"""Whether the record has applications at all."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.schema import Application


def has_applications(session: Session) -> bool:
    """Whether there is any application, open or closed."""
    return session.scalar(sa.select(Application.id).limit(1)) is not None
