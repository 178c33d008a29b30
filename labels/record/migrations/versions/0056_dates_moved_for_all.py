"""Dates of rounds of the School Label and of years of the European one can be moved for all."""

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "moved_date",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisation.id"], name=op.f("fk_moved_date_organisation")
        ),
        sa.PrimaryKeyConstraint("kind", "year", "organisation", name=op.f("pk_moved_date")),
        sqlite_with_rowid=False,
    )
