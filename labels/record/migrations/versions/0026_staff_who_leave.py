"""People leave a staff: when, by whose word, and the organisation's own id of a person.

Nobody of an earlier record has left by what it knows: who is gone from the file only is still on the staff.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staff", sa.Column("id", sa.Text(), nullable=True))
    op.add_column("staff", sa.Column("left_on", sa.Date(), nullable=True))
    op.add_column("staff", sa.Column("left_by", sa.Text(), nullable=True))
    op.create_table(
        "former_staff",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("school", sa.Text(), nullable=True),
        sa.Column("id", sa.Text(), nullable=True),
        sa.Column("left_on", sa.Date(), nullable=False),
        sa.Column("left_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisation.id"], name=op.f("fk_former_staff_organisation")
        ),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_former_staff_person")),
        sa.ForeignKeyConstraint(["school"], ["school.id"], name=op.f("fk_former_staff_school")),
        sa.PrimaryKeyConstraint("person", "organisation", "role", "email", name=op.f("pk_former_staff")),
        sqlite_with_rowid=False,
    )
