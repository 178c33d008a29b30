"""What a document is for, as columns: which requirement of a school it meets, and which award it certifies."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_OF_EUROPEAN_AWARD = re.compile(r"certificate-(.+?)(?:-edition-[0-9]+)?\.pdf")


def upgrade() -> None:
    op.add_column("document", sa.Column("meets", sa.Text(), nullable=True))
    op.add_column("document", sa.Column("award", sa.Text(), nullable=True))
    op.create_index(op.f("ix_document_award"), "document", ["award"])
    # Until now the name of a file told both.
    for kind in ("safety", "policy", "declaration"):
        op.execute(
            f"UPDATE document SET meets = '{kind}' WHERE kind = 'evidence' AND lower(name) LIKE '{kind}%'"
            " AND application IN (SELECT id FROM application WHERE label = 'school')"
        )
    op.execute(
        "UPDATE document SET award = application"
        " WHERE kind = 'certificate' AND application IN (SELECT id FROM award)"
    )
    _link_european_awards(op.get_bind())


def _link_european_awards(connection: sa.Connection) -> None:
    """A European certificate is among the documents of its year, so that only its name says whose it is."""
    awards = set(connection.scalars(sa.text("SELECT id FROM award WHERE label = 'european'")))
    if not awards:
        return
    left = connection.execute(
        sa.text("SELECT id, name FROM document WHERE kind = 'certificate' AND award IS NULL")
    ).all()
    links = [
        {"document": number, "award": found[1]}
        for number, name in left
        if (found := _OF_EUROPEAN_AWARD.fullmatch(name)) and found[1] in awards
    ]
    if links:
        connection.execute(sa.text("UPDATE document SET award = :award WHERE id = :document"), links)
