"""Who of a staff wants one message a day, and what waits for it."""

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "daily_mail",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_daily_mail_person")),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_daily_mail")),
    )
    op.add_column("mail", sa.Column("daily", sa.Boolean(), nullable=False, server_default=sa.false()))
