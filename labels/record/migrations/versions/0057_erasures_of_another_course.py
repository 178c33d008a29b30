"""What a record came to with erasures that it does not know; and each record belongs to an installation from its making."""

import uuid

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    state = sa.Enum("absent", "deferred", name="formererasurestate", native_enum=False, length=40)
    op.create_table(
        "former_erasure",
        sa.Column("erasure", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("state", state, nullable=False),
        sa.Column("noted_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("erasure", "person", name=op.f("pk_former_erasure")),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    installation = sa.table("installation", sa.column("id"), sa.column("name"), sa.column("known_by"))
    if connection.scalar(sa.select(sa.func.count()).select_from(installation)):
        return
    journal = sa.table(
        "journal", sa.column("id"), sa.column("at", Instant()), sa.column("what"), sa.column("application")
    )
    first = connection.execute(sa.select(journal).order_by(journal.c.id).limit(1)).first()
    # A copy that was made before and the record that it is of get the same name: they begin with the same entry.
    name = uuid.uuid5(uuid.NAMESPACE_OID, str(tuple(map(str, first)))) if first else uuid.uuid4()
    connection.execute(sa.insert(installation).values(id=1, name=str(name), known_by=""))
