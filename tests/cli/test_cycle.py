"""The commands of the European Quality Label's year, on a record without a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from adapters.prefect.markdown import european
from labels.identifiers import european_cycle_id
from labels.record import sealing
from labels.record.chain import SHORTEST, head_in_words
from labels.record.schema import Award, Cycle, CycleProject
from labels.revoking import reopening
from labels.views.invariants import breaches
from labels.views.screening import progress_of
from tests.cli.conftest import COORDINATOR, Terminal
from tests.support.european import (
    OTHER,
    OWN,
    YEAR,
    awarded,
    begun,
    label_id,
    nomination_of,
    populate_year,
    screen,
)


def filled(terminal: Terminal, how: Callable[[Session], Any] = lambda session: None) -> None:
    """The registry of a small year, and what became of it."""
    with terminal.here.record.writing() as session:
        populate_year(session, populated=True)
        how(session)


def test_before_it_has_begun_a_year_is_a_preview_that_changes_nothing(terminal: Terminal) -> None:
    filled(terminal)
    before = terminal.everything()
    view = terminal.json("cycle", str(YEAR))
    assert view["stage"] == "preview"
    [own, other] = view["organisations"]
    assert (own["organisation"], own["labels"], own["proposed"]) == (OWN, 7, 4)
    assert own["ranking"][0]["place"] == 1
    assert own["ranking"][0]["teacher"] == "T-A1"
    assert (other["labels"], other["proposed"]) == (2, 1)
    projects = {one["project"]: one for one in view["projects"]}
    assert projects["P-B"]["why"] == "Proposed by NSS-PL, but it has only 1 of at least 2 labelled partners."
    assert (projects["P-A"]["proposed_by"], projects["P-A"]["labelled_partners"]) == ([OWN, OTHER], 2)
    assert terminal.everything() == before
    assert "has not begun; this is what it would be" in terminal.run("cycle", str(YEAR)).stdout


def test_the_ranking_of_one_organisation_shows_the_tie_at_the_cut(terminal: Terminal) -> None:
    filled(terminal, begun)
    said = terminal.run("cycle", str(YEAR), "--organisation", OWN).stdout
    assert "2 with equal points stand where" in " ".join(said.split())
    assert "no organisation NSS-XX" in terminal.fails(4, "cycle", str(YEAR), "--organisation", "NSS-XX")
    whole = terminal.run("cycle", str(YEAR)).stdout
    assert "stands at screening" in whole
    assert "P-B" in terminal.run("cycle", str(YEAR), "--projects").stdout
    fairness = terminal.run("cycle", str(YEAR), "--fairness").stdout
    assert "Shown and never applied" in fairness
    assert ("+0.00" in fairness, "-0.00" in fairness) == (True, False)
    assert terminal.json("cycle", str(YEAR), "--check") == {"same": True, "same_list": True, "differing": []}
    assert "no year of eTwinning" in terminal.fails(2, "cycle", "26")
    assert "has not begun" in terminal.fails(4, "cycle", "2025", "--check")


def test_where_a_year_stands_is_shown_with_the_head_of_the_journal(terminal: Terminal) -> None:
    filled(terminal, begun)
    assert terminal.json("cycle", str(YEAR))["journal"] is None, "nothing is sealed yet"
    head = head_in_words(*_head(terminal), SHORTEST)
    assert f"The journal stands at {head}." in terminal.run("cycle", str(YEAR)).stdout
    assert terminal.json("cycle", str(YEAR))["journal"] == head
    with terminal.here.record.reading() as session:
        assert f"The journal stands at `{head}`." in european.progress(progress_of(session, YEAR), str)


def _head(terminal: Terminal) -> tuple[int, bytes]:
    done = sealing.seal(terminal.here.record, now=terminal.here.now())
    return done.position, done.head


def test_a_cycle_is_not_begun_before_its_labels_are_all_awarded(terminal: Terminal) -> None:
    filled(terminal)
    assert "labels cycle 2026" in terminal.fails(3, "begin-cycle", str(YEAR))


def test_where_a_year_stands_says_who_is_awaited(terminal: Terminal) -> None:
    def one_has_screened(session: Session) -> None:
        begun(session)
        screen(session, OTHER)

    filled(terminal, one_has_screened)
    view = terminal.json("cycle", str(YEAR))
    assert {one["organisation"]: one["stage"] for one in view["organisations"]} == {
        OWN: "submitted", OTHER: "nominated",
    }  # fmt: skip
    assert terminal.json("show", nomination_of(OTHER))["outcome"] == "nominated"


def test_the_gallery_can_be_made_anywhere_from_the_record(terminal: Terminal) -> None:
    filled(terminal, awarded)
    assert terminal.run("gallery", str(YEAR), "out").exit_code == 0
    page = (terminal.folder / "out" / "index.html").read_text()
    shown = json.loads((terminal.folder / "out" / "gallery.json").read_text())
    assert [country["country"] for country in shown["countries"]] == ["PL", "PT"]
    assert shown["projects"] == 3
    assert "Project A" in page
    assert "Teacher T-A1" not in page, "nobody's name"
    assert "<script" not in page
    assert terminal.json("gallery", str(YEAR)) == shown
    assert (terminal.here.settings.home / "galleries" / str(YEAR) / "index.html").read_text() == page
    assert "has not begun" in terminal.fails(4, "gallery", "2025")


@pytest.mark.slow
def test_a_label_is_revoked_after_what_hangs_on_it_was_shown(terminal: Terminal) -> None:
    filled(terminal, awarded)
    label = label_id("T-A1", "P-A")
    shown = terminal.json("revoke", label)
    assert not shown["done"]
    assert [one["kind"] for one in shown["consequences"]][:3] == ["label", "nomination", "project"]
    assert f"labels code {nomination_of(OWN)}" in terminal.run("revoke", label).stderr
    assert "is needed together with --plan" in terminal.fails(2, "revoke", label, "--plan", shown["plan"])
    proof = ["--as", COORDINATOR, "--reason", "The appeal was upheld."]
    assert "--plan: is needed, too. Nothing was done." in terminal.fails(2, "revoke", label, *proof)
    wrong = terminal.fails(3, "revoke", label, "--plan", shown["plan"], *proof, "--code", "2222-2222-22")
    assert "not valid" in wrong
    code = terminal.coordinators_code(nomination_of(OWN))
    assert "Nothing was done" in terminal.fails(3, "revoke", label, "--plan", "x", *proof, "--code", code)
    done = terminal.run("revoke", label, "--plan", shown["plan"], *proof, "--code", code)
    assert "European Quality Label of Teacher T-A1: revoked" in " ".join(done.stdout.split())
    with terminal.here.record.reading() as session:
        assert session.get_one(Award, label).revoked_at is not None
    view = terminal.json("cycle", str(YEAR))
    assert view["application"] == european_cycle_id(YEAR)
    assert next(one for one in view["projects"] if one["project"] == "P-A")["awarded"] == "revoked"


def test_a_merging_that_was_changed_behind_the_award_is_named(terminal: Terminal) -> None:
    filled(terminal, awarded)
    with terminal.here.record.reading() as session:
        award = session.get_one(Cycle, YEAR).application
    for words in ([], [str(YEAR)], [award], [nomination_of(OWN)]):
        assert terminal.json("decide", "--check", *words)["cycles"] == 1
    assert terminal.json("decide", "--check", str(YEAR - 1))["cycles"] == 0
    with terminal.here.record.writing() as session:
        session.get_one(CycleProject, (YEAR, "P-A")).labelled_partners = 1
    result = terminal.run("decide", "--check")
    assert (result.exit_code, f"P-A in the European Quality Label of {YEAR}" in result.stderr) == (6, True)
    with terminal.here.record.reading() as session:
        found = [
            one.problem for one in breaches(session, terminal.here.now()) if "merged again" in one.problem
        ]
    assert found == ["merged again, it differs in P-A."]


def test_a_project_of_which_a_label_fell_is_as_it_was_merged_then(terminal: Terminal) -> None:
    filled(terminal, awarded)
    with terminal.here.record.writing() as session:
        turn = terminal.here.turn(session).acting(COORDINATOR)
        subject = reopening.Revoked(label_id("T-A1", "P-A"))
        reopening.reopen(turn, subject, reopening.consequences(turn, subject).plan, "It was not theirs.")
    assert terminal.json("decide", "--check")["differing"] == []
