"""A School Label may begin after its award: where it renews another, or goes by calendar years or school years."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("award", sa.Column("valid_from", sa.Date(), nullable=True))
