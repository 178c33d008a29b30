"""The drafts of schools' self-assessments."""

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "draft",
        sa.Column("application", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("saved_at", Instant(), nullable=False),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(["application"], ["application.id"], name=op.f("fk_draft_application")),
        sa.PrimaryKeyConstraint("application", "number", name=op.f("pk_draft")),
    )
