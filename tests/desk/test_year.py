"""A year of the European Quality Label at the desk: who stands where, rankings, screening, the award by two people, the gallery."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.workspace import Workspace
from labels.european_label import awarding, freezing, screening
from labels.record import Record
from labels.record.journal import Event
from labels.record.schema import Application, Award, Cycle, CyclePlace, CycleProject, Journal, Mail, Outcome
from labels.settings import Settings
from labels.turn import Turn
from tests.desk.conftest import Browser, words
from tests.support import european
from tests.support.european import BEGINS, CENTRAL, OTHER, OWN, YEAR, at_the_beginning, populate_year
from tests.support.people import KEY

COORDINATOR, ADA, BEN = "coordinator@nss.example", "ada@css.example", "ben@css.example"


@pytest.fixture
def here(settings: Settings, record: Record) -> Workspace:
    """The year before it begins."""
    with record.writing() as session:
        populate_year(session)
    return at_the_beginning(settings, record)


@pytest.fixture
def begun(here: Workspace) -> str:
    """The year's award, with every organisation asked to screen."""
    with here.record.writing() as session:
        identifier = european.begun(session)
        for organisation in (OWN, OTHER):
            screening.ask(Turn(session, BEGINS, KEY), european.nomination_of(organisation))
    return identifier


@pytest.fixture
def merged(here: Workspace) -> str:
    """The year's award, which awaits two people of the Central Support Service."""
    with here.record.writing() as session:
        identifier = european.begun(session, four_eyes=True)
        for organisation in (OWN, OTHER):
            european.screen(session, organisation)
        awarding.merge_nominations(Turn(session, BEGINS, KEY), identifier)
        awarding.ask(Turn(session, BEGINS, KEY), identifier)
    return identifier


def signed_in(here: Workspace, who: str) -> Browser:
    return Browser(here).signs_in(who)


def seen(answer: Any) -> str:
    found = re.search(r'name="seen" value="(\w+)"', answer.text)
    assert found, words(answer)
    return found[1]


def decides(browser: Browser, path: str, **fields: Any) -> Any:
    """What is struck, with reasons by their order, as on the page that confirms it."""
    return browser.sends(path, {"seen": seen(browser.opens(path)), "confirmed": "1", **fields})


def test_equals_and_labels_without_points_are_warned_of_where_a_year_and_a_ranking_are_shown(
    here: Workspace,
) -> None:
    with here.record.writing() as session:
        european.add_label(session, "T-D2", "P-E", None)
        for award in session.scalars(
            sa.select(Award).where(Award.organisation == OWN, Award.score.is_not(None))
        ):
            award.score = 24
        european.begun(session)
    css = signed_in(here, ADA)
    assert "2 warnings" in words(css.opens(f"/year/{YEAR}"))
    ranking = words(signed_in(here, COORDINATOR).opens(f"/year/{YEAR}/of/{OWN}"))
    assert "1 of 8 have no points on record: they can’t be ranked" in ranking
    assert (
        "7 with the points of the last of the share are not proposed: the rules take no more equals."
        in ranking
    )
    with here.record.reading() as session:
        told = sa.select(Mail.to_address).where(Mail.template == "points_missing")
        assert session.scalars(told).all() == [COORDINATOR]


def test_the_year_shows_where_each_organisation_stands(here: Workspace, begun: str) -> None:
    css = signed_in(here, ADA)
    assert css.opens("/year").headers["location"] == f"/year/{YEAR}"
    year = css.opens(f"/year/{YEAR}")
    assert f'href="/year/{YEAR}/of/{OWN}"' in year.text
    assert "Narodowe Biuro" in words(year)
    assert "Agência" in words(year)
    assert f"awaits {COORDINATOR}" in words(year)


def test_before_it_begins_it_is_shown_as_it_would_be(here: Workspace) -> None:
    css = signed_in(here, ADA)
    year = css.opens(css.opens("/year").headers["location"])
    assert "not begun: this is what it would be" in words(year)
    assert "Project A" in words(css.opens(f"/year/{YEAR}/of/{OWN}"))
    assert css.opens(f"/year/{YEAR}/gallery").status_code == 404


def test_a_ranking_has_titles_and_the_reason_of_every_place(here: Workspace, begun: str) -> None:
    ranking = signed_in(here, COORDINATOR).opens(f"/year/{YEAR}/of/{OWN}")
    with here.record.reading() as session:
        places = session.scalars(sa.select(CyclePlace).where(CyclePlace.organisation == OWN)).all()
    for place in places:
        assert f"Project {place.project[-1]}" in words(ranking)
        assert place.why in words(ranking)


@pytest.mark.slow
def test_a_coordinator_screens_their_own_proposal(here: Workspace, begun: str) -> None:
    coordinator, path = signed_in(here, COORDINATOR), f"/year/{YEAR}/of/{OWN}"
    assert "The screening awaits you." in words(coordinator.opens(f"/year/{YEAR}"))
    page = coordinator.opens(path)
    candidates = re.findall(r'name="strike" value="([^"]+)"', page.text)
    assert candidates
    asked = coordinator.sends(path, {"seen": seen(page), "strike": candidates[0]})
    assert "What you strike, and why" in words(asked)
    assert "1 is struck." in words(asked)
    unsaid = decides(coordinator, path, strike=candidates[0], **{"reason-0": " "})
    assert unsaid.status_code == 422
    assert "Say why" in words(unsaid)
    done = decides(coordinator, path, strike=candidates[0], **{"reason-0": "It was withdrawn by the school."})
    assert done.status_code == 303, words(done)
    with here.record.reading() as session:
        screened = {
            row.candidate: (row.screened, row.reason)
            for row in session.scalars(sa.select(CyclePlace).where(CyclePlace.organisation == OWN))
            if row.screened
        }
    assert screened[candidates[0]] == ("struck", "It was withdrawn by the school.")
    assert set(screened) == set(candidates)
    after = coordinator.opens(path)
    assert 'name="strike"' not in after.text
    assert f"{COORDINATOR} ·" in words(after)
    assert "It was withdrawn by the school." in words(after)


def test_more_than_one_form_may_strike_is_said_and_nothing_of_it_approved(
    here: Workspace, begun: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.year.MOST", 1)
    coordinator, path = signed_in(here, COORDINATOR), f"/year/{YEAR}/of/{OWN}"
    page = coordinator.opens(path)
    strike = re.findall(r'name="strike" value="([^"]+)"', page.text)[:2]
    reasons = {"reason-0": "It was withdrawn.", "reason-1": "It was withdrawn."}
    for confirmed in ({}, {"confirmed": "1", **reasons}):
        answer = coordinator.sends(path, {"seen": seen(page), "strike": strike, **confirmed})
        assert answer.status_code == 422
        assert "There are 2; at most 1 are accepted." in words(answer)
    with here.record.reading() as session:
        assert (
            session.scalars(sa.select(CyclePlace.screened).where(CyclePlace.screened.is_not(None))).all()
            == []
        )


def test_what_changed_meanwhile_is_looked_at_again(here: Workspace, begun: str) -> None:
    coordinator, path = signed_in(here, COORDINATOR), f"/year/{YEAR}/of/{OWN}"
    answer = coordinator.sends(path, {"seen": "another", "confirmed": "1"})
    assert answer.status_code == 409
    assert "Something has changed since you saw this" in words(answer)
    assert decides(coordinator, path).status_code == 303
    answer = coordinator.sends(path, {"seen": "another", "confirmed": "1"})
    assert answer.status_code == 409
    assert "It is not asked of you any more" in words(answer)


@pytest.mark.slow
def test_two_people_award_what_both_have_said(here: Workspace, merged: str) -> None:
    ada, path = signed_in(here, ADA), f"/year/{YEAR}/award"
    assert "The award awaits you." in words(ada.opens(f"/year/{YEAR}"))
    page = ada.opens(path)
    projects = re.findall(r'name="strike" value="([^"]+)"', page.text)
    struck = {"strike": projects[0], "reason-0": "Its pictures show pupils' names."}
    assert decides(ada, path, **struck).status_code == 303
    assert 'name="strike"' not in ada.opens(path).text
    with here.record.writing() as session:
        again = awarding.ask(Turn(session, BEGINS, KEY), merged)
        assert [one.assignee for one in again] == [BEN]
    ben = signed_in(here, BEN)
    second = ben.opens(path)
    assert f"{ADA} ·" in words(second)
    assert "Its pictures show pupils&#39; names." in words(second)
    assert decides(ben, path, **struck).status_code == 303
    with here.record.writing() as session:
        turn = Turn(session, BEGINS, KEY)
        assert awarding.ask(turn, merged) == []
        assert awarding.award(turn, merged) is Outcome.AWARDED
        rows = {one.project: one.awarded for one in session.scalars(sa.select(CycleProject)) if one.awarded}
    assert rows[projects[0]] == "struck"
    assert {name for name, what in rows.items() if what == "awarded"} == set(projects[1:])


def test_fairness_is_shown_to_the_central_service_alone(here: Workspace, begun: str) -> None:
    page = signed_in(here, ADA).opens(f"/year/{YEAR}/fairness")
    assert "Shown and never applied" in words(page)
    assert "-0.00" not in words(page)
    assert "Narodowe Biuro" in words(page)
    assert signed_in(here, COORDINATOR).opens(f"/year/{YEAR}/fairness").status_code == 404


def test_the_gallery_is_looked_at_then_published_for_everybody(here: Workspace, merged: str) -> None:
    css, path, stranger = signed_in(here, ADA), f"/year/{YEAR}/gallery", Browser(here)
    assert "Nothing is awarded yet" in words(css.opens(path))
    assert css.sends(path).status_code == 409
    assert stranger.opens(f"/gallery/{YEAR}/index.html").status_code == 404
    with here.record.writing() as session:
        cycle = session.get_one(Cycle, YEAR)
        application = session.get_one(Application, merged)
        turn = Turn(session, BEGINS, KEY)
        for _ in range(2):
            steps = awarding.ask(turn, application.id)
            european.answered(session, steps, {"approve": ["all"]})
        awarding.award(turn, application.id)
        assert cycle.awarded_at
    preview = css.opens(path)
    assert "Project A" in words(preview)
    assert css.sends(path, {"seen": seen(preview)}).status_code == 303
    address = stranger.opens(f"/gallery/{YEAR}").headers["location"]
    published = stranger.opens(address)
    assert 'href="gallery.json"' in published.text, "which is beside the page"
    assert published.status_code == 200
    assert "Project A" in published.text
    assert "script-src" not in published.headers["content-security-policy"]
    assert stranger.opens(address.replace("index.html", "gallery.json")).json()["year"] == YEAR
    with here.record.reading() as session:
        [noted] = session.scalars(sa.select(Journal).where(Journal.what == Event.PUBLISHED_A_GALLERY))
    assert noted.who == ADA


def test_of_another_organisation_there_is_nothing(here: Workspace, begun: str) -> None:
    coordinator = signed_in(here, COORDINATOR)
    assert coordinator.opens(f"/year/{YEAR}/of/{OTHER}").status_code == 404
    assert coordinator.opens(f"/year/{YEAR}/of/NSS-XX").status_code == 404
    assert coordinator.sends(f"/year/{YEAR}/of/{OTHER}", {"confirmed": "1"}).status_code == 404
    for path in ("gallery", "fairness"):
        assert coordinator.opens(f"/year/{YEAR}/{path}").status_code == 404
    assert coordinator.sends(f"/year/{YEAR}/gallery").status_code == 404
    year = coordinator.opens(f"/year/{YEAR}")
    assert "Agência" not in words(year)
    assert CENTRAL not in words(year)
    for path in ("/year/1999", "/year/20266", "/year/x"):
        assert coordinator.opens(path).status_code == 404
    assert signed_in(here, "t-1@school.example").opens(f"/year/{YEAR}").status_code == 404


def test_two_worlds_that_differ_elsewhere_show_a_coordinator_the_same(here: Workspace, begun: str) -> None:
    coordinator = signed_in(here, COORDINATOR)

    def pages() -> list[str]:
        return [
            coordinator.opens(path).text
            for path in (f"/year/{YEAR}", f"/year/{YEAR}/of/{OWN}", f"/year/{YEAR}/of/{OTHER}")
        ]

    before = pages()
    with here.record.writing() as session:
        for place in session.scalars(sa.select(CyclePlace).where(CyclePlace.organisation == OTHER)):
            place.score, place.why = 1.0, "Another reason."
    assert [re.sub(r"E-\w{4}-\w{4}", "", one) for one in pages()] == before


def test_what_the_ranking_is_made_of_stays_as_it_is_looked_at(here: Workspace, begun: str) -> None:
    css = signed_in(here, ADA)
    for path in ("", "/award", "/fairness", "/gallery", f"/of/{OWN}"):
        assert css.opens(f"/year/{YEAR}{path}").status_code == 200, path
    with here.record.reading() as session:
        assert freezing.repeat(session, YEAR).same
