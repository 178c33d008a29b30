"""Papers that were issued, by which anybody can check one, and what became of each."""

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "issued",
        sa.Column("paper", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("award", sa.Text(), nullable=True),
        sa.Column("application", sa.Text(), nullable=True),
        sa.Column("teacher", sa.Text(), nullable=True),
        sa.Column("school", sa.Text(), nullable=True),
        sa.Column("facts", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("facts_digest", sa.Text(), nullable=False),
        sa.Column("file_digest", sa.Text(), nullable=True),
        sa.Column("pupils", sa.Integer(), nullable=True),
        sa.Column("marks", sa.LargeBinary(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("signer", sa.Text(), nullable=True),
        sa.Column("issued_at", Instant(), nullable=False),
        sa.Column("superseded_by", sa.Text(), nullable=True),
        sa.Column("superseded_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("revoked_by", sa.Text(), nullable=True),
        sa.Column("revoked_because", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["application"], ["application.id"], name=op.f("fk_issued_application")),
        sa.ForeignKeyConstraint(["award"], ["award.id"], name=op.f("fk_issued_award")),
        sa.ForeignKeyConstraint(["school"], ["school.id"], name=op.f("fk_issued_school")),
        sa.ForeignKeyConstraint(["superseded_by"], ["issued.paper"], name=op.f("fk_issued_superseded_by")),
        sa.ForeignKeyConstraint(["teacher"], ["teacher.id"], name=op.f("fk_issued_teacher")),
        sa.PrimaryKeyConstraint("paper", name=op.f("pk_issued")),
    )
    op.create_index(op.f("ix_issued_award"), "issued", ["award"])
    op.create_index(op.f("ix_issued_code"), "issued", ["code"])
    op.create_index(op.f("ix_issued_file_digest"), "issued", ["file_digest"])
    op.create_index(op.f("ix_issued_signer"), "issued", ["signer"])
    op.create_index(op.f("ix_issued_subject"), "issued", ["subject"])
    # Papers from before are found by their digest, which is the key of their document.
    op.create_index(op.f("ix_document_key"), "document", ["key"])
