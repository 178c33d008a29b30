"""A message may bring two papers: the certificate, and the letter with its points."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mail", sa.Column("second_attachment", sa.Text(), nullable=True))
