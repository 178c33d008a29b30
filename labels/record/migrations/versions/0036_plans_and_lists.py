"""What a coordinator is about to do with many applications is kept until they do it; and lists that they come back to."""

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bulk_plan",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("wish", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("rows", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("done_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_bulk_plan_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_plan")),
    )
    op.create_index(op.f("ix_bulk_plan_person"), "bulk_plan", ["person"])
    op.create_table(
        "saved_list",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("saved_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_saved_list_person")),
        sa.PrimaryKeyConstraint("person", "name", name=op.f("pk_saved_list")),
    )
