"""A year's frozen list has where its projects were founded, and which are not decided everywhere; absent from earlier years."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cycle_label", sa.Column("founded_in", sa.Integer(), nullable=True))
    op.add_column("cycle_label", sa.Column("undecided", sa.Integer(), nullable=True))
    for name in ("unscored", "with_equals", "equals_left_out"):
        op.add_column("cycle_organisation", sa.Column(name, sa.Integer(), nullable=True))
