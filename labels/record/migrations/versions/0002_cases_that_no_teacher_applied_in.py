"""Applications without an applying teacher: schools apply, organisations nominate."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("application", schema=None) as batch_op:
        batch_op.alter_column("teacher", existing_type=sa.Text(), nullable=True)
        batch_op.alter_column("school", existing_type=sa.Text(), nullable=True)
        batch_op.create_index(
            "uq_application_open_school",
            ["school"],
            unique=True,
            sqlite_where=sa.text("outcome IS NULL AND label = 'school'"),
            postgresql_where=sa.text("outcome IS NULL AND label = 'school'"),
        )
