"""A reviewer in Prefect's own pages: the Resume form, the brief and the decision, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

import pytest
import sqlalchemy as sa

from adapters.prefect.client import prefect_client
from labels.record.schema import Application, Decision, Outcome, Review, Step, StepKind
from tests.e2e.conftest import Stage_
from tests.support.browser import CHROMIUM, Person, ResumeForm, person_at
from tests.support.people import CRITERIA, application_file, code_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("stage"),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium"),
]

TITLES = (
    "Pedagogical innovation", "Curricular integration", "Communication", "Collaboration", "Use of technology",
    "Results",
)  # fmt: skip

HOSTILE = (
    "<script>window.ran = 1</script> <img src='https://evil.example/p.png' onerror='window.ran = 1'> "
    "<b id='injected'>bold</b> [click](javascript:alert(1)) ![p](https://evil.example/q.png) "
    "{{ 7 * 7 }} {% raw %} ${HOME} | a | b | # no heading"
)
LINKS = "https://twinspace.example/a_b?c=(d)#*g*", "https://twin.example/~a?b=1&c=2&amp=3#d"
REVERSED = "user\u202etxt.exe"


@pytest.fixture(scope="module")
def applications(stage: Stage_) -> tuple[str, str]:
    """Two suspended at their reviews; the first has hostile text in every field that takes prose."""
    sections = application_file()["sections"]
    hostile = stage.submit(
        teacher="T-147",
        project="P-147",
        description=f"{HOSTILE} {REVERSED}",
        sections={
            name: f"{text} {HOSTILE}\n\n# {REVERSED}\n- {'x' * 900}" for name, text in sections.items()
        },
        links=list(LINKS),
    )
    plain = stage.submit(teacher="T-148", project="P-148")
    for application in (hostile, plain):
        stage.until_parked(application)
    return hostile, plain


@pytest.fixture
def person(stage: Stage_) -> Iterator[Person]:
    with person_at(stage.running.ui_url) as one:
        yield one
        assert one.dialogs == []
        assert one.strange_requests == []
        assert one.page.evaluate("window.ran") is None
        assert one.page.locator("#injected").count() == 0
        assert one.page.locator("a[href^='javascript:'], img[src*='evil']").count() == 0


def run_of(stage: Stage_, application: str) -> str | None:
    return stage.application(application).run


def artifact(stage: Stage_, key: str) -> str:
    wanted = {"artifacts": {"key": {"any_": [key.lower()]}}, "sort": "CREATED_DESC"}
    with prefect_client() as client:
        found = client.request("POST", "/artifacts/filter", json=wanted)
        found.raise_for_status()
        return str(found.json()[0]["id"])


def fill(form: ResumeForm, code: str, comment: str) -> None:
    form.writes(form.code, code)
    for title in TITLES:
        form.gives(title, 4)
    form.writes("Comment for the applicant", comment)
    form.writes("Note for colleagues", "Read it twice.\nFine.")


def test_the_form_says_what_a_reviewer_needs(
    stage: Stage_, applications: tuple[str, str], person: Person
) -> None:
    with stage.here.record.reading() as session:
        content = session.get_one(Application, applications[1]).content
    form = person.opens_form(run_of(stage, applications[1]))
    assert "Mosty 148" in form.code.inner_text()
    assert "2026-" in form.code.inner_text()
    assert "(Brussels)" in form.code.inner_text()
    assert form.code.locator("a[href*='/documents/']").count() == 1
    for title, criterion in zip(TITLES, CRITERIA, strict=True):
        field = form.field(title)
        assert content["sections"][criterion] in field.inner_text(), (
            "what was applied with stands at its points"
        )
        assert "**" not in field.inner_text()
        assert "0 nothing · 1 poor" in field.inner_text()
        field.scroll_into_view_if_needed()
        assert field.is_visible()


def test_hostile_text_is_shown_as_it_was_typed(
    stage: Stage_, applications: tuple[str, str], person: Person
) -> None:
    form = person.opens_form(run_of(stage, applications[0]))
    shown = form.says()
    assert shown.count("<script>window.ran = 1</script>") == 7
    assert shown.count("{{ 7 * 7 }} {% raw %} ${HOME} | a | b | # no heading") == 7
    assert "\u202e" not in shown
    assert shown.count("usertxt.exe") == 7
    for link in LINKS:
        there = form.code.locator("a", has_text=link[:20])
        assert unquote(there.get_attribute("href") or "") == link
        assert unquote(there.inner_text()) == link, "it can be copied as well"
    widths = form.fields.evaluate_all("fields => fields.map(field => field.scrollWidth)")
    assert len(set(widths)) == 1, "no word, however long, makes a field wider than the others"
    brief = person.opens_artifact(artifact(stage, f"brief-{applications[0]}"))
    assert brief.inner_text().count("<script>window.ran = 1</script>") == 7
    assert "\u202e" not in brief.inner_text()


def test_points_out_of_range_and_a_missing_code_do_not_get_through(
    stage: Stage_, applications: tuple[str, str], person: Person
) -> None:
    before = stage.application(applications[0]).revision
    form = person.opens_form(run_of(stage, applications[0]))
    form.submits()
    form.dialog.get_by_text("required property").first.wait_for()
    form.writes(form.code, code_of(stage.reviews(applications[0])[0], stage.here.key))
    form.gives("Use of technology", 9)
    form.submits()
    person.page.get_by_text("9 is greater than the maximum of 5").first.wait_for()
    assert stage.parked(applications[0])
    assert stage.application(applications[0]).revision == before


def _counts(stage: Stage_, step: Step) -> bool:
    with stage.here.record.reading() as session:
        return session.get(Review, step.id) is not None


def test_a_wrong_code_leads_back_to_the_form_and_the_right_one_counts(
    stage: Stage_, applications: tuple[str, str], person: Person
) -> None:
    application = applications[1]
    first, second = stage.reviews(application)
    form = person.opens_form(run_of(stage, application))
    fill(form, "2222-2222-22", HOSTILE)
    form.sends()
    stage.until(
        lambda: any(step.refused for step in stage.reviews(application)) and stage.parked(application),
        "the form is back",
    )
    assert not _counts(stage, first)

    form = person.opens_form(run_of(stage, application))
    assert "The last answer was not accepted. The code is not valid" in form.code.inner_text()
    fill(form, code_of(first, stage.here.key), f"{HOSTILE}\n{REVERSED}")
    form.sends()
    stage.until(lambda: _counts(stage, first) and stage.parked(application), "the review counts")
    with stage.here.record.reading() as session:
        review = session.get_one(Review, first.id)
        assert review.comment == f"{HOSTILE}\nusertxt.exe"
        assert review.note == "Read it twice.\nFine."
        assert set(review.scores.values()) == {4}

    form = person.opens_form(run_of(stage, application))
    assert "not accepted" not in form.says()
    assert HOSTILE[:20] not in form.says(), "the second reviewer does not see the first one's words"
    fill(form, code_of(second, stage.here.key), "Well done.")
    form.sends()
    stage.until_closed(application)
    with stage.here.record.reading() as session:
        assert session.get_one(Decision, (application, 1)).outcome is Outcome.AWARDED
        assert len(session.scalars(sa.select(Review).where(Review.application == application)).all()) == 2
    decision = person.opens_artifact(artifact(stage, f"decision-{application}"))
    assert "Awarded" in decision.inner_text()
    assert f"{HOSTILE}\n" in decision.inner_text().replace("\u2060", "") + "\n"
    assert "usertxt.exe" in decision.inner_text()


def test_a_question_alone_goes_to_the_applicant_who_answers_it(
    stage: Stage_, applications: tuple[str, str], person: Person
) -> None:
    application = applications[0]
    form = person.opens_form(run_of(stage, application))
    form.writes(form.code, code_of(stage.reviews(application)[0], stage.here.key))
    form.writes("Or: a question to the applicant", f"Which tools?\n{HOSTILE}")
    form.sends()
    stage.until(lambda: _asked(stage, application) and stage.parked(application), "the applicant is asked")
    form = person.opens_form(run_of(stage, application))
    assert "The applicant’s answer is awaited by" in form.code.inner_text()
    assert f"“Which tools? {HOSTILE}”" in form.code.inner_text().replace("\u2060", "")
    form.writes(form.code, code_of(_asked(stage, application)[0], stage.here.key))
    form.writes("Your answer to the question", "Maps, and nothing else.")
    form.sends()
    stage.until(
        lambda: len(stage.reviews(application)) == 2 and stage.parked(application), "the reviewer has it"
    )
    form = person.opens_form(run_of(stage, application))
    assert "Maps, and nothing else." in form.code.inner_text()


def _asked(stage: Stage_, application: str) -> list[Step]:
    return [step for step in stage.awaited(application) if step.kind is StepKind.INFORMATION]
