"""Batches of rows of the registry that platforms brought in."""

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "platform_batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("taken_at", Instant(), nullable=False),
        sa.Column("answer", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisation.id"], name=op.f("fk_platform_batch_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_batch")),
        sa.UniqueConstraint("organisation", "key", name=op.f("uq_platform_batch_organisation_key")),
    )
