"""Tokens by which an organisation's platform calls the HTTP API."""

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "platform_token",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("used_on", sa.Date(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisation.id"], name=op.f("fk_platform_token_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_token")),
    )
    op.create_index(op.f("ix_platform_token_organisation"), "platform_token", ["organisation"])
