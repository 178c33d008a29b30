"""Who is one person and who is not: what coordinators say of people who may be one, and the codes that they say it with.

Of an earlier record nobody has said anything.
"""

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _different_persons()
    _person_merge()
    _organisation_code()


def _different_persons() -> None:
    op.create_table(
        "different_persons",
        sa.Column("one", sa.Text(), nullable=False),
        sa.Column("other", sa.Text(), nullable=False),
        sa.Column("said_by", sa.Text(), nullable=False),
        sa.Column("said_at", Instant(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        *(
            sa.ForeignKeyConstraint([one], ["person.id"], name=op.f(f"fk_different_persons_{one}"))
            for one in ("one", "other", "said_by")
        ),
        sa.PrimaryKeyConstraint("one", "other", name=op.f("pk_different_persons")),
        sqlite_with_rowid=False,
    )


def _person_merge() -> None:
    op.create_table(
        "person_merge",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("gone", sa.Text(), nullable=False),
        sa.Column("kept", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("confirmed_at", Instant(), nullable=True),
        *(
            sa.ForeignKeyConstraint([one], ["person.id"], name=op.f(f"fk_person_merge_{one}"))
            for one in ("kept", "asked_by", "confirmed_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_merge")),
    )
    op.create_index(op.f("ix_person_merge_gone"), "person_merge", ["gone"])
    op.create_index(op.f("ix_person_merge_kept"), "person_merge", ["kept"])


def _organisation_code() -> None:
    op.create_table(
        "organisation_code",
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("spent_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisation.id"], name=op.f("fk_organisation_code_organisation")
        ),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_organisation_code_person")),
        sa.PrimaryKeyConstraint("organisation", "person", name=op.f("pk_organisation_code")),
    )
