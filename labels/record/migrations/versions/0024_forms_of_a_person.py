"""What was kept of a form belongs to the person who filled it in; until now to whoever reads an address."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_READERS = """
    SELECT p.id FROM person p WHERE p.address = kept_form.address
    UNION SELECT a.person FROM address a WHERE a.address = kept_form.address AND a.until IS NULL
"""


def upgrade() -> None:
    op.add_column("kept_form", sa.Column("person", sa.Text(), nullable=True))
    op.execute(f"UPDATE kept_form SET person = (SELECT min(id) FROM ({_READERS}) AS readers)")
    # Of several people with one mailbox nobody knows any more whose it was.
    op.execute(f"DELETE FROM kept_form WHERE (SELECT count(*) FROM ({_READERS}) AS readers) <> 1")
    # Two addresses that one person reads may have kept the same page.
    op.execute(
        "DELETE FROM kept_form WHERE EXISTS (SELECT 1 FROM kept_form other WHERE other.person = kept_form.person"
        " AND other.page = kept_form.page AND (other.kept_at > kept_form.kept_at"
        " OR (other.kept_at = kept_form.kept_at AND other.address > kept_form.address)))"
    )
    with op.batch_alter_table("kept_form") as batch:
        batch.drop_constraint(op.f("pk_kept_form"), type_="primary")
        batch.drop_column("address")
        batch.alter_column("person", existing_type=sa.Text(), nullable=False)
        batch.create_primary_key(op.f("pk_kept_form"), ["person", "page"])
        batch.create_foreign_key(op.f("fk_kept_form_person"), "person", ["person"], ["id"])
