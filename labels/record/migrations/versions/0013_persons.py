"""A person for everybody whom the registry names, with their address."""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def upgrade() -> None:
    _make_tables()
    for table, column in (
        ("organisation", "person"),
        ("school", "principal"),
        ("teacher", "person"),
        ("staff", "person"),
    ):
        op.add_column(table, sa.Column(column, sa.Text(), nullable=True))
    _name_everybody(op.get_bind())
    op.create_index(op.f("ix_person_address"), "person", ["address"])
    for table, column in (
        ("organisation", "person"),
        ("school", "principal"),
        ("teacher", "person"),
        ("staff", "person"),
    ):
        with op.batch_alter_table(table, table_kwargs={"sqlite_with_rowid": False}) as batch:
            batch.alter_column(column, existing_type=sa.Text(), nullable=False)
            batch.create_foreign_key(op.f(f"fk_{table}_{column}"), "person", [column], ["id"])
    op.drop_index(op.f("ix_teacher_email"), "teacher")
    op.create_index(op.f("ix_teacher_person"), "teacher", ["person"])
    op.create_index(op.f("ix_school_principal"), "school", ["principal"])
    op.create_index(op.f("ix_staff_person"), "staff", ["person"])


def _make_tables() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "address",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_address_person")),
        sa.PrimaryKeyConstraint("person", "address", name=op.f("pk_address")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_address_address"), "address", ["address"])


def _name_everybody(connection: sa.Connection) -> None:
    """Until now a person was an address: who has one address and one name is one person.

    Two teachers are two people whatever they share, since they have an id each.
    """
    run = connection.exec_driver_sql
    run("UPDATE teacher SET person = 'PER-T-' || id")
    run(
        "INSERT INTO person (id, name, address, language)"
        " SELECT person, name, lower(email), language FROM teacher ORDER BY person"
    )
    known: dict[tuple[str, str], str] = {}
    staff = run("SELECT email, role, name, language FROM staff ORDER BY email, role").all()
    schools = run(
        "SELECT s.id, s.principal_name, s.principal_email, o.language FROM school s"
        " JOIN organisation o ON o.id = s.organisation ORDER BY s.id"
    ).all()
    organisations = run("SELECT id, name, email, language FROM organisation ORDER BY id").all()
    wanted = {(email.lower(), name) for email, _, name, _ in staff}
    wanted |= {(email.lower(), name) for _, name, email, _ in schools}
    teachers: dict[tuple[str, str], list[str]] = {}
    for person, name, email in run("SELECT person, name, lower(email) FROM teacher ORDER BY person"):
        if (email, name) in wanted:
            teachers.setdefault((email, name), []).append(person)
    known.update({whom: found[0] for whom, found in teachers.items() if len(found) == 1})
    new: list[dict[str, str]] = []

    def named(email: str, name: str, language: str, fresh: str) -> str:
        whom = (email.lower(), name)
        if whom not in known:
            known[whom] = fresh
            new.append({"id": fresh, "name": name, "address": whom[0], "language": language})
        return known[whom]

    rows = [
        {"email": email, "role": role, "person": named(email, name, language, _of_staff(email, name))}
        for email, role, name, language in staff
    ]
    principals = [
        {"id": school, "person": named(email, name, language, f"PER-S-{school}")}
        for school, name, email, language in schools
    ]
    mailboxes = [
        {"id": organisation, "person": named(email, name, language, f"PER-O-{organisation}")}
        for organisation, name, email, language in organisations
    ]
    _many(
        connection,
        "INSERT INTO person (id, name, address, language) VALUES (:id, :name, :address, :language)",
        new,
    )
    _many(connection, "UPDATE staff SET person = :person WHERE email = :email AND role = :role", rows)
    _many(connection, "UPDATE school SET principal = :person WHERE id = :id", principals)
    _many(connection, "UPDATE organisation SET person = :person WHERE id = :id", mailboxes)


def _many(connection: sa.Connection, statement: str, rows: list[dict[str, str]]) -> None:
    if rows:
        connection.execute(sa.text(statement), rows)


def _of_staff(email: str, name: str) -> str:
    """The id of somebody on a staff, as the import of this version makes it."""
    raw = hashlib.sha256("\x1f".join(("person", email.lower(), name)).encode()).digest()
    number = int.from_bytes(raw, "big")
    return "PER-" + "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in range(10))
