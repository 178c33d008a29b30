"""Indexes by which the statistics know where something happened, and which reviews count, without reading more."""

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

_COUNTED = [
    "organisation", "school_year", "label", "outcome", "stage", "submitted_at", "id", "rules", "revision",
]  # fmt: skip


def upgrade() -> None:
    op.drop_index("ix_application_counted", "application")
    op.create_index("ix_application_counted", "application", _COUNTED)
    where = sa.text("void_at IS NULL")
    op.drop_index("ix_review_counted", "review")
    op.create_index(
        "ix_review_counted",
        "review",
        ["application", "given_at", "step"],
        sqlite_where=where,
        postgresql_where=where,
    )
