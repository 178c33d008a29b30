"""`labels token`: made once, listed without what is secret, ended at once."""

from __future__ import annotations

import json
from datetime import date

import pytest
import sqlalchemy as sa

from adapters.workspace import workspace
from labels.record.journal import Event
from labels.record.schema import Journal
from tests.cli.conftest import Terminal

MAKE = ("token", "make", "NSS-PL", "--scope", "cases:read", "--for", "Platform")


def test_a_token_is_printed_alone_so_that_a_program_can_take_it(terminal: Terminal) -> None:
    made = terminal.run(*MAKE)
    assert made.exit_code == 0
    [text] = made.stdout.split()
    assert text.startswith("labels_")
    assert text not in made.stderr
    [row] = terminal.json("token", "list")
    assert row["expires_on"] == "2027-03-16"
    assert (row["organisation"], row["scopes"], row["counts"]) == ("NSS-PL", ["cases:read"], True)
    assert text.rpartition("_")[2] not in json.dumps(row)
    assert text.rpartition("_")[2] not in terminal.run("token", "list").stdout


def test_a_token_that_is_ended_counts_no_more_and_the_journal_has_both(terminal: Terminal) -> None:
    made = terminal.json(*MAKE)
    assert made["token"].startswith(f"labels_{made['number']}_")
    assert terminal.json("token", "end", made["number"])["counts"] is False
    assert "ended already" in terminal.fails(3, "token", "end", made["number"])
    with terminal.here.record.reading() as session:
        told = session.scalars(sa.select(Journal.what).where(Journal.what.contains("token"))).all()
    assert told == [Event.MADE_A_TOKEN, Event.ENDED_A_TOKEN]


def test_a_token_is_ended_by_itself_too_and_its_secret_is_never_repeated(terminal: Terminal) -> None:
    made = terminal.json(*MAKE)
    secret = made["token"].removeprefix(f"labels_{made['number']}")
    for words in (
        ("end", f"labels_00000000{secret}"),
        ("end", f"{made['number']}{secret}"),
        ("list", made["token"]),
        ("make", made["token"], "--scope", "cases:read", "--for", "x"),
    ):
        assert secret[1:] not in terminal.run("token", *words).output
    done = terminal.run("token", "end", made["token"])
    assert done.exit_code == 0
    assert secret[1:] not in done.output
    [row] = terminal.json("token", "list")
    assert row["counts"] is False
    assert secret[1:] not in terminal.fails(3, "token", "end", made["token"])


def test_what_is_wrong_with_a_token_is_all_told_and_none_is_made(terminal: Terminal) -> None:
    said = terminal.fails(2, "token", "make", "NSS-PL", "--until", "2020-01-01")
    assert "--scope: is needed" in said
    assert "--for: is needed" in said
    assert "--until: 2020-01-01 is past; expected" in said
    said = terminal.fails(2, *MAKE, "--until", "2031-01-01")
    assert "--until: 2031-01-01 is more than 2 years ahead; expected" in said
    assert "is not a date" in terminal.fails(2, *MAKE, "--until", "soon")
    assert "no organisation NSS-XX" in terminal.fails(
        4, "token", "make", "NSS-XX", "--scope", "cases:read", "--for", "x"
    )
    assert "no organisation NSS-XX" in terminal.fails(4, "token", "list", "NSS-XX")
    assert "no token abc" in terminal.fails(4, "token", "end", "abc")
    assert "WHAT: is needed" in terminal.fails(2, "token", "make")
    assert terminal.json("token", "list") == []


@pytest.mark.parametrize(
    ("today", "last"),
    [("2027-01-31", "2029-01-31"), ("2028-02-29", "2030-02-28"), ("2026-02-28", "2028-02-28")],
)
def test_a_token_lasts_to_the_same_day_two_years_ahead(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, today: str, last: str
) -> None:
    monkeypatch.setenv("LABELS_TODAY", today)
    workspace.cache_clear()
    terminal.here = workspace()
    assert terminal.json(*MAKE, "--until", last)["expires_on"] == last
    following = date.fromordinal(date.fromisoformat(last).toordinal() + 1)
    assert f"expected {today} to {last}" in terminal.fails(2, *MAKE, "--until", f"{following}")
