"""`labels find`: the operator finds everything, a coordinator what is theirs."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from labels.record.schema import SearchWord
from tests.cli.conftest import COORDINATOR, Terminal
from usecases.finding import make_index


@pytest.fixture(autouse=True)
def index(terminal: Terminal) -> None:
    make_index(terminal.here)


def test_words_in_any_script_find_with_their_applications(terminal: Terminal) -> None:
    application = terminal.submitted()
    [hit] = terminal.json("find", "Zazolc", "gesl")
    assert (hit["kind"], hit["id"], hit["country"]) == ("teacher", "T-1", "PL")
    assert hit["applications"] == [application]
    assert [one["id"] for one in terminal.json("find", application[:9])] == [application]
    assert "T-1" in terminal.run("find", "t-1@school.example").stdout
    assert "Nothing is found" in terminal.run("find", "qqqq").output


def test_without_an_index_nothing_is_written_and_upkeep_makes_it(terminal: Terminal) -> None:
    with terminal.here.record.writing() as session:
        session.execute(sa.delete(SearchWord))
    assert "is not made yet" in terminal.run("find", "joao").output
    assert terminal.json("find", "joao") == []
    with terminal.here.record.reading() as session:
        assert session.scalar(sa.select(SearchWord.word).limit(1)) is None
    terminal.run("upkeep")
    assert [one["id"] for one in terminal.json("find", "joao")] == ["T-2"]


def test_a_coordinator_finds_what_is_their_own(terminal: Terminal) -> None:
    assert [one["id"] for one in terminal.json("find", "joao")] == ["T-2"]
    assert terminal.json("find", "joao", "--as", COORDINATOR) == []
    assert "coordinates no organisation" in terminal.fails(3, "find", "joao", "--as", "t-1@school.example")


def test_a_coordinator_with_a_shared_mailbox_finds_by_their_id(terminal: Terminal) -> None:
    coordinator = terminal.shared_mailbox()
    assert f"({coordinator})" in terminal.fails(3, "find", "joao", "--as", COORDINATOR)
    assert terminal.json("find", "joao", "--as", coordinator) == []
    assert [one["id"] for one in terminal.json("find", "gesl", "--as", coordinator)] == ["T-1"]
    assert "coordinates no organisation" in terminal.fails(3, "find", "joao", "--as", "PER-2")
