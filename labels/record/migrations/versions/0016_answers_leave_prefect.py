"""What upkeep and the form need so that no answer stays in Prefect: where one is left, and whose code was typed."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Every answer of before is in Prefect still: upkeep deletes them.
    op.add_column(
        "resumption", sa.Column("in_prefect", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.create_index(
        "ix_resumption_in_prefect",
        "resumption",
        ["at"],
        sqlite_where=sa.text("in_prefect"),
        postgresql_where=sa.text("in_prefect"),
    )
    op.add_column("step", sa.Column("typed", sa.JSON(none_as_null=True), nullable=True))
    op.create_index(op.f("ix_step_code_hash"), "step", ["code_hash"])
