"""A label is taken back once it is so here: the index from which those are counted has no others."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_award_revoked", table_name="award")
    where = sa.text("revoked_at IS NOT NULL")
    op.create_index("ix_award_revoked", "award", ["id"], sqlite_where=where, postgresql_where=where)
