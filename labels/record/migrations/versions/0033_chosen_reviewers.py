"""What reviewers can and wish, and why each was chosen."""

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("teacher", sa.Column("subjects", sa.Text(), nullable=True))
    for column in ("languages", "subjects", "ages"):
        op.add_column("staff", sa.Column(column, sa.Text(), nullable=True))
    op.create_table(
        "reviewer_wish",
        sa.Column("application", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("wish", sa.String(length=40), nullable=False),
        sa.Column("said_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application"], ["application.id"], name=op.f("fk_reviewer_wish_application")
        ),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_reviewer_wish_person")),
        sa.PrimaryKeyConstraint("application", "person", name=op.f("pk_reviewer_wish")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reviewer_choice",
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("costs", sa.JSON(), nullable=False),
        sa.Column("load", sa.Integer(), nullable=False),
        sa.Column("following", sa.Text(), nullable=True),
        sa.Column("following_load", sa.Integer(), nullable=True),
        sa.Column("extra", sa.Integer(), nullable=True),
        sa.Column("chosen_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["following"], ["person.id"], name=op.f("fk_reviewer_choice_following")),
        sa.ForeignKeyConstraint(["step"], ["step.id"], name=op.f("fk_reviewer_choice_step")),
        sa.PrimaryKeyConstraint("step", name=op.f("pk_reviewer_choice")),
    )
