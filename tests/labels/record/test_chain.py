"""The journal's chain, on either database: whatever is changed behind the triggers is named, and a copy that ends
early is told from a head that was given out."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.papers.issued import DuePaper, MadePaper, enter, marked, revoke_papers
from labels.record import Record, chain, chain_export, sealing
from labels.record.chain import Finding, Head
from labels.record.digests import TOLD_OF
from labels.record.engine import close_records, open_engine
from labels.record.journal import SYSTEM, Event, entry
from labels.record.migrating import upgrade
from labels.record.rows import write
from labels.record.schema import Journal, Outcome, PaperKind, Review, SealedEntry
from labels.reviews import asking
from labels.turn import Turn
from tests.support.case import Case, decided
from tests.support.papers import certificate
from tests.support.people import KEY, NOW, STAMP

GUARDS = {
    "journal": ("no_update", "no_delete", "no_replacement"),
    "sealed_entry": ("no_update", "no_delete", "no_replacement"),
    "seal": ("no_update", "no_delete", "no_replacement"),
}


@contextmanager
def unguarded(record: Record) -> Iterator[Session]:
    """A transaction of somebody who may do anything to the database, and takes its triggers away first."""
    with record.writing() as session:
        if session.get_bind().dialect.name == "sqlite":
            for table, names in GUARDS.items():
                for name in names:
                    session.execute(sa.text(f"DROP TRIGGER {table}_{name}"))
            session.execute(sa.text("PRAGMA defer_foreign_keys=ON"))
        else:
            session.execute(sa.text("SET LOCAL session_replication_role = replica"))
        yield session


def findings(record: Record, *heads: Head) -> list[Finding]:
    with record.reading() as session:
        return chain_export.verify(session, list(heads))[1]


@pytest.fixture
def kept(case: Case) -> Case:
    """An application that was awarded and whose certificate was issued; all of its journal is sealed."""
    assert decided(case, 4) is Outcome.AWARDED
    facts = marked(certificate(application=case.id), PaperKind.CERTIFICATE, 1, STAMP)
    due = DuePaper(PaperKind.CERTIFICATE, case.id, "certificate.pdf", 1, facts, False)
    assert case.do(enter, due, MadePaper(key="sha256/aa/aa", size=7, digest="a" * 64, signer=None))
    sealing.seal(case.record, now=NOW)
    assert findings(case.record) == []
    return case


def number_of(record: Record, event: Event) -> int:
    with record.reading() as session:
        return session.scalars(sa.select(Journal.id).where(Journal.what == event)).all()[-1]


Tampering = Callable[[Session, int, int], None]
"""What somebody does, given the numbers of the entry of the review and of the decision."""


def _run(*statements: str) -> Tampering:
    def tamper(session: Session, review: int, decision: int) -> None:
        for statement in statements:
            session.execute(sa.text(statement), {"review": review, "decision": decision})

    return tamper


EXCHANGED = _run(
    "UPDATE journal SET id = -1 WHERE id = :review",
    "UPDATE journal SET id = :review WHERE id = :decision",
    "UPDATE journal SET id = :decision WHERE id = -1",
)
TAMPERED = {
    "the one who did it is another": (
        _run("UPDATE journal SET who = 'nobody@nss.example' WHERE id = :review"),
        "entry {review} (reviewed, ",
        "it is not as it was sealed",
    ),
    "it was done at another time": (
        _run("UPDATE journal SET at = '2026-03-01 09:00:00' WHERE id = :decision"),
        "entry {decision} (awarded, ",
        "it is not as it was sealed",
    ),
    "an entry is removed": (_run("DELETE FROM journal WHERE id = :review"), "entry {review}", "it was removed"),
    "an entry is removed with its seal": (
        _run("DELETE FROM journal WHERE id = :review", "DELETE FROM sealed_entry WHERE entry = :review"),
        "position {review}",
        "its seal was removed",
    ),
    "two entries are exchanged": (
        EXCHANGED,
        "entry {review}",
        "it was exchanged with entry {decision}: each is what the other was",
    ),
    "an entry is inserted": (
        _run(
            "INSERT INTO journal (id, at, who, what, details)"
            " VALUES (0, '2026-03-16 09:00:00', 'system', 'closed', '{}')"
        ),
        "entry 0 (closed, ",
        "it was inserted",
    ),
    "points of a review are changed": (
        _run("UPDATE review SET scores = '{\"results\": 1}' WHERE step = (SELECT min(step) FROM review)"),
        "review/",
        "it is not as entry ",
    ),
    "a comment of a review is changed": (
        _run("UPDATE review SET comment = 'Not so good.'"), "review/", "it is not as entry ",
    ),
    "a review no longer counts": (
        _run("UPDATE review SET void_at = '2026-03-16 09:00:00'"), "review/", "no entry tells of it",
    ),
    "a review is removed": (
        _run("DELETE FROM review WHERE step = (SELECT min(step) FROM review)"), "review/", "it was removed; entry",
    ),
    "a review is inserted": (
        _run(
            "INSERT INTO review (step, application, instance, reviewer, scores, comment, note, given_at,"
            " documents_digest) SELECT (SELECT min(id) FROM step WHERE kind = 'withdrawal'), application,"
            " instance, 'a@b.example', scores, '', '', given_at, documents_digest FROM review LIMIT 1"
        ),
        "review/",
        "no entry tells of it",
    ),
    "a decision is another": (
        _run("UPDATE decision SET outcome = 'refused'"), "decision/", "it is not as entry {decision} (awarded, ",
    ),
    "a reason of a decision is another": (
        _run("UPDATE decision SET verdict = '{}'"), "decision/", "it is not as entry {decision} (awarded, ",
    ),
    "a paper is of somebody else": (
        _run("UPDATE issued SET facts = '{\"holder\": \"Somebody Else\"}'"), "certificate/", "it is not as entry",
    ),
    "a revoked paper counts again": (
        _run("UPDATE issued SET revoked_at = NULL"), "certificate/", "it was removed; entry",
    ),
    "a seal is another": (
        _run("UPDATE seal SET head = '00' WHERE number = 1"), "batch 1 ", "it is not as it was written",
    ),
}  # fmt: skip


@pytest.mark.sampled
@pytest.mark.parametrize("how", TAMPERED)
def test_whatever_is_changed_behind_the_triggers_is_named(kept: Case, how: str) -> None:
    tamper, what, problem = TAMPERED[how]
    kept.do_as("c@nss.example", _revoked, kept.id)
    sealing.seal(kept.record, now=NOW)
    numbers = {
        "review": number_of(kept.record, Event.REVIEWED),
        "decision": number_of(kept.record, Event.AWARDED),
    }
    assert findings(kept.record) == []
    with unguarded(kept.record) as session:
        tamper(session, numbers["review"], numbers["decision"])
    first = findings(kept.record)[0]
    assert first.what.startswith(what.format(**numbers)), first
    assert problem.format(**numbers) in first.problem


def _revoked(turn: Turn, application: str) -> None:
    digests = revoke_papers(turn, application, "Copied.")
    write(
        turn.session, Journal, entry(turn, application, turn.by, Event.REVOKED, digests=digests)
    )  # the paper's award is none of the record's own here


def test_a_tail_that_was_cut_off_is_told_by_a_head_that_was_given_out(kept: Case) -> None:
    given = sealing.seal(kept.record, now=NOW).given_out
    with unguarded(kept.record) as session:
        for table, column in (("journal", "id"), ("sealed_entry", "entry")):
            session.execute(sa.text(f"DELETE FROM {table} WHERE {column} >= :n"), {"n": given.position - 1})
        session.execute(sa.text("DELETE FROM seal"))
        if session.get_bind().dialect.name == "sqlite":
            session.execute(sa.text("DELETE FROM sqlite_sequence"))
    found = findings(kept.record, given)
    assert found[0].what == f"the head {given}"
    assert "it was cut off, or this is an older copy" in found[0].problem


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_sqlite_tells_of_entries_cut_off_before_they_were_sealed(kept: Case) -> None:
    kept.do(_closed_again, kept.id)
    with unguarded(kept.record) as session:
        session.execute(sa.text("DELETE FROM journal WHERE id = (SELECT max(id) FROM journal)"))
    assert "the database has numbered up to" in findings(kept.record)[0].problem


def _closed_again(turn: Turn, application: str) -> None:
    write(turn.session, Journal, entry(turn, application, SYSTEM, Event.CLOSED))


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_an_older_copy_of_the_record_is_told_by_a_head_that_was_given_out(kept: Case, tmp_path: Path) -> None:
    close_records()
    shutil.copyfile(tmp_path / "record.db", tmp_path / "older.db")
    kept.do(_closed_again, kept.id)
    given = sealing.seal(kept.record, now=NOW).given_out
    assert findings(kept.record, given) == []
    older = Record(open_engine(f"sqlite:///{tmp_path / 'older.db'}"))
    assert findings(older) == []
    assert "this is an older copy of the record" in findings(older, given)[0].problem
    older.engine.dispose()


def test_a_chain_that_was_written_anew_is_told_by_the_short_head_on_a_letter(kept: Case) -> None:
    given = sealing.seal(kept.record, now=NOW)
    on_paper = Head.read(chain.head_in_words(given.position, given.head, chain.SHORTEST).upper())
    assert findings(kept.record, on_paper) == []
    with unguarded(kept.record) as session:
        session.execute(sa.text("UPDATE journal SET who = 'nobody' WHERE id = 1"))
        session.execute(sa.text("DELETE FROM sealed_entry"))
        session.execute(sa.text("DELETE FROM seal"))
    again = sealing.seal(kept.record, now=NOW)
    assert again.position == given.position
    assert findings(kept.record) == []
    assert "were written anew" in findings(kept.record, on_paper)[0].problem


@pytest.mark.parametrize(
    "change",
    [
        "INSERT OR REPLACE INTO journal (id, at, who, what, details) VALUES (1, '2026-03-16', 'x', 'x', '{}')",
        "REPLACE INTO sealed_entry (position, entry, link, salts) VALUES (1, 1, x'00', x'00')",
        "UPDATE OR REPLACE journal SET id = 2 WHERE id = 1",
    ],
)
@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_nothing_is_replaced_on_sqlite(kept: Case, change: str) -> None:
    with pytest.raises(sa.exc.DatabaseError, match="append-only"), kept.record.writing() as session:
        session.execute(sa.text(change))
    assert findings(kept.record) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE sealed_entry SET salts = link",
        "UPDATE sealed_entry SET link = salts",
        "DELETE FROM sealed_entry",
        "UPDATE seal SET head = ''",
        "DELETE FROM seal",
    ],
)
def test_the_database_itself_refuses_to_change_the_chain(kept: Case, change: str) -> None:
    with (
        pytest.raises(sa.exc.DatabaseError, match="the chain of the journal is append-only"),
        kept.record.writing() as session,
    ):
        session.execute(sa.text(change))


def test_entries_are_sealed_once_in_batches_and_in_order(kept: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BATCH", 3)
    with kept.record.writing() as session:
        turn = Turn(session, NOW + timedelta(hours=1), KEY)
        write(session, Journal, *(entry(turn, None, SYSTEM, Event.CLOSED, number=n) for n in range(10)))
    before = sealing.seal(kept.record, now=NOW).position - 10
    assert before == number_of(kept.record, Event.ISSUED)
    assert sealing.seal(kept.record, now=NOW).entries == 0
    with kept.record.reading() as session:
        sealed = session.execute(
            sa.select(SealedEntry.position, SealedEntry.entry).order_by(SealedEntry.position)
        ).all()
    assert [row.position for row in sealed] == list(range(1, before + 11))
    assert sorted(row.entry for row in sealed) == [row.entry for row in sealed]
    assert findings(kept.record) == []


@pytest.mark.parametrize("record_url", ["postgresql"], indirect=True)
def test_an_entry_that_is_being_written_meanwhile_is_waited_for_and_keeps_its_place(
    kept: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL numbers an entry before it is committed: one with a later number may be there first."""
    monkeypatch.setattr(sealing, "_PATIENCE", 0.0)
    slow = kept.record.writing()
    with slow as session:
        write(session, Journal, entry(Turn(session, NOW, KEY), None, SYSTEM, Event.CLOSED, which="slow"))
        kept.do(_closed_again, kept.id)
        assert sealing.seal(kept.record, now=NOW).entries == 0, "it would get a place before the slow one"
    assert sealing.seal(kept.record, now=NOW).entries == 2
    assert findings(kept.record) == []


def test_a_review_that_was_taken_back_is_told_of(case: Case) -> None:
    [first, *_] = case.ask()
    case.review(first)
    with case.record.writing() as session:
        turn = Turn(session, NOW, KEY)
        step = session.merge(first)
        asking.void_review(turn, session.merge(case.row()), step, "a conflict of interest", SYSTEM)
    sealing.seal(case.record, now=NOW)
    assert findings(case.record) == []
    with case.record.writing() as session:
        session.execute(sa.update(Review).values(void_at=None))
    assert findings(case.record)[0].what == f"review/{first.id}/void"


def test_what_was_there_before_the_chain_is_told_of_by_its_first_seal(case: Case) -> None:
    decided(case, 4)
    with unguarded(case.record) as session:
        for kind in TOLD_OF:
            session.execute(sa.update(kind.table).values(salts=None))
        for row in session.execute(sa.select(Journal.id, Journal.details)).all():
            former = {name: one for name, one in row.details.items() if name != chain.DIGESTS}
            session.execute(sa.update(Journal).where(Journal.id == row.id).values(details=former))
    assert findings(case.record) == []
    sealing.seal(case.record, now=NOW)
    assert findings(case.record) == []
    with case.record.writing() as session:
        session.execute(sa.text("UPDATE decision SET outcome = 'refused'"))
    assert Event.TOLD_OF_FORMER_ROWS in findings(case.record)[0].problem


def test_a_row_that_nobody_told_of_is_not_taken_in_by_a_later_seal(kept: Case) -> None:
    with kept.record.writing() as session:
        session.execute(sa.text("UPDATE review SET salts = NULL"))
    sealing.seal(kept.record, now=NOW)
    assert "is not as entry" in findings(kept.record)[0].problem


@pytest.mark.slow
def test_a_record_of_before_is_sealed_after_its_migration(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'record.db'}")
    upgrade(engine, "0011")
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO journal (at, who, what, details)"
                " VALUES ('2026-01-01 00:00:00.000000', 'system', 'closed', '{\"a\": [1.0, \"é\"]}')"
            )
        )
    upgrade(engine)
    record = Record(engine)
    assert sealing.seal(record, now=NOW).entries == 1
    assert findings(record) == []
    engine.dispose()


# The verifier of one file --------------------------------------------------------------------------


def run_verifier(export: Path, *heads: str) -> subprocess.CompletedProcess[str]:
    """The verifier on its own, with nothing installed beside Python."""
    alone = export.parent / "alone"
    alone.mkdir(exist_ok=True)
    shutil.copyfile(chain.__file__, alone / "chain.py")
    return subprocess.run(
        [sys.executable, "-I", "-S", str(alone / "chain.py"), str(export), *heads],
        capture_output=True, text=True, check=False, cwd=alone,
    )  # fmt: skip


@pytest.fixture
def exported(kept: Case, tmp_path: Path) -> Path:
    path = tmp_path / "journal.jsonl"
    with kept.record.reading() as session:
        path.write_bytes(b"".join(chain_export.export(session, NOW)))
    return path


def test_an_export_is_verified_by_one_file_of_the_standard_library(kept: Case, exported: Path) -> None:
    head = sealing.seal(kept.record, now=NOW)
    result = run_verifier(exported, str(head))
    assert (result.returncode, result.stdout) == (0, ""), result.stderr
    assert "Everything is as it was written" in result.stderr


def test_an_export_that_was_changed_is_named(exported: Path) -> None:
    rows = [json.loads(line) for line in exported.read_text("utf-8").splitlines()]
    [reviewed, *_] = [row for row in rows if row.get("what") == Event.REVIEWED]
    reviewed["values"]["who"] = "somebody@else.example"
    exported.write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = run_verifier(exported)
    assert result.returncode == chain.NOT_AS_WRITTEN
    assert result.stdout.startswith(f"entry {reviewed['id']} (reviewed, ")


def test_an_export_that_ends_before_a_head_is_told(exported: Path) -> None:
    result = run_verifier(exported, "1000-0123456789abcdef")
    assert result.returncode == chain.NOT_AS_WRITTEN
    assert "an older copy of the record" in result.stdout


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda text: text[: len(text) // 2], "line"),
        (lambda text: "\n".join(text.splitlines()[:-1]) + "\n", "it is cut off after line"),
        (lambda text: "A letter.\n", "line 1 is no JSON"),
        (lambda text: '{"format": "another"}\n', "line 1 is not what an export has there"),
        (lambda text: "", "it is cut off after line 0"),
    ],
)
def test_a_file_that_is_no_export_is_told(exported: Path, spoil: Callable[[str], str], said: str) -> None:
    exported.write_text(spoil(exported.read_text("utf-8")))
    result = run_verifier(exported)
    assert result.returncode == 2
    assert said in result.stderr


def test_what_is_no_head_is_told(exported: Path) -> None:
    result = run_verifier(exported, "12")
    assert result.returncode == 2
    assert "is no head" in result.stderr
