"""`labels revoke` for labels that were awarded elsewhere or earlier, and have no case here."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from labels.record.journal import Event
from labels.record.schema import Award, Conflict, Journal, Mail, OrganisationCode, Person
from labels.steps.codes import review_code
from tests.cli.conftest import COORDINATOR, Terminal
from tests.support.small_registry import write


def organisation_code(terminal: Terminal) -> str:
    """What a coordinator is mailed for one act of their organisation."""
    assert terminal.run("code", "NSS-PL", "--as", COORDINATOR).exit_code == 0
    with terminal.here.record.reading() as session:
        whose = session.scalars(sa.select(Person.id).where(Person.address == COORDINATOR)).one()
        number = session.get_one(OrganisationCode, ("NSS-PL", whose)).number
    return review_code(terminal.here.key, f"NSS-PL/{whose}", number)


def test_a_label_that_was_imported_by_mistake_is_taken_back_by_a_coordinator_of_its_organisation(
    terminal: Terminal, tmp_path: Path
) -> None:
    folder = write(tmp_path / "registry")
    assert terminal.run("import", str(folder)).exit_code == 0
    with terminal.here.record.reading() as session:
        award = session.scalars(sa.select(Award.id).where(Award.label == "national")).one()
    shown = terminal.run("revoke", award)
    assert shown.exit_code == 0, shown.stderr
    assert "labels code NSS-PL --as EMAIL" in shown.stderr
    plan = terminal.json("revoke", award)["plan"]
    given = ("revoke", award, "--plan", plan, "--as", COORDINATOR, "--reason", "It was never awarded.")
    wrong = terminal.run(*given, "--code", "0000000000")
    assert (wrong.exit_code, "The code is not valid" in wrong.stderr) == (3, True)
    done = terminal.run(*given, "--code", organisation_code(terminal))
    assert done.exit_code == 0, done.stderr
    again = terminal.run("revoke", award)
    assert (again.exit_code, "is revoked already" in again.stderr) == (3, True)
    with terminal.here.record.reading() as session:
        taken_back = session.get_one(Award, award).revoked_at
        [entry] = session.scalars(sa.select(Journal).where(Journal.what == Event.REVOKED))
        assert (entry.who, entry.details["award"]) == (COORDINATOR, award)
        assert session.scalars(sa.select(Mail.template).where(Mail.template == "label_revoked")).all()
    assert taken_back is not None
    assert terminal.run("import", str(folder)).exit_code == 0
    with terminal.here.record.reading() as session:
        assert session.get_one(Award, award).revoked_at == taken_back, "a new import does not bring it back"


def test_a_conflict_about_a_label_from_elsewhere_is_refused_because_nobody_judged_it_here(
    terminal: Terminal, tmp_path: Path
) -> None:
    assert terminal.run("import", str(write(tmp_path / "registry"))).exit_code == 0
    with terminal.here.record.reading() as session:
        award = session.scalars(sa.select(Award.id).where(Award.label == "national")).one()
    by = ("--as", COORDINATOR, "--code", organisation_code(terminal), "--reason", "They are cousins.")
    wanted = ("conflict", award, "--reviewer", COORDINATOR, *by)
    for command in (wanted, (*wanted, "--lift"), ("reopen", award, "--cause", "conflict")):
        refused = terminal.run(*command)
        assert refused.exit_code == 4, refused.output
        assert f"{award} was awarded elsewhere or earlier" in refused.stderr
        assert "nobody judged it here" in refused.stderr
    with terminal.here.record.reading() as session:
        assert not session.scalars(sa.select(Conflict)).all()
