"""A person's data is erased: all of it or nothing, wherever it lies, and what has to hold afterwards still holds."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.documents.directory import DirectoryStore
from adapters.mail.post import send_due
from adapters.workspace import Workspace
from labels.answering import accepting, merging, organisation_codes, own_staff, proving
from labels.answering.many import Plan, Planned, What, Wish, keep
from labels.answering.uniting import Pair
from labels.applications import ending
from labels.clock import BRUSSELS, frozen_clock
from labels.errors import InvalidInput, NotAllowed, NotFound
from labels.papers.due import due_papers
from labels.papers.issued import MadePaper, enter, marked
from labels.papers.verifying import Found, PaperState, by_code, by_file
from labels.people.persons import person
from labels.privacy import erasing, telling
from labels.privacy.retention import let_go, periods
from labels.privacy.subject import find as find_subject
from labels.record import Record, chain_export, sealing
from labels.record.journal import Event
from labels.record.schema import (
    Application,
    Base,
    BulkPlan,
    DailyMail,
    Decision,
    Deletion,
    DeletionKind,
    DifferentPersons,
    Document,
    Draft,
    Fingerprint,
    FormerSchool,
    FormerStaff,
    FormerStaffSchool,
    HandingIn,
    Issued,
    Journal,
    Outcome,
    Person,
    PersonMerge,
    Review,
    SavedList,
    SearchWord,
    Section,
    Staff,
    Stage,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.record.schema import School as SchoolOfRecord
from labels.registry import search_index
from labels.registry.letters import nothing_missing
from labels.reviews import asking, calling, deciding
from labels.reviews.repeating import decided_again
from labels.reviews.ruling import Ruling
from labels.reviews.scoring import judge
from labels.revoking.correcting import correction
from labels.rules.kept import rules_of
from labels.settings import Settings
from labels.steps.answers import ReviewAnswer
from labels.steps.proof import SignedIn
from labels.turn import Door, Turn
from labels.words.sentences import say
from tests.support.case import COORDINATOR, Case, open_case, reviewed_by, staff
from tests.support.people import KEY, NOW, STAMP, points, populate
from tests.support.school import School, whole
from usecases import privacy
from usecases.finding import find
from usecases.likeness import keep_former_fingerprints
from usecases.sealing import verify_journal

CANARY = "Kanarienvogel"
ADDRESS = "zofia.kanarienvogel@szkola.example"
REASON = "Asked for on 16 March."


@pytest.fixture
def here(settings: Settings, record: Record) -> Workspace:
    return Workspace(settings, record, DirectoryStore.from_settings(settings), KEY, frozen_clock(NOW))


def stored(here: Workspace, application: str, name: str, content: bytes, kind: str = "evidence") -> str:
    key = here.documents.put(content, "application/pdf")
    with here.record.writing() as session:
        session.add(
            Document(
                application=application, kind=kind, name=name, key=key, media_type="application/pdf",
                size=len(content), stored_at=NOW,
            )
        )  # fmt: skip
    return key


@pytest.fixture
def case(here: Workspace) -> Case:
    """An application of a teacher whose name is nowhere else, decided and closed, with papers, mail and a journal."""
    with here.record.writing() as session:
        populate(session)
        teacher = session.get_one(Teacher, "T-1")
        teacher.name, teacher.email = f"Zofia {CANARY}", ADDRESS
        person = session.get_one(Person, teacher.person)
        person.name, person.address = teacher.name, ADDRESS
        session.flush()
        search_index.fill(session.connection())
    case = Case(here.record, description=f"{CANARY} did all of it.")
    assert case.conditions()
    assert case.likeness()
    stored(here, case.id, f"CV-{CANARY}.pdf", f"%PDF {CANARY}".encode())
    first, second = case.ask()
    case.answer(first, ReviewAnswer(scores=points(4), comment=f"{CANARY} is good.", note=f"I know {CANARY}."))
    case.answer(second, ReviewAnswer(scores=points(5), comment=f"Dear Zofia {CANARY}"))
    case.now += timedelta(hours=1)
    case.do(deciding.decide, case.id)
    case.do(proving.send_code, case.id, "coordinator@nss.example")
    with here.record.reading() as session:
        due = due_papers(session, case.id, STAMP)
    for paper in due:
        paper = replace(paper, facts=marked(paper.facts, paper.kind, paper.edition, STAMP))
        content = f"%PDF {paper.paper} {paper.facts.holder}".encode()
        key = here.documents.put(content, "application/pdf")
        case.do(enter, paper, MadePaper(key, len(content), key.rpartition("/")[2], None))
    case.do(ending.close, case.id)
    send_due(here)
    logs = here.settings.home / "logs"
    logs.mkdir()
    (logs / "worker.log").write_text(f"mailed {ADDRESS.upper()}\nfor Zofia {CANARY}: done\n")
    assert sealing.seal(here.record, now=NOW).position
    return case


def erased(here: Workspace, who: str = ADDRESS) -> privacy.Deleted:
    plan = privacy.plan_erasure(here, who)
    assert plan.erased.blocked == ()
    done, deleted = privacy.erase_person(here, who, plan.word, REASON)
    assert done.counts == plan.erased.counts
    return deleted


def found_in_record(record: Record) -> list[str]:
    """Every column of every table in which the canary is."""
    found = []
    with record.reading() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(sa.select(table)):
                found += [
                    f"{table.name}.{name}"
                    for name, value in row._mapping.items()
                    if CANARY.lower() in str(value).lower() or "zofia" in str(value).lower()
                ]
    return found


def found_in_files(folder: Path) -> list[str]:
    """Every file below a folder in whose name or bytes the canary is."""
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file()
        and (CANARY.lower() in path.name.lower() or CANARY.lower().encode() in path.read_bytes().lower())
    ]


@pytest.mark.slow
def test_a_canary_of_the_person_is_found_nowhere_afterwards(here: Workspace, case: Case) -> None:
    assert len(found_in_record(here.record)) > 20
    assert found_in_files(here.settings.home)
    deleted = erased(here)
    # Prefect's server is not running here: its runs stay noted, and upkeep tries again.
    assert [one.exit_code for one in deleted.outages] == [5]
    assert deleted.left == 1
    assert found_in_record(here.record) == []
    assert found_in_files(here.settings.home) == []


@pytest.mark.slow
def test_why_a_coordinator_decided_is_found_nowhere_afterwards(here: Workspace) -> None:
    words = "The one with the red hat convinced me."
    with here.record.writing() as session:
        populate(session)
    case = Case(here.record, edition=reviewed_by(decided_by="coordinator"))
    assert case.conditions()
    for step in case.ask():
        case.review(step)
    [step] = case.ask()
    case.do_as(COORDINATOR, calling.decide, step.id, Ruling.REFUSE, words)
    case.now += timedelta(hours=1)
    case.do(deciding.decide, case.id)
    with here.record.reading() as session:
        due = due_papers(session, case.id, STAMP)
    for paper in due:
        paper = replace(paper, facts=marked(paper.facts, paper.kind, paper.edition, STAMP))
        key = here.documents.put(b"%PDF", "application/pdf")
        case.do(enter, paper, MadePaper(key, 4, key.rpartition("/")[2], None))
    case.do(ending.close, case.id)
    send_due(here)
    assert sealing.seal(here.record, now=NOW).position

    def found() -> list[str]:
        with here.record.reading() as session:
            return [
                f"{table.name}.{name}"
                for table in Base.metadata.sorted_tables
                for row in session.execute(sa.select(table))
                for name, value in row._mapping.items()
                if "red hat" in str(value)
            ]

    assert found()
    erased(here, "t-1@school.example")
    assert found() == []
    with here.record.reading() as session:
        [again] = decided_again(session, applications=sa.select(Application.id))
    assert again.erased


@pytest.mark.slow
def test_what_was_said_of_merging_the_person_or_telling_them_apart_is_found_nowhere(
    here: Workspace, case: Case
) -> None:
    staff(here.record, "second@nss.example", "coordinator")
    with here.record.reading() as session:
        teachers = {one.id: one.person for one in session.scalars(sa.select(Teacher))}
        first, second = session.scalars(
            sa.select(Staff.person).where(Staff.role == "coordinator").order_by(Staff.email)
        )
    them, twin, other = (teachers[one] for one in ("T-1", "T-3", "T-2"))

    def says(who: str, act: Callable[..., Any], *told: Any) -> Any:
        with here.record.writing() as session:
            turn = Turn(session, case.now, KEY, Door.COMMAND_LINE)
            return act(turn.acting(person(session, who).address, who), *told)

    def asked(gone: str, kept: str) -> PersonMerge:
        plan = merging.Plan(Pair(gone, kept), {})
        done: PersonMerge = says(first, merging.ask, plan, plan.word, f"The {CANARY} has two numbers.")
        return done

    def confirm(turn: Turn, merge: str) -> None:
        one = merging.merge_of(turn.session, merge)
        merging.confirm(turn, one, merging.Plan(Pair(one.gone, one.kept), {}))

    says(first, merging.tell_apart, [twin, other], f"The {CANARY} is her sister.")
    says(first, merging.take_back, [twin, other], f"The {CANARY} has no sister.")
    says(second, confirm, asked(twin, them).id)
    says(first, merging.tell_apart, [them, other], f"The {CANARY} is no relative.")
    asked(other, them)
    asked(them, other)
    assert sealing.seal(here.record, now=NOW).position
    says(second, merging.tell_apart, [first, other], "Their names differ.")
    assert sealing.seal(here.record, now=NOW).position
    erased(here)
    assert found_in_record(here.record) == []
    with here.record.reading() as session:
        [one] = session.scalars(sa.select(PersonMerge)).all()
        assert (one.gone, one.kept, one.reason) == (twin, them, "erased")
        told = session.scalars(sa.select(Journal).where(Journal.what == Event.TOLD_APART)).all()
        assert "Their names differ." in [entry.details["because"] for entry in told], "others' stays"
        assert them in [who for entry in told for who in entry.details["persons"]]
    assert verify_journal(here, []).findings == []


@pytest.mark.slow
def test_no_fingerprint_of_what_they_wrote_is_left(here: Workspace, case: Case) -> None:
    with here.record.reading() as session:
        kept = session.scalars(sa.select(Fingerprint.fingerprint)).all()
    assert len(kept) >= len(case.row().content["sections"])
    assert privacy.plan_erasure(here, ADDRESS).erased.counts["fingerprints of what they wrote"] == len(kept)
    erased(here)
    with here.record.reading() as session:
        assert session.scalars(sa.select(Fingerprint)).all() == []
        assert {one.fingerprints for one in session.scalars(sa.select(Section))} == {b""}
    assert keep_former_fingerprints(here) == 0, "nor does upkeep make any of what is erased"


@pytest.mark.slow
def test_nobody_finds_them_by_a_word_of_their_name_afterwards(here: Workspace, case: Case) -> None:
    def found() -> list[str]:
        return [hit.id for hit in find(here, "kanar", None).every]

    def words() -> dict[str, int]:
        with here.record.reading() as session:
            rows = session.scalars(sa.select(SearchWord)).all()
        return {row.word: len(row.subjects.split("\n")) for row in rows if row.kind == "teacher"}

    before = words()
    assert found() == ["T-1"]
    erased(here)
    assert found() == []
    assert before.keys() - words().keys() == {"zofia", "kanarienvogel"}
    assert find(here, "conceicao", None).every, "others are found as before"


@pytest.mark.slow
def test_certificates_verify_without_a_name(here: Workspace, case: Case) -> None:
    with here.record.reading() as session:
        issued = session.scalars(sa.select(Issued).where(Issued.code.is_not(None))).one()
        assert CANARY in str(by_code(session, issued.code or "", STAMP, now=NOW).holder)
    erased(here)
    with here.record.reading() as session:
        for said in (
            by_code(session, issued.code or "", STAMP, now=NOW),
            by_file(session, Found(issued.file_digest or ""), STAMP, now=NOW),
        ):
            assert (said.state, said.genuine, said.holder) == (PaperState.VALID, True, None)
            assert said.number == case.id


@pytest.mark.slow
def test_the_decision_is_made_again_to_the_same_bytes(here: Workspace, case: Case) -> None:
    def again() -> tuple[Decision, dict[str, object]]:
        with here.record.reading() as session:
            application = session.get_one(Application, case.id)
            verdict = judge(asking.assessments(session, application), rules_of(session, application))
            return session.get_one(Decision, (case.id, 1)), verdict.model_dump(mode="json")

    before, verdict = again()
    assert {name: before.verdict[name] for name in verdict} == verdict
    erased(here)
    after, verdict = again()
    assert (after.score, after.inputs_digest) == (before.score, before.inputs_digest)
    assert {name: after.verdict[name] for name in verdict} == verdict
    assert after.inputs_digest == verdict["inputs_digest"]


@pytest.mark.slow
def test_the_chain_holds_and_tells_of_the_erasure(here: Workspace, case: Case) -> None:
    before = verify_journal(here, [])
    assert before.findings == []
    erased(here)
    after = verify_journal(here, [])
    assert after.findings == []
    assert after.sealed > before.sealed
    with here.record.reading() as session:
        entry = session.scalars(sa.select(Journal).where(Journal.what == Event.ERASED_A_PERSON)).one()
    assert entry.details["because"] == REASON
    assert entry.details["person"].startswith("PER-")


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET who = 'me' WHERE id = (SELECT min(id) FROM journal WHERE who = 'erased')",
        "UPDATE review SET comment = 'Bad.' WHERE comment = 'erased'",
    ],
)
def test_nothing_can_be_put_in_the_place_of_what_was_erased(
    here: Workspace, case: Case, statement: str
) -> None:
    erased(here)
    with here.record.writing() as session:
        session.execute(sa.text(statement))
    assert verify_journal(here, []).findings


@pytest.mark.slow
def test_what_nobody_erased_does_not_pass_for_erased(here: Workspace, case: Case) -> None:
    erased(here)
    with here.record.writing() as session:
        review = session.scalars(sa.select(Review).order_by(Review.step)).first()
        assert review
        [by] = {one["by"] for one in (review.erased or {}).values()}
        review.erased = (review.erased or {}) | {"reviewer": {"commitment": "00" * 32, "by": by}}
        review.reviewer = "erased"
    assert any(
        "is not what" in str(one) or "is not as" in str(one) for one in verify_journal(here, []).findings
    )


@pytest.mark.slow
def test_a_reviewer_is_erased_and_their_comment_stays_a_reason(here: Workspace, case: Case) -> None:
    with here.record.reading() as session:
        reviewer = session.scalars(sa.select(Review.reviewer).order_by(Review.step)).first() or ""
        coordinator = session.scalars(
            sa.select(Staff.person).where(Staff.email == "coordinator@nss.example")
        ).one()
        own = session.scalars(sa.select(Staff.person).where(Staff.email == reviewer)).one()
        wish = Wish(What.REASSIGN, "They are ill.", to=reviewer)
        refused = Planned(case.id, "STEP-1", why_not=say("{who} may not.", who=reviewer))
    with here.record.writing() as session:
        keep(session, coordinator, Plan(wish, (refused,)), NOW)
        keep(session, own, Plan(Wish(What.REMIND, "Mine."), ()), NOW)
        session.add(SavedList(person=own, name="mine", query="part=open", saved_at=NOW))
    erased(here, reviewer)
    with here.record.reading() as session:
        assert session.scalars(sa.select(Staff.email).where(Staff.email == reviewer)).all() == []
        assert session.scalars(sa.select(BulkPlan)).all() == []
        assert session.scalars(sa.select(SavedList)).all() == []
        reviews = session.scalars(sa.select(Review)).all()
        assert "erased" in {one.reviewer for one in reviews}
        assert CANARY in str([one.comment for one in reviews])
        for table in Base.metadata.sorted_tables:
            for row in session.execute(sa.select(table)):
                assert reviewer not in str(row).lower(), table.name
    assert verify_journal(here, []).findings == []


@pytest.mark.slow
def test_a_plan_changes_nothing_and_another_plan_is_refused(here: Workspace, case: Case) -> None:
    before = found_in_record(here.record)
    plan = privacy.plan_erasure(here, ADDRESS)
    assert plan.erased.counts["files in the document store"] == 4
    assert found_in_record(here.record) == before
    with pytest.raises(NotAllowed, match="Something else would go"):
        privacy.erase_person(here, ADDRESS, "0" * 12, REASON)
    assert found_in_record(here.record) == before
    assert found_in_files(here.settings.home)


def test_what_is_open_and_what_is_held_is_not_erased(here: Workspace) -> None:
    case = open_case(here.record)
    with here.record.reading() as session:
        address = session.get_one(Teacher, "T-1").email
    [why] = privacy.plan_erasure(here, address).erased.blocked
    assert why.startswith(f"{case.id} is still open")
    with pytest.raises(NotAllowed, match="is still open"):
        privacy.erase_person(here, address, "", REASON)
    [first, *_] = case.ask()
    [why] = privacy.plan_erasure(here, first.assignee).erased.blocked
    assert why == f"{first.id} awaits them; it is given to somebody else first."
    privacy.place_hold(here, first.assignee, "A complaint before the Ombudsman.")
    assert any("Ombudsman" in why for why in privacy.plan_erasure(here, first.assignee).erased.blocked)
    with pytest.raises(NotAllowed, match="Ombudsman"):
        privacy.place_hold(here, first.assignee, "Again.")
    privacy.lift_hold(here, first.assignee, "It is settled.")
    assert len(privacy.plan_erasure(here, first.assignee).erased.blocked) == 1


@pytest.mark.slow
def test_a_file_that_somebody_else_handed_in_too_stays(here: Workspace, case: Case) -> None:
    content = b"%PDF a worksheet of everybody"
    key = stored(here, case.id, "worksheet.pdf", content)
    with here.record.writing() as session:
        other = session.get_one(Application, case.id)
        columns = {c.name: getattr(other, c.name) for c in Application.__table__.columns}
        session.add(Application(**columns | {"id": "NQL-OTHER", "teacher": "T-3", "content_digest": "x"}))
    stored(here, "NQL-OTHER", "worksheet.pdf", content)
    erased(here)
    assert here.documents.exists(key)
    with here.record.reading() as session:
        deleted = session.scalars(sa.select(Deletion.key)).all()
    assert key not in deleted


def test_nobody_is_told_apart_by_guess(here: Workspace, case: Case) -> None:
    with pytest.raises(NotFound, match="Nobody is known as"):
        privacy.plan_erasure(here, "nobody@x.example")
    with here.record.writing() as session:
        person = session.get_one(Teacher, "T-3").person
        session.get_one(Person, person).address = ADDRESS
    with pytest.raises(NotAllowed, match="read by several people: PER-"):
        privacy.plan_erasure(here, ADDRESS)


@pytest.mark.slow
def test_who_was_erased_gets_no_mail_any_more_and_is_not_erased_twice(here: Workspace, case: Case) -> None:
    erased(here)
    [why] = privacy.plan_erasure(here, "T-1").erased.blocked
    assert why == "Their data was erased already."
    with here.record.reading() as session, pytest.raises(NotAllowed, match="was erased; no certificate"):
        correction(session, case.id, STAMP)
    assert case.row().outcome is Outcome.AWARDED
    with here.record.reading() as session:
        assert chain_export.verify(session, [])[1] == []


def test_every_table_is_known_to_erasing() -> None:
    """A table that is new is looked at before anybody is erased from a record that has it."""
    assert set(Base.metadata.tables) == set(erasing.LOOKED_AT) | erasing.OF_NOBODY
    assert not set(erasing.LOOKED_AT) & erasing.OF_NOBODY


def test_what_somebody_wrote_for_their_school_is_told_to_them_and_erased_with_their_name(
    settings: Settings, record: Record
) -> None:
    school = School(record)
    first, second = school.open(StepKind.SELF_ASSESSMENT)
    here = Workspace(settings, record, DirectoryStore.from_settings(settings), KEY, frozen_clock(school.now))
    with record.writing() as session:
        person = session.get_one(Person, first.person)
        teacher = session.get_one(Teacher, "T-1")
        person.name = teacher.name = f"Zofia {CANARY}"
        person.address = teacher.email = ADDRESS
    for step, text in ((first, "Mine."), (second, f"Zofia {CANARY} did it.")):
        given = whole(draft=None if step is first else 1, requirements={"B": text, "C": "5a.", "E": "x"})
        school.do(accepting.save_draft, step.id, SignedIn(step.person, "mail code", school.now), given)
    choosing = SignedIn(second.person, "mail code", school.now)
    school.do(accepting.choose_who_hands_in, second.id, choosing, ADDRESS)
    with record.reading() as session:
        told = telling.tell(session, find_subject(session, ADDRESS), {}, school.now).data
    [own] = told["drafts_of_self_assessments"]
    assert own["changed"]["requirements"]["B"] == "Mine."
    assert [one["person"] for one in told["who_hands_in_for_your_school"]] == [first.person]
    with record.writing() as session:
        session.get_one(Step, first.id).state = StepState.VOID  # a colleague handed in
    with record.writing() as session:
        erasing.erase(here.turn(session), find_subject(session, ADDRESS), "asked for")
    with record.reading() as session:
        rows = session.scalars(sa.select(Draft).order_by(Draft.number)).all()
        assert (rows[0].author, rows[0].person) == ("erased", None)
        assert CANARY not in json.dumps([one.changed for one in rows])
        assert rows[0].changed["requirements"]["B"] == "Mine.", "the school's words stay the school's"
        assert session.scalars(sa.select(HandingIn)).all() == []


def test_drafts_of_a_school_go_when_their_period_is_over(settings: Settings, record: Record) -> None:
    school = School(record)
    step = school.open(StepKind.SELF_ASSESSMENT)[0]
    by = SignedIn(step.person, "mail code", school.now)
    school.do(accepting.save_draft, step.id, by, whole())
    school.do(accepting.choose_who_hands_in, step.id, by, step.assignee)
    kept = periods(None)
    with record.writing() as session:
        session.get_one(Application, school.id).stage = Stage.CLOSED
        assert let_go(Turn(session, school.now, KEY), kept)["drafts"] == 0
    with record.writing() as session:
        later = school.now + timedelta(days=kept["drafts"].days + 1)
        assert let_go(Turn(session, later, KEY), kept)["drafts"] == 2
        assert session.scalars(sa.select(Draft)).all() == []


@pytest.mark.parametrize("held", ["T-1", "T-2"])
def test_a_legal_hold_keeps_the_drafts_of_the_persons_school_and_of_what_they_were_asked_for(
    settings: Settings, record: Record, held: str
) -> None:
    school = School(record)
    here = Workspace(settings, record, DirectoryStore.from_settings(settings), KEY, frozen_clock(school.now))
    step = school.open(StepKind.SELF_ASSESSMENT)[0]
    by = SignedIn(step.person, "mail code", school.now)
    school.do(accepting.save_draft, step.id, by, whole())
    school.do(accepting.choose_who_hands_in, step.id, by, step.person)
    with record.writing() as session:
        session.get_one(Application, school.id).stage = Stage.CLOSED
        if held == "T-2":  # of another school, asked here
            asked = next(one for one in session.scalars(sa.select(Step)) if one.id != step.id)
            asked.person = session.get_one(Teacher, held).person
    privacy.place_hold(here, held, "A complaint.")
    later = replace(here, clock=frozen_clock(school.now + timedelta(days=5000)))
    assert privacy.let_periods_end(later, dry=True)["drafts"] == 0
    privacy.lift_hold(here, held, "It is settled.")
    assert privacy.let_periods_end(later, dry=True)["drafts"] == 2


@pytest.mark.parametrize("how", ["left", "goes on", "asked"])
def test_a_name_goes_from_drafts_of_former_schools_of_other_numbers_and_where_somebody_was_asked(
    settings: Settings, record: Record, how: str
) -> None:
    school = School(record)
    here = Workspace(settings, record, DirectoryStore.from_settings(settings), KEY, frozen_clock(school.now))
    first, second = school.open(StepKind.SELF_ASSESSMENT)
    with record.writing() as session:
        teacher = session.get_one(Teacher, "T-2")
        person = session.get_one(Person, teacher.person)
        person.name = teacher.name = f"Zofia {CANARY}"
        person.address = teacher.email = ADDRESS
        match how:
            case "left":
                session.add(FormerSchool(teacher="T-2", until=date(2025, 1, 1), school="S-1"))
            case "goes on":
                session.get_one(SchoolOfRecord, "S-2").succeeds = "S-1"
            case "asked":
                asked = session.get_one(Step, second.id)
                asked.person, asked.state = person.id, StepState.VOID
    given = whole(requirements={"B": f"Zofia {CANARY} did it.", "C": "5a.", "E": "x"})
    by = SignedIn(first.person, "mail code", school.now)
    school.do(accepting.save_draft, first.id, by, given)
    with record.writing() as session:
        session.get_one(Step, first.id).answer = given.model_dump(mode="json")
    with record.writing() as session:
        erasing.erase(here.turn(session), find_subject(session, ADDRESS), "asked for")
    said = [one.changed for one in school.rows(Draft)] + [one.answer for one in school.rows(Step)]
    assert CANARY not in json.dumps(said)


# Told, and kept for a time -------------------------------------------------------------------------


def test_a_person_is_told_all_that_is_theirs_and_nobody_elses_name(
    here: Workspace, case: Case, tmp_path: Path
) -> None:
    with here.record.writing() as session:
        for reviewer in session.scalars(sa.select(Review.reviewer)):
            [person] = session.scalars(sa.select(Person).where(Person.address == reviewer))
            person.name = "Marzena Recenzentka"
        session.execute(sa.update(Decision).values(verdict={"comments": ["Marzena Recenzentka liked it."]}))
    assert privacy.tell_person(here, ADDRESS, tmp_path / "z.zip") == 3
    assert (tmp_path / "z.zip").stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(tmp_path / "z.zip") as archive:
        names = archive.namelist()
        told, text = json.loads(archive.read("data.json")), archive.read("your-data.txt").decode()
    assert f"documents/{case.id}/CV-{CANARY}.pdf" in names
    assert told["who_you_are"][0]["name"] == f"Zofia {CANARY}"
    assert told["applications"][0]["content"]["description"] == f"{CANARY} did all of it."
    assert {"purposes", "periods", "your_rights"} <= set(told)
    assert told["periods"]["mail"]["days"] == 730
    assert [one["reviewer"] for one in told["reviews_of_your_applications"]] == ["somebody else"] * 2
    assert told["decisions"][0]["verdict"]["comments"] == ["somebody else liked it."]
    for shown in (json.dumps(told, ensure_ascii=False), text):
        assert "@nss.example" not in shown
        assert "Recenzentka" not in shown
        assert "code_hash" not in shown
    assert "Who you are" in text


def test_that_their_application_reads_like_another_is_told_without_its_number(
    here: Workspace, case: Case, tmp_path: Path
) -> None:
    copied = Case(here.record, teacher="T-3")
    assert copied.conditions()
    assert copied.likeness()
    with here.record.reading() as session:
        address = session.get_one(Teacher, "T-3").email
    privacy.tell_person(here, address, tmp_path / "theirs.zip")
    with zipfile.ZipFile(tmp_path / "theirs.zip") as archive:
        told = archive.read("data.json").decode()
    assert "reads like another application" in told
    assert case.id not in told


def test_what_was_done_to_somebodys_place_on_a_staff_is_told_without_who_did_it(
    here: Workspace, case: Case, tmp_path: Path
) -> None:
    with here.record.writing() as session:
        coordinator, whom = (
            session.scalars(sa.select(Staff.person).where(Staff.email == one)).one()
            for one in (COORDINATOR, "r1@nss.example")
        )
        turn = here.turn(session, Door.DESK).acting(COORDINATOR, coordinator)
        [former] = [one for one in own_staff.entries(session, "NSS-PL") if one.person == whom]
        own_staff.change(turn, "NSS-PL", former, replace(former, subjects="Art"), nothing_missing)
        own_staff.leave(turn, "NSS-PL", former, here.now().date())
        own_staff.rejoin(turn, "NSS-PL", whom, "reviewer")
    privacy.tell_person(here, whom, tmp_path / "s.zip")
    with zipfile.ZipFile(tmp_path / "s.zip") as archive:
        told = json.loads(archive.read("data.json"))
    done = {Event.CHANGED_ON_A_STAFF, Event.TO_LEAVE_A_STAFF, Event.LEFT_A_STAFF, Event.REJOINED_A_STAFF}
    entries = [one for one in told["journal"] if one["what"] in done]
    assert {one["what"] for one in entries} == done
    assert {one["who"] for one in entries} == {"somebody else", "system"}
    assert {one["details"].get("person", whom) for one in entries} == {whom}
    assert coordinator not in json.dumps(told["journal"])


def test_what_was_kept_of_a_coordinators_choices_and_codes_is_told_without_hashes_or_others(
    here: Workspace, case: Case, tmp_path: Path
) -> None:
    with here.record.writing() as session:
        who = session.scalars(sa.select(Staff.person).where(Staff.email == "coordinator@nss.example")).one()
        other = session.get_one(Teacher, "T-2").person
        session.add(DailyMail(person=who, since=NOW))
        session.add(SavedList(person=who, name="Late", query="urgent=late", saved_at=NOW))
        keep(session, who, Plan(Wish(What.REMIND, "Friday."), (Planned("NQL-1", "S", whose=other),)), NOW)
        one, two = sorted((who, other))
        session.add(DifferentPersons(one=one, other=two, said_by=other, said_at=NOW, reason="João is a man."))
    case.do(organisation_codes.send_code, "NSS-PL", "coordinator@nss.example")
    privacy.tell_person(here, who, tmp_path / "k.zip")
    with zipfile.ZipFile(tmp_path / "k.zip") as archive:
        told = json.loads(archive.read("data.json"))
    assert [set(each) for each in told["told_apart_from_somebody"]] == [{"said_at"}]
    assert [each["person"] for each in told["mail_once_a_day"]] == [who]
    assert [each["name"] for each in told["lists_of_applications"]] == ["Late"]
    assert [each["wish"]["reason"] for each in told["plans_for_many_applications"]] == ["Friday."]
    [code] = told["codes_as_a_coordinator"]
    assert code["organisation"] == "NSS-PL"
    assert "code_hash" not in code
    assert other not in json.dumps(told)


def test_what_a_reviewer_gave_is_theirs_to_be_told_and_the_applicant_is_not_named(
    here: Workspace, case: Case, tmp_path: Path
) -> None:
    with here.record.reading() as session:
        reviewer = session.scalars(sa.select(Review.reviewer)).first() or ""
    privacy.tell_person(here, reviewer, tmp_path / "r.zip")
    with zipfile.ZipFile(tmp_path / "r.zip") as archive:
        told = json.loads(archive.read("data.json"))
    assert len(told["your_reviews"]) == 1
    assert told["applications"] == []
    assert ADDRESS not in json.dumps(told)


def test_a_review_is_told_only_once_it_is_decided(here: Workspace, tmp_path: Path) -> None:
    case = open_case(here.record)
    [first, *_] = case.ask()
    case.answer(first, ReviewAnswer(scores=points(4), comment="Secret so far."))
    privacy.tell_person(here, "T-1", tmp_path / "t.zip")
    with zipfile.ZipFile(tmp_path / "t.zip") as archive:
        assert b"Secret so far" not in archive.read("data.json")


def test_what_is_past_its_period_goes_by_night_and_a_dry_run_only_counts(here: Workspace, case: Case) -> None:
    later = replace(here, clock=frozen_clock(NOW + timedelta(days=1830)))
    counted = privacy.let_periods_end(later, dry=True)
    assert counted["evidence"] == 2
    assert counted["mail"] >= 2
    assert found_in_files(here.settings.home / "documents")
    privacy.place_hold(here, ADDRESS, "A complaint before the Ombudsman.")
    assert privacy.let_periods_end(later, dry=True)["evidence"] == 0
    privacy.lift_hold(here, ADDRESS, "It is settled.")
    by_night = (NOW + timedelta(days=1830)).astimezone(BRUSSELS).replace(hour=privacy.NIGHT)
    privacy.tidy(replace(here, clock=frozen_clock(by_night)))
    assert set(privacy.let_periods_end(later, dry=True).values()) == {0}
    papers = found_in_files(here.settings.home / "documents")
    assert len(papers) == 2, "the certificate and the letter stay"
    assert list(here.settings.mail_folder.glob("*.eml")) == []
    assert verify_journal(here, []).findings == []


def test_who_left_a_staff_and_why_two_are_one_or_different_go_after_their_period(
    here: Workspace, case: Case
) -> None:
    with here.record.writing() as session:
        first, second, third = session.scalars(
            sa.select(Staff.person).where(Staff.role == "reviewer").order_by(Staff.person).limit(3)
        )
        for who in (first, second):
            session.add(
                FormerStaff(
                    person=who, organisation="NSS-PL", role="coordinator", email=f"{who}@nss.example", name="R.",
                    language="pl", school=None, id=None, left_on=NOW.date(), left_by="registry",
                )
            )  # fmt: skip
            session.add(FormerStaffSchool(person=who, school="S-9", until=NOW.date()))
        session.add(
            DifferentPersons(one=first, other=third, said_by=third, said_at=NOW, reason="Two sisters.")
        )
        for merge, confirmed in (("MRG-1", NOW), ("MRG-2", None)):
            session.add(
                PersonMerge(
                    id=merge, gone="PER-GONE", kept=first, plan="", reason="Two numbers.", asked_by=third,
                    asked_at=NOW, confirmed_by=third if confirmed else None, confirmed_at=confirmed,
                )
            )  # fmt: skip
    privacy.place_hold(here, second, "A complaint before the Ombudsman.")

    def after(days: int) -> tuple[int, int]:
        later = replace(here, clock=frozen_clock(NOW + timedelta(days=days)))
        counted = privacy.let_periods_end(later, dry=False)
        return counted["former_staff"], counted["merging"]

    assert after(720) == (0, 0)
    assert after(740) == (0, 3)
    assert after(3660) == (2, 0)
    with here.record.reading() as session:
        assert session.scalars(sa.select(FormerStaff.person)).all() == [second], "a hold keeps it"
        assert session.scalars(sa.select(DifferentPersons.reason)).all() == ["erased"]
        [one] = session.scalars(sa.select(PersonMerge)).all()
        assert (one.id, one.kept, one.reason) == ("MRG-1", first, "erased"), "who is who is still known"


def test_a_controllers_own_periods_take_the_place_of_those_that_ship(tmp_path: Path) -> None:
    own = tmp_path / "periods.yaml"
    own.write_text("mail: {days: 30, what: mail, purpose: none, source: our decision}\n")
    assert periods(own)["mail"].days == 30
    assert periods(own)["evidence"] == periods(None)["evidence"]
    own.write_text("male: {days: 30, what: mail, purpose: none, source: our decision}\n")
    with pytest.raises(InvalidInput, match="male: is kept for no period; expected one of sessions"):
        periods(own)
    own.write_text("mail: 30\n")
    with pytest.raises(InvalidInput, match="is no list of periods"):
        periods(own)


@pytest.mark.slow
def test_runs_in_prefect_are_deleted_with_what_they_showed(here: Workspace, case: Case) -> None:
    erased(here)
    [left] = noted(here)
    assert (left.kind, left.key) == (DeletionKind.RUNS, case.id)


def noted(here: Workspace) -> list[Deletion]:
    with here.record.reading() as session:
        return list(session.scalars(sa.select(Deletion).where(Deletion.done_at.is_(None))))
