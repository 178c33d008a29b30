"""Where teachers and staff taught before, when members left, schools that go on under another number, awards taken back elsewhere.

Of what was before, today's rows are the best that is known: a membership and an award are of the school at which
their teacher is now, until the registry names another one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("teacher", sa.Column("school_since", sa.Date(), nullable=True))
    op.add_column("member", sa.Column("left_on", sa.Date(), nullable=True))
    op.add_column("award", sa.Column("revoked_on", sa.Date(), nullable=True))
    for table, column in (("member", "school"), ("school", "succeeds")):
        with op.batch_alter_table(table, table_kwargs={"sqlite_with_rowid": False}) as batch:
            batch.add_column(sa.Column(column, sa.Text(), nullable=True))
            batch.create_foreign_key(op.f(f"fk_{table}_{column}"), "school", [column], ["id"])
    followed = sa.text("succeeds IS NOT NULL")
    op.create_index(
        "ix_school_succeeds", "school", ["succeeds"], sqlite_where=followed, postgresql_where=followed
    )
    named = sa.text("school IS NOT NULL")
    op.create_index("ix_member_school", "member", ["school"], sqlite_where=named, postgresql_where=named)
    op.drop_index("ix_member_teacher", "member")
    op.create_index("ix_member_teacher", "member", ["teacher", "joined_on", "project", "left_on"])
    op.create_table(
        "former_school",
        sa.Column("teacher", sa.Text(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["school"], ["school.id"], name=op.f("fk_former_school_school")),
        sa.ForeignKeyConstraint(["teacher"], ["teacher.id"], name=op.f("fk_former_school_teacher")),
        sa.PrimaryKeyConstraint("teacher", "until", name=op.f("pk_former_school")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_former_school_school"), "former_school", ["school"])
    op.create_table(
        "former_staff_school",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_former_staff_school_person")),
        sa.ForeignKeyConstraint(["school"], ["school.id"], name=op.f("fk_former_staff_school_school")),
        sa.PrimaryKeyConstraint("person", "school", name=op.f("pk_former_staff_school")),
        sqlite_with_rowid=False,
    )
