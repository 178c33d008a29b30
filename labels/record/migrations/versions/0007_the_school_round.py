"""The School Label's yearly round; and indexes that hold all that its check asks of members, activities and projects."""

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "school_round",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("checked_at", Instant(), nullable=True),
        sa.Column("invited_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["rules"], ["rule_text.digest"], name=op.f("fk_school_round_rules")),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_school_round")),
    )
    op.create_table(
        "school_outcome",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("registered_on", sa.Date(), nullable=False),
        sa.Column("active", sa.Text(), nullable=True),
        sa.Column("award", sa.Text(), nullable=True),
        sa.Column("project", sa.Text(), nullable=True),
        sa.Column("awarded_on", sa.Date(), nullable=True),
        sa.Column("held", sa.Text(), nullable=True),
        sa.Column("eligible", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["year"], ["school_round.year"], name=op.f("fk_school_outcome_year")),
        sa.PrimaryKeyConstraint("year", "school", name=op.f("pk_school_outcome")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_school_outcome_eligible",
        "school_outcome",
        ["year", "school"],
        sqlite_where=sa.text("eligible"),
        postgresql_where=sa.text("eligible"),
    )
    op.drop_index("ix_member_teacher", table_name="member")
    op.create_index("ix_member_teacher", "member", ["teacher", "joined_on", "project"])
    op.drop_index("ix_activity_teacher", table_name="activity")
    op.create_index("ix_activity_teacher", "activity", ["teacher", "confirmed", "on"])
    op.create_index("ix_project_time", "project", ["id", "started_on", "ended_on"])
    op.create_index(
        "ix_award_school",
        "award",
        ["school"],
        sqlite_where=sa.text("label = 'school'"),
        postgresql_where=sa.text("label = 'school'"),
    )
    op.create_index(
        "ix_application_school",
        "application",
        ["school"],
        sqlite_where=sa.text("label = 'school'"),
        postgresql_where=sa.text("label = 'school'"),
    )
