"""Pictures and words that teachers of awarded projects give for the gallery of a year."""

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gallery_contribution",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("teacher", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("media_type", sa.Text(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("shows", sa.Text(), nullable=True),
        sa.Column("credit", sa.Text(), nullable=True),
        sa.Column("given_at", Instant(), nullable=False),
        sa.Column("released_at", Instant(), nullable=True),
        sa.Column("words_struck", sa.Text(), nullable=True),
        sa.Column("picture_struck", sa.Text(), nullable=True),
        sa.Column("struck_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["year"], ["cycle.year"], name=op.f("fk_gallery_contribution_year")),
        sa.ForeignKeyConstraint(["project"], ["project.id"], name=op.f("fk_gallery_contribution_project")),
        sa.ForeignKeyConstraint(["teacher"], ["teacher.id"], name=op.f("fk_gallery_contribution_teacher")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gallery_contribution")),
        sa.UniqueConstraint("year", "project", name=op.f("uq_gallery_contribution_year_project")),
    )
    for column in ("key", "teacher"):
        op.create_index(op.f(f"ix_gallery_contribution_{column}"), "gallery_contribution", [column])
