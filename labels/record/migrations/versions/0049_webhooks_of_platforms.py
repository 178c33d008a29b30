"""Webhooks of platforms, and what waits to be told there."""

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "platform_webhook",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("secret_number", sa.Integer(), nullable=False),
        sa.Column("former_until", Instant(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("ended_because", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisation.id"], name=op.f("fk_platform_webhook_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_webhook")),
    )
    op.create_index(op.f("ix_platform_webhook_organisation"), "platform_webhook", ["organisation"])
    op.create_table(
        "platform_delivery",
        sa.Column("webhook", sa.Text(), nullable=False),
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("application", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("queued_at", Instant(), nullable=False),
        sa.Column("next_attempt_at", Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_until", Instant(), nullable=True),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("given_up_at", Instant(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook"], ["platform_webhook.id"], name=op.f("fk_platform_delivery_webhook")
        ),
        sa.PrimaryKeyConstraint("webhook", "entry", name=op.f("pk_platform_delivery")),
    )
    op.create_index(
        "ix_platform_delivery_waiting",
        "platform_delivery",
        ["next_attempt_at"],
        sqlite_where=sa.text("sent_at IS NULL"),
        postgresql_where=sa.text("sent_at IS NULL"),
    )
