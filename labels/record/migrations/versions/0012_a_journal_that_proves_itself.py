"""The journal's chain: seals over its entries, salts of what they tell of, and triggers that let only erasing through."""

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_TOLD_OF = ("review", "decision", "issued")


def upgrade() -> None:
    op.create_table(
        "seal",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_seal")),
    )
    op.create_table(
        "sealed_entry",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.Column("salts", sa.LargeBinary(), nullable=False),
        sa.Column("erased", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_sealed_entry")),
        sa.UniqueConstraint("entry", name=op.f("uq_sealed_entry_entry")),
    )
    for table in _TOLD_OF:
        op.add_column(table, sa.Column("salts", sa.LargeBinary(), nullable=True))
        op.add_column(table, sa.Column("erased", sa.JSON(none_as_null=True), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        _guard_on_sqlite()
    else:
        _guard_on_postgresql()


_JOURNAL, _CHAIN = "the journal is append-only", "the chain of the journal is append-only"
_MAY_CHANGE = {
    "journal": (("id", "at", "what", "application", "step"), _JOURNAL),
    "sealed_entry": (("position", "entry", "link"), _CHAIN),
    "seal": (("number", "first", "last", "head", "at"), _CHAIN),
}
"""Of each table, the columns that stay for ever. Of the journal, `who` and `details` change where the entry is
sealed and has something erased; of a sealed entry, the salts; of a seal, the time stamp is added."""
_KEYS = {"journal": "id", "sealed_entry": "position", "seal": "number"}
_ALSO = {
    "journal": "NOT EXISTS (SELECT 1 FROM sealed_entry WHERE entry = OLD.id AND erased IS NOT NULL)",
    "sealed_entry": "NEW.erased IS NULL",
    "seal": "OLD.token IS NOT NULL",
}


def _guard_on_sqlite() -> None:
    op.execute("DROP TRIGGER journal_no_update")
    op.execute("DROP TRIGGER journal_no_delete")
    for table, (columns, message) in _MAY_CHANGE.items():
        key = _KEYS[table]
        changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in columns)
        refuse = f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
        op.execute(
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} "
            f"WHEN {changed} OR {_ALSO[table]} {refuse}"
        )
        op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}")
        # INSERT OR REPLACE deletes what was there, and runs no trigger for that.
        op.execute(
            f"CREATE TRIGGER {table}_no_replacement BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key}) {refuse}"
        )


def _guard_on_postgresql() -> None:
    op.execute("DROP TRIGGER journal_append_only ON journal")
    op.execute("DROP FUNCTION refuse_change()")
    for table, (columns, message) in _MAY_CHANGE.items():
        new, old = (", ".join(f"{row}.{column}" for column in columns) for row in ("NEW", "OLD"))
        op.execute(
            f"CREATE FUNCTION refuse_change_of_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF TG_OP <> 'UPDATE' THEN RAISE EXCEPTION '{message}'; END IF; "
            f"IF ({new}) IS DISTINCT FROM ({old}) OR {_ALSO[table]} THEN RAISE EXCEPTION '{message}'; END IF; "
            "RETURN NEW; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE DELETE OR TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_{table}()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION refuse_change_of_{table}()"
        )
