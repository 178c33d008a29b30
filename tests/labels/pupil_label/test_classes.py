"""Who may have certificates made for a class, how often, and what the record counts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from labels.applications.file import read_application
from labels.applications.submitting import submit
from labels.errors import NotAllowed, NotFound
from labels.mail import outbox
from labels.mending import AskForCode
from labels.papers.codes import MARK
from labels.papers.facts import CertificateFacts
from labels.pupil_label import classes
from labels.pupil_label.classes import Begun
from labels.record import Record
from labels.record.journal import Event
from labels.record.schema import Award, Journal, Mail, PupilClass, PupilCode, School, Teacher
from labels.rules.loading import load_rules
from labels.steps.codes import code_hash, code_matches, review_code
from labels.steps.outcome import Refusal
from labels.steps.proof import Code, SignedIn
from labels.steps.step import locked
from labels.turn import Turn
from tests.support.patience import PATIENCE, until
from tests.support.people import KEY, NOW, STAMP, application_file, populate
from tests.support.persons import colleague_of, person_at

AWARD = "NQL-0123456789"
EMAIL = "t-1@school.example"
RULES = load_rules("NSS-PL", NOW.date()).pupil


@pytest.fixture
def awarded(record: Record) -> Record:
    """A teacher holds an award that was made elsewhere: no application led to it here."""
    with record.writing() as session:
        populate(session)
        session.add(
            Award(
                id=AWARD, label="national", teacher="T-1", project="P-1", school="S-1",
                organisation="NSS-PL", awarded_on=date(2025, 8, 31), score=25,
            )
        )  # fmt: skip
    return record


def asked(record: Record, number: int = 1) -> str:
    """The code that the teacher asked for."""
    with record.writing() as session:
        classes.send_code(Turn(session, NOW, KEY), AWARD, EMAIL, RULES)
        assert session.get_one(PupilCode, AWARD).number == number
    return review_code(KEY, outbox.pupil_code_subject(AWARD), number)


def test_nobody_makes_a_classs_code_void_by_asking_and_five_times_an_hour_are_enough(awarded: Record) -> None:
    mailed = asked(awarded)
    for _ in range(4):
        assert asked(awarded) == mailed
    with pytest.raises(NotAllowed, match="5 times within an hour"):
        asked(awarded)
    with awarded.reading() as session:
        assert code_matches(mailed, session.get_one(PupilCode, AWARD).code_hash)


def begun(
    record: Record, by: str | SignedIn, *, after: timedelta = timedelta(), pupils: int = 28
) -> Begun | Refusal:
    """The class that the teacher asks for, with a code or signed in."""
    proof = by if isinstance(by, SignedIn) else Code(by, EMAIL)
    with record.writing() as session:
        return classes.begin(Turn(session, NOW + after, KEY), AWARD, proof, RULES, pupils=pupils, left_out=2)


def finished(record: Record, one: Begun | Refusal) -> int:
    assert isinstance(one, Begun)
    with record.writing() as session:
        marks = [bytes(MARK)] * (session.get_one(PupilClass, one.id).pupils + 1)
        return classes.finish(Turn(session, NOW, KEY), one, marks, STAMP)


def why(refused: Begun | Refusal) -> str:
    assert isinstance(refused, Refusal)
    return refused.why


def test_a_code_makes_one_class_and_the_record_counts_its_pupils(awarded: Record) -> None:
    code = asked(awarded)
    assert finished(awarded, begun(awarded, code)) == 28
    used = "This code was used 2026-03-16 10:00 (Brussels)."
    assert begun(awarded, code) == Refusal(used, mend=AskForCode(AWARD, EMAIL))
    assert finished(awarded, begun(awarded, asked(awarded, 2), pupils=3)) == 3
    with awarded.reading() as session:
        assert session.scalars(sa.select(PupilClass.pupils).order_by(PupilClass.number)).all() == [28, 3]
        told = session.scalars(sa.select(Journal.what).order_by(Journal.id)).all()
    assert told == [Event.ASKED_FOR_A_CODE, Event.CLASS_MADE] * 2


def test_a_command_that_was_interrupted_is_given_again_with_the_same_code(awarded: Record) -> None:
    code = asked(awarded)
    first, again = begun(awarded, code), begun(awarded, code, after=timedelta(hours=1), pupils=27)
    assert isinstance(first, Begun)
    assert isinstance(again, Begun)
    assert first.id == again.id
    with awarded.reading() as session:
        assert classes.stated(session, again.id)["awarded_on"] == date(2026, 3, 16)
    assert finished(awarded, again) == 27


def test_of_two_commands_with_one_code_the_later_counts(awarded: Record) -> None:
    code = asked(awarded)
    first, second = begun(awarded, code), begun(awarded, code, pupils=30)
    with pytest.raises(NotAllowed, match="begun after this one; that one counts"):
        finished(awarded, first)
    assert finished(awarded, second) == 30
    with pytest.raises(NotAllowed, match="that one counts"):
        finished(awarded, second)


def test_a_code_works_for_a_week(awarded: Record) -> None:
    code = asked(awarded)
    assert isinstance(begun(awarded, code, after=timedelta(days=7)), Begun)
    assert why(begun(awarded, code, after=timedelta(days=7, seconds=1))).startswith(
        "This code worked until 2026-03-23 10:00 (Brussels)."
    )


def test_a_code_that_is_guessed_at_too_often_is_void_and_a_new_one_is_mailed(awarded: Record) -> None:
    code = asked(awarded)
    said = [why(begun(awarded, "AAAA-AAAA-AA")) for _ in range(5)]
    assert said[3] == "The code is not valid (one more try before a new one is sent)."
    assert said[4] == "The code was tried too often and is void. A new one has been mailed."
    assert isinstance(begun(awarded, code), Refusal)
    with awarded.reading() as session:
        first, second = session.scalars(sa.select(Mail).order_by(Mail.reason))
        assert not outbox.coded(session, first).needed
        subject = f"{AWARD}/pupils"
        mailed = code_hash(review_code(KEY, subject, 2))
        assert outbox.coded(session, second) == outbox.Coded(True, subject, 2, hash=mailed)


def test_the_teacher_is_known_by_address_and_code_together(awarded: Record) -> None:
    code = asked(awarded)
    with awarded.writing() as session:
        turn = Turn(session, NOW, KEY)
        assert classes.prove(turn, AWARD, Code(code, "t-2@school.example"), RULES) is not None
        assert classes.prove(turn, AWARD, Code(code.lower(), EMAIL.upper()), RULES) is None


def test_a_teacher_who_is_signed_in_needs_no_code(awarded: Record) -> None:
    signed_in = SignedIn(person_at(awarded, EMAIL), "mail code", NOW)
    first, again = begun(awarded, signed_in), begun(awarded, signed_in, pupils=27)
    assert isinstance(first, Begun)
    assert isinstance(again, Begun)
    assert first.id == again.id, "an interrupted class is taken up again"
    assert isinstance(begun(awarded, ""), Refusal), "no code works that was not mailed"
    assert finished(awarded, again) == 27
    assert finished(awarded, begun(awarded, signed_in, pupils=3)) == 3
    with awarded.reading() as session:
        assert session.scalars(sa.select(PupilClass.pupils).order_by(PupilClass.number)).all() == [27, 3]


def test_the_class_of_a_teacher_who_is_signed_in_takes_the_code_that_was_mailed(awarded: Record) -> None:
    code = asked(awarded)
    assert finished(awarded, begun(awarded, SignedIn(person_at(awarded, EMAIL), "passkey", NOW))) == 28
    assert "was used" in why(begun(awarded, code))


def test_who_is_signed_in_as_somebody_else_gets_no_class(awarded: Record) -> None:
    for other in (person_at(awarded, "t-2@school.example"), colleague_of(awarded, person_at(awarded, EMAIL))):
        assert why(begun(awarded, SignedIn(other, "passkey", NOW))) == f"Another teacher holds {AWARD}."


def test_without_a_code_that_was_asked_for_nothing_is_made(awarded: Record) -> None:
    assert begun(awarded, "") == Refusal("The code is not valid.", mend=AskForCode(AWARD, EMAIL))


@pytest.mark.parametrize(
    ("changed", "says"), [("label", "is not the label of"), ("revoked_at", "was revoked")]
)
def test_an_award_that_gives_no_certificates_is_told(awarded: Record, changed: str, says: str) -> None:
    code = asked(awarded)
    one = begun(awarded, code)
    with awarded.writing() as session:
        setattr(session.get_one(Award, AWARD), changed, {"label": "school", "revoked_at": NOW}[changed])
    with pytest.raises(NotAllowed, match=says):
        begun(awarded, code)
    with pytest.raises(NotAllowed, match=says):  # also where it was revoked meanwhile
        finished(awarded, one)


def test_an_award_that_is_not_there_is_not_found(awarded: Record) -> None:
    with pytest.raises(NotFound), awarded.writing() as session:
        classes.send_code(Turn(session, NOW, KEY), "NQL-NONE", EMAIL, RULES)


def test_a_certificate_states_the_school_of_the_project_and_its_year(awarded: Record) -> None:
    one = begun(awarded, asked(awarded))
    assert isinstance(one, Begun)
    with awarded.writing() as session:
        session.get_one(Teacher, "T-1").school = "S-9"
    with awarded.reading() as session:
        facts = CertificateFacts.of(holder="Ada", **classes.stated(session, one.id))
        assert facts.school == session.get_one(School, "S-1").name
    assert (facts.application, facts.school_year, facts.country) == (one.id, "2024/25", "PL")


def test_a_code_asked_for_an_award_is_for_a_class_where_nothing_else_could_be_done(awarded: Record) -> None:
    with awarded.reading() as session:
        assert classes.is_for_a_class(session, AWARD, EMAIL.upper())
        assert classes.is_for_a_class(session, AWARD, "somebody@else.example")  # who is told why not
        assert not classes.is_for_a_class(session, "NQL-NONE", EMAIL)


@pytest.mark.parametrize("record_url", ["postgresql"], indirect=True)
def test_a_code_asked_for_while_the_label_is_revoked_waits_and_is_refused(awarded: Record) -> None:
    with awarded.writing() as session:
        file = read_application(application_file(), "application.json")
        application = submit(Turn(session, NOW, KEY), file, [], load_rules("NSS-PL", NOW.date()))
        own = session.get_one(Award, AWARD)
        session.execute(sa.update(Award).values(id=application.application))
        session.expire(own)

    def ask() -> str:
        with awarded.writing() as session:
            return classes.send_code(Turn(session, NOW, KEY), application.application, EMAIL, RULES)

    waits = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    with ThreadPoolExecutor(1) as threads:
        with awarded.writing() as session:
            locked(session, application.application)
            asking = threads.submit(ask)
            with awarded.engine.connect() as watching:
                watching.execution_options(isolation_level="AUTOCOMMIT")
                until(lambda: watching.scalar(waits) or asking.done(), "the other waits", every=0.01)
            session.execute(sa.update(Award).values(revoked_at=NOW))
        with pytest.raises(NotAllowed, match="was revoked"):
            asking.result(PATIENCE)
