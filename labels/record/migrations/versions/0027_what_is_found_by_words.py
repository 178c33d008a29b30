"""An index of words by which teachers, schools and projects are found; it is filled with the first question or import."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "search_word",
        *(sa.Column(name, bytewise, nullable=False) for name in ("kind", "organisation", "word", "first")),
        sa.Column("subjects", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "organisation", "word", "first", name=op.f("pk_search_word")),
        sqlite_with_rowid=False,
    )
