"""When members of a staff are away; of an earlier record nobody has said anything."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("away_from", "away_until"):
        op.add_column("staff", sa.Column(column, sa.Date(), nullable=True))
