"""Which paper a document is, as a column, by which a mail finds what goes with it."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_PAPERS = ("certificate", "letter", "receipt", "invitation")
_SUFFIX = re.compile(r"(?:-edition-(?P<edition>[0-9]+)|-(?P<instance>[0-9]+))?\.pdf")
_OF_EUROPEAN_AWARD = re.compile(r"certificate-(.+?)(-edition-[0-9]+)?\.pdf")


def upgrade() -> None:
    op.add_column("document", sa.Column("paper", sa.Text(), nullable=True))
    op.create_index(op.f("ix_document_paper"), "document", ["paper"])
    connection = op.get_bind()
    _name_papers(connection)
    _link_mail(connection)


def _name_papers(connection: sa.Connection) -> None:
    """Until now the name of a file told which edition it is: `letter-NQL-…-2.pdf`, `certificate-NQL-…-edition-2.pdf`."""
    papers = connection.execute(
        sa.text("SELECT id, application, kind, name, award FROM document WHERE kind IN :kinds").bindparams(
            sa.bindparam("kinds", _PAPERS, expanding=True)
        )
    ).all()
    named = [
        {"document": one.id, "paper": paper}
        for one in papers
        if (paper := _paper(one.kind, one.name, one.award if one.kind == "certificate" else one.application))
    ]
    if named:
        connection.execute(sa.text("UPDATE document SET paper = :paper WHERE id = :document"), named)


def _paper(kind: str, name: str, subject: str | None) -> str | None:
    found = _SUFFIX.fullmatch(name.removeprefix(f"{kind}-{subject}"))
    if found is None:
        return None
    instance = (
        found["instance"] if kind == "letter" else None
    )  # a certificate after an appeal is a first edition
    return f"{kind}/{subject}/{found['edition'] or instance or 1}"


def _link_mail(connection: sa.Connection) -> None:
    """What waits to be sent names a kind, or a kind and a file."""
    for column in ("attachment", "second_attachment"):
        waiting = connection.execute(
            sa.text(
                f"SELECT mail.reason, mail.{column} AS attachment, mail.application, application.instance"
                " FROM mail JOIN application ON application.id = mail.application"
                f" WHERE mail.sent_at IS NULL AND mail.{column} IS NOT NULL"
            )
        ).all()
        linked = [{"reason": one.reason, "paper": _attached(connection, one)} for one in waiting]
        if linked:
            connection.execute(sa.text(f"UPDATE mail SET {column} = :paper WHERE reason = :reason"), linked)


def _attached(connection: sa.Connection, mail: sa.Row[tuple[str, str, str, int]]) -> str:
    kind, _, name = mail.attachment.partition("/")
    found = connection.execute(
        sa.text(
            "SELECT paper FROM document WHERE application = :application AND kind = :kind"
            + (" AND name = :name" if name else "")
            + " ORDER BY id DESC LIMIT 1"
        ),
        {"application": mail.application, "kind": kind} | ({"name": name} if name else {}),
    ).scalar()
    if found:
        return str(found)
    # It is still to be made.
    if paper := _paper(kind, name, mail.application):
        return paper
    if european := _OF_EUROPEAN_AWARD.fullmatch(name):
        return _paper(kind, name, european[1]) or mail.attachment
    return f"{kind}/{mail.application}/{mail.instance if kind == 'letter' else 1}"
