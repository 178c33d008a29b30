"""What upkeep keeps in mind: who was reminded of what, and which forms were seen; and an index of what is due."""

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("mail", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["mail"], ["mail.reason"], name=op.f("fk_notice_mail")),
        sa.PrimaryKeyConstraint("subject", "kind", "due_on", "email", name=op.f("pk_notice")),
    )
    op.create_index(
        "ix_step_due",
        "step",
        ["due_at"],
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.add_column("application", sa.Column("form_seen", sa.Text(), nullable=True))
