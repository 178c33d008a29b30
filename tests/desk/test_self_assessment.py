"""A school's self-assessment at the desk: written by several at once, checked, handed in, declared (A6, A13)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from labels.record import Record
from labels.record.schema import Application, Document, Draft, HandingIn, KeptForm, Step, StepKind, StepState
from labels.settings import PROJECT, Settings
from labels.steps.answers import Question
from labels.turn import Door
from tests.desk.conftest import Browser, words
from tests.desk.school_scene import FIRST, PRINCIPAL, SECOND, SchoolDesk, complete, fields_of
from tests.desk.test_signing_in import at
from tests.support.school import QUESTIONS
from usecases.privacy import delete_outside

pytestmark = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)

RULES, TEAMS = "answers.esafety.rules", "answers.teaching.teams"


@pytest.fixture
def desk(record: Record, settings: Settings) -> SchoolDesk:
    return SchoolDesk(record, settings)


def types(person: Browser, page: str, **changes: str) -> Any:
    """Saves the form as a script does, with some fields as somebody typed them."""
    return person.sends(page, fields_of(person.opens(page)) | named(changes) | {"draft": "1"})


def named(changes: dict[str, str]) -> dict[str, str]:
    return {name.replace("__", "."): value for name, value in changes.items()}


def shown(person: Browser, page: str, name: str) -> str:
    return fields_of(person.opens(page)).get(name, "")


def drafts(desk: SchoolDesk) -> list[Draft]:
    with desk.school.record.reading() as session:
        return list(session.scalars(sa.select(Draft).order_by(Draft.number)))


@pytest.mark.slow
def test_a6_two_colleagues_on_different_pillars_never_collide(desk: SchoolDesk) -> None:
    one, other = desk.person(FIRST), desk.person(SECOND)
    hers, his = fields_of(one.opens(desk.form)), fields_of(other.opens(desk.form))
    saved = one.sends(desk.form, hers | {f"{RULES}.text": "Hung in every class.", "draft": "1"})
    assert saved.json()["state"] == "saved"
    saved = other.sends(desk.form, his | {f"{TEAMS}.level": "3", "draft": "1"})
    assert saved.json()["state"] == "saved"
    assert saved.json()["theirs"][f"{RULES}.text"]["value"] == "Hung in every class.", (
        "it comes into the open page"
    )
    for person in (one, other):
        now = fields_of(person.opens(desk.form))
        assert (now[f"{RULES}.text"], now[f"{TEAMS}.level"]) == ("Hung in every class.", "3")
    assert [list(row.changed["answers"]) for row in drafts(desk)] == [["esafety"], ["teaching"]]


def test_a6_the_same_field_in_two_hands_is_refused_with_both_versions_and_nothing_is_lost(
    desk: SchoolDesk,
) -> None:
    one, other = desk.person(FIRST), desk.person(SECOND)
    hers, his = fields_of(one.opens(desk.form)), fields_of(other.opens(desk.form))
    field = f"{RULES}.text"
    one.sends(desk.form, hers | {field: "Hers.", "draft": "1"})
    told = other.sends(desk.form, his | {field: "His.", f"{TEAMS}.text": "With maths.", "draft": "1"}).json()
    assert told["state"] == "fail"
    assert "Both versions are kept" in told["text"]
    page = other.opens(desk.form)
    assert fields_of(page)[field] == "Hers."
    assert fields_of(page)[f"{TEAMS}.text"] == "With maths.", "the rest of what he typed is saved"
    told = words(page)
    assert "Changed by two of you at once" in told
    assert "His." in told
    assert "Zażółć Gęślą’s, which stands there now" in told
    assert "Changed by two of you" not in words(one.opens(desk.form)), "it is his to choose"


@pytest.mark.slow
@pytest.mark.parametrize(("how", "stays"), [("mine", "His."), ("theirs", "Hers."), ("both", "Hers.\nHis.")])
def test_a6_whoever_was_slower_chooses_which_of_two_versions_stays(
    desk: SchoolDesk, how: str, stays: str
) -> None:
    one, other = desk.person(FIRST), desk.person(SECOND)
    field, his = f"{RULES}.text", fields_of(other.opens(desk.form))
    types(one, desk.form, **{field.replace(".", "__"): "Hers."})
    other.sends(desk.form, his | {field: "His.", "draft": "1"})
    page = fields_of(other.opens(desk.form))
    chosen = other.sends(desk.form, page | {"choose": f"{how}:{field}"})
    assert chosen.status_code == 303
    after = other.opens(desk.form)
    assert fields_of(after)[field] == stays
    assert "Changed by two of you" not in words(after)


@pytest.mark.slow
def test_a6_a_choice_between_versions_of_which_one_is_not_the_newest_any_more_is_asked_again(
    desk: SchoolDesk,
) -> None:
    one, other = desk.person(FIRST), desk.person(SECOND)
    field, his = f"{RULES}.text", fields_of(other.opens(desk.form))
    types(one, desk.form, **{field.replace(".", "__"): "Hers."})
    other.sends(desk.form, his | {field: "His.", "draft": "1"})
    page = fields_of(other.opens(desk.form))
    types(one, desk.form, **{field.replace(".", "__"): "Hers, again."})
    other.sends(desk.form, page | {"choose": f"mine:{field}"})
    told = words(other.opens(desk.form))
    assert "Changed by two of you" in told
    assert "Hers, again." in told


def test_a6_who_is_in_and_who_changed_what_when_is_shown(desk: SchoolDesk) -> None:
    one, other = desk.person(FIRST), desk.person(SECOND)
    types(one, desk.form, answers__esafety__rules__text="Hung in every class.")
    page = words(other.opens(desk.form))
    assert re.search(r"Zażółć Gęślą, \d+ March 2026, \d\d:\d\d", page)
    assert "Who is writing Zażółć Gęślą" in page
    assert re.search(r"you, \d+ March 2026", words(one.opens(desk.form)))


@pytest.mark.slow
def test_what_was_filled_in_is_confirmed_or_disputed_row_by_row(desk: SchoolDesk) -> None:
    person = desk.person(FIRST)
    fields = fields_of(person.opens(desk.form))
    asked = person.sends(desk.form, fields | {"dispute": "A-1", f"{RULES}.text": "Typed before."})
    assert asked.headers["location"] == f"{desk.form}?dispute=A-1"
    page = person.opens(asked.headers["location"])
    fields = fields_of(page)
    assert fields["disputed.A-1"] == ""
    assert fields[f"{RULES}.text"] == "Typed before."
    person.sends(
        desk.form,
        fields | {"disputed.A-1": "It was another course.", "confirmed.professional_development": "1"},
    )
    assert shown(person, desk.form, "disputed.A-1") == "It was another course."
    checked = words(person.opens(f"{desk.form}/check"))
    assert "Kurs 1 : It was another course." in checked
    person.sends(desk.form, fields_of(person.opens(desk.form)) | {"disputed.A-1": ""})
    assert "disputed.A-1" not in fields_of(person.opens(desk.form)), "taken back"


@pytest.mark.slow
def test_a2_a_save_says_when_it_was_and_what_is_missing_still(desk: SchoolDesk) -> None:
    person = desk.person(FIRST)
    told = types(person, desk.form, answers__esafety__rules__level="2").json()
    assert re.fullmatch(r"Saved 1[67] March 2026, \d\d:\d\d \(Brussels\)", told["text"])
    assert "Say how one can see it" in told["aside"]
    assert told["was"].keys() >= {"answers.esafety.rules.level"}


@pytest.mark.slow
def test_a3_what_is_sent_when_the_session_has_run_out_comes_back_into_the_form(desk: SchoolDesk) -> None:
    person = desk.person(FIRST)
    fields = fields_of(person.opens(desk.form))
    token = person.token("/account")
    late = at(person, timedelta(hours=13))
    sent = late.sends(desk.form, fields | {f"{RULES}.text": "Typed all night."}, token=token)
    assert sent.headers["location"].startswith("/sign-in?")
    with desk.school.record.reading() as session:
        assert session.scalars(sa.select(KeptForm.page)).all() == [desk.form]
    late.signs_in(FIRST)
    page = late.opens(desk.form)
    assert fields_of(page)[f"{RULES}.text"] == "Typed all night."
    assert late.sends(desk.form, fields_of(page) | {"keep": "1"}).status_code == 303
    assert shown(late, desk.form, f"{RULES}.text") == "Typed all night."


def pdf(name: str = "rules.pdf") -> dict[str, Any]:
    content = sorted((PROJECT / "examples" / "evidence").glob("*.pdf"))[0].read_bytes()
    return {"upload": (name, content, "application/pdf")}


def documents(desk: SchoolDesk) -> list[tuple[str, str | None]]:
    with desk.school.record.reading() as session:
        rows = session.scalars(sa.select(Document).where(Document.kind == "evidence").order_by(Document.name))
        return [(one.name, one.meets) for one in rows]


def uploads(person: Browser, desk: SchoolDesk) -> None:
    for kind in ("safety", "policy", "declaration"):
        fields = fields_of(person.opens(desk.form)) | {"kind": kind, "add": "1"}
        assert person.sends(desk.form, fields, files=pdf()).status_code == 303


@pytest.mark.slow
def test_documents_are_stored_at_once_whatever_else_is_wrong_and_taken_out_again(desk: SchoolDesk) -> None:
    person = desk.person(FIRST)
    sent = person.sends(desk.form, {"upload_only": "1", "kind": "safety"}, files=pdf())
    assert sent.status_code == 200
    assert documents(desk) == [("safety-rules.pdf", "safety")]
    refused = person.sends(
        desk.form, {"upload_only": "1", "kind": "policy"}, files={"upload": ("x.exe", b"MZ", "x/y")}
    )
    assert refused.status_code == 422
    wrong = fields_of(person.opens(desk.form)) | {"links": "no link", "kind": "policy", "add": "1"}
    answer = person.sends(desk.form, wrong, files=pdf("plan.pdf"))
    assert answer.status_code == 422
    assert "no link" in fields_of(answer)["links"], "it stays in the field"
    assert [name for name, _ in documents(desk)] == ["policy-plan.pdf", "safety-rules.pdf"]
    with desk.school.record.reading() as session:
        keys = {one.name: one.key for one in session.scalars(sa.select(Document))}
    person.sends(desk.form, fields_of(person.opens(desk.form)) | {"remove": "policy-plan.pdf"})
    assert [name for name, _ in documents(desk)] == ["safety-rules.pdf"]
    delete_outside(desk.here)
    assert desk.here.documents.exists(keys["safety-rules.pdf"]), "the other has the same content"
    person.sends(desk.form, fields_of(person.opens(desk.form)) | {"remove": "safety-rules.pdf"})
    delete_outside(desk.here)
    assert not desk.here.documents.exists(keys["safety-rules.pdf"])


def writes_all(person: Browser, desk: SchoolDesk) -> None:
    uploads(person, desk)
    sent = person.sends(desk.form, fields_of(person.opens(desk.form)) | complete())
    assert sent.headers["location"] == f"{desk.form}/check", words(sent)


def number_on(person: Browser, desk: SchoolDesk) -> dict[str, str]:
    page = person.opens(f"{desk.form}/check").text
    return {"number": re.findall(r'name="number" value="(\d+)"', page)[0]}


def test_what_is_missing_is_said_with_links_to_the_fields_and_nothing_is_handed_in(desk: SchoolDesk) -> None:
    person = desk.person(FIRST)
    types(person, desk.form, answers__esafety__rules__level="2")
    answer = person.sends(f"{desk.form}/check", number_on(person, desk))
    assert answer.status_code == 422
    links = re.findall(rf'href="{desk.form}#([^"]+)"', answer.text)
    there = person.opens(desk.form).text
    assert {link for link in links if f'id="{link}"' not in there} == set()
    assert "answers.esafety.rules.text" in links
    with desk.school.record.reading() as session:
        assert session.get_one(Application, desk.school.id).stage.value == "self-assessment"
    assert len(desk.school.open(StepKind.SELF_ASSESSMENT)) == 2


@pytest.mark.slow
def test_a_whole_self_assessment_is_written_checked_handed_in_and_confirmed(desk: SchoolDesk) -> None:
    person = desk.person(FIRST)
    writes_all(person, desk)
    checked = person.opens(f"{desk.form}/check")
    assert "to mend before you can send it" not in words(checked)
    done = person.sends(f"{desk.form}/check", number_on(person, desk))
    assert done.headers["location"].startswith(f"{desk.form}?received=1"), words(done)
    assert person.sends(f"{desk.form}/check", {"number": "1"}).status_code == 403, "a second click"
    assert "It is handed in" in words(person.opens(done.headers["location"]))
    principal = desk.person(PRINCIPAL)
    confirming = f"{desk.form}/confirm"
    assert "14 of 14 answered" in words(principal.opens(confirming))
    assert principal.sends(confirming, {"true": "1"}).status_code == 422
    done = principal.sends(confirming, {"true": "1", "backs": "1"})
    assert done.headers["location"].startswith(f"{desk.form}?confirmed=1")
    with desk.school.record.reading() as session:
        assert session.get_one(Application, desk.school.id).stage.value == "submitted"
    assert desk.school.journal()[-1] == "declared the self-assessment" or "declared" in str(
        desk.school.journal()
    )
    assert "Thank you" in words(principal.opens(done.headers["location"]))


@pytest.mark.slow
def test_where_the_questions_ask_for_a_plan_it_is_written_shown_and_missed(
    desk: SchoolDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labels.school_label import receiving
    from labels.views import self_assessment

    planned = receiving.questions_of

    def with_a_plan(*of: Any) -> Any:
        return planned(*of).model_copy(update={"plan": "What do you plan, and how will one see it?"})

    for module in (receiving, self_assessment):
        monkeypatch.setattr(module, "questions_of", with_a_plan)
    person = desk.person(FIRST)
    writes_all(person, desk)
    assert "Write what the school plans. Plan: eSafety" in words(person.opens(f"{desk.form}/check"))
    pillars = {f"plan__{pillar.id}": f"We plan {pillar.id}." for pillar in QUESTIONS.pillars}
    types(person, desk.form, **pillars)
    checked = words(person.opens(f"{desk.form}/check"))
    assert "We plan esafety." in checked
    assert "Write what the school plans" not in checked
    assert "We plan esafety." in words(person.opens(f"{desk.form}/declaration"))


@pytest.mark.slow
def test_the_principal_gives_it_back_with_a_word_and_the_teachers_go_on(desk: SchoolDesk) -> None:
    person = desk.person(FIRST)
    writes_all(person, desk)
    person.sends(f"{desk.form}/check", number_on(person, desk))
    principal = desk.person(PRINCIPAL)
    assert principal.sends(f"{desk.form}/confirm", {"give_back": "1"}).status_code == 422
    back = principal.sends(f"{desk.form}/confirm", {"give_back": "1", "reason": "Page 2 is old."})
    assert back.status_code == 303
    page = person.opens(desk.form)
    assert "The principal gave it back Page 2 is old." in words(page)
    assert fields_of(page)[f"{RULES}.level"] == "2", "what was handed in is gone on from"
    person.sends(desk.form, fields_of(page) | {f"{RULES}.level": "3"})
    assert person.sends(f"{desk.form}/check", number_on(person, desk)).status_code == 303


@pytest.mark.slow
def test_the_chosen_person_hands_in_and_nobody_else(desk: SchoolDesk) -> None:
    one, other = desk.person(FIRST), desk.person(SECOND)
    writes_all(one, desk)
    whom = re.findall(r'<option value="(PER-[^"]+)"[^>]*>Łucja', one.opens(f"{desk.form}/check").text)
    assert one.sends(f"{desk.form}/check", {"who": "1", "person": whom[0]}).status_code == 303
    assert one.sends(f"{desk.form}/check", {"who": "1", "person": "PER-NOBODY"}).status_code == 404
    refused = one.sends(f"{desk.form}/check", number_on(one, desk))
    assert refused.status_code == 409
    assert "Łucja Źdźbło was chosen to hand in" in words(refused)
    assert other.sends(f"{desk.form}/check", number_on(other, desk)).status_code == 303
    with desk.school.record.reading() as session:
        assert session.scalars(sa.select(HandingIn)).one().person == whom[0]


@pytest.mark.slow
def test_what_a_colleague_changed_after_the_check_is_looked_at_before_it_is_handed_in(
    desk: SchoolDesk,
) -> None:
    one, other = desk.person(FIRST), desk.person(SECOND)
    writes_all(one, desk)
    checked = number_on(one, desk)
    types(other, desk.form, answers__esafety__rules__text="Meanwhile.")
    answer = one.sends(f"{desk.form}/check", checked)
    assert answer.status_code == 409
    assert "A colleague changed something meanwhile" in words(answer)
    assert "Meanwhile." in words(answer)
    assert one.sends(f"{desk.form}/check", number_on(one, desk)).status_code == 303


@pytest.mark.slow
def test_what_is_sent_after_a_colleague_handed_in_is_shown_to_be_copied(desk: SchoolDesk) -> None:
    one, other = desk.person(FIRST), desk.person(SECOND)
    writes_all(one, desk)
    his = fields_of(other.opens(desk.form))
    one.sends(f"{desk.form}/check", number_on(one, desk))
    late = other.sends(desk.form, his | {f"{RULES}.text": "Too late, but long."})
    assert late.status_code == 409
    assert "Too late, but long." in words(late)
    assert other.sends(desk.form, his | {"draft": "1"}).status_code == 403


@pytest.mark.slow
def test_the_declaration_is_made_from_the_answers(desk: SchoolDesk) -> None:
    person = desk.person(FIRST)
    writes_all(person, desk)
    page = words(person.opens(f"{desk.form}/declaration"))
    assert "O tym: rules." in page
    assert "Dyrektor" in page
    assert "Signature and stamp" in page


def test_a_field_that_there_is_not_is_none_of_ours_and_values_are_bounded(desk: SchoolDesk) -> None:
    person = desk.person(FIRST)
    fields = fields_of(person.opens(desk.form))
    strange = {"answers.esafety.fame.text": "x", "was.answers.esafety.fame.text": "y", f"{RULES}.level": "77"}
    person.sends(desk.form, fields | strange | {"draft": "1"})
    assert drafts(desk) == []
    long = person.sends(desk.form, fields | {f"{RULES}.text": "x" * 10_001, "keep": "1"})
    assert long.status_code == 422
    assert "longer than 10" in words(long)
    assert person.sends(desk.form, fields | {f"{RULES}.text": "x"}, token="forged").status_code == 403
    assert drafts(desk) == []


def test_who_was_not_invited_reads_and_writes_nothing(desk: SchoolDesk) -> None:
    principal = desk.person(PRINCIPAL)
    assert "Those who were invited are writing it still." in words(principal.opens(desk.form))
    assert principal.sends(desk.form, {f"{RULES}.text": "x", f"was.{RULES}.text": "y"}).status_code == 409
    assert drafts(desk) == []


def test_a_reviewer_opens_no_sheet_of_a_school_even_once_their_review_was_taken_back(
    desk: SchoolDesk,
) -> None:
    desk.school.hand_in()
    desk.school.declare()
    first, *_ = desk.school.ask()
    reviewer = desk.person(first.assignee)
    assert reviewer.opens(desk.form).status_code == 404
    with desk.school.record.writing() as session:
        session.get_one(Step, first.id).state = StepState.VOID
    assert reviewer.opens(desk.form).status_code == 404


@pytest.mark.slow
def test_the_door_and_how_they_were_known_are_in_the_journal(desk: SchoolDesk) -> None:
    person = desk.person(FIRST)
    writes_all(person, desk)
    person.sends(f"{desk.form}/check", number_on(person, desk))
    from labels.record.schema import Journal

    with desk.school.record.reading() as session:
        entry = session.scalars(
            sa.select(Journal).where(Journal.what == "handed in the self-assessment")
        ).one()
    assert (entry.details["door"], entry.details["known_by"]) == (Door.DESK.value, "mail code")
    assert {one.state for one in desk.school.open(StepKind.DECLARATION)} == {StepState.OPEN}


def asked_by_a_reviewer(desk: SchoolDesk) -> str:
    """A school that handed in is asked a question; the step in which it answers."""
    desk.school.hand_in()
    desk.school.declare()
    first, *_ = desk.school.ask()
    desk.school.answer(first, Question(question="Who writes the rules?"))
    [step] = desk.school.open(StepKind.INFORMATION)
    return step.id


@pytest.mark.slow
def test_a13_a_question_of_the_reviewers_is_answered_on_the_same_page_by_whoever_handed_in(
    desk: SchoolDesk,
) -> None:
    step = asked_by_a_reviewer(desk)
    one, other = desk.person(FIRST), desk.person(SECOND)
    led = one.opens(f"/applications/{desk.school.id}")
    assert led.headers["location"] == desk.form, "the link of the mail leads there"
    page = one.opens(desk.form)
    assert "A question for you Who writes the rules?" in words(page)
    assert "Zażółć Gęślą is to answer it." in words(other.opens(desk.form))
    assert other.sends(desk.form, {"step": step, "text": "Not mine."}).status_code == 404
    assert one.sends(desk.form, {"step": step, "text": ""}).status_code == 422
    wrong = one.sends(desk.form, {"step": step, "text": "The pupils.", "links": "nothing"})
    assert wrong.status_code == 422
    assert "The pupils." in wrong.text
    with_file = one.sends(desk.form, {"step": step, "text": "The pupils.", "add": "1"}, files=pdf())
    kept = re.findall(r'name="kept" value="([^"]+)"', with_file.text)
    done = one.sends(desk.form, {"step": step, "text": "The pupils.", "kept": kept})
    assert done.headers["location"].startswith(f"{desk.form}?answered=1"), words(done)
    assert "Who writes the rules? The pupils." in words(other.opens(desk.form))
    assert "rules.pdf" in [name for name, _ in documents(desk)]
