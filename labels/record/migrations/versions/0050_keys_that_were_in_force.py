"""Which keys were in force, by marks that tell nothing of the keys themselves; which document store is this record's."""

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "key_generation",
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column(
            "kind", sa.Enum("secret", "signing", name="keykind", native_enum=False, length=40), nullable=False
        ),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("leaked_from", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_key_generation")),
    )
    op.create_table(
        "store_owner",
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("former", sa.Text(), nullable=False),
        sa.Column("cleared_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("store", name=op.f("pk_store_owner")),
    )
