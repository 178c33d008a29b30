"""Steps, conflicts of interest, notices and mail refer to the person; until now they had an address each."""

import hashlib

import sqlalchemy as sa
from alembic import op

from labels.record.schema import Instant

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_AT_THE_ADDRESS = (
    "SELECT min(s.person) FROM staff s WHERE s.email = {address}",
    "SELECT min(o.person) FROM organisation o WHERE lower(o.email) = {address}",
    "SELECT min(p.id) FROM person p WHERE p.address = {address}",
)
"""Who has an address, whom it says first: somebody on a staff, an organisation, anybody."""


def upgrade() -> None:
    for table in ("step", "conflict", "mail"):
        op.add_column(table, sa.Column("person", sa.Text(), nullable=True))
    _of_steps()
    for table, column in (("step", "assignee"), ("conflict", "email")):
        for found in _AT_THE_ADDRESS:
            op.execute(
                f"UPDATE {table} SET person = ({found.format(address=f'{table}.{column}')}) WHERE person IS NULL"
            )
        _enter_unknown(op.get_bind(), table, column)
    op.execute(
        "UPDATE mail SET person = (SELECT min(p.id) FROM person p"
        " WHERE p.address = mail.to_address AND p.name = mail.to_name)"
    )
    _change_columns()
    _make_notices_anew(op.get_bind())


def _of_steps() -> None:
    """What was asked of an applicant is asked of the teacher, also where the address was put right since."""
    op.execute(
        "UPDATE step SET person = (SELECT t.person FROM application a JOIN teacher t ON t.id = a.teacher"
        " WHERE a.id = step.application) WHERE kind IN ('information', 'withdrawal', 'appeal')"
    )
    op.execute(
        "UPDATE step SET person = (SELECT s.principal FROM application a JOIN school s ON s.id = a.school"
        " WHERE a.id = step.application AND lower(s.principal_email) = step.assignee)"
        " WHERE kind = 'declaration'"
    )
    op.execute(
        "UPDATE step SET person = (SELECT min(t.person) FROM application a JOIN teacher t ON t.school = a.school"
        " WHERE a.id = step.application AND lower(t.email) = step.assignee)"
        " WHERE person IS NULL AND kind IN ('self-assessment', 'information')"
    )


def _enter_unknown(connection: sa.Connection, table: str, column: str) -> None:
    """An address that the registry has no more is somebody's still."""
    unknown = connection.scalars(
        sa.text(f"SELECT DISTINCT {column} FROM {table} WHERE person IS NULL ORDER BY {column}")
    ).all()
    for address in unknown:
        known = connection.scalar(
            sa.text("SELECT min(id) FROM person WHERE address = :address"), {"address": address}
        )
        if known is None:
            known = _id(address)
            connection.execute(
                sa.text("INSERT INTO person (id, name, address, language) VALUES (:id, :name, :name, 'en')"),
                {"id": known, "name": address},
            )
        connection.execute(
            sa.text(f"UPDATE {table} SET person = :person WHERE {column} = :address AND person IS NULL"),
            {"person": known, "address": address},
        )


def _id(address: str) -> str:
    raw = hashlib.sha256("\x1f".join(("person", address, address)).encode()).digest()
    number = int.from_bytes(raw, "big")
    return "PER-" + "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in range(10))


def _change_columns() -> None:
    op.drop_index(op.f("ix_step_assignee_state"), "step")
    with op.batch_alter_table("step") as batch:
        batch.alter_column("person", existing_type=sa.Text(), nullable=False)
        batch.drop_column("assignee")
        batch.create_foreign_key(op.f("fk_step_person"), "person", ["person"], ["id"])
    op.create_index(op.f("ix_step_person_state"), "step", ["person", "state"])
    # Two addresses that were one person's may have declared the same.
    op.execute(
        "DELETE FROM conflict WHERE id NOT IN (SELECT min(id) FROM conflict GROUP BY person, kind, target)"
    )
    with op.batch_alter_table("conflict") as batch:
        batch.drop_constraint(op.f("uq_conflict_email_kind_target"), type_="unique")
        batch.alter_column("person", existing_type=sa.Text(), nullable=False)
        batch.drop_column("email")
        batch.create_foreign_key(op.f("fk_conflict_person"), "person", ["person"], ["id"])
        batch.create_unique_constraint(op.f("uq_conflict_person_kind_target"), ["person", "kind", "target"])
    with op.batch_alter_table("mail") as batch:
        batch.create_foreign_key(op.f("fk_mail_person"), "person", ["person"], ["id"])
    op.create_index(op.f("ix_mail_person"), "mail", ["person"])


def _make_notices_anew(connection: sa.Connection) -> None:
    """The person is part of a notice's key: what was told to an address was told to whom it reached."""
    told = connection.execute(
        sa.text(
            "SELECT n.subject, n.kind, n.due_on, n.email, n.mail, n.at,"
            " (SELECT s.person FROM step s WHERE s.id = n.subject AND n.kind <> 'overdue') AS asked,"
            " (SELECT m.person FROM mail m WHERE m.reason = n.mail) AS mailed FROM notice n"
            " ORDER BY n.at"
        ).columns(due_on=sa.Date(), at=Instant())
    ).all()
    op.drop_table("notice")
    op.create_table(
        "notice",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("mail", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["mail"], ["mail.reason"], name=op.f("fk_notice_mail")),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_notice_person")),
        sa.PrimaryKeyConstraint("subject", "kind", "due_on", "person", name=op.f("pk_notice")),
    )
    rows: dict[tuple[object, ...], dict[str, object]] = {}
    for row in told:
        person = row.asked or row.mailed or _somebody(connection, row.email)
        key = (row.subject, row.kind, row.due_on, person)
        names = ("subject", "kind", "due_on", "person")
        rows.setdefault(key, dict(zip(names, key, strict=True)) | {"mail": row.mail, "at": row.at})
    if rows:
        notice = sa.table(
            "notice",
            sa.column("subject"),
            sa.column("kind"),
            sa.column("due_on", sa.Date()),
            sa.column("person"),
            sa.column("mail"),
            sa.column("at", Instant()),
        )
        connection.execute(sa.insert(notice), list(rows.values()))


def _somebody(connection: sa.Connection, address: str) -> str:
    for found in _AT_THE_ADDRESS:
        if person := connection.scalar(sa.text(found.format(address=":address")), {"address": address}):
            return str(person)
    person = _id(address)
    connection.execute(
        sa.text("INSERT INTO person (id, name, address, language) VALUES (:id, :name, :name, 'en')"),
        {"id": person, "name": address},
    )
    return person
