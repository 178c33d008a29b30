"""Drafts of self-assessments say what each save changed, and who made it; and who hands in is chosen."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_DEPTH = {"confirmed": 1, "disputed": 1, "answers": 3, "requirements": 1, "links": 0}


def upgrade() -> None:
    op.add_column("draft", sa.Column("person", sa.Text(), nullable=True))
    op.execute(
        "UPDATE draft SET person = (SELECT min(s.person) FROM step s JOIN person p ON p.id = s.person"
        " WHERE s.application = draft.application AND s.kind = 'self-assessment' AND p.address = lower(draft.author))"
    )
    op.execute(
        "UPDATE draft SET person = (SELECT min(s.person) FROM step s JOIN address a ON a.person = s.person"
        " WHERE s.application = draft.application AND s.kind = 'self-assessment' AND a.address = lower(draft.author))"
        " WHERE person IS NULL"
    )
    _say_what_changed(op.get_bind())
    with op.batch_alter_table("draft") as batch:
        batch.alter_column("body", new_column_name="changed")
        batch.create_foreign_key(op.f("fk_draft_person"), "person", ["person"], ["id"])
    op.create_table(
        "handing_in",
        sa.Column("application", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("chosen_by", sa.Text(), nullable=False),
        sa.Column("chosen_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["application"], ["application.id"], name=op.f("fk_handing_in_application")),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_handing_in_person")),
        sa.ForeignKeyConstraint(["chosen_by"], ["person.id"], name=op.f("fk_handing_in_chosen_by")),
        sa.PrimaryKeyConstraint("application", name=op.f("pk_handing_in")),
    )


def _say_what_changed(connection: sa.Connection) -> None:
    """Each save had all of the self-assessment; from now on it has what is other than before it."""
    draft = sa.table(
        "draft", sa.column("application"), sa.column("number"), sa.column("body", sa.JSON(none_as_null=True))
    )
    rows = connection.execute(sa.select(draft).order_by(draft.c.application, draft.c.number)).all()
    before: dict[tuple[str, ...], Any] = {}
    of = None
    for row in rows:
        if row.application != of:
            of, before = row.application, {}
        body = json.loads(row.body) if isinstance(row.body, str) else row.body
        now = {
            field: value
            for name, depth in _DEPTH.items()
            if name in body
            for field, value in _leaves((name,), body[name], depth)
            if value not in (None, "", []) and value is not False
        }
        changed: dict[str, Any] = {}
        for field in dict.fromkeys((*before, *now)):
            if before.get(field) == now.get(field):
                continue
            place = changed
            for name in field[:-1]:
                place = place.setdefault(name, {})
            place[field[-1]] = now.get(field)
        where = (draft.c.application == row.application, draft.c.number == row.number)
        connection.execute(sa.update(draft).where(*where).values(body=changed))
        before = now


def _leaves(field: tuple[str, ...], value: Any, depth: int) -> list[tuple[tuple[str, ...], Any]]:
    if depth == 0:
        return [(field, value)]
    return [one for name, part in value.items() for one in _leaves((*field, name), part, depth - 1)]
