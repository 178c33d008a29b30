"""Instances that began because a decision was reopened."""

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reopening",
        sa.Column("application", sa.Text(), nullable=False),
        sa.Column("instance", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("counted_from", sa.Integer(), nullable=False),
        sa.Column("certificate", sa.Integer(), nullable=False),
        sa.Column("reopened_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["application"], ["application.id"], name=op.f("fk_reopening_application")),
        sa.PrimaryKeyConstraint("application", "instance", name=op.f("pk_reopening")),
    )
