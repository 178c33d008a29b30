"""The European Quality Label's yearly cycle."""

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cycle",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("application", sa.Text(), nullable=False),
        sa.Column("begins", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=False),
        sa.Column("frozen_at", Instant(), nullable=True),
        sa.Column("list_digest", sa.Text(), nullable=True),
        sa.Column("merged_at", Instant(), nullable=True),
        sa.Column("awarded_at", Instant(), nullable=True),
        sa.Column("published", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["application"], ["application.id"], name=op.f("fk_cycle_application")),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_cycle")),
        sa.UniqueConstraint("application", name=op.f("uq_cycle_application")),
    )
    op.create_table(
        "cycle_label",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("award", sa.Text(), nullable=False),
        sa.Column("teacher", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("school", sa.Text(), nullable=True),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("awarded_on", sa.Date(), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("criteria", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("submitted_at", Instant(), nullable=True),
        sa.Column("ranked", sa.Boolean(), nullable=False),
        sa.Column("european", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["award"], ["award.id"], name=op.f("fk_cycle_label_award")),
        sa.ForeignKeyConstraint(["year"], ["cycle.year"], name=op.f("fk_cycle_label_year")),
        sa.PrimaryKeyConstraint("year", "award", name=op.f("pk_cycle_label")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cycle_organisation",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.Column("proposed", sa.Integer(), nullable=False),
        sa.Column("nomination", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["nomination"], ["application.id"], name=op.f("fk_cycle_organisation_nomination")
        ),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisation.id"], name=op.f("fk_cycle_organisation_organisation")
        ),
        sa.ForeignKeyConstraint(["rules"], ["rule_text.digest"], name=op.f("fk_cycle_organisation_rules")),
        sa.ForeignKeyConstraint(["year"], ["cycle.year"], name=op.f("fk_cycle_organisation_year")),
        sa.PrimaryKeyConstraint("year", "organisation", name=op.f("pk_cycle_organisation")),
    )
    op.create_table(
        "cycle_place",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("candidate", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("teacher", sa.Text(), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("proposed", sa.Boolean(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("moved_up", sa.Boolean(), nullable=False),
        sa.Column(
            "screened",
            sa.Enum("approved", "struck", "lapsed", name="screened", native_enum=False, length=40),
            nullable=True,
        ),
        sa.Column("screened_by", sa.Text(), nullable=True),
        sa.Column("screened_at", Instant(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["year"], ["cycle.year"], name=op.f("fk_cycle_place_year")),
        sa.PrimaryKeyConstraint("year", "organisation", "candidate", name=op.f("pk_cycle_place")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cycle_project",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("labelled_partners", sa.Integer(), nullable=False),
        sa.Column("countries", sa.Integer(), nullable=False),
        sa.Column("qualifies", sa.Boolean(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column(
            "awarded",
            sa.Enum("awarded", "struck", "revoked", name="awarded", native_enum=False, length=40),
            nullable=True,
        ),
        sa.Column("awarded_by", sa.Text(), nullable=True),
        sa.Column("awarded_at", Instant(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["year"], ["cycle.year"], name=op.f("fk_cycle_project_year")),
        sa.PrimaryKeyConstraint("year", "project", name=op.f("pk_cycle_project")),
        sqlite_with_rowid=False,
    )
