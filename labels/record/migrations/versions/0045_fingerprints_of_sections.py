"""Fingerprints of applications' sections, by which copied texts are found; upkeep makes those of former applications."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "application_section",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("application", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("fingerprints", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application"], ["application.id"], name=op.f("fk_application_section_application")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_section")),
        sa.UniqueConstraint("application", "name", name=op.f("uq_application_section_application_name")),
    )
    op.create_table(
        "fingerprint",
        sa.Column("fingerprint", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("section", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", "section", name=op.f("pk_fingerprint")),
        sqlite_with_rowid=False,
    )
