"""Signing in with an identity provider: attempts, and accounts bound to persons."""

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provider_attempt",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("state_hash", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("then", sa.Text(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("spent_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_attempt")),
    )
    op.create_index(op.f("ix_provider_attempt_asked_at"), "provider_attempt", ["asked_at"])
    op.create_table(
        "provider_account",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("bound_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_provider_account_person_person")),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_provider_account")),
    )
    op.create_index(op.f("ix_provider_account_person"), "provider_account", ["person"])
