"""Seats for one more reviewer, by a coordinator's choice."""

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "additional_review",
        sa.Column("application", sa.Text(), nullable=False),
        sa.Column("instance", sa.Integer(), nullable=False),
        sa.Column("seat", sa.Integer(), nullable=False),
        sa.Column("called_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application"], ["application.id"], name=op.f("fk_additional_review_application")
        ),
        sa.PrimaryKeyConstraint("application", "instance", "seat", name=op.f("pk_additional_review")),
        sqlite_with_rowid=False,
    )
