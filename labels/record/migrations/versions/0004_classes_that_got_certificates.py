"""Classes whose pupils got certificates, counted, and the codes that their teachers prove themselves with."""

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pupil_code",
        sa.Column("award", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("spent_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["award"], ["award.id"], name=op.f("fk_pupil_code_award")),
        sa.PrimaryKeyConstraint("award", name=op.f("pk_pupil_code")),
    )
    op.create_table(
        "pupil_class",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("award", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("teacher", sa.Text(), nullable=False),
        sa.Column("pupils", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("made_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["award"], ["award.id"], name=op.f("fk_pupil_class_award")),
        sa.ForeignKeyConstraint(["teacher"], ["teacher.id"], name=op.f("fk_pupil_class_teacher")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pupil_class")),
        sa.UniqueConstraint("award", "number", name=op.f("uq_pupil_class_award_number")),
    )
