"""Two persons of the record are made one: what moves, what forbids it, and that nothing of the other id is left."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from labels.answering import merging, organisation_codes
from labels.answering.uniting import Pair, merge
from labels.errors import NotAllowed
from labels.people.persons import addresses, person
from labels.record import Record
from labels.record.journal import Event
from labels.record.schema import (
    Award,
    Base,
    Conflict,
    DifferentPersons,
    Journal,
    Mail,
    OrganisationCode,
    Person,
    PersonMerge,
    Staff,
    Step,
    StepState,
    Teacher,
)
from labels.sessions import session as sessions
from labels.steps.outcome import Accepted
from labels.steps.proof import Code, SignedIn
from labels.turn import Door, Turn
from tests.support.case import COORDINATOR, Case, open_case, staff
from tests.support.people import KEY, NOW, code_of, populate
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
        assert sessions.visitor(session, token, NOW) is not None
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
        assert "is no coordinator of NSS-PL" in getattr(refused, "why", "")


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
    merged(case, two)
    assert case.all(DifferentPersons) == []


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
