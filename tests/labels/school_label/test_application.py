"""A school's application: from the invitation to a label for two years, and every way in which it can end earlier."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from labels.answering import accepting, deadlines, proving
from labels.applications.documents import StoredDocument
from labels.errors import InvalidInput
from labels.mail import messages, outbox
from labels.papers.due import due_invitation, due_papers, due_receipt
from labels.papers.facts import CertificateFacts, LetterFacts
from labels.record.engine import Record
from labels.record.journal import Event
from labels.record.schema import (
    Activity,
    Application,
    Award,
    Decision,
    Document,
    HandingIn,
    Mail,
    Outcome,
    PaperKind,
    Person,
    SchoolRound,
    Staff,
    Stage,
    Step,
    StepKind,
    Teacher,
)
from labels.record.schema import School as SchoolOfRecord
from labels.revoking import reopening
from labels.rules.loading import load_school_rules
from labels.rules.model import RuleEdition, SchoolDocument, SelfAssessmentRules
from labels.school_label import deciding, drafting, inviting, prefilling, receiving
from labels.school_label.fields import named
from labels.school_label.self_assessment import document_kind, missing, share
from labels.school_label.validity import last_day
from labels.school_label.worksheet import worksheet
from labels.steps.answers import Declaration, Decline, Information, Question, SelfAssessment
from labels.steps.outcome import Accepted, Refusal
from labels.steps.proof import Code, SignedIn
from labels.turn import Turn
from tests.support.mails import told_by
from tests.support.people import KEY, STAMP, code_of
from tests.support.school import FILES, QUESTIONS, TODAY, School, whole

DAY = timedelta(days=1)


@pytest.fixture
def school(record: Record) -> School:
    return School(record)


EVERYBODY = ("t-1@school.example", "t-3@school.example", "dyrektor@s.example")


def _taken_back(turn: Turn, application: str) -> bool:
    subject = reopening.Revoked(application)
    assert reopening.authority(turn.session, subject) == application
    shown = reopening.consequences(turn, subject)
    assert [one.kind for one in shown.found] == ["label", "statistics"]
    assert shown.found[0].what == "School Label of Szkoła Podstawowa nr 7: revoked."
    reopening.reopen(turn.acting("c@nss.example"), subject, shown.plan, "Not the school's own work.")
    return True


def test_from_the_invitation_to_a_label_for_two_years(school: School) -> None:
    assert len(school.do(receiving.ask, school.id)) == 2
    handed_in = school.hand_in()
    assert isinstance(handed_in, Accepted)
    assert "dyrektor@s.example" in handed_in.remark
    assert school.open(StepKind.SELF_ASSESSMENT) == [], "one hands in for all"
    [step] = school.do(receiving.ask, school.id)
    assert (step.kind, step.assignee) == (StepKind.DECLARATION, "dyrektor@s.example")
    assert isinstance(school.declare(), Accepted)
    assert school.do(receiving.ask, school.id) == []
    assert school.row().decide_by is not None
    assert {step.kind for step in school.ask()} == {StepKind.REVIEW}
    assert school.row().stage is Stage.REVIEW
    school.review(4)
    assert school.do(deciding.decide, school.id) is Outcome.AWARDED
    assert school.do(deciding.decide, school.id) is Outcome.AWARDED
    with school.record.reading() as session:
        award = session.get_one(Award, school.id)
        assert (award.label, award.school, award.teacher, award.project) == ("school", "S-1", None, None)
        assert (award.awarded_on, award.valid_until, award.score) == (TODAY, date(2028, 3, 15), 16.0)
        paper, letter = due_papers(session, school.id, STAMP)
        assert isinstance(paper.facts, CertificateFacts)
        assert (paper.kind, paper.facts.holder) == ("certificate", "Szkoła Podstawowa nr 7")
        assert paper.facts.valid_until == date(2028, 3, 15)
        assert isinstance(letter.facts, LetterFacts)
        assert (letter.kind, letter.facts.section, letter.facts.holder) == (
            "letter", "school award", "Dyrektor",
        )  # fmt: skip
        assert [line.points for line in letter.facts.scores] == [4] * 4
        assert "2028-03-15" in letter.facts.route_forward[0]
    assert school.do(_taken_back, school.id)
    with school.record.reading() as session:
        assert session.get_one(Award, school.id).revoked_at is not None
    for template in ("school_received", "school_awarded", "label_revoked"):
        assert {to for what, to in school.mails() if what == template} == set(EVERYBODY)
    assert set(school.mails().values()) == {1}
    assert school.journal()[:4] == [
        Event.INVITED, Event.PREFILLED, Event.HANDED_IN,
        Event.DECLARED,
    ]  # fmt: skip


def test_the_invitation_says_why_and_goes_to_the_principal(school: School) -> None:
    with school.record.reading() as session:
        [paper] = due_invitation(session, school.id)
        assert due_receipt(session, school.id) == []
    facts = paper.facts
    assert isinstance(facts, LetterFacts)
    assert (paper.kind, paper.name, facts.holder) == (
        PaperKind.INVITATION, f"invitation-{school.id}.pdf", "Dyrektor",
    )  # fmt: skip
    assert facts.deadline == school.open(StepKind.SELF_ASSESSMENT)[0].due_at
    assert list(facts.reasons) == [
        "Your school has been registered since this day: 2015-01-01.",
        "Teachers who have been active since 2024-03-16: 2.",
        "A National Quality Label was awarded to its European project “Mosty przez Europę” on this day: 2026-03-10.",
    ]
    assert "“eSafety and its awareness in the school”, “Teaching" in facts.route_forward[2]
    for _ in range(2):
        school.do(inviting.tell_the_principal, school.id)
    assert school.mails()["school_invitation", "dyrektor@s.example"] == 1
    with school.record.reading() as session:
        held_back = {mail.template for mail in outbox.due(session, school.now)}
    assert "school_invitation" not in held_back, "it waits for the letter"


def test_a_school_s_receipt_lists_its_documents_once_the_principal_confirmed(school: School) -> None:
    school.hand_in()
    with school.record.reading() as session:
        assert due_receipt(session, school.id) == []
    school.declare()
    with school.record.reading() as session:
        [paper] = due_receipt(session, school.id)
        assert due_invitation(session, school.id) == []
    facts = paper.facts
    assert isinstance(facts, LetterFacts)
    assert (facts.section, facts.arrived_at) == ("school receipt", school.now)
    assert [one.name for one in facts.files] == sorted(one.name for one in FILES)
    [mail] = [m for m in school.rows(Mail) if m.template == "school_received" and "dyrektor" in m.to_address]
    assert mail.attachment == f"receipt/{mail.application}/1"
    assert told_by(mail, messages.SchoolReceived).documents == tuple(sorted(one.name for one in FILES))


def test_what_the_registry_knows_is_frozen_with_its_source_and_time(school: School) -> None:
    filled = school.row().content["prefilled"]
    assert (filled["source"], filled["at"][:10], filled["since"]) == ("registry", "2026-03-16", "2024-03-16")
    assert [row["id"] for row in filled["members"]] == ["T-1", "T-3"]
    [project] = filled["projects"]
    assert (project["id"], project["labelled"], project["teachers"]) == ("P-1", True, ["T-1", "T-3"])
    assert [row["id"] for row in filled["professional_development"]] == ["A-1", "A-2"], (
        "confirmed, and theirs"
    )
    assert [row["id"] for row in filled["events"]] == ["A-3"]
    with school.record.writing() as session:
        session.delete(session.get_one(Activity, "A-1"))
    assert school.do(prefilling.prefill, school.id) is False
    assert school.row().content["prefilled"] == filled


def test_a_school_that_is_faster_than_its_run_is_served_all_the_same(school: School) -> None:
    with school.record.writing() as session:
        row = session.get_one(Application, school.id)
        row.content = {name: value for name, value in row.content.items() if name != "prefilled"}
    assert len(school.do(worksheet, school.id).filled_in["members"]) == 2
    with school.record.writing() as session:
        row = session.get_one(Application, school.id)
        row.content = {name: value for name, value in row.content.items() if name != "prefilled"}
    assert isinstance(school.hand_in(), Accepted)


def test_what_is_missing_is_told_at_once_and_nothing_typed_or_uploaded_is_lost(school: School) -> None:
    given = whole(confirmed={"members": True}, requirements={"C": "5a and 6b"})
    step = school.open(StepKind.SELF_ASSESSMENT)[1]
    refusal = school.answer(step, given, FILES[:1])
    assert isinstance(refusal, Refusal)
    assert isinstance(refusal.error, InvalidInput)
    assert [fault.where for fault in refusal.error.faults] == [
        "confirmed.projects", "confirmed.professional_development", "confirmed.events",
        "requirements.B", "requirements.E", "documents", "documents",
    ]  # fmt: skip
    assert all(fault.remedy for fault in refusal.error.faults)
    again = school.open(StepKind.SELF_ASSESSMENT)[1]
    assert again.draft is None, "it is the draft that all of them share"
    with school.record.reading() as session:
        now = drafting.drafted(session, school.row())
    assert now.given == given.model_copy(update={"draft": 1})
    assert isinstance(school.answer(again, whole(), FILES[1:]), Accepted), "the first file is still there"
    with school.record.reading() as session:
        assert len(session.scalars(sa.select(Document)).all()) == 3


def test_a_newer_file_of_the_same_name_takes_the_place_of_the_former(school: School) -> None:
    school.answer(school.open(StepKind.SELF_ASSESSMENT)[0], whole(answers={}), FILES)
    newer = StoredDocument("evidence", FILES[0].name, "sha256/newer", "application/pdf", 2)
    school.answer(school.open(StepKind.SELF_ASSESSMENT)[0], whole(), (newer,))
    with school.record.reading() as session:
        keys = session.scalars(sa.select(Document.key).order_by(Document.key)).all()
    assert keys == sorted([FILES[1].key, FILES[2].key, "sha256/newer"])


def test_the_principal_can_send_it_back_with_a_reason(school: School) -> None:
    school.hand_in()
    [step] = school.open(StepKind.DECLARATION)
    assert isinstance(school.answer(step, Decline(decline="Last year's policy.")), Accepted)
    [again] = school.open(StepKind.SELF_ASSESSMENT)
    assert (again.assignee, again.refused) == ("t-1@school.example", "Last year's policy.")
    assert again.draft == whole().model_dump(mode="json")
    assert isinstance(school.hand_in(), Accepted)
    assert isinstance(school.declare(), Accepted)
    assert school.mails()["school_returned", "t-1@school.example"] == 1
    assert school.mails()["school_declaration", "dyrektor@s.example"] == 2


def test_a_reviewer_may_ask_whoever_handed_in(school: School) -> None:
    school.hand_in(who=1)
    school.declare()
    first = school.ask()[0]
    assert isinstance(school.answer(first, Question(question="Who leads it?")), Accepted)
    [asked] = school.open(StepKind.INFORMATION)
    assert asked.assignee == "t-3@school.example"
    assert isinstance(school.answer(asked, Information(text="Łucja.")), Accepted)
    assert school.mails()["information_received", "t-3@school.example"] == 1
    school.review(3)
    assert school.do(deciding.decide, school.id) is Outcome.AWARDED


def test_nobody_judges_their_own_school(school: School) -> None:
    with school.record.writing() as session:
        for n in (1, 2, 3):
            session.get_one(Staff, (f"r{n}@nss.example", "reviewer")).school = "S-1"
    school.hand_in()
    school.declare()
    assert {step.assignee for step in school.ask()} == {"r4@nss.example", "r5@nss.example"}


@pytest.mark.parametrize("declared", [False, True])
def test_what_is_not_in_by_the_deadline_is_closed_and_told_with_the_next_round(
    school: School, declared: bool
) -> None:
    if declared:
        school.hand_in()  # and the principal forgets it
    due = school.do(receiving.ask, school.id)[0].due_at
    school.now = due
    assert deadlines.pass_deadlines(school.record, now=school.now, key=KEY) == [], "its last second counts"
    school.now = due + timedelta(seconds=1)
    [passed] = deadlines.pass_deadlines(school.record, now=school.now, key=KEY)
    assert passed.application == school.id
    assert deadlines.pass_deadlines(school.record, now=school.now, key=KEY) == []
    assert school.row().outcome is Outcome.EXPIRED
    assert {to for what, to in school.mails() if what == "school_expired"} == set(EVERYBODY)
    with school.record.reading() as session:
        [mail] = session.scalars(
            sa.select(Mail).where(Mail.template == "school_expired", Mail.to_address == EVERYBODY[0])
        )
        [route] = told_by(mail, messages.SchoolExpired).routes
        assert [route] == session.get_one(Decision, (school.id, 1)).verdict["routes"]
        assert "2027-01-15" in route
    assert school.do(receiving.ask, school.id) == school.ask() == []
    assert school.do(deciding.decide, school.id) is Outcome.EXPIRED


def test_more_time_for_one_teacher_is_more_time_for_the_school(school: School) -> None:
    first, second = school.open(StepKind.SELF_ASSESSMENT)
    assert first.due_at is not None
    with school.record.writing() as session:
        session.get_one(Step, second.id).due_at = first.due_at + DAY
    school.now = first.due_at + timedelta(seconds=1)
    assert len(deadlines.pass_deadlines(school.record, now=school.now, key=KEY)) == 1
    assert school.row().outcome is None
    assert isinstance(school.hand_in(), Accepted)
    assert isinstance(school.declare(), Accepted)


def test_late_is_late_at_the_door_too(school: School) -> None:
    [step, _] = school.open(StepKind.SELF_ASSESSMENT)
    assert step.due_at is not None
    school.now = step.due_at + timedelta(seconds=1)
    refusal = school.hand_in()
    assert isinstance(refusal, Refusal)
    assert "deadline" in refusal.why


def refuse(school: School) -> None:
    school.hand_in()
    school.declare()
    school.review(1)
    assert school.do(deciding.decide, school.id) is Outcome.REFUSED


def test_refused_before_the_deadline_it_may_be_improved_and_handed_in_again(school: School) -> None:
    refuse(school)
    former = school.id
    assert {to for what, to in school.mails() if what == "school_refused"} == set(EVERYBODY)
    with school.record.reading() as session:
        [school.id] = session.scalars(sa.select(Application.id).where(Application.id != former))
    assert school.row().attempt == 2
    first, second = school.open(StepKind.SELF_ASSESSMENT)
    assert first.draft == second.draft == whole().model_dump(mode="json"), "they go on from what they said"
    school.do(prefilling.prefill, school.id)
    assert isinstance(school.answer(second, whole(3)), Accepted), "the documents are there already"
    school.declare()
    school.review(5)
    assert school.do(deciding.decide, school.id) is Outcome.AWARDED


def test_refused_after_the_deadline_it_has_the_next_round(school: School) -> None:
    school.hand_in()
    school.declare()
    with school.record.reading() as session:
        school.now = session.get_one(SchoolRound, 2026).due_at + DAY
    school.review(1)
    assert school.do(deciding.decide, school.id) is Outcome.REFUSED
    with school.record.reading() as session:
        assert len(session.scalars(sa.select(Application)).all()) == 1
        assert "next round" in session.get_one(Decision, (school.id, 1)).verdict["routes"][0]


def test_documents_do_not_go_with_other_answers(school: School) -> None:
    school.hand_in()
    [step] = school.open(StepKind.DECLARATION)
    refusal = school.answer(step, Declaration(declare=True), FILES)
    assert isinstance(refusal, Refusal)


def draft(school: School, who: int, **changes: Any) -> Any:
    step = school.open(StepKind.SELF_ASSESSMENT)[who]
    return school.do(accepting.save_draft, step.id, Code(code_of(step), step.assignee), whole(**changes))


def test_several_teachers_draft_one_self_assessment_and_nothing_is_lost(school: School) -> None:
    assert draft(school, 0, answers={}).made == "1"
    assert draft(school, 0, links=["https://szkola.example"]).made == "2", "one's own is gone on from"
    refusal = draft(school, 1, requirements={"B": "Nobody else."})
    assert isinstance(refusal, Refusal)
    assert '"draft": 2' in refusal.why
    assert isinstance(refusal.error, InvalidInput)
    told = {fault.where: fault.problem for fault in refusal.error.faults}
    assert told.keys() == {"draft", "requirements.B"}, "what only one of them says collides with nothing"
    assert told["requirements.B"] == "t-1@school.example has “Also Łucja.”; you have “Nobody else.”."
    mine = school.open(StepKind.SELF_ASSESSMENT)[1].draft
    assert mine is not None
    assert mine["requirements"] == {"B": "Nobody else."}, "what was not taken is kept too"
    assert draft(school, 1, requirements={"B": "Nobody else."}, draft=2).made == "3"
    with school.record.reading() as session:
        row = session.get_one(Application, school.id)
        assert [(one.number, one.author) for one in drafting.drafts(session, row)] == [
            (1, "t-1@school.example"), (2, "t-1@school.example"), (3, "t-3@school.example"),
        ]  # fmt: skip
        sheet = worksheet(Turn(session, school.now, KEY), school.id)
        assert (sheet.given.draft, sheet.given.requirements["B"]) == (3, "Nobody else.")
    late = school.hand_in()
    assert isinstance(late, Refusal), "a colleague's newer draft is not overwritten by handing in either"
    assert isinstance(school.hand_in(whole(draft=3)), Accepted)


def test_drafts_that_go_on_from_an_older_one_are_put_together_field_by_field(school: School) -> None:
    answers = whole().model_dump(mode="json")["answers"]
    assert draft(school, 0).made == "1"
    hers = answers | {"esafety": answers["esafety"] | {"rules": {"level": 3, "text": "Hers."}}}
    his = answers | {"teaching": answers["teaching"] | {"teams": {"level": 1, "text": "His."}}}
    assert draft(school, 0, answers=hers, draft=1).made == "2"
    assert draft(school, 1, answers=his, draft=1).made == "3", "he has not seen hers, and touched none of it"
    with school.record.reading() as session:
        row = session.get_one(Application, school.id)
        now, first = drafting.drafted(session, row), drafting.drafted(session, row, 1)
        rows = drafting.drafts(session, row)
    assert now.fields["answers", "esafety", "rules", "text"] == "Hers."
    assert now.fields["answers", "teaching", "teams", "level"] == 1
    assert first.given == whole(draft=1)
    assert [one.changed for one in rows[1:]] == [
        {"answers": {"esafety": {"rules": {"level": 3, "text": "Hers."}}}},
        {"answers": {"teaching": {"teams": {"level": 1, "text": "His."}}}},
    ]
    assert now.touched["answers", "esafety", "rules", "text"].author == "t-1@school.example"


def test_who_shares_a_mailbox_with_a_colleague_does_not_overwrite_what_they_have_not_seen(
    school: School,
) -> None:
    first, second = school.open(StepKind.SELF_ASSESSMENT)
    with school.record.writing() as session:
        session.get_one(Person, second.person).address = first.assignee
    hers, his = (SignedIn(one.person, "mail code", school.now) for one in (first, second))
    assert school.do(accepting.save_draft, first.id, hers, whole()).made == "1"
    other = whole(requirements={"B": "Nobody else."})
    assert isinstance(school.do(accepting.save_draft, second.id, his, other), Refusal)
    assert isinstance(school.do(accepting.answer, second.id, his, whole(3), documents=FILES), Refusal)


def test_who_has_another_address_since_goes_on_from_their_own_draft(school: School) -> None:
    step = school.open(StepKind.SELF_ASSESSMENT)[0]
    by = SignedIn(step.person, "mail code", school.now)
    assert school.do(accepting.save_draft, step.id, by, whole()).made == "1"
    with school.record.writing() as session:
        session.get_one(Person, step.person).address = "new@school.example"
    assert school.do(accepting.save_draft, step.id, by, whole(3)).made == "2"


def clashes_of(school: School, who: int) -> list[str]:
    with school.record.reading() as session:
        step = session.get_one(Step, school.open(StepKind.SELF_ASSESSMENT)[who].id)
        now = drafting.drafted(session, session.get_one(Application, school.id))
        return [named(one.field) for one in drafting.clashes(now, step)]


def test_what_colleagues_change_after_a_refused_hand_in_is_nobody_elses_own_words(school: School) -> None:
    assert draft(school, 0, answers={}).made == "1"
    refused = school.hand_in(whole(answers={}, draft=1))
    assert isinstance(refused, Refusal)
    assert (
        draft(school, 1, answers={}, requirements={"B": "Changed.", "C": "5a.", "E": "x"}, draft=1).made
        == "2"
    )
    assert clashes_of(school, 0) == []


def test_what_was_not_taken_stays_theirs_when_a_hand_in_is_refused(school: School) -> None:
    assert draft(school, 0).made == "1"
    changed = {"B": "Hers.", "C": "Classes 5a and 6b.", "E": "https://szkola.example"}
    assert draft(school, 0, requirements=changed, draft=1).made == "2"
    late = draft(school, 1, requirements=changed | {"B": "His."}, links=["https://his.example"], draft=1)
    assert isinstance(late, Refusal)
    assert clashes_of(school, 1) == ["requirements.B", "links"], "what he did not touch is not his own"
    assert isinstance(school.hand_in(whole(answers={}, draft=2), who=1), Refusal)
    assert clashes_of(school, 1) == ["requirements.B", "links"]


def test_who_goes_on_from_a_refused_application_has_no_clash_with_the_first_who_saves(school: School) -> None:
    refuse(school)
    with school.record.reading() as session:
        [school.id] = session.scalars(sa.select(Application.id).where(Application.attempt == 2))
    school.do(prefilling.prefill, school.id)
    assert draft(school, 1, requirements={"B": "Better."}).made == "1"
    assert clashes_of(school, 0) == []


def test_a_draft_may_have_words_without_a_level_and_is_not_handed_in_so(school: School) -> None:
    answers = whole().model_dump(mode="json")["answers"]
    answers["esafety"]["rules"]["level"] = None
    assert draft(school, 0, answers=answers).made == "1"
    refused = school.hand_in(whole(answers=answers, draft=1))
    assert isinstance(refused, Refusal)
    assert isinstance(refused.error, InvalidInput)
    assert [fault.where for fault in refused.error.faults] == ["answers.esafety.rules.level"]


def test_whoever_was_chosen_hands_in_and_anybody_once_the_chosen_ones_time_is_over(school: School) -> None:
    first, second = school.open(StepKind.SELF_ASSESSMENT)
    chosen = school.do(
        accepting.choose_who_hands_in, first.id, Code(code_of(first), first.assignee), second.assignee
    )
    assert isinstance(chosen, Accepted)
    refused = school.hand_in()
    assert isinstance(refused, Refusal)
    assert "was chosen to hand in" in refused.why
    nobody = school.do(
        accepting.choose_who_hands_in, first.id, Code(code_of(first), first.assignee), "x@x.example"
    )
    assert isinstance(nobody, Refusal)
    assert isinstance(school.hand_in(who=1), Accepted)


def test_of_two_who_share_a_mailbox_the_one_who_is_meant_is_chosen_and_their_address_alone_is_refused(
    school: School,
) -> None:
    first, second = school.open(StepKind.SELF_ASSESSMENT)
    with school.record.writing() as session:
        session.get_one(Person, second.person).address = first.assignee
    by = SignedIn(first.person, "mail code", school.now)
    for whom in (second.person, second.id):
        assert isinstance(school.do(accepting.choose_who_hands_in, first.id, by, whom), Accepted)
        assert [one.person for one in school.rows(HandingIn)] == [second.person]
        assert isinstance(school.do(accepting.choose_who_hands_in, first.id, by, first.person), Accepted)
    refused = school.do(accepting.choose_who_hands_in, first.id, by, first.assignee)
    assert isinstance(refused, Refusal)
    assert first.person in str(refused.why)
    assert second.person in str(refused.why)


def test_who_teaches_at_a_school_that_goes_on_under_another_number_has_an_invitation_sent_again(
    school: School,
) -> None:
    step = school.open(StepKind.SELF_ASSESSMENT)[0]
    with school.record.writing() as session:
        session.get_one(SchoolOfRecord, "S-9").succeeds = "S-1"
        teacher = session.get_one(Teacher, "T-2")
        teacher.school = "S-9"
        by = SignedIn(teacher.person, "mail code", school.now)
    assert isinstance(school.do(proving.send_again, step.id, by), Accepted)


def test_a_draft_needs_the_code_too(school: School) -> None:
    step = school.open(StepKind.SELF_ASSESSMENT)[0]
    refusal = school.do(accepting.save_draft, step.id, Code("2222-2222-22", step.assignee), whole())
    assert isinstance(refusal, Refusal)
    with school.record.reading() as session:
        assert drafting.drafts(session, session.get_one(Application, school.id)) == []


# The checks by themselves ---------------------------------------------------------------------------

FILLED: dict[str, Any] = {
    "members": [{"id": "T-1"}, {"id": "T-2"}, {"id": "T-3"}],
    "projects": [{"id": "P-1", "teachers": ["T-1", "T-2", "T-3"]}, {"id": "P-2", "teachers": ["T-1"]}],
    "professional_development": [{"id": "A-1", "teacher": "T-1"}, {"id": "A-2", "teacher": "T-2"}],
    "events": [],
}


def found(
    given: SelfAssessment, documents: frozenset[SchoolDocument] = frozenset(SchoolDocument)
) -> list[str]:
    return [fault.where for fault in missing(QUESTIONS, FILLED, given, documents)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"requirements": {"E": "our page"}}, []),  # the rows show the others
        ({"requirements": {}}, ["requirements.E"]),
        ({"disputed": {"P-2": "Not ours."}, "requirements": {"E": "x"}}, ["requirements.C"]),
        ({"disputed": {"P-1": "Not ours."}, "requirements": {"C": "x", "E": "x"}}, ["requirements.B"]),
        (
            {"confirmed": {"members": True, "projects": True, "events": True},
             "disputed": {"professional_development": "Two are missing."}, "requirements": {"E": "x"}},
            ["requirements.D"],
        ),
        ({"disputed": {"A-1": "Not hers."}, "requirements": {"E": "x", "D": "All staff."}}, []),
        ({"disputed": {"X-1": "What?"}}, ["disputed.X-1"]),
        ({"disputed": {"P-1": " "}}, ["disputed.P-1"]),
        ({"confirmed": dict.fromkeys([*prefilling.FIELDS, "pupils"], True)}, ["confirmed.pupils"]),
        ({"confirmed": dict.fromkeys(prefilling.FIELDS, True) | {"events": False}}, ["confirmed.events"]),
        ({"requirements": {"E": "x", "Z": "x"}}, ["requirements.Z"]),
    ],
)  # fmt: skip
def test_each_field_is_confirmed_or_disputed_and_each_requirement_met(
    changes: dict[str, Any], expected: list[str]
) -> None:
    assert found(whole(**changes)) == expected


def test_every_question_has_an_answer_within_the_levels() -> None:
    answers = whole().model_dump()["answers"]
    answers["esafety"]["rules"]["level"] = 4
    answers["esafety"]["lessons"]["text"] = " "
    answers["strategy"].pop("public")
    answers["strategy"]["fame"] = {"level": 1, "text": "x"}
    assert sorted(found(whole(answers=answers))) == [
        "answers.esafety.lessons.text", "answers.esafety.rules.level", "answers.strategy.fame",
        "answers.strategy.public",
    ]  # fmt: skip


def test_below_the_threshold_it_can_t_be_handed_in() -> None:
    assert [share(QUESTIONS, whole(level)) for level in range(4)] == [0, 33, 66, 100]
    assert found(whole(1)) == ["answers"]
    assert found(whole(2)) == []


def five_principles() -> SelfAssessmentRules:
    from labels.rules.loading import RULES, _questions, _read

    five = _questions(_read(RULES, RULES / "self_assessments" / "five-principles.yaml"))
    assert five is not None
    return five


def test_the_variant_of_2022_is_whole_too() -> None:
    five = five_principles()
    assert len(five.pillars) == 5
    assert missing(five, FILLED, whole(questions=five), frozenset(SchoolDocument)) == []


def test_where_the_questions_ask_for_a_plan_each_pillar_has_one_and_elsewhere_there_is_none() -> None:
    five = five_principles()
    assert five.plan is not None
    given = whole(questions=five)
    without = given.model_copy(update={"plan": given.plan | {"agents": " \u200b", "else": "x"}})
    faults = missing(five, FILLED, without, frozenset(SchoolDocument))
    assert [one.where for one in faults] == ["plan.else", "plan.agents"]
    assert "Pupils as agents of change: What does the school plan in the next two years" in faults[1].remedy
    assert found(whole(plan={"esafety": "x"})) == ["plan.esafety"]
    planned = receiving.summary(five, given.model_dump(mode="json"))[-1]
    assert planned.startswith("A learning organisation. What does the school plan")
    assert planned.endswith("Plan: organisation.")


def test_questions_that_were_kept_before_there_was_a_plan_have_the_digest_that_they_had() -> None:
    kept = load_school_rules("NSS-PL", TODAY).to_json()
    assert "plan" not in kept["self_assessment"]
    assert RuleEdition.from_json(kept).to_json() == kept


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("safety.pdf", SchoolDocument.SAFETY),
        ("Safety rules 2026.PDF", SchoolDocument.SAFETY),
        ("policy.docx", SchoolDocument.POLICY),
        ("Declaration, signed.pdf", SchoolDocument.DECLARATION),
        ("our-policy.pdf", None),
    ],
)
def test_a_file_s_name_says_what_it_is(name: str, kind: SchoolDocument | None) -> None:
    assert document_kind(name) is kind


@pytest.mark.parametrize(
    ("awarded_on", "until"),
    [
        (date(2026, 3, 16), date(2028, 3, 15)),
        (date(2026, 3, 1), date(2028, 2, 29)),
        (date(2024, 2, 29), date(2026, 2, 28)),
        (date(2026, 1, 1), date(2027, 12, 31)),
    ],
)
def test_a_label_is_valid_until_the_day_before_its_anniversary(awarded_on: date, until: date) -> None:
    assert last_day(awarded_on, 2) == until
