"""The pages of rehearsals: played by a process of its own, one at a time, for one's own organisation alone."""

from __future__ import annotations

import fcntl
import json
import os
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.workspace import Workspace
from labels.errors import NotAllowed
from labels.record.schema import Organisation, Staff
from labels.views.rehearsal import Played, Rehearsal, Spread, StepWait
from tests.cli.conftest import COORDINATOR, Terminal
from tests.desk.conftest import Browser, words
from tests.support.patience import PATIENCE, until
from usecases.rehearsing import keeping
from usecases.rehearsing.rehearsal import REPORT, Wishes

Opens = Callable[..., Browser]
FORM = {"organisation": "NSS-PL", "reviewers": "3, 5", "applications": "4", "share": "1"}


def asked(here: Workspace, name: str = "20260316T100000-0123abcd", **wishes: Any) -> Path:
    """The folder of a rehearsal that somebody asked for."""
    folder = here.settings.home / "rehearsals" / "NSS-PL" / name
    folder.mkdir(parents=True)
    given = {"organisation": "NSS-PL", "reviewers": [3], "last_days": [], "rules": None} | wishes
    told = {"by": "Krystyna", "made_at": here.now().isoformat(), "wishes": given}
    (folder / keeping.WISHES).write_text(json.dumps(told), "utf-8")
    return folder


def ready(here: Workspace) -> Path:
    """One that was played, with a mail to look at."""
    folder = asked(here)
    (folder / "played" / "1-3-reviewers" / "mail").mkdir(parents=True)
    (folder / "played" / "1-3-reviewers" / "mail" / "20260401 awarded.eml").write_bytes(
        b"To: nobody\r\n\r\nHello"
    )
    (folder / "played" / "1-3-reviewers" / "home").mkdir()
    (folder / "played" / "1-3-reviewers" / "home" / "mine.pdf").write_bytes(b"%PDF")
    now = here.now()
    spread = Spread(number=4, median=13.5, p90=20.1, longest=31.0)
    played = Played(
        name="1-3-reviewers", reviewers=3, last_day=now.date(), applications=4, stages={"national": {"awarded": 4}},
        decision=spread, late=1, steps=[StepWait(step="review", asked=8, days=spread, late=1, left_open=0)],
        load=spread, idle=0, mails={"awarded": 4}, papers={"letter": 4}, late_cases=[], nobody_left=0,
        after_deadline=0, refused=[], ended_at=now, took_s=1.0,
    )  # fmt: skip
    report = Rehearsal(
        organisation="NSS-PL", name="Narodowe Biuro", made_at=now, begins=now.date(), ends=now.date(), factor=1,
        a_week=4, seed=1, schools=2, teachers=2, played=[played],
    )  # fmt: skip
    (folder / "played" / REPORT).write_text(report.model_dump_json(), "utf-8")
    return folder


def test_what_was_played_is_shown_with_tables_a_plot_and_mails_to_look_at(
    terminal: Terminal, browser: Opens
) -> None:
    folder = ready(terminal.here)
    coordinator = browser().signs_in(COORDINATOR)
    assert 'href="/rehearsals"' in coordinator.opens("/overview").text
    listed = coordinator.opens("/rehearsals")
    here = f"/rehearsals/NSS-PL/{folder.name}"
    assert f'href="{here}"' in listed.text
    assert "ready" in words(listed)
    page = coordinator.opens(here)
    assert page.status_code == 200
    for said in ("13.5", "20.1", "Decided late", "Awarded", "review"):
        assert said in words(page)
    assert "<svg" in page.text
    [mail] = re.findall(rf'href="({here}/files/[^"]+)"', page.text)
    answer = coordinator.opens(mail)
    assert answer.content.endswith(b"Hello")
    assert answer.headers["content-disposition"].startswith("attachment")
    for other in (
        "1-3-reviewers/home/mine.pdf",
        "../wishes.json",
        "1-3-reviewers/mail/../../report.json",
        "report.json",
    ):
        assert coordinator.opens(f"{here}/files/{other}").status_code == 404


@pytest.mark.slow
def test_another_countrys_is_not_there(terminal: Terminal, browser: Opens) -> None:
    folder = ready(terminal.here)
    with terminal.here.record.writing() as session:
        session.add(
            Staff(
                email="pt@nss.example",
                role="coordinator",
                name="Rui",
                organisation="NSS-PT",
                language="pt",
                school=None,
            )
        )
    other = browser().signs_in("pt@nss.example")
    here = f"/rehearsals/NSS-PL/{folder.name}"
    assert "Krystyna" not in other.opens("/rehearsals").text
    for path in (
        "/rehearsals?organisation=NSS-PL",
        here,
        f"{here}/files/1-3-reviewers/mail/20260401 awarded.eml",
    ):
        assert other.opens(path).status_code == 404
    assert other.sends(f"{here}/remove").status_code == 404
    assert other.sends("/rehearsals", FORM).status_code == 404
    assert folder.exists()
    assert browser().signs_in("t-1@school.example").opens("/rehearsals").status_code == 404
    assert browser().signs_in("r1@nss.example").opens(here).status_code == 404


def test_the_central_support_service_chooses_among_all(terminal: Terminal, browser: Opens) -> None:
    with terminal.here.record.writing() as session:
        session.add(
            Organisation(
                id="CSS", country="EU", kind="CSS", name="Central", email="css@eu.example", language="en"
            )
        )
        session.flush()
        session.add(
            Staff(
                email="head@eu.example",
                role="coordinator",
                name="Ada",
                organisation="CSS",
                language="en",
                school=None,
            )
        )
    head = browser().signs_in("head@eu.example")
    page = head.opens("/rehearsals")
    assert "Narodowe Biuro" in page.text
    assert "Agência" in page.text
    assert head.opens("/rehearsals?organisation=NSS-PL").status_code == 200
    assert head.opens("/rehearsals?organisation=CSS").status_code == 404


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("reviewers", "ten", "Write whole numbers"),
        ("reviewers", "0", "Write whole numbers"),
        ("reviewers", "1,2,3,4,5", "At most 4 years"),
        ("deadline", "in May", "Write days"),
        ("deadline", "2031-05-31", "within the next twelve months"),
        ("applications", "-1", "Write a whole number"),
        ("applications", "", "Nobody applied in the last twelve months"),
        ("applications", "90000", "more than 6000 applications"),
    ],
)
def test_what_can_not_be_played_is_said_beside_the_field(
    terminal: Terminal, browser: Opens, field: str, typed: str, said: str
) -> None:
    coordinator = browser().signs_in(COORDINATOR)
    answer = coordinator.sends("/rehearsals", FORM | {field: typed})
    assert answer.status_code == 422
    assert said in words(answer)
    assert list((terminal.here.settings.home / "rehearsals").glob("*/*/wishes.json")) == []


@pytest.mark.slow
def test_one_at_a_time_is_under_way_and_can_not_be_removed(terminal: Terminal, browser: Opens) -> None:
    folder = asked(terminal.here)
    (folder / keeping.SAID).write_text("March 2026: 0 events so far\nMay 2026: 12 events so far\n", "utf-8")
    coordinator = browser().signs_in(COORDINATOR)
    here = f"/rehearsals/NSS-PL/{folder.name}"
    with (folder.parent / keeping.LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        page = coordinator.opens(here)
        assert "May 2026: 12 events so far" in words(page)
        assert page.headers["refresh"] == "15"
        refused = coordinator.sends("/rehearsals", FORM)
        assert refused.status_code == 409
        assert "under way" in words(refused)
        assert coordinator.sends(f"{here}/remove").status_code == 409
    ended = coordinator.opens(here)
    assert "did not come to its end" in words(ended)
    assert "refresh" not in ended.headers
    assert coordinator.sends(f"{here}/remove").status_code == 303
    assert not folder.exists()


@pytest.mark.slow
def test_of_several_organisations_that_begin_at_once_as_many_may_as_there_are_places(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    everybody = threading.Barrier(4)

    def plays(*_: Any, pass_fds: list[int], **__: Any) -> None:
        begun.append(os.dup(pass_fds[0]))  # as the process does that inherits it

    looked = keeping._held

    def looks_slowly(path: Path) -> bool:
        time.sleep(0.05)  # so that all of them would have their own locks meanwhile
        return looked(path)

    monkeypatch.setattr("usecases.rehearsing.keeping.subprocess.Popen", plays)
    monkeypatch.setattr(keeping, "_held", looks_slowly)

    def begins(organisation: str) -> bool:
        everybody.wait(PATIENCE)
        try:
            keeping.start(terminal.here, organisation, Wishes(organisation), "Krystyna")
        except NotAllowed:
            return False
        return True

    try:
        with ThreadPoolExecutor(4) as threads:
            done = list(threads.map(begins, ["NSS-AT", "NSS-PL", "NSS-PT", "NSS-ES"]))
    finally:
        for lock in begun:
            os.close(lock)
    assert sum(done) == len(begun) == keeping.MOST_AT_ONCE


def test_of_two_who_look_at_one_that_died_nobody_sees_it_under_way(terminal: Terminal) -> None:
    folder = asked(terminal.here)
    with (folder.parent / keeping.LOCK).open("w") as another:
        fcntl.flock(another, fcntl.LOCK_SH)
        [seen] = keeping.kept(terminal.here, "NSS-PL")
        assert not seen.under_way


def test_a_page_that_is_looked_at_refuses_nobody_another_rehearsal(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, begun = asked(terminal.here), []
    monkeypatch.setattr(
        "usecases.rehearsing.keeping.subprocess.Popen", lambda *_, **given: begun.append(given["pass_fds"][0])
    )
    with (folder.parent / keeping.LOCK).open("w") as looks:
        fcntl.flock(looks, fcntl.LOCK_SH)
        monkeypatch.setattr(
            "usecases.rehearsing.keeping.time.sleep", lambda _: fcntl.flock(looks, fcntl.LOCK_UN)
        )
        name = keeping.start(terminal.here, "NSS-PL", Wishes("NSS-PL"), "Krystyna")
    assert len(begun) == 1
    assert (folder.parent / name / keeping.WISHES).is_file()


def test_it_is_removed_after_a_month(terminal: Terminal, browser: Opens) -> None:
    old = asked(terminal.here)
    long_ago = terminal.here.now() - keeping.KEPT - timedelta(days=1)
    told = json.loads((old / keeping.WISHES).read_text("utf-8")) | {"made_at": long_ago.isoformat()}
    (old / keeping.WISHES).write_text(json.dumps(told), "utf-8")
    new = asked(terminal.here, "20260316T110000-0123abcd")
    browser().signs_in(COORDINATOR).opens("/rehearsals")
    assert not old.exists()
    assert new.exists()


@pytest.mark.slow
def test_a_year_is_played_by_a_process_of_its_own(terminal: Terminal, browser: Opens) -> None:
    coordinator = browser().signs_in(COORDINATOR)
    answer = coordinator.sends("/rehearsals", FORM)
    assert answer.status_code == 303, words(answer)
    here = answer.headers["location"]
    name = here.rpartition("/")[2]

    def said() -> str:
        return keeping.one_of(terminal.here, "NSS-PL", name).said

    until(lambda: not keeping.one_of(terminal.here, "NSS-PL", name).under_way, "it is played", progress=said)
    page = coordinator.opens(here)
    assert "3" in words(page)
    assert "The years side by side" in words(page), said()
    assert coordinator.opens("/rehearsals").text.count(here) == 1
