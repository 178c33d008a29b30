"""`labels upkeep` and `labels stuck` as a coordinator or cron types them, with Prefect's server away."""

from __future__ import annotations

import sqlalchemy as sa

from labels.record.schema import Mail, Notice, Step, StepKind
from tests.cli.conftest import Terminal


def test_upkeep_reminds_and_mails_without_prefects_server_and_twice_is_as_once(terminal: Terminal) -> None:
    application = terminal.submitted()
    [step, _] = terminal.asked(application)
    with terminal.here.record.writing() as session:
        row = session.get_one(Step, step)
        row.opened_at = row.opened_at.replace(month=2)
        assert row.due_at
        row.due_at = terminal.here.now().replace(day=18)
        reviewer = row.assignee
        # The demonstration's clock shows the wall clock's time of day; reminders wait for the morning.
        for rules in session.execute(sa.text("SELECT digest, body FROM rule_text")):
            body = rules.body.replace('"from_hour": {"value": 7', '"from_hour": {"value": 0')
            session.execute(sa.text("UPDATE rule_text SET body = :b"), {"b": body})
    from labels.rules.kept import _KNOWN

    _KNOWN.clear()
    did = terminal.json("upkeep")
    assert did["reminded"] == [reviewer]
    assert did["mail"]["sent"] >= 1
    assert "Prefect's server is out of reach" in did["left_out"]
    again = terminal.json("upkeep")
    assert (again["reminded"], again["mail"]["sent"]) == ([], 0)
    with terminal.here.record.reading() as session:
        assert len(session.scalars(sa.select(Notice)).all()) == 2
        [digest] = session.scalars(sa.select(Mail).where(Mail.reason.startswith("digest/")))
        assert digest.sent_at
    _KNOWN.clear()


def test_stuck_says_why_and_what_mends_it_and_changes_nothing(terminal: Terminal) -> None:
    application = terminal.submitted()
    terminal.asked(application)
    late = terminal.right(application, StepKind.REVIEW)
    with terminal.here.record.writing() as session:
        session.get_one(Step, late.id).due_at = terminal.here.now().replace(day=1)
    before = terminal.everything()
    listed = terminal.json("stuck")
    assert terminal.everything() == before
    by_subject = {one["subject"]: one for one in listed}
    assert by_subject["Prefect"]["mend"] == "labels up"
    assert by_subject[application]["awaits"] == late.assignee
    result = terminal.run("stuck", "--organisation", "NSS-PL")
    assert result.exit_code == 0
    assert late.id in "".join(result.stdout.split())


def test_an_organisation_that_nobody_has_is_an_error_and_not_an_empty_list(terminal: Terminal) -> None:
    said = terminal.fails(4, "stuck", "--organisation", "NSS-PLX")
    assert "There is no organisation NSS-PLX. Is NSS-PL meant?" in said
    assert "There is no organisation NSS-PLX" in terminal.fails(
        4, "cycle", "2026", "--organisation", "NSS-PLX"
    )
