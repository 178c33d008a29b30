"""Drafts of applications, and the files that go with them."""

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "application_draft",
        sa.Column("teacher", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("saved_at", Instant(), nullable=False),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(["teacher"], ["teacher.id"], name=op.f("fk_application_draft_teacher")),
        sa.ForeignKeyConstraint(["project"], ["project.id"], name=op.f("fk_application_draft_project")),
        sa.PrimaryKeyConstraint("teacher", "project", name=op.f("pk_application_draft")),
    )
    op.create_table(
        "draft_evidence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("teacher", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("stored_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["teacher"], ["teacher.id"], name=op.f("fk_draft_evidence_teacher")),
        sa.ForeignKeyConstraint(["project"], ["project.id"], name=op.f("fk_draft_evidence_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_evidence")),
        sa.UniqueConstraint("teacher", "project", "key", name=op.f("uq_draft_evidence_teacher_project_key")),
    )
