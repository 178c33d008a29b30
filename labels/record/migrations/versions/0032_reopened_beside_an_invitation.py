"""A school's decision can be reopened beside its next invitation: of first instances alone, one is open."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("uq_application_open_school", table_name="application")
    op.create_index(
        "uq_application_open_school",
        "application",
        ["school"],
        unique=True,
        sqlite_where=sa.text("outcome IS NULL AND label = 'school' AND instance = 1"),
        postgresql_where=sa.text("outcome IS NULL AND label = 'school' AND instance = 1"),
    )
