"""The drafts of reviews."""

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review_draft",
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("no_conflict_at", Instant(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("saved_at", Instant(), nullable=True),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(["step"], ["step.id"], name=op.f("fk_review_draft_step")),
        sa.PrimaryKeyConstraint("step", name=op.f("pk_review_draft")),
    )
