"""The record's tables, as the databases themselves hold them: the same on both, and nothing of the journal lost."""

from __future__ import annotations

import importlib
import inspect
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import alembic.migration
import alembic.script
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.orm import Session

import labels.record.engine
from labels.answering import accepting
from labels.errors import InvalidInput, OutOfReach
from labels.identifiers import person_id
from labels.record import Record, migrate, open_record
from labels.record.engine import BUSY_TIMEOUT_MS, close_records, open_engine
from labels.record.migrating import MIGRATIONS, revisions, upgrade
from labels.record.schema import Base, Draft, FormerStaff, Journal, School, Staff, Step, StepKind, StepState
from labels.settings import Settings
from labels.steps.proof import SignedIn
from tests.support.mails import FORMER, TEXTS
from tests.support.people import NOW
from tests.support.school import School as SchoolApplying
from tests.support.school import whole

only_sqlite = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)


@pytest.fixture
def entry(record: Record) -> Iterator[Record]:
    """A record with one entry in its journal."""
    with record.writing() as session:
        session.add(Journal(at=NOW, who="system", what="began", details={}))
    yield record
    with record.reading() as session:
        assert [row.what for row in session.scalars(sa.select(Journal))] == ["began"]


def test_the_migrations_make_exactly_the_tables_of_the_models(record: Record) -> None:
    with record.engine.connect() as connection:
        context = alembic.migration.MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_again_changes_nothing(record: Record, record_url: str) -> None:
    def tables() -> dict[str, list[str]]:
        found = sa.inspect(record.engine)
        return {name: [c["name"] for c in found.get_columns(name)] for name in found.get_table_names()}

    before = tables()
    migrate(record_url)
    assert tables() == before
    assert before.keys() == Base.metadata.tables.keys() | {"alembic_version"}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE journal SET what = 'something else'",
        "UPDATE journal SET details = '{}'",
        "DELETE FROM journal",
    ],
)
def test_the_database_itself_refuses_to_change_the_journal(entry: Record, change: str) -> None:
    with (
        pytest.raises(sa.exc.DatabaseError, match="the journal is append-only"),
        entry.writing() as session,
    ):
        session.execute(sa.text(change))


@pytest.mark.parametrize("record_url", ["postgresql"], indirect=True)
def test_the_journal_can_not_be_emptied_at_one_stroke_either(entry: Record) -> None:
    with (
        pytest.raises(sa.exc.DatabaseError, match="the journal is append-only"),
        entry.writing() as session,
    ):
        session.execute(sa.text("TRUNCATE journal"))


def test_nothing_refers_to_what_is_not_there(record: Record) -> None:
    astray = School(
        id="S-1", name="School", country="PL", organisation="NSS-NONE", city="Łódź",
        registered_on=NOW.date(), principal_name="Head", principal_email="head@s.example",
    )  # fmt: skip
    with pytest.raises(sa.exc.IntegrityError), record.writing() as session:
        session.add(astray)


def test_a_transaction_that_fails_leaves_nothing_behind(record: Record) -> None:
    def half(session: Session) -> None:
        session.add(Journal(at=NOW, who="system", what="half", details={}))
        session.flush()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), record.writing() as session:
        half(session)
    with record.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Journal)) == 0


@only_sqlite
def test_sqlite_is_set_up_for_many_processes_on_every_connection(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_connect = inspect.unwrap(labels.record.engine._on_connect)
    monkeypatch.setattr(labels.record.engine, "_on_connect", on_connect)
    record = open_record(settings)
    expected = {"journal_mode": "wal", "busy_timeout": BUSY_TIMEOUT_MS, "foreign_keys": 1, "synchronous": 2}
    with record.engine.connect() as one, record.engine.connect() as other:
        for connection in (one, other):
            found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in expected}
            assert found == expected


def test_the_files_of_migrations_are_named_after_their_revisions() -> None:
    script = alembic.script.ScriptDirectory(str(MIGRATIONS))
    assert [one.revision for one in script.walk_revisions()] == revisions()[::-1]


def test_a_record_of_a_newer_version_is_told_and_left_alone(record: Record, settings: Settings) -> None:
    with record.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    close_records()
    with pytest.raises(OutOfReach, match=r"newer version than this one \(9999; .*Nothing was changed"):
        open_record(settings)
    engine = open_engine(settings.record_url)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == "9999"
    engine.dispose()


@only_sqlite
def test_a_record_is_opened_once_and_anew_after_it_was_closed(settings: Settings) -> None:
    first = open_record(settings)
    assert open_record(settings) is first
    close_records()
    again = open_record(settings)
    assert again is not first
    with again.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Journal)) == 0


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "record.db"
    path.write_text("Dear colleague, this is a letter and no database.\n" * 100)
    with pytest.raises(OutOfReach, match=r"file is not a database\. Nothing was changed"):
        migrate(f"sqlite:///{path}")
    assert path.read_text().startswith("Dear colleague")


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutOfReach, match=r"record is out of reach: .*file"):
        migrate(f"sqlite:///{tmp_path / 'file' / 'below' / 'record.db'}")


@pytest.mark.parametrize(
    "url", ["", "record.db", "mysql://ada:hush@db.example/labels", "postgresql://ada:hush@db:port/labels"]
)
def test_a_url_of_no_known_database_is_told_without_its_password(url: str) -> None:
    with pytest.raises(InvalidInput, match=r"LABELS_DATABASE_URL: expected sqlite:///file") as told:
        open_engine(url)
    assert "hush" not in str(told.value)


@pytest.mark.slow
def test_a_form_that_was_kept_at_an_address_is_its_only_readers_and_nobodys_of_several(
    tmp_path: Path,
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'record.db'}")
    upgrade(engine, "0023")
    with engine.begin() as connection:
        for who, address in (("A", "a@x.example"), ("B", "shared@x.example"), ("C", "shared@x.example")):
            connection.execute(
                sa.text(
                    f"INSERT INTO person (id, name, address, language) VALUES ('{who}', '{who}', '{address}', 'en')"
                )
            )
        connection.execute(
            sa.text(
                "INSERT INTO address (person, address, since, until) VALUES ('A', 'a2@x.example', NULL, NULL)"
            )
        )
        for address, at in (
            ("a@x.example", 1),
            ("a2@x.example", 2),
            ("shared@x.example", 3),
            ("gone@x.example", 4),
        ):
            connection.execute(
                sa.text(f"INSERT INTO kept_form VALUES ('{address}', '/p', '{{}}', '2026-01-0{at} 00:00:00')")
            )
    upgrade(engine)
    with engine.connect() as connection:
        kept = connection.execute(sa.text("SELECT person, page, kept_at FROM kept_form")).all()
    assert [tuple(row) for row in kept] == [("A", "/p", "2026-01-02 00:00:00")]
    engine.dispose()


@pytest.mark.slow
def test_a_record_of_an_earlier_version_keeps_its_rows(tmp_path: Path) -> None:
    """On SQLite a changed table is made anew, while others point at it and the journal refuses deletion."""
    engine = open_engine(f"sqlite:///{tmp_path / 'record.db'}")
    upgrade(engine, "0001")
    with engine.begin() as connection:
        for statement in _ONE_APPLICATION_IN_THE_FIRST_RECORD:
            connection.execute(sa.text(statement))
    upgrade(engine)
    with engine.connect() as connection:
        assert [
            tuple(row) for row in connection.execute(sa.text("SELECT what, application FROM journal"))
        ] == [("submitted", "NQL-1")]
        assert [tuple(row) for row in connection.execute(sa.text("SELECT id, school FROM application"))] == [
            ("NQL-1", "S")
        ]
        assert connection.execute(sa.text("PRAGMA foreign_keys")).scalar() == 1
        with pytest.raises(sa.exc.IntegrityError):
            connection.execute(sa.text("DELETE FROM application"))
    engine.dispose()


@pytest.mark.slow
def test_drafts_of_an_earlier_version_say_what_each_save_changed_and_who_made_it(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'record.db'}")
    upgrade(engine, "0001")
    with engine.begin() as connection:
        for statement in _ONE_APPLICATION_IN_THE_FIRST_RECORD:
            connection.execute(sa.text(statement))
    upgrade(engine, "0033")
    first = {
        "confirmed": {"members": True, "events": False},
        "answers": {"p": {"q": {"level": 0, "text": ""}}},
    }
    second = {
        "confirmed": {},
        "answers": {"p": {"q": {"level": 0, "text": "So."}}},
        "links": ["https://s.example"],
    }
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO person VALUES ('PER-S', 'S', 's@x.example', 'en')",
            "INSERT INTO step (id, application, kind, number, instance, seat, person, state, opened_at, code_hash,"
            " code_number, code_failures) VALUES ('STEP-1', 'NQL-1', 'self-assessment', 1, 1, 1, 'PER-S', 'open',"
            " '2026-01-01 00:00:00', '', 1, 0)",
        ):
            connection.execute(sa.text(statement))
        insert = sa.text("INSERT INTO draft VALUES ('NQL-1', :number, :author, '2026-01-01 00:00:00', :body)")
        for number, author, body in ((1, "s@x.example", first), (2, "nobody@x.example", second)):
            connection.execute(insert, {"number": number, "author": author, "body": json.dumps(body)})
    upgrade(engine)
    with Session(engine) as session:
        rows = session.scalars(sa.select(Draft).order_by(Draft.number)).all()
        assert [(one.author, one.person) for one in rows] == [
            ("s@x.example", "PER-S"),
            ("nobody@x.example", None),
        ]
        assert [one.changed for one in rows] == [
            {"confirmed": {"members": True}, "answers": {"p": {"q": {"level": 0}}}},
            {
                "confirmed": {"members": None},
                "answers": {"p": {"q": {"text": "So."}}},
                "links": ["https://s.example"],
            },
        ]
    engine.dispose()


def test_whole_drafts_that_were_refused_are_nobodys_own_words_beside_the_shared_one(record: Record) -> None:
    school = SchoolApplying(record)
    first, second = school.open(StepKind.SELF_ASSESSMENT)
    own = {"links": ["https://mine.example"]}
    by = SignedIn(first.person, "mail code", school.now)

    def migrate() -> list[Any]:
        with record.writing() as session:
            session.get_one(Step, first.id).draft = whole().model_dump(mode="json")
            session.get_one(Step, second.id).draft = own
        migration = importlib.import_module("labels.record.migrations.versions.0039_no_whole_drafts_as_own")
        with record.engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
            migration.upgrade()
        return [one.draft for one in school.open(StepKind.SELF_ASSESSMENT)]

    assert migrate() == [whole().model_dump(mode="json"), own], (
        "nobody has saved, so it is what is gone on from"
    )
    school.do(accepting.save_draft, first.id, by, whole())
    assert migrate() == [None, own]


@pytest.mark.slow
def test_documents_of_an_earlier_version_are_linked_to_what_they_are_for(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'record.db'}")
    upgrade(engine, "0009")
    with engine.begin() as connection:
        for statement in _DOCUMENTS_KNOWN_BY_THEIR_NAMES:
            connection.execute(sa.text(statement))
    upgrade(engine)
    with engine.connect() as connection:
        linked = connection.execute(sa.text("SELECT name, meets, award, paper FROM document ORDER BY id"))
        assert [tuple(row) for row in linked] == [
            ("Safety-rules.pdf", "safety", None, None),
            ("timetable.pdf", None, None, None),
            ("certificate-SL-1.pdf", None, "SL-1", "certificate/SL-1/1"),
            ("certificate-EQL-1.pdf", None, "EQL-1", "certificate/EQL-1/1"),
            ("certificate-EQL-1-edition-2.pdf", None, "EQL-1", "certificate/EQL-1/2"),
            ("certificate-EQL-9.pdf", None, None, None),
            ("safety.pdf", None, None, None),
            ("letter-SL-1.pdf", None, None, "letter/SL-1/1"),
            ("letter-NQL-1-2.pdf", None, None, "letter/NQL-1/2"),
        ]
    engine.dispose()


@pytest.mark.slow
def test_mail_of_an_earlier_version_waits_for_its_papers_still(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'record.db'}")
    upgrade(engine, "0009")
    with engine.begin() as connection:
        for statement in [*_DOCUMENTS_KNOWN_BY_THEIR_NAMES, *_MAIL_THAT_NAMES_FILES]:
            connection.execute(sa.text(statement))
    upgrade(engine)
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT reason, attachment, second_attachment FROM mail"))
        assert {row.reason: tuple(filter(None, row[1:])) for row in rows} == {
            "award": ("certificate/SL-1/1", "letter/SL-1/1"),
            "appeal": ("certificate/NQL-1/1", "letter/NQL-1/2"),
            "corrected": ("certificate/EQL-1/2",),
            "european": ("certificate/EQL-7/1",),
            "receipt": ("receipt/NQL-1/1",),
            "sent": ("receipt",),
        }
    engine.dispose()


@pytest.mark.slow
def test_mail_of_an_earlier_version_tells_values(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'record.db'}")
    upgrade(engine, "0009")
    with engine.begin() as connection:
        for statement in [*_DOCUMENTS_KNOWN_BY_THEIR_NAMES, *_MAIL_THAT_NAMES_FILES]:
            connection.execute(sa.text(statement))
        connection.execute(
            sa.text("UPDATE mail SET template = 'refused', context = :context WHERE reason = 'award'"),
            {"context": json.dumps(TEXTS["refused"])},
        )
    upgrade(engine)
    with engine.connect() as connection:
        rows = dict(connection.execute(sa.text("SELECT reason, context FROM mail")).tuples().all())
    assert json.loads(rows["award"]) == FORMER["refused"]
    assert json.loads(rows["sent"]) == {}, "what went out is not looked at again"
    engine.dispose()


@pytest.mark.slow
def test_everybody_of_an_earlier_version_is_a_person(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'record.db'}")
    upgrade(engine, "0012")
    with engine.begin() as connection:
        for statement in _PEOPLE_KNOWN_BY_THEIR_ADDRESSES:
            connection.execute(sa.text(statement))
    upgrade(engine)
    with engine.connect() as connection:
        persons = {
            str(row.id): (row.name, row.address, row.language)
            for row in connection.execute(sa.text("SELECT * FROM person"))
        }
        of = {
            what: [
                str(one)
                for one in connection.scalars(sa.text(f"SELECT {column} FROM {table} ORDER BY {key}"))
            ]
            for what, column, table, key in (
                ("teachers", "person", "teacher", "id"),
                ("staff", "person", "staff", "email, role"),
                ("principals", "principal", "school", "id"),
                ("mailboxes", "person", "organisation", "id"),
            )
        }
    engine.dispose()
    assert of["teachers"] == ["PER-T-T", "PER-T-U"], "two teachers are two people, whatever they share"
    assert of["mailboxes"] == ["PER-O-NSS-X"]
    assert of["principals"] == ["PER-S-S"]
    reviewer, coordinates, reviews, teaches = of["staff"]
    assert coordinates == reviews, "who has two roles is one person"
    assert teaches == "PER-T-U", "who teaches with the same name and address is that teacher"
    assert reviewer == person_id("a@x.example", "A")
    assert persons == {
        "PER-T-T": ("T", "t@example.org", "en"),
        "PER-T-U": ("U", "t@example.org", "fr"),
        "PER-O-NSS-X": ("X", "x@example.org", "en"),
        "PER-S-S": ("P", "p@example.org", "en"),
        reviewer: ("A", "a@x.example", "pl"),
        reviews: ("B", "b@x.example", "pl"),
    }


@pytest.mark.slow
def test_the_staff_of_an_earlier_version_is_on_the_staff(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'record.db'}")
    upgrade(engine, "0023")
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO person VALUES ('PER-A', 'A', 'a@x.example', 'pl')",
            "INSERT INTO organisation (id, country, kind, name, email, language, person)"
            " VALUES ('NSS-X', 'PL', 'NSS', 'X', 'x@example.org', 'en', 'PER-A')",
            "INSERT INTO staff (email, role, name, organisation, language, school, person)"
            " VALUES ('a@x.example', 'reviewer', 'A', 'NSS-X', 'pl', NULL, 'PER-A')",
        ):
            connection.execute(sa.text(statement))
    upgrade(engine)
    with Session(engine) as session:
        row = session.get_one(Staff, ("a@x.example", "reviewer"))
        assert (row.person, row.id, row.left_on, row.left_by) == ("PER-A", None, None, None)
        assert session.scalars(sa.select(FormerStaff)).all() == []
    engine.dispose()


@pytest.mark.slow
def test_what_was_asked_of_addresses_is_asked_of_their_people(tmp_path: Path) -> None:
    """A case of every kind of step, of the time when the record knew addresses: corrected ones and orphans too."""
    engine = open_engine(f"sqlite:///{tmp_path / 'record.db'}")
    upgrade(engine, "0012")
    with engine.begin() as connection:
        for statement in _ASKED_OF_ADDRESSES:
            connection.execute(sa.text(statement))
    upgrade(engine)
    gone = person_id("gone@x.example", "gone@x.example")
    with engine.connect() as connection:

        def rows(query: str) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in connection.execute(sa.text(query))]

        assert dict(rows("SELECT id, person FROM step ORDER BY id")) == {
            "STEP-assignment": person_id("b@x.example", "B"),
            "STEP-appeal": "PER-T-T",
            "STEP-awarding": "PER-O-NSS-X",
            "STEP-coordination": person_id("b@x.example", "B"),
            "STEP-declaration": "PER-S-S",
            "STEP-information": "PER-T-T",
            "STEP-review": person_id("a@x.example", "A"),
            "STEP-review-2": gone,
            "STEP-screening": person_id("b@x.example", "B"),
            "STEP-self-assessment": "PER-T-U",
            "STEP-withdrawal": "PER-T-T",
        }
        assert rows("SELECT person, kind, target FROM conflict ORDER BY id") == [
            (person_id("a@x.example", "A"), "teacher", "T"),
            (gone, "teacher", "T"),
        ]
        assert rows("SELECT subject, kind, person FROM notice ORDER BY subject, kind") == [
            ("STEP-review", "7 days before", person_id("a@x.example", "A")),
            ("STEP-review", "overdue", person_id("b@x.example", "B")),
        ]
        assert rows("SELECT reason, person FROM mail ORDER BY reason") == [
            ("digest/a", person_id("a@x.example", "A")),
            ("digest/b", person_id("b@x.example", "B")),
            ("to a stranger", None),
        ]
        due = "SELECT sql FROM sqlite_master WHERE name = 'ix_step_due'"
        assert "WHERE state = 'open'" in str(rows(due)), "the index is still one over open steps"
    record = Record(engine)
    with record.reading() as session:
        review = session.get_one(Step, "STEP-review")
        assert (review.assignee, review.state) == ("a@x.example", StepState.OPEN)
    engine.dispose()


_SCHOOL_AND_RULES = [
    "INSERT INTO organisation VALUES ('NSS-X', 'XX', 'NSS', 'X', 'x@example.org', 'en')",
    "INSERT INTO school VALUES ('S', 'S', 'XX', 'NSS-X', 'C', '2020-01-01', 'P', 'p@example.org')",
    "INSERT INTO teacher VALUES ('T', 'T', 't@example.org', 'S', '2020-01-01', 'en')",
    "INSERT INTO rule_text VALUES ('d', '2026/NSS-X', '{}')",
]
_STAFF = "INSERT INTO staff VALUES ('{email}', '{role}', '{name}', 'NSS-X', 'pl', NULL)"
_PEOPLE_KNOWN_BY_THEIR_ADDRESSES = [
    *_SCHOOL_AND_RULES,
    "INSERT INTO teacher VALUES ('U', 'U', 'T@example.org', 'S', '2020-01-01', 'fr')",
    _STAFF.format(email="a@x.example", role="reviewer", name="A"),
    _STAFF.format(email="b@x.example", role="reviewer", name="B"),
    _STAFF.format(email="b@x.example", role="coordinator", name="B"),
    _STAFF.format(email="t@example.org", role="reviewer", name="U"),
]
_ASKED = (
    "INSERT INTO step (id, application, kind, number, instance, seat, assignee, state, opened_at, code_hash, code_number,"
    " code_failures) VALUES ('STEP-{name}', '{of}', '{kind}', 1, 1, 1, '{who}', 'open', '2026-01-01 00:00:00', 'h', 1, 0)"
)
_QUEUED = (
    "INSERT INTO mail (reason, template, language, to_name, to_address, context, message_id, queued_at, next_attempt_at,"
    " attempts) VALUES ('{reason}', 'reminder', 'en', '{name}', '{to}', '{{}}', 'm', '2026-01-01 00:00:00',"
    " '2026-01-01 00:00:00', 0)"
)
_APPLICATION = (
    "INSERT INTO application (id, label, school, organisation, country, language, attempt, instance, content,"
    " content_digest, rules, submitted_at, school_year, stage, stage_since, revision, parked_revision, runs) VALUES"
    " ('{id}', '{label}', 'S', 'NSS-X', 'XX', 'en', 1, 1, '{{}}', 'c', 'd', '2026-01-01 00:00:00', 2025,"
    " 'closed', '2026-01-01 00:00:00', 1, 0, 0)"
)
_AWARD = "INSERT INTO award (id, label, organisation, awarded_on) VALUES ('{id}', '{label}', 'NSS-X', '2026-01-01')"
_DOCUMENT = (
    "INSERT INTO document (application, kind, name, key, media_type, size, stored_at)"
    " VALUES ('{of}', '{kind}', '{name}', 'k', 'application/pdf', 1, '2026-01-01 00:00:00')"
)
_DOCUMENTS_KNOWN_BY_THEIR_NAMES = [
    *_SCHOOL_AND_RULES,
    _APPLICATION.format(id="SL-1", label="school"),
    _APPLICATION.format(id="CYC-1", label="european"),
    _APPLICATION.format(id="NQL-1", label="national"),
    _AWARD.format(id="SL-1", label="school"),
    _AWARD.format(id="EQL-1", label="european"),
    _DOCUMENT.format(of="SL-1", kind="evidence", name="Safety-rules.pdf"),
    _DOCUMENT.format(of="SL-1", kind="evidence", name="timetable.pdf"),
    _DOCUMENT.format(of="SL-1", kind="certificate", name="certificate-SL-1.pdf"),
    _DOCUMENT.format(of="CYC-1", kind="certificate", name="certificate-EQL-1.pdf"),
    _DOCUMENT.format(of="CYC-1", kind="certificate", name="certificate-EQL-1-edition-2.pdf"),
    _DOCUMENT.format(of="CYC-1", kind="certificate", name="certificate-EQL-9.pdf"),
    _DOCUMENT.format(of="NQL-1", kind="evidence", name="safety.pdf"),
    _DOCUMENT.format(of="SL-1", kind="letter", name="letter-SL-1.pdf"),
    _DOCUMENT.format(of="NQL-1", kind="letter", name="letter-NQL-1-2.pdf"),
]

_MAIL = (
    "INSERT INTO mail (reason, application, template, language, to_name, to_address, context, attachment,"
    " second_attachment, message_id, queued_at, next_attempt_at, attempts, sent_at)"
    " VALUES ('{reason}', '{of}', 'awarded', 'en', 'T', 't@x', '{{}}', '{first}', {second}, '{reason}',"
    " '2026-01-01 00:00:00', '2026-01-01 00:00:00', 0, {sent})"
)
_MAIL_THAT_NAMES_FILES = [
    _MAIL.format(reason="award", of="SL-1", first="certificate", second="'letter'", sent="NULL"),
    _MAIL.format(
        reason="appeal", of="NQL-1", first="certificate", second="'letter/letter-NQL-1-2.pdf'", sent="NULL"
    ),
    _MAIL.format(
        reason="corrected",
        of="CYC-1",
        first="certificate/certificate-EQL-1-edition-2.pdf",
        second="NULL",
        sent="NULL",
    ),
    _MAIL.format(
        reason="european", of="CYC-1", first="certificate/certificate-EQL-7.pdf", second="NULL", sent="NULL"
    ),
    _MAIL.format(reason="receipt", of="NQL-1", first="receipt", second="NULL", sent="NULL"),
    _MAIL.format(reason="sent", of="NQL-1", first="receipt", second="NULL", sent="'2026-01-01 00:00:00'"),
]

_ASKED_OF_ADDRESSES = [
    *_PEOPLE_KNOWN_BY_THEIR_ADDRESSES,
    _APPLICATION.format(id="NQL-1", label="national"),
    "UPDATE application SET teacher = 'T' WHERE id = 'NQL-1'",
    _APPLICATION.format(id="SL-1", label="school"),
    *(
        _ASKED.format(name=name or kind, kind=kind, of=of, who=who)
        for name, kind, of, who in (
            ("", "review", "NQL-1", "a@x.example"),
            ("review-2", "review", "SL-1", "gone@x.example"),
            ("", "information", "NQL-1", "former@example.org"),
            ("", "withdrawal", "NQL-1", "t@example.org"),
            ("", "appeal", "NQL-1", "former@example.org"),
            ("", "assignment", "NQL-1", "b@x.example"),
            ("", "coordination", "NQL-1", "b@x.example"),
            ("", "screening", "NQL-1", "b@x.example"),
            ("", "awarding", "NQL-1", "x@example.org"),
            ("", "self-assessment", "SL-1", "u@example.org"),
            ("", "declaration", "SL-1", "p@example.org"),
        )
    ),
    "UPDATE teacher SET email = 'u@example.org' WHERE id = 'U'",
    *(
        f"INSERT INTO conflict (email, kind, target, reason, declared_by, declared_at)"
        f" VALUES ('{who}', 'teacher', 'T', 'Cousins.', '{who}', '2026-01-01 00:00:00')"
        for who in ("a@x.example", "gone@x.example")
    ),
    _QUEUED.format(reason="digest/a", name="A", to="a@x.example"),
    _QUEUED.format(reason="digest/b", name="B", to="b@x.example"),
    _QUEUED.format(reason="to a stranger", name="Z", to="z@x.example"),
    *(
        f"INSERT INTO notice VALUES ('STEP-review', '{kind}', '2026-02-01', '{who}@x.example', 'digest/{who}',"
        " '2026-01-25 00:00:00')"
        for kind, who in (("7 days before", "a"), ("overdue", "b"))
    ),
]

_ONE_APPLICATION_IN_THE_FIRST_RECORD = [
    *_SCHOOL_AND_RULES,
    "INSERT INTO application VALUES ('NQL-1', 'national', 'T', NULL, 'S', 'NSS-X', 'XX', 'en', 1, 1, '{}', 'c', 'd',"
    " '2026-01-01 00:00:00', 2025, NULL, NULL, 'submitted', '2026-01-01 00:00:00', NULL, 1, 0, NULL, 0)",
    "INSERT INTO journal (at, who, what, application, details)"
    " VALUES ('2026-01-01 00:00:00', 't@example.org', 'submitted', 'NQL-1', '{}')",
]


class _Lost(sqlite3.OperationalError):
    """What a driver says when the server went away."""


def test_where_the_answer_to_a_commit_is_lost_nobody_says_that_nothing_was_changed(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    def commit(_: Session) -> None:
        raise sa.exc.OperationalError("COMMIT", {}, _Lost("server closed the connection unexpectedly"))

    with monkeypatch.context() as patch:
        patch.setattr(Session, "commit", commit)
        with pytest.raises(OutOfReach) as lost, record.writing() as session:
            session.execute(sa.text("SELECT 1"))
    assert "It is not known whether this was recorded" in str(lost.value)
    assert "Nothing was changed" not in str(lost.value)
    with pytest.raises(OutOfReach, match="Nothing was changed"), record.writing() as session:
        raise sa.exc.OperationalError("UPDATE", {}, _Lost("server closed the connection unexpectedly"))
