"""Two persons of the record are made one: what moves, what forbids it, and that nothing of the other id is left."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from labels.answering import leaving, merging, organisation_codes
from labels.answering.uniting import Pair, merge
from labels.errors import NotAllowed
from labels.mail import messages
from labels.mending import ReopenDecision
from labels.people.persons import addresses, named, person
from labels.record import Record
from labels.record.journal import Event
from labels.record.schema import (
    Address,
    Award,
    Base,
    Cause,
    Conflict,
    DailyMail,
    DifferentPersons,
    FormerStaffSchool,
    Journal,
    KeptForm,
    Mail,
    Member,
    OrganisationCode,
    Outcome,
    Passkey,
    Person,
    PersonMerge,
    Staff,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.reviews import coordinating
from labels.sessions import session as sessions
from labels.steps.mailing import about_step, mail_step
from labels.steps.outcome import Accepted
from labels.steps.proof import Code, SignedIn
from labels.turn import Door, Turn
from labels.words.sentences import say
from tests.support.case import COORDINATOR, Case, decided, open_case, staff
from tests.support.people import KEY, NOW, code_of, populate
from tests.support.persons import OFFERED
from usecases import merging as usecases
from usecases.acts import Act

SECOND = "second@nss.example"


@pytest.fixture
def case(record: Record) -> Case:
    made = open_case(record)
    staff(record, SECOND, "coordinator")
    with record.writing() as session:
        session.add(
            Staff(
                email="kos@new.example", role="reviewer", name="Recenzent 1", organisation="NSS-PL",
                language="pl", school=None,
            )
        )  # fmt: skip
    return made


def of(case: Case, email: str) -> str:
    with case.record.reading() as session:
        return session.scalars(sa.select(Staff.person).where(Staff.email == email)).one()


def coordinator(case: Case, email: str) -> SignedIn:
    return SignedIn(of(case, email), "mail code", NOW)


def pair(case: Case) -> Pair:
    return Pair(of(case, "r1@nss.example"), of(case, "kos@new.example"))


def planned(case: Case, two: Pair) -> merging.Plan:
    with case.record.reading() as session:
        return usecases._planned(Turn(session, case.now, KEY), two)


def act(case: Case, what: Act, email: str) -> object:
    with case.record.writing() as session:
        return what(Turn(session, case.now, KEY, Door.DESK), coordinator(case, email))


def asked(case: Case, two: Pair) -> str:
    done = act(case, usecases.ask(two, planned(case, two).word, "She has a new mailbox."), COORDINATOR)
    assert isinstance(done, Accepted)
    return done.made


def merged(case: Case, two: Pair) -> None:
    assert isinstance(act(case, usecases.confirm(asked(case, two)), SECOND), Accepted)


def left_of(case: Case, gone: str) -> list[str]:
    """Columns in which an id is still, but for where it has to stay."""
    found = []
    with case.record.reading() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(sa.select(table)):
                found += [
                    f"{table.name}.{name}"
                    for name, value in row._mapping.items()
                    if value == gone and (table.name, name) != ("person_merge", "gone")
                ]
    return found


def with_a_review(case: Case) -> tuple[Pair, Step]:
    """A pair of whom the one who goes is asked for a review, and the other is not."""
    steps = case.ask()
    free = next(
        one for one in ("kos@new.example", "r2@nss.example") if one not in {s.assignee for s in steps}
    )
    return Pair(steps[0].person, of(case, free)), steps[0]


@pytest.mark.slow
def test_all_that_refers_to_the_one_refers_to_the_other(case: Case) -> None:
    two, step = with_a_review(case)
    with case.record.writing() as session:
        for who in (two.gone, two.kept):
            session.add(
                Conflict(
                    person=who, kind="school", target="S-9", reason="r", declared_by="c", declared_at=NOW
                )
            )
    token = case.do(sessions.begin, step.assignee, "mail code")
    shown = planned(case, two)
    assert shown.moves["steps"] == 1
    assert shown.moves["sessions"] == 1
    assert left_of(case, two.gone), "a plan changes nothing"
    old = code_of(step)
    merged(case, two)
    assert left_of(case, two.gone) == []
    with case.record.reading() as session:
        moved, now = session.get_one(Step, step.id), person(session, two.kept).address
        assert (moved.person, moved.assignee, moved.state) == (two.kept, now, StepState.OPEN)
        assert code_of(moved) != old, "the former address gets no code that works"
        assert person(session, two.gone).id == two.kept
        assert addresses(session, two.kept) == [now, step.assignee]
        assert session.scalar(sa.select(sa.func.count()).select_from(Conflict)) == 1
        assert {
            row.person for row in session.scalars(sa.select(Staff).where(Staff.email == step.assignee))
        } == {two.kept}
        entry = session.scalars(sa.select(Journal).where(Journal.what == Event.MERGED_PERSONS)).one()
        assert (entry.details["gone"], entry.details["kept"]) == (two.gone, two.kept)
        assert sessions.visitor(session, token, NOW, OFFERED) is None, "who went is signed out"
    assert isinstance(case.review(moved), Accepted)


def test_one_coordinator_alone_merges_nobody(case: Case) -> None:
    two = pair(case)
    merge = asked(case, two)
    with case.record.writing() as session:
        session.add(
            Staff(
                email="coordinator+me@nss.example", role="coordinator", name="K.", organisation="NSS-PL",
                language="pl", school=None,
            )
        )  # fmt: skip
    for same in (COORDINATOR, "coordinator+me@nss.example"):
        refused = act(case, usecases.confirm(merge), same)
        assert "somebody else confirms it" in getattr(refused, "why", "")
    assert left_of(case, two.gone)
    told = [one for one in case.all(Mail) if one.template == "merge_asked"]
    assert {one.to_address for one in told} == {SECOND, "nss@nss.example"}


def test_where_something_else_would_move_by_then_it_is_asked_for_anew(case: Case) -> None:
    two = pair(case)
    merge = asked(case, two)
    with case.record.writing() as session:
        session.add(
            Conflict(
                person=two.gone, kind="teacher", target="T-2", reason="r", declared_by="c", declared_at=NOW
            )
        )
    refused = act(case, usecases.confirm(merge), SECOND)
    assert "Something else would move" in getattr(refused, "why", "")
    assert left_of(case, two.gone)


def test_two_seats_of_one_application_can_not_become_one_person_s(case: Case) -> None:
    first, second = case.ask()
    shown = planned(case, Pair(first.person, second.person))
    assert shown.blocked == (
        f"Both review {case.id}: two seats are two people's. Give {first.id} to somebody else first.",
    )
    case.review(first)
    case.review(second)
    assert planned(case, Pair(first.person, second.person)).blocked == (
        f"Both review {case.id}: two seats are two people's.",
    )


def test_who_applies_or_takes_part_can_not_become_the_reviewer(case: Case) -> None:
    first, _ = case.ask()
    with case.record.reading() as session:
        people = {one.id: one.person for one in session.scalars(sa.select(Teacher))}
    for teacher in ("T-1", "T-2"):
        [why] = planned(case, Pair(people[teacher], first.person)).blocked
        assert "in which" in why
        assert "one person may not" in why
    assert not planned(case, Pair(people["T-2"], of(case, COORDINATOR))).blocked


@pytest.mark.slow
def test_two_ids_of_a_teacher_become_one_person_s_with_what_they_hold(case: Case) -> None:
    with case.record.writing() as session:
        first = session.get_one(Teacher, "T-3")
        session.add(
            Teacher(
                id="T-33", name=first.name, email="t-33@school.example", school=first.school,
                registered_on=first.registered_on, language="pl",
            )
        )  # fmt: skip
        session.flush()
        twin = session.get_one(Teacher, "T-33").person
        session.add(
            Award(
                id="NQL-X", label="national", teacher="T-33", project="P-2", school="S-1", organisation="NSS-PL",
                awarded_on=NOW.date(),
            )
        )  # fmt: skip
        two = Pair(twin, first.person)
    assert planned(case, two).moves["awards"] == 1
    merged(case, two)
    with case.record.reading() as session:
        assert {session.get_one(Teacher, one).person for one in ("T-3", "T-33")} == {two.kept}


def test_who_holds_the_label_under_another_number_gets_no_second(record: Record) -> None:
    with record.writing() as session:
        populate(session)
        first = session.get_one(Teacher, "T-1")
        session.add(
            Teacher(
                id="T-11", name=first.name, email="t-11@school.example", school=first.school,
                registered_on=first.registered_on, language="pl", person=first.person,
            )
        )  # fmt: skip
        session.flush()
        session.add(
            Award(
                id="NQL-X", label="national", teacher="T-11", project="P-1", school="S-1", organisation="NSS-PL",
                awarded_on=NOW.date(),
            )
        )  # fmt: skip
    case = Case(record)
    assert not case.conditions()


def test_an_organisation_s_mailbox_and_an_erased_person_are_nobody_s_double(case: Case) -> None:
    with case.record.writing() as session:
        mailbox = session.scalars(sa.select(Person.id).where(Person.address == "nss@nss.example")).one()
        session.get_one(Person, of(case, "r2@nss.example")).name = "erased"
    assert "whoever reads the mail" in planned(case, Pair(mailbox, of(case, "r1@nss.example"))).blocked[0]
    assert (
        "was erased" in planned(case, Pair(of(case, "r2@nss.example"), of(case, "r3@nss.example"))).blocked[0]
    )


def test_who_is_no_coordinator_there_decides_nothing(case: Case) -> None:
    two = pair(case)
    with case.record.writing() as session:
        turn = Turn(session, NOW, KEY, Door.DESK)
        refused = usecases.ask(two, "word", "Because.")(turn, coordinator(case, "r3@nss.example"))
        assert "no coordinator of NSS-PL" in getattr(refused, "why", "")


def test_people_are_said_to_be_different_by_one_coordinator(case: Case) -> None:
    two = pair(case)
    assert isinstance(
        act(case, usecases.tell_apart([two.gone, two.kept], "Two sisters."), COORDINATOR), Accepted
    )
    with case.record.reading() as session:
        [row] = session.scalars(sa.select(DifferentPersons)).all()
        assert {row.one, row.other} == {two.gone, two.kept}
    refused = act(case, usecases.tell_apart([two.gone, two.gone], "No."), COORDINATOR)
    assert isinstance(getattr(refused, "error", None), NotAllowed)


def test_what_was_known_of_different_people_is_said_and_is_no_news_in_the_journal(case: Case) -> None:
    two = pair(case)
    other = of(case, "r2@nss.example")
    for people, known in (
        ([two.gone, two.kept], False),
        ([two.kept, two.gone], True),
        ([two.gone, two.kept, other], False),
    ):
        done = act(case, usecases.tell_apart(people, "Two sisters."), COORDINATOR)
        assert isinstance(done, Accepted)
        assert ("as was known" in done.remark) is known
    told = [one for one in case.all(Journal) if one.what == Event.TOLD_APART]
    assert [len(one.details["persons"]) for one in told] == [2, 3]


def test_who_was_said_to_be_different_is_made_one_only_once_that_is_taken_back(case: Case) -> None:
    two = pair(case)
    nothing_said = act(case, usecases.take_back([two.gone, two.kept], "They are one."), COORDINATOR)
    assert "Nobody said of them" in getattr(nothing_said, "why", "")
    act(case, usecases.tell_apart([two.gone, two.kept], "Two sisters."), COORDINATOR)
    for each in (two, Pair(two.kept, two.gone)):
        assert planned(case, each).blocked == (
            "Krystyna said on 2026-03-16 that they are different: Two sisters. Whoever knows better takes that back first.",
        )
    done = act(case, usecases.take_back([two.gone, two.kept], "She married, there is no sister."), SECOND)
    assert isinstance(done, Accepted)
    assert case.all(DifferentPersons) == []
    merged(case, two)


def test_a_merging_that_waits_is_not_done_once_somebody_said_that_they_are_different(case: Case) -> None:
    two = pair(case)
    merge = asked(case, two)
    act(case, usecases.tell_apart([two.gone, two.kept], "Two sisters."), SECOND)
    assert "Two sisters." in getattr(act(case, usecases.confirm(merge), SECOND), "why", "")


def namesake(case: Case, school: str, *projects: str) -> str:
    """The person of a further teacher, at a school and in projects."""
    with case.record.writing() as session:
        session.add(
            Teacher(
                id="T-77", name="Recenzent 1", email="t-77@school.example", school=school,
                registered_on=NOW.date(), language="pl",
            )
        )  # fmt: skip
        session.flush()
        session.add_all(
            Member(project=one, teacher="T-77", role="partner", joined_on=NOW.date()) for one in projects
        )
        return session.get_one(Teacher, "T-77").person


def in_another_project_of_the_applicant(case: Case) -> str:
    with case.record.writing() as session:
        session.add(Member(project="P-2", teacher="T-1", role="partner", joined_on=NOW.date()))
    return namesake(case, "S-9", "P-2")


@pytest.mark.slow
def test_a_conflict_that_a_merging_reveals_takes_the_review_of_an_open_case_back(case: Case) -> None:
    first, second = case.ask()
    teacher = in_another_project_of_the_applicant(case)
    plan = planned(case, Pair(teacher, first.person))
    assert [(one.application, one.step, one.outcome) for one in plan.reveals] == [(case.id, first.id, None)]
    assert planned(case, Pair(teacher, of(case, COORDINATOR))).reveals == ()
    done = act(case, usecases.confirm(asked(case, plan.pair)), SECOND)
    assert isinstance(done, Accepted)
    assert done.news_for == (case.id,), "its run is told to look again"
    assert "conflict of interest came to light" in done.remark
    assert done.mend is None
    [anew] = [one for one in case.ask() if one.seat == first.seat]
    assert anew.person not in (first.person, second.person)


@pytest.mark.slow
def test_a_conflict_that_a_merging_reveals_after_the_decision_says_how_to_reopen_it(case: Case) -> None:
    assert decided(case, 4) is Outcome.AWARDED
    first, *_ = [step for step in case.all(Step) if step.kind is StepKind.REVIEW]
    teacher = in_another_project_of_the_applicant(case)
    for two in (Pair(teacher, first.person), Pair(first.person, teacher)):
        [found] = planned(case, two).reveals
        assert f"{case.id} is awarded, and stays so until it is reopened" in found.worded
    done = act(case, usecases.confirm(asked(case, two)), SECOND)
    assert isinstance(done, Accepted)
    assert done.mend == ReopenDecision(case.id, Cause.CONFLICT)
    assert first.id in done.remark
    assert done.news_for == ()


def test_a_conflict_of_others_that_was_known_before_is_no_news_of_a_merging(case: Case) -> None:
    first, _ = case.ask()
    with case.record.writing() as session:
        session.add(
            Conflict(
                person=first.person,
                kind="teacher",
                target="T-1",
                reason="r",
                declared_by="c",
                declared_at=NOW,
            )
        )
    assert planned(case, Pair(in_another_project_of_the_applicant(case), first.person)).reveals == ()


def test_a_reminder_or_a_sign_in_makes_no_plan_stale(case: Case) -> None:
    two, step = with_a_review(case)
    merge = asked(case, two)
    case.do(sessions.begin, step.assignee, "mail code")
    with case.record.writing() as session:
        turn = Turn(session, case.now, KEY)
        mail_step(
            turn,
            session.get_one(Step, step.id),
            messages.Code(about=about_step(session, case.row(), step), purpose=say("Again.")),
        )
        sessions.keep_form(turn, two.gone, "/account", {"a": "b"})
        session.add(DailyMail(person=two.gone, since=NOW))
    assert isinstance(act(case, usecases.confirm(merge), SECOND), Accepted)


def test_of_what_both_have_what_counts_for_longer_stays(case: Case) -> None:
    two = pair(case)
    early, late = date(2024, 1, 1), date(2025, 1, 1)
    with case.record.writing() as session:
        for who, read_until, left in ((two.gone, None, late), (two.kept, early, early)):
            session.add(Address(person=who, address="both@old.example", since=None, until=read_until))
            session.add(FormerStaffSchool(person=who, school="S-9", until=left))
            sessions.keep_form(Turn(session, case.now, KEY), who, "/account", {"of": who})
            case.now += timedelta(hours=-1)
        session.add(Address(person=two.kept, address="r1@nss.example", since=None, until=None))
        session.add(DailyMail(person=two.gone, since=NOW))
        session.execute(sa.update(Staff).where(Staff.person == two.gone).values(email="other@nss.example"))
    merged(case, two)
    with case.record.reading() as session:
        assert session.get_one(FormerStaffSchool, (two.kept, "S-9")).until == late
        assert set(addresses(session, two.kept)) == {"kos@new.example", "both@old.example", "r1@nss.example"}
        assert session.get_one(KeptForm, (two.kept, "/account")).fields == {"of": two.gone}
        assert session.scalars(sa.select(DailyMail)).all() == [], "nobody chose it for the one who stayed"


def test_passkeys_that_are_deleted_are_in_the_plan(case: Case) -> None:
    two = pair(case)
    with case.record.writing() as session:
        session.add(
            Passkey(
                id="k",
                person=two.gone,
                handle=b"h",
                public_key=b"p",
                sign_count=0,
                name="Phone",
                added_at=NOW,
            )
        )
    assert planned(case, two).moves["passkeys that are deleted"] == 1


@pytest.mark.slow
def test_an_id_that_went_is_still_understood_where_somebody_types_it(case: Case) -> None:
    two, _ = with_a_review(case)
    merged(case, two)
    with case.record.reading() as session:
        found = named(session, f" {two.gone} ")
        assert found is not None
        assert found.id == two.kept
    case.now += timedelta(hours=1)
    with case.record.writing() as session:
        turn = Turn(session, case.now, KEY, Door.COMMAND_LINE)
        assert coordinating.of_staff(session, "NSS-PL", two.gone).person == two.kept
        assert [one.person for one in leaving.leave(turn, leaving.Whose(two.gone), NOW.date())] == [two.kept]


def test_a_code_works_once_and_only_in_the_hands_of_its_owner(case: Case) -> None:
    two = pair(case)
    case.do(organisation_codes.send_code, "NSS-PL", COORDINATOR)
    [mail] = [one for one in case.all(Mail) if one.template == "organisation_code"]
    assert mail.to_address == COORDINATOR
    with case.record.reading() as session:
        code = organisation_codes._made(
            Turn(session, NOW, KEY), session.scalars(sa.select(OrganisationCode)).one()
        )

    def by(typed: str, who: str) -> object:
        with case.record.writing() as session:
            turn = Turn(session, NOW + timedelta(hours=1), KEY, Door.COMMAND_LINE)
            return usecases.tell_apart([two.gone, two.kept], "Two sisters.")(turn, Code(typed, who))

    assert not isinstance(by("0" * 8, COORDINATOR), Accepted)
    assert not isinstance(by(code, SECOND), Accepted)
    assert isinstance(by(code, COORDINATOR), Accepted)
    assert not isinstance(by(code, COORDINATOR), Accepted)
    with pytest.raises(NotAllowed):
        case.do(organisation_codes.send_code, "NSS-PL", "r1@nss.example")


def test_a_later_import_finds_the_person_who_stayed(record: Record, tmp_path: Path) -> None:
    from labels.registry.importing import import_registry
    from tests.support.small_registry import SOUND, TODAY, write

    both = SOUND["staff.csv"] + "lis@new.example,Ada Lis,NSS-PL,reviewer,pl,\n"
    folder = write(tmp_path / "r", staff=both)
    import_registry(record, folder, TODAY)
    with record.writing() as session:
        rows = {row.email: row.person for row in session.scalars(sa.select(Staff))}
        two = Pair(rows["ada@x.example"], rows["lis@new.example"])
        session.add(
            PersonMerge(
                id="MRG-1", gone=two.gone, kept=two.kept, plan="", reason="", asked_by=two.kept, asked_at=NOW,
                confirmed_by=two.kept, confirmed_at=NOW,
            )
        )  # fmt: skip
        session.flush()
        merge(Turn(session, NOW, KEY), two)
    import_registry(record, folder, TODAY)
    moved = both.replace("ada@x.example", "ada@moved.example")
    import_registry(record, write(folder, staff=moved), TODAY)
    with record.reading() as session:
        assert set(session.scalars(sa.select(Staff.person))) == {two.kept}
        assert session.get(Person, two.gone) is None
