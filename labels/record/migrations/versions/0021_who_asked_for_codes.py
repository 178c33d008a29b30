"""An index by which the codes that were asked for a person within an hour are counted."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    asked = sa.text("what = 'asked for a code'")
    op.create_index(
        "ix_journal_asked_for_a_code",
        "journal",
        ["who", "at"],
        sqlite_where=asked,
        postgresql_where=asked,
    )
