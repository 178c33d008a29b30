"""What people who left a staff read, teach and when they were away; of who left before, nobody knows any more."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("languages", "subjects", "ages"):
        op.add_column("former_staff", sa.Column(column, sa.Text(), nullable=True))
    for column in ("away_from", "away_until"):
        op.add_column("former_staff", sa.Column(column, sa.Date(), nullable=True))
