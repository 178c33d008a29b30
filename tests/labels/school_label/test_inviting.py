"""The invitations of a round: one application a school, one mail a teacher, however often it is begun again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.clock import end_of_day
from labels.errors import NotFound
from labels.mail import messages, outbox
from labels.mending import GoOnWithRound, Mend
from labels.record.engine import Record
from labels.record.journal import Event
from labels.record.schema import (
    Application,
    Award,
    Journal,
    Mail,
    Member,
    Organisation,
    Outcome,
    Project,
    School,
    SchoolRound,
    Stage,
    Step,
    StepKind,
    Teacher,
)
from labels.rules.loading import load_school_rules
from labels.rules.model import RuleEdition
from labels.school_label import inviting, rounds
from labels.turn import Turn
from labels.views import stuck
from tests.support.mails import told_by
from tests.support.people import KEY, code_of

TODAY = date(2026, 3, 16)
NOW = end_of_day(TODAY)


def rules_for(whose: str) -> RuleEdition:
    return load_school_rules(whose, TODAY)


@dataclass
class Europe:
    """Schools in two countries, of which the even ones meet the conditions; three teachers each."""

    schools: int
    also: list[Teacher] = field(default_factory=list)

    def write(self, session: Session) -> None:
        """Puts it into an empty record."""
        session.add_all(
            Organisation(
                id=one, country=one[-2:], kind=one[:3], name=f"Office {one}", email=f"{one}@x.example",
                language="en",
            )
            for one in ("CSS-EU", "NSS-PL", "NSS-PT")
        )  # fmt: skip
        session.add(Project(id="P-1", title="Rivers", started_on=date(2025, 1, 1), ended_on=None))
        session.flush()
        for n in range(self.schools):
            country = ("PL", "PT")[n % 4 // 2]
            session.add(
                School(
                    id=f"S-{n:03}", name=f"School {n}", country=country, organisation=f"NSS-{country}", city="X",
                    registered_on=date(2010 if n % 2 == 0 else 2026, 1, 1), principal_name="P",
                    principal_email="p@x.example",
                )
            )  # fmt: skip
        session.flush()
        for n in range(self.schools):
            for k in range(3):
                session.add(
                    Teacher(
                        id=f"T-{n:03}-{k}", name=f"Teacher {n}.{k}", email=f"t{n}.{k}@x.example",
                        school=f"S-{n:03}", registered_on=date(2010, 1, 1), language="pl",
                    )
                )  # fmt: skip
        session.add_all(self.also)
        session.flush()
        for n in range(self.schools):
            for k in range(2):
                session.add(
                    Member(
                        project="P-1", teacher=f"T-{n:03}-{k}", role="founder" if k == 0 else "partner",
                        joined_on=date(2025, 1, 1),
                    )
                )  # fmt: skip
        session.add(
            Award(
                id="NQL-1", label="national", teacher="T-000-0", project="P-1", school=None, organisation="NSS-PL",
                awarded_on=date(2026, 1, 1), score=None, valid_until=None, revoked_at=None,
            )
        )  # fmt: skip
        session.flush()


def check(record: Record, europe: Europe) -> None:
    with record.writing() as session:
        europe.write(session)
        rounds.begin(Turn(session, NOW, KEY), TODAY, rules_for)
        rounds.check(Turn(session, NOW, KEY), 2026)


def invite_all(record: Record, batch: int = 3) -> list[inviting.Invited]:
    done: list[inviting.Invited] = []
    while True:
        with record.writing() as session:
            one = inviting.invite(Turn(session, NOW, KEY), 2026, rules_for, batch=batch)
        if one == inviting.NOBODY:
            return done
        done.append(one)


def invited(record: Record) -> tuple[list[str | None], Counter[str]]:
    """The schools that have an application, and how many mails each address has."""
    with record.reading() as session:
        schools = list(session.scalars(sa.select(Application.school).order_by(Application.school)))
        return schools, Counter(session.scalars(sa.select(Mail.to_address)))


def test_every_teacher_of_each_eligible_school_is_invited_and_each_school_has_one_application(
    record: Record,
) -> None:
    check(record, Europe(8))
    assert invite_all(record) == [inviting.Invited(3, 9), inviting.Invited(1, 3)]
    schools, mails = invited(record)
    assert schools == ["S-000", "S-002", "S-004", "S-006"]
    assert mails == {f"t{n}.{k}@x.example": 1 for n in (0, 2, 4, 6) for k in range(3)}
    with record.reading() as session:
        one = session.scalars(sa.select(Application).where(Application.school == "S-002")).one()
        steps = session.scalars(sa.select(Step).where(Step.application == one.id).order_by(Step.number)).all()
        assert (one.organisation, one.country, one.stage, one.round) == (
            "NSS-PT", "PT", Stage.SELF_ASSESSMENT, "2026",
        )  # fmt: skip
        assert {step.kind for step in steps} == {StepKind.SELF_ASSESSMENT}
        assert {step.due_at for step in steps} == {rounds.round_of(session, 2026).due_at}
        mail = session.get_one(Mail, f"{one.id}/school_invited/{steps[0].id}/1")
        assert mail.step == steps[0].id
        assert told_by(mail, messages.SchoolInvited).why == messages.SchoolInvited.Conditions(
            registered_on=date(2010, 1, 1),
            active=2,
            active_since=date(2024, 3, 16),
            project_title="Rivers",
            awarded_on=date(2026, 1, 1),
        )
        assert code_of(steps[0], KEY)
        told = session.scalars(sa.select(Journal).where(Journal.application == one.id)).one()
        assert (told.what, told.details["teachers"], one.revision) == (Event.INVITED, 3, 1)
        [pl, pt] = rounds.by_country(session, 2026)
        assert (pl.invited, pt.invited) == (2, 2)
        [answer] = rounds.results(session, 2026, "S-002")
        assert answer.application == one.id
        assert rounds.round_of(session, 2026).invited_at == NOW
    assert invite_all(record) == []


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_killed_while_inviting_it_goes_on_where_it_was(
    record: Record, batches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(record, Europe(12))
    for _ in range(batches):
        with record.writing() as session:
            inviting.invite(Turn(session, NOW, KEY), 2026, rules_for, batch=2)
    before = invited(record)

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(outbox, "queue_many", die)
        with pytest.raises(Killed), record.writing() as session:
            inviting.invite(Turn(session, NOW, KEY), 2026, rules_for, batch=2)
    assert invited(record) == before, "a batch is there whole or not at all"

    assert sum(one.schools for one in invite_all(record, batch=2)) == 6 - 2 * batches
    schools, mails = invited(record)
    assert schools == [f"S-{n:03}" for n in range(0, 12, 2)]
    assert mails == {f"t{n}.{k}@x.example": 1 for n in range(0, 12, 2) for k in range(3)}


def test_two_teachers_with_one_address_get_a_mail_each(record: Record) -> None:
    twin = Teacher(
        id="T-999", name="Twin", email="T0.0@x.example", school="S-000", registered_on=TODAY, language="pl"
    )
    check(record, Europe(3, [twin]))
    assert invite_all(record) == [inviting.Invited(2, 7)]
    with record.reading() as session:
        shared = sa.select(Mail.to_name, Mail.language).where(Mail.to_address == "t0.0@x.example")
        assert len(set(session.execute(shared).all())) == 2, "each in their own name and language"


def test_who_holds_a_label_or_has_an_open_application_is_not_invited(record: Record) -> None:
    europe = Europe(6)
    with record.writing() as session:
        europe.write(session)
        session.add(
            Award(
                id="SCH-1", label="school", teacher=None, project=None, school="S-000", organisation="CSS-EU",
                awarded_on=date(2025, 1, 1), score=None, valid_until=date(2027, 1, 1), revoked_at=None,
            )
        )  # fmt: skip
        last = date(2025, 3, 16)
        rounds.begin(Turn(session, NOW, KEY), last, rules_for)
        rounds.begin(Turn(session, NOW, KEY), TODAY, rules_for)
        rounds.check(Turn(session, NOW, KEY), 2026)
    invite_all(record)
    assert invited(record)[0] == ["S-002", "S-004"]
    with record.writing() as session:  # next year: one is still open, the other was closed
        for one in session.scalars(sa.select(Application)):
            one.round = "2025"
            one.outcome = Outcome.EXPIRED if one.school == "S-004" else None
        session.get_one(SchoolRound, 2026).invited_at = None
    with record.writing() as session:
        assert inviting.to_invite(session, 2026) == 1
        [other] = rounds.results(session, 2026, "S-002")
        assert other.application is None
        assert other.instead is not None


def test_a_school_whose_application_is_open_under_its_former_number_is_not_invited_again(
    record: Record,
) -> None:
    with record.writing() as session:
        Europe(6).write(session)
        rounds.begin(Turn(session, NOW, KEY), TODAY, rules_for)
        rounds.check(Turn(session, NOW, KEY), 2026)
    invite_all(record)
    with record.writing() as session:
        first, *others = session.scalars(sa.select(Application).order_by(Application.school)).all()
        for one in others:
            one.outcome, one.round = Outcome.EXPIRED, "2025"
        number = others[0].school or ""
        session.get_one(School, number).succeeds = first.school
        session.get_one(SchoolRound, 2026).invited_at = None
        session.flush()
        left = inviting.to_invite(session, 2026)
        first.outcome, first.round = Outcome.EXPIRED, "2025"
        session.flush()
        assert inviting.to_invite(session, 2026) == left + 2, "both, once the former application is closed"


def test_a_round_that_never_began_invites_nobody(record: Record) -> None:
    with record.writing() as session, pytest.raises(NotFound):
        inviting.invite(Turn(session, NOW, KEY), 2030, rules_for)


def test_a_round_that_lost_its_run_is_on_the_radar(record: Record) -> None:
    check(record, Europe(2))

    def seen(hours: int) -> list[tuple[str, Mend]]:
        with record.reading() as session:
            return [
                (one.subject, one.mend)
                for one in stuck.stuck(session, NOW + timedelta(hours=hours))
                if one.subject.startswith("School Label")
            ]

    assert seen(0) == []
    assert seen(2) == [("School Label 2026", GoOnWithRound(date(2026, 3, 16)))]
    invite_all(record)
    assert seen(2) == []
