"""What every command answers: exit codes, words, tables and JSON, and that a fault changes nothing."""

from __future__ import annotations

import io
import json
import random
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import typer.testing
from PIL import Image

from adapters.workspace import workspace
from cli.app import TABLE, Row, loaded
from cli.exporting import SCHEMAS
from cli.printed import ShownCase
from labels.applications import ending
from labels.record.journal import Event
from labels.record.schema import (
    Address,
    Application,
    Decision,
    Document,
    Mail,
    Staff,
    Stage,
    Step,
    StepKind,
    StepState,
)
from labels.reviews import deciding
from labels.rules.loading import RULES
from labels.turn import Turn
from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.support.people import KEY, application_file, points
from tests.support.typed import typed

NO_SERVER = "Prefect's server is out of reach"


def one_line(said: str) -> str:
    """A message that is one line, without its end."""
    [line] = said.strip().splitlines()
    return line


# Any command ------------------------------------------------------------------------------------

NAMES = sorted(row.name for row in TABLE)


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_list_of_commands_cuts_no_sentence_off(columns: int) -> None:
    listed = typed("--help", terminal_width=columns).stdout
    rows = [
        line.split(maxsplit=1) for line in re.split(r"\n  (?=\S)", listed.partition("Commands:\n")[2].strip())
    ]
    assert [(name, " ".join(line.split())) for name, line in rows] == [(row.name, row.line) for row in TABLE]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_a_command_is_listed_with_the_first_line_of_its_description(row: Row) -> None:
    described = loaded(row.name).help
    assert described
    assert described.partition("\n\n")[0] == row.line


@pytest.mark.sampled
@pytest.mark.parametrize("name", NAMES)
def test_every_command_says_what_it_is_for(terminal: Terminal, name: str) -> None:
    result = terminal.run(name, "--help")
    assert result.exit_code == 0
    assert f"Usage: labels {name}" in result.stdout


@pytest.mark.sampled
@pytest.mark.parametrize("name", NAMES)
def test_a_word_too_many_is_wrong_usage(terminal: Terminal, name: str) -> None:
    said = terminal.fails(2, name, "--nothing-of-the-kind")
    assert "--nothing-of-the-kind" in said
    assert f"labels {name} --help" in said


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        (["submit"], "FILE"), (["show"], "APPLICATION"), (["inbox"], "--as"), (["import"], "DIR"),
        (["answer", "STEP-1", "a.json"], "--as"), (["answer", "STEP-1", "a.json", "--as", "a"], "--code"),
        (["withdraw", "NQL-1", "--as", "a"], "--code"), (["export"], "WHAT"), (["code", "NQL-1"], "--as"),
        (["deadline", "STEP-1", "--reason", "r", "--as", "a", "--code", "c"], "--until"),
        (["reassign", "STEP-1", "--reason", "r", "--as", "a", "--code", "c"], "--to"),
        (["takeover", "STEP-1", "--as", "a", "--code", "c"], "--reason"),
        (["send-back", "STEP-1", "--as", "a", "--code", "c"], "--reason"),
        (["conflict", "NQL-1", "--reason", "r", "--as", "a", "--code", "c"], "--reviewer"),
        (["appeal", "NQL-1", "--as", "a", "--code", "c"], "--grounds"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(terminal: Terminal, words: list[str], missing: str) -> None:
    said = terminal.fails(2, *words)
    assert missing.casefold() in said.casefold()


def test_a_command_that_there_is_not_is_wrong_usage(terminal: Terminal) -> None:
    assert "nominate" in terminal.fails(2, "nominate")


@pytest.mark.parametrize(
    "words",
    [
        ["show", "\udcff"], ["inbox", "--as", "\udcff"], ["show", "[/bold]"], ["show", "NQL\x1b[2J\u202e"],
        ["code", "\udcff", "--as", "\udcff"], ["export", "\udcff"], ["schema", "\udcff"],
        ["rules", "\udcff"], ["import", "\udcff"], ["submit", "\udcff"],
        ["withdraw", "\udcff", "--as", "\udcff", "--code", "\udcff"],
        ["takeover", "\udcff", "--reason", "r", "--as", "\udcff", "--code", "\udcff"],
    ],
)  # fmt: skip
def test_words_that_are_no_text_do_no_harm(terminal: Terminal, words: list[str]) -> None:
    result = terminal.run(*words)
    assert result.exit_code in (0, 2, 3, 4)
    assert not set("\x1b\u202e\udcff") & set(result.output)


# Settings ---------------------------------------------------------------------------------------

Run = Callable[..., typer.testing.Result]


@pytest.mark.parametrize(
    ("settings", "named", "exit_code"),
    [
        ({"today": "tomorrow"}, "LABELS_TODAY", 2),
        ({"documents": "ftp://a.example"}, "LABELS_DOCUMENTS", 2),
        ({"smtp_url": "http://a.example"}, "LABELS_SMTP_URL", 2),
        ({"database_url": "mysql://ada:hush@db.example/labels"}, "LABELS_DATABASE_URL", 2),
        ({"database_url": "postgresql://ada:hush@127.0.0.1:9/labels?connect_timeout=2"}, "The record", 5),
    ],
)
def test_a_setting_that_can_not_work_is_named_and_its_password_is_not(
    empty_environment: Run, settings: dict[str, str], named: str, exit_code: int
) -> None:
    result = empty_environment("inbox", "--as", TEACHER, **settings)
    assert result.exit_code == exit_code
    assert named in result.stderr
    assert "hush" not in result.output


def test_a_home_that_can_not_be_made_is_told(empty_environment: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = empty_environment("import", ".", home=str(tmp_path / "file" / "home"))
    assert result.exit_code == 5
    assert "file" in one_line(result.stderr)


@pytest.mark.parametrize(
    "words",
    [
        ["show", "NQL-1"], ["inbox", "--as", TEACHER], ["export", "mail"], ["school-check"], ["cycle", "2026"],
        ["code", "NQL-1", "--as", TEACHER], ["recover"], ["submit", "a.json"], ["revoke", "NQL-1"],
    ],
)  # fmt: skip
def test_where_there_is_no_record_it_is_told_where_was_looked_and_nothing_is_made(
    empty_environment: Run, tmp_path: Path, words: list[str]
) -> None:
    result = empty_environment(*words, secret="")
    assert (result.exit_code, result.stdout) == (4, "")
    assert f"There is no record in {tmp_path / 'home'}" in one_line(result.stderr)
    assert "labels import DIR" in result.stderr
    assert not list(tmp_path.iterdir())


def test_rules_are_checked_without_a_record(empty_environment: Run, tmp_path: Path) -> None:
    assert empty_environment("rules").exit_code == 0
    assert not list(tmp_path.iterdir())


def test_an_application_that_an_empty_record_has_not_is_told_with_where_was_looked(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_template: Path
) -> None:
    assert one_line(terminal.fails(4, "show", "NQL-NONE")) == "There is no application NQL-NONE."
    (tmp_path / "empty").mkdir()
    file = tmp_path / "empty" / "record.db"
    file.write_bytes(sqlite_template.read_bytes())
    monkeypatch.setenv("LABELS_HOME", str(file.parent))
    workspace.cache_clear()
    first, second = terminal.run("show", "NQL-NONE").stderr.strip().splitlines()
    assert first == "There is no application NQL-NONE."
    assert second == f"The record in {file} has no organisations and no applications: is LABELS_HOME right?"


def test_a_record_that_is_no_database_is_told_and_left_alone(empty_environment: Run, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "record.db").write_text("a letter\n" * 1000)
    result = empty_environment("inbox", "--as", TEACHER)
    assert result.exit_code == 5
    assert "not a database" in one_line(result.stderr)
    assert (tmp_path / "home" / "record.db").read_text().startswith("a letter")


# submit -----------------------------------------------------------------------------------------


def test_an_application_is_registered_whole_while_prefect_is_away(terminal: Terminal) -> None:
    result = terminal.run("submit", terminal.file("a.json", application_file()))
    assert result.exit_code == 5
    [said] = [line for line in result.stderr.splitlines() if NO_SERVER in line]
    assert "labels recover" in said
    with terminal.here.record.reading() as session:
        [row] = session.scalars(sa.select(Application))
        assert (row.stage, row.run) == (Stage.SUBMITTED, None)
        [document] = session.scalars(sa.select(Document))
        assert terminal.here.documents.get(document.key)
        assert [mail.template for mail in session.scalars(sa.select(Mail))] == ["receipt"]


def test_the_same_file_again_adds_nothing(terminal: Terminal) -> None:
    application = terminal.submitted()
    before = terminal.everything()
    again = terminal.run("submit", "application.json")
    assert again.stdout.strip() == application
    assert "was submitted before and is under way (stage submitted" in again.stderr
    after = terminal.everything()
    assert after["journal"] == before["journal"]
    assert len(after["application"]) == len(after["mail"]) == 1


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.json", "", "line 1, column 1: is not JSON"),
        ("comma.json", '{"a":\n 1,}', "line 2, column 4: is not JSON"),
        (
            "utf16.json",
            json.dumps(application_file()).encode("utf-16"),
            "is not UTF-8 (byte 0). Save it as UTF-8.",
        ),
        ("list.json", [], "expected a JSON object"),
        ("number.json", "1" * 5000, "a number of thousands of digits"),
        ("deep.json", "[" * 100_000, "is nested too deeply"),
        (
            "nested.json",
            '{"label": "national", "sections": ' + "[" * 700 + "]" * 700 + "}",
            "is nested too deeply",
        ),
        ("large.json", " " * 2_000_001, "is larger than 2 MB"),
        ("label.json", application_file(label="golden"), 'label: expected "national"'),
        ("list-label.json", application_file(label=["national"]), 'label: expected "national"'),
        ("teacher.json", application_file(teacher="T-99"), 'teacher: the registry has no teacher "T-99"'),
        ("project.json", application_file(project="P-99"), 'project: the registry has no project "P-99"'),
        ("surrogate.json", application_file(teacher="\ud800"), "teacher: "),
        (
            "age.json",
            '{"label": "national", "pupils": {"count": 1, "average_age": NaN}}',
            "pupils.average_age: ",
        ),
    ],
)
def test_a_file_that_is_no_application_is_told_by_name_and_place(
    terminal: Terminal, name: str, content: Any, said: str
) -> None:
    message = terminal.fails(2, "submit", terminal.file(name, content))
    assert message.startswith(f"{name}: ")
    assert "nothing was changed" in message
    assert said in message


def test_every_fault_of_an_application_is_told_at_once(terminal: Terminal) -> None:
    wrong = application_file(
        pupils={"count": -1, "average_age": "13"}, links=["javascript:x"], language="PL", more=1
    )
    del wrong["teacher"]
    said = terminal.fails(2, "submit", terminal.file("a.json", wrong)).splitlines()
    assert said[0] == "a.json: 6 faults; nothing was changed."
    places = {line.strip().partition(":")[0] for line in said[1:]}
    assert places == {"teacher", "language", "links.0", "pupils.count", "pupils.average_age", "more"}


@pytest.mark.parametrize("name", ["none.json", "."])
def test_a_file_that_is_not_there_is_told(terminal: Terminal, name: str) -> None:
    assert "can't be read" in terminal.fails(2, "submit", name)


def test_evidence_that_is_none_is_told_and_nothing_is_registered(terminal: Terminal) -> None:
    application = terminal.file("a.json", application_file())
    assert "none.pdf: " in terminal.fails(2, "submit", application, "--evidence", "none.pdf")
    said = terminal.fails(
        2, "submit", application, "--evidence", terminal.file("virus.pdf", b"MZ\x90"), "--json"
    )
    assert "virus.pdf: " in said
    assert "PDF, PNG" in said


OWN_LIMITS = """
national:
  limits:
    upload_mib: {value: %d, source: assumption}
    uploads_mib: {value: %d, source: assumption}
"""
PICTURE_SIDE = 1100
"""Pixels: a grey picture of noise has a byte for each, 1.2 MiB."""


@pytest.mark.parametrize(
    ("each", "together", "pictures", "why"),
    [(1, 2, 1, "It is 1.2 MiB; at most 1 MiB"), (2, 2, 2, "They are 2.4 MiB; at most 2 MiB")],
)
def test_an_organisations_own_limits_hold_for_what_is_handed_in_to_it(
    terminal: Terminal, each: int, together: int, pictures: int, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence = [word for n in range(pictures) for word in ("--evidence", _noise(terminal, f"{n}.png"))]
    rules = terminal.folder / "rules"
    shutil.copytree(RULES, rules)
    (rules / "editions" / "2026" / "NSS-PL.yaml").write_text(OWN_LIMITS % (each, together), "utf-8")
    monkeypatch.setenv("LABELS_RULES", str(rules))
    workspace.cache_clear()
    terminal.here = workspace()
    application = terminal.file("application.json", application_file())
    assert why in terminal.fails(2, "submit", application, *evidence)
    review, _ = terminal.asked(terminal.submitted())
    given = terminal.file("review.json", {"scores": points(4)})
    proof = ["--as", terminal.step(review).assignee, "--code", terminal.code(review)]
    assert why in terminal.fails(2, "answer", review, given, *proof, *evidence)


def test_what_an_organisation_says_nothing_on_is_taken_as_everywhere(terminal: Terminal) -> None:
    application = terminal.file("application.json", application_file())
    evidence = [word for n in range(2) for word in ("--evidence", _noise(terminal, f"{n}.png"))]
    assert terminal.run("submit", application, *evidence).exit_code == 5, NO_SERVER
    with terminal.here.record.reading() as session:
        names = session.scalars(sa.select(Document.name).where(Document.kind == "evidence")).all()
    assert sorted(names) == ["0.png", "1.png"]


def _noise(terminal: Terminal, name: str) -> str:
    pixels = random.Random(name).randbytes(PICTURE_SIDE**2)
    content = io.BytesIO()
    Image.frombytes("L", (PICTURE_SIDE, PICTURE_SIDE), pixels).save(content, "PNG", compress_level=0)
    return terminal.file(name, content.getvalue())


def test_a_second_application_for_the_project_is_not_allowed_while_the_first_is_open(
    terminal: Terminal,
) -> None:
    first = terminal.submitted()
    said = terminal.fails(3, "submit", terminal.file("b.json", application_file(description="Another.")))
    assert f"labels withdraw {first}" in one_line(said)


# show, inbox ------------------------------------------------------------------------------------


def test_where_an_application_stands_is_one_document(terminal: Terminal) -> None:
    application = terminal.submitted()
    first, second = terminal.asked(application)
    shown = terminal.json("show", application)
    assert shown.keys() >= {
        "application", "label", "organisation", "teacher", "project", "school", "stage", "outcome",
        "awaiting", "reviews", "documents", "journal",
    }  # fmt: skip
    assert (shown["application"], shown["stage"], shown["outcome"]) == (application, "review", None)
    assert {one["step"] for one in shown["awaiting"]} == {first, second}
    assert all(one.keys() == {"step", "what", "who", "by", "ends"} for one in shown["awaiting"])
    assert all(one.keys() >= {"kind", "name", "key"} for one in shown["documents"])
    assert all(one.keys() >= {"at", "who", "what"} for one in shown["journal"])
    ShownCase.model_validate(shown)


def test_where_an_application_stands_is_tables_for_people(terminal: Terminal) -> None:
    application = terminal.submitted()
    steps = terminal.asked(application)
    result = terminal.run("show", application)
    assert result.exit_code == 0
    assert result.stderr == ""
    for words in (application, *steps, "Awaited", "Journal", "submitted", "review"):
        assert words in result.stdout


def shown(terminal: Terminal, application: str) -> str:
    """What people read, with runs of blanks as one."""
    return " ".join(terminal.run("show", application).stdout.split())


def test_people_read_names_beside_identifiers_and_the_details_of_the_journal(terminal: Terminal) -> None:
    application = terminal.submitted()
    first, _ = terminal.asked(application)
    code = terminal.coordinators_code(application)
    until = ["--until", "2026-04-20", "--reason", "fair week"]
    terminal.run("deadline", first, *until, "--as", COORDINATOR, "--code", code)
    said = shown(terminal, application)
    for words in (
        "teacher Zażółć Gęślą (T-1)", "project Mosty przez Europę (P-1)", "organisation Narodowe Biuro (NSS-PL)",
        "decision due 2026-04-28", f"{terminal.step(first).assignee} · seat 1 · because: the rules ask for it",
        "until 2026-04-20 23:59 · was 2026-04-07 23:59 · because: fair week",
    ):  # fmt: skip
        assert words in said
    assert "decided by" not in said
    as_json = terminal.json("show", application)
    assert (as_json["teacher"], as_json["teacher_name"]) == ("T-1", "Zażółć Gęślą")


def test_the_run_is_linked_where_prefect_answers(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    application = terminal.submitted()
    with terminal.here.record.writing() as session:
        session.execute(sa.update(Application).values(run="0000-1"))
    page = f"{terminal.here.settings.site_url}/runs/flow-run/0000-1"
    assert "0000-1 (Prefect's server does not answer)" in shown(terminal, application)
    monkeypatch.setattr("cli.showing.prefect_answers", lambda: True)
    assert f"run {page}" in shown(terminal, application)
    assert terminal.json("show", application)["url"] == page


def test_a_decision_is_told_with_its_points_and_a_withdrawal_is_none(terminal: Terminal) -> None:
    application = terminal.submitted()
    for step in terminal.asked(application):
        given = terminal.file("r.json", {"scores": points(4)})
        terminal.run(
            "answer", step, given, "--as", terminal.step(step).assignee, "--code", terminal.code(step)
        )
    with terminal.here.record.writing() as session:
        deciding.decide(Turn(session, terminal.here.now(), terminal.here.key), application)
    said = shown(terminal, application)
    assert "points 24 of 30 points (the label from 18)" in said
    assert "Decision: awarded with 24 of 30 points (the label from 18), on 2026-03-16" in said

    with terminal.here.record.writing() as session:
        ending.close(Turn(session, terminal.here.now(), KEY), application)
    again = terminal.run("submit", "application.json")
    assert again.exit_code == 0, "nothing is left to do for which Prefect would be needed"
    assert "was awarded on 2026-03-16. Nothing is left to do." in again.stderr

    other = terminal.submitted(teacher="T-3")
    right = terminal.right(other, StepKind.WITHDRAWAL)
    terminal.run("withdraw", other, "--as", "t-3@school.example", "--code", terminal.code(right.id))
    said = terminal.run("show", other).stdout
    assert "\nWithdrawn by the applicant on 2026-03-16" in said
    assert "Decision" not in said


def test_scores_stay_hidden_until_the_decision_in_every_format(terminal: Terminal) -> None:
    application = terminal.submitted()
    first, _ = terminal.asked(application)
    given = terminal.file("r.json", {"scores": points(3), "comment": "SECRET COMMENT", "note": "SECRET NOTE"})
    terminal.run(
        "answer", first, given, "--as", terminal.step(first).assignee, "--code", terminal.code(first)
    )
    assert terminal.step(first).state is StepState.ANSWERED
    [review] = terminal.json("show", application)["reviews"]
    assert (review["scores"], review["comment"], review["note"]) == (None, None, None)
    assert "hidden until the decision" in terminal.run("show", application).stdout
    for words in (["show", application], ["export", "reviews"], ["export", "journal"], ["export", "mail"]):
        assert "SECRET" not in terminal.run(*words).output


@pytest.mark.parametrize("words", [["show", "NQL-NONE"], ["code", "NQL-NONE", "--as", TEACHER], ["show", ""]])
def test_an_application_that_there_is_not_is_not_found(terminal: Terminal, words: list[str]) -> None:
    assert one_line(terminal.fails(4, *words)).startswith("There is no application")


def test_a_person_sees_the_steps_that_await_them_and_nobody_elses(terminal: Terminal) -> None:
    application = terminal.submitted()
    first, second = terminal.asked(application)
    mine = terminal.step(first).assignee
    [item] = terminal.json("inbox", "--as", f" {mine.upper()} ")
    assert item.keys() == {"step", "application", "what", "by", "act", "run", "url"}
    assert (item["step"], item["application"], item["what"]) == (first, application, "review")
    shown = terminal.run("inbox", "--as", mine)
    assert first in shown.stdout
    assert second not in shown.stdout


def test_no_link_is_shown_to_a_form_that_nobody_can_open(terminal: Terminal) -> None:
    first, _ = terminal.asked(terminal.submitted())
    with terminal.here.record.writing() as session:
        session.execute(sa.update(Application).values(run="00000000-0000-0000-0000-000000000000"))
    mine = terminal.step(first).assignee
    shown = terminal.run("inbox", "--as", mine)
    assert first in shown.stdout
    assert "flow-run" not in shown.output
    assert "Prefect's server does not answer" in shown.stderr
    assert "labels answer STEP FILE" in shown.stderr
    assert [item["url"] for item in terminal.json("inbox", "--as", mine)] == [""]


def test_a_coordinator_is_offered_what_closes_an_assignment_and_no_answer(terminal: Terminal) -> None:
    application = terminal.submitted()
    with terminal.here.record.writing() as session:
        session.execute(sa.delete(Staff).where(Staff.role == "reviewer"))
        session.execute(sa.update(Application).values(run="00000000-0000-0000-0000-000000000000"))
    [step] = terminal.asked(application)
    assert terminal.step(step).kind is StepKind.ASSIGNMENT
    [item] = terminal.json("inbox", "--as", COORDINATOR)
    assert (item["step"], item["act"]) == (step, "reassign")
    said = terminal.run("inbox", "--as", COORDINATOR).stderr
    assert "labels reassign STEP --to EMAIL --reason REASON --as EMAIL --code CODE" in said
    assert "labels answer" not in said


def test_what_no_form_takes_is_offered_by_its_command_though_prefect_answers(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = terminal.asked(terminal.submitted())
    mine = terminal.step(first).assignee
    with terminal.here.record.writing() as session:
        session.execute(sa.update(Application).values(run="0000-1"))
        session.execute(
            sa.update(Step)
            .where(Step.id == second)
            .values(kind=StepKind.DECLARATION, person=terminal.step(first).person)
        )
    monkeypatch.setattr("cli.showing.prefect_answers", lambda: True)
    shown = terminal.run("inbox", "--as", mine)
    assert "Where the form is" in shown.stdout
    assert shown.stderr.splitlines() == [
        "There is no form for this; it goes with a command:",
        "labels declare STEP --as EMAIL --code CODE",
    ]


def test_a_new_code_is_mailed_when_the_former_one_was_tried_too_often(terminal: Terminal) -> None:
    first, _ = terminal.asked(terminal.submitted())
    given = terminal.file("r.json", {"scores": points()})
    proof = ["--as", terminal.step(first).assignee, "--code", "WRONG"]
    for _ in range(5):
        assert terminal.run("answer", first, given, *proof).exit_code == 3
    with terminal.here.record.reading() as session:
        mail = session.scalars(sa.select(Mail).where(Mail.template == "code")).one()
        assert mail.sent_at is not None


def test_who_is_awaited_by_nobody_is_told_so(terminal: Terminal) -> None:
    result = terminal.run("inbox", "--as", "nobody@a.example")
    assert (result.exit_code, result.stdout) == (0, "")
    assert one_line(result.stderr) == "Nothing awaits nobody@a.example."
    assert terminal.json("inbox", "--as", "nobody@a.example") == []


# answer, withdraw, appeal -----------------------------------------------------------------------


def test_an_answer_counts_though_prefect_is_away_and_only_once(terminal: Terminal) -> None:
    first, _ = terminal.asked(terminal.submitted())
    who, code = terminal.step(first).assignee, terminal.code(first)
    given = terminal.file("r.json", {"scores": points()})
    result = terminal.run("answer", first, given, "--as", who, "--code", code)
    assert (result.exit_code, result.stdout) == (5, "")
    recorded, outage = result.stderr.splitlines()
    assert recorded == "Thank you: your review is recorded."
    assert NO_SERVER in outage
    assert "is in the record" in outage
    assert terminal.step(first).state is StepState.ANSWERED
    said = terminal.fails(3, "answer", first, given, "--as", who, "--code", code)
    assert f"already answered by {who}" in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"decline": "x", "question": "y"}, "expected exactly one of the fields"),
        ({"scores": {"results": {"__prefect_kind": "jinja"}}}, "scores.results: "),
        ({"question": {"__prefect_kind": "json", "value": "1"}}, "question: "),
        ({"scores": {}, "comment": "x" * 20_000}, "comment: "),
        ("{", "line 1, column 2"),
    ],
)
def test_a_file_that_is_no_answer_is_told_by_name_and_place(
    terminal: Terminal, content: Any, said: str
) -> None:
    first, _ = terminal.asked(terminal.submitted())
    message = terminal.fails(
        2, "answer", first, terminal.file("r.json", content),
        "--as", terminal.step(first).assignee, "--code", terminal.code(first),
    )  # fmt: skip
    assert message.startswith("r.json: ")
    assert said in message


def test_points_out_of_range_are_all_told_and_what_was_written_is_kept(terminal: Terminal) -> None:
    first, _ = terminal.asked(terminal.submitted())
    who, code = terminal.step(first).assignee, terminal.code(first)
    wrong = points(4, technology=99, results=-1) | {"beauty": 5}
    result = terminal.run(
        "answer", first, terminal.file("r.json", {"scores": wrong}), "--as", who, "--code", code
    )
    assert (result.exit_code, result.stdout) == (2, "")
    for name in ("technology", "results", "beauty"):
        assert f"  scores.{name}: " in result.stderr
    step = terminal.step(first)
    assert (step.state, step.code_failures) == (StepState.OPEN, 0)
    assert step.draft
    assert step.draft["scores"] == wrong


def test_an_answer_of_another_kind_than_was_asked_for_is_wrong_input(terminal: Terminal) -> None:
    first, _ = terminal.asked(terminal.submitted())
    who, code = terminal.step(first).assignee, terminal.code(first)
    result = terminal.run(
        "answer", first, terminal.file("r.json", {"text": "Yes, all."}), "--as", who, "--code", code
    )
    assert result.exit_code == 2
    assert "no answer to a step of the kind review" in result.stderr
    assert terminal.step(first).state is StepState.OPEN


@pytest.mark.parametrize("code", ["", "WRNG-CODE-XX", "\udcff", "x" * 10_000])
def test_a_wrong_code_is_not_allowed_and_counted(terminal: Terminal, code: str) -> None:
    first, _ = terminal.asked(terminal.submitted())
    given = terminal.file("r.json", {"scores": points()})
    result = terminal.run("answer", first, given, "--as", terminal.step(first).assignee, "--code", code)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "4 more tries" in one_line(result.stderr)
    assert terminal.step(first).code_failures == 1


def test_somebody_elses_code_and_nobodys_step_prove_nothing(terminal: Terminal) -> None:
    first, second = terminal.asked(terminal.submitted())
    given = terminal.file("r.json", {"scores": points()})
    code = terminal.code(first)
    as_second = ["--as", terminal.step(second).assignee, "--code", code]
    assert terminal.run("answer", first, given, *as_second).exit_code == 3
    assert terminal.run("answer", second, given, *as_second).exit_code == 3
    assert terminal.step(first).state is terminal.step(second).state is StepState.OPEN
    said = terminal.fails(4, "answer", "STEP-NONE", given, *as_second)
    assert one_line(said) == "There is no step STEP-NONE."


def test_an_applicant_withdraws_with_their_code_alone(terminal: Terminal) -> None:
    application = terminal.submitted()
    right = terminal.right(application, StepKind.WITHDRAWAL)
    assert terminal.run("withdraw", application, "--as", TEACHER, "--code", "x").exit_code == 3
    result = terminal.run("withdraw", application, "--as", TEACHER, "--code", terminal.code(right.id))
    assert result.exit_code == 5
    assert NO_SERVER in result.stderr
    assert terminal.json("show", application)["outcome"] == "withdrawn"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "can't be read"),
        (b"\xff", "can't be read as text"),
        (" \n", "is empty"),
        ("— \u0301", "says nothing"),
        ("x" * 20_001, "more than 20000"),
    ],
)
def test_grounds_of_an_appeal_are_read_whole_or_refused(terminal: Terminal, content: Any, said: str) -> None:
    application = terminal.submitted()
    if content is not None:
        terminal.file("why.txt", content)
    message = terminal.fails(2, "appeal", application, "--as", TEACHER, "--code", "x", "--grounds", "why.txt")
    assert message.startswith("why.txt: ")
    assert said in message


def test_where_there_is_no_appeal_it_is_not_allowed(terminal: Terminal) -> None:
    application = terminal.submitted()
    grounds = terminal.file("why.txt", "Nobody read it.")
    said = terminal.fails(3, "appeal", application, "--as", TEACHER, "--code", "x", "--grounds", grounds)
    assert "NSS-PL know no appeal" in one_line(said)


# code, reassign, takeover, send-back, deadline, conflict ---------------------------------------------------


def test_a_code_is_mailed_to_who_may_have_one_and_shown_to_nobody(terminal: Terminal) -> None:
    application = terminal.submitted()
    result = terminal.run("code", application, "--as", COORDINATOR)
    step = terminal.right(application, StepKind.COORDINATION)
    assert (result.exit_code, result.stdout) == (0, "")
    assert step.id in result.stderr
    assert terminal.code(step.id) not in result.output
    assert terminal.code(step.id) not in terminal.run("show", application).output
    [mail] = [
        path
        for path in terminal.here.settings.mail_folder.rglob("*.eml")
        if terminal.code(step.id) in path.read_text()
    ]
    assert f"To: {COORDINATOR}" in mail.read_text() or COORDINATOR in mail.read_text()
    assert terminal.json("code", application, "--as", COORDINATOR).keys() == {"subject", "remark"}


def test_a_code_that_can_not_be_mailed_is_no_code_on_its_way(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = terminal.submitted()
    monkeypatch.setenv("LABELS_SMTP_URL", "smtp://127.0.0.1:9")
    workspace.cache_clear()
    result = terminal.run("code", application, "--as", COORDINATOR, "--json")
    step = terminal.right(application, StepKind.COORDINATION)
    assert (result.exit_code, result.stdout) == (5, "")
    said = one_line(result.stderr)
    assert said.startswith(f"The code for {step.id} could not be mailed yet and is sent later.")
    assert "mail server 127.0.0.1:9 is out of reach" in said
    monkeypatch.delenv("LABELS_SMTP_URL")
    workspace.cache_clear()
    assert terminal.run("code", application, "--as", COORDINATOR).exit_code == 0


def test_an_application_is_registered_while_the_mail_server_is_away_and_its_receipt_is_kept(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABELS_SMTP_URL", "smtp://127.0.0.1:9")
    workspace.cache_clear()
    result = terminal.run("submit", terminal.file("a.json", application_file()))
    assert result.exit_code == 5
    assert NO_SERVER in result.stderr
    [mail] = terminal.json("export", "mail")
    assert (mail["template"], mail["sent_at"], mail["attempts"]) == ("receipt", None, 0)
    assert mail["last_error"] is None, "it waits for its letter, which the run makes"


def test_whoever_has_nothing_to_do_with_an_application_gets_no_code(terminal: Terminal) -> None:
    application = terminal.submitted()
    said = terminal.fails(3, "code", application, "--as", "nss@pt.example")
    assert one_line(said) == f"Nothing of {application} awaits nss@pt.example or is theirs to do."


def test_nobody_makes_anothers_code_void_by_asking_for_it(terminal: Terminal) -> None:
    first, _ = terminal.asked(terminal.submitted())
    who, mailed = terminal.step(first).assignee, terminal.code(first)
    for _ in range(2):
        assert terminal.run("code", first, "--as", who).exit_code == 0
    given = terminal.file("r.json", {"scores": points()})
    assert terminal.run("answer", first, given, "--as", who, "--code", mailed).exit_code == 5
    assert terminal.step(first).state is StepState.ANSWERED


def test_codes_are_asked_for_so_often_within_an_hour_and_no_more(terminal: Terminal) -> None:
    first, second = terminal.asked(terminal.submitted())
    who = terminal.step(first).assignee
    for _ in range(5):
        assert terminal.run("code", first, "--as", who).exit_code == 0
    said = one_line(terminal.fails(3, "code", first, "--as", who.upper()))
    assert said.startswith(f"Codes were asked for 5 times within an hour for {who}; again from ")
    assert terminal.run("code", second, "--as", terminal.step(second).assignee).exit_code == 0


def test_whoever_has_two_addresses_is_asked_for_no_more_codes_than_with_one(terminal: Terminal) -> None:
    first, _ = terminal.asked(terminal.submitted())
    who = terminal.step(first).assignee
    with terminal.here.record.writing() as session:
        session.add(Address(address="ada@bücher.example", person=terminal.step(first).person, until=None))
    for address in (who, "ada@bücher.example", "ADA@xn--bcher-kva.example", who, "ada@bücher.example"):
        assert terminal.run("code", first, "--as", address).exit_code == 0
    for address in (who, "ada@bücher.example", "ada@XN--bcher-kva.example"):
        assert "5 times within an hour" in one_line(terminal.fails(3, "code", first, "--as", address))


def test_codes_of_an_organisation_count_with_those_of_its_applications(terminal: Terminal) -> None:
    application = terminal.submitted()
    for subject in ("NSS-PL", application, "NSS-PL", application, "NSS-PL"):
        assert terminal.run("code", subject, "--as", COORDINATOR).exit_code == 0
    for subject in ("NSS-PL", application):
        assert "5 times within an hour" in one_line(terminal.fails(3, "code", subject, "--as", COORDINATOR))


def test_asking_for_a_code_gives_no_more_tries(terminal: Terminal) -> None:
    first, _ = terminal.asked(terminal.submitted())
    who = terminal.step(first).assignee
    given = terminal.file("r.json", {"scores": points()})
    wrong = ["answer", first, given, "--as", who, "--code", "2222-2222-22"]
    assert "4 more tries" in one_line(terminal.run(*wrong).stderr)
    terminal.run("code", first, "--as", who)
    assert "3 more tries" in one_line(terminal.run(*wrong).stderr)


@pytest.mark.parametrize("way", ["standard input", "environment"])
def test_a_code_need_not_stand_in_the_list_of_processes(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    first, _ = terminal.asked(terminal.submitted())
    who, code = terminal.step(first).assignee, terminal.code(first)
    words = ["answer", first, terminal.file("r.json", {"scores": points()}), "--as", who]
    if way == "environment":
        monkeypatch.setenv("LABELS_CODE", code)
        result = typed(*words)
    else:
        result = typed(*words, "--code", "-", input=f"{code}\n")
    assert result.exit_code == 5, "it counts; Prefect is away"
    assert terminal.step(first).state is StepState.ANSWERED


def test_every_command_that_takes_a_code_takes_it_from_elsewhere_too() -> None:
    for row in TABLE:
        for one in loaded(row.name).params:
            if "--code" in one.opts:
                assert "standard input" in (getattr(one, "help", "") or ""), row.name


def test_a_code_in_the_environment_makes_nobody_do_what_they_only_look_at(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABELS_CODE", "2222-2222-22")
    said = terminal.fails(4, "reissue", "NQL-NONE")
    assert "--as" not in said


def coordinating(first: str, application: str, other: str) -> dict[str, list[str]]:
    return {
        "reassign": ["reassign", first, "--to", other, "--reason", "ill"],
        "takeover": ["takeover", first, "--reason", "ill"],
        "send-back": ["send-back", first, "--reason", "points without a comment"],
        "deadline": ["deadline", first, "--until", "2026-05-01", "--reason", "ill"],
        "conflict": ["conflict", application, "--reviewer", other, "--reason", "friends"],
    }


@pytest.mark.parametrize("name", ["reassign", "takeover", "deadline", "conflict"])
def test_a_coordinators_action_needs_a_coordinator_and_their_code(terminal: Terminal, name: str) -> None:
    application = terminal.submitted()
    first, second = terminal.asked(application)
    spare = next(f"r{n}@nss.example" for n in range(1, 6)
                 if f"r{n}@nss.example" not in (terminal.step(first).assignee, terminal.step(second).assignee))  # fmt: skip
    words = coordinating(first, application, spare)[name]
    said = terminal.fails(3, *words, "--as", COORDINATOR, "--code", "WRONG")
    assert f"labels code {application} --as {COORDINATOR}" in one_line(said)
    code = terminal.coordinators_code(application)
    said = terminal.run(*words, "--as", COORDINATOR, "--code", "WRONG").stderr
    assert "4 more tries" in one_line(said)
    assert terminal.right(application, StepKind.COORDINATION).code_failures == 1
    said = terminal.fails(3, *words, "--as", terminal.step(first).assignee, "--code", code)
    assert "is no coordinator of NSS-PL" in one_line(said)
    result = terminal.run(*words, "--as", COORDINATOR.upper(), "--code", code)
    assert (result.exit_code, result.stdout) == (5, "")
    assert NO_SERVER in result.stderr
    assert terminal.fails(3, *words, "--as", COORDINATOR, "--code", code)
    journal = terminal.json("show", application)["journal"]
    assert {"reassign": Event.REASSIGNED, "takeover": Event.REASSIGNED, "deadline": Event.MOVED_A_DEADLINE,
            "conflict": Event.DECLARED_A_CONFLICT}[name] in [entry["what"] for entry in journal]  # fmt: skip


@pytest.mark.parametrize("reason", ["", "  ", "\u200b", "\udcff"])
@pytest.mark.parametrize("name", ["reassign", "takeover", "send-back", "deadline", "conflict"])
def test_a_coordinators_action_needs_a_reason(terminal: Terminal, name: str, reason: str) -> None:
    words = [*coordinating("STEP-1", "NQL-1", "r1@nss.example")[name][:-1], reason]
    assert "--reason" in terminal.fails(2, *words, "--as", COORDINATOR, "--code", "x")


def test_a_review_is_sent_back_to_whoever_gave_it(terminal: Terminal) -> None:
    application = terminal.submitted()
    first, _ = terminal.asked(application)
    words = coordinating(first, application, "")["send-back"]
    code = terminal.coordinators_code(application)
    said = terminal.fails(3, *words, "--as", COORDINATOR, "--code", code)
    assert f"{first} has no review that could be sent back" in one_line(said)
    who = terminal.step(first).assignee
    given = terminal.file("r.json", {"scores": points()})
    assert terminal.run("answer", first, given, "--as", who, "--code", terminal.code(first)).exit_code == 5
    assert terminal.run(*words, "--as", COORDINATOR, "--code", code).exit_code == 5
    journal = terminal.json("show", application)["journal"]
    assert Event.SENT_BACK_A_REVIEW in [entry["what"] for entry in journal]
    assert terminal.step(first).state is StepState.VOID


def test_who_may_not_judge_is_not_given_the_seat_and_the_code_is_not_spent(terminal: Terminal) -> None:
    application = terminal.submitted()
    first, second = terminal.asked(application)
    code = terminal.coordinators_code(application)
    proof = ["--reason", "ill", "--as", COORDINATOR, "--code", code]
    said = terminal.fails(3, "reassign", first, "--to", "stranger@a.example", *proof)
    assert "is not on the staff of NSS-PL" in one_line(said)
    said = terminal.fails(3, "reassign", first, "--to", terminal.step(second).assignee, *proof)
    assert "judges or judged this application already" in one_line(said)
    assert terminal.fails(4, "reassign", "STEP-NONE", "--to", COORDINATOR, *proof)
    said = terminal.fails(3, "conflict", application, "--reviewer", TEACHER, *proof)
    assert "Who could be meant: " in one_line(said)
    assert terminal.run("takeover", first, *proof).exit_code == 5
    assert terminal.step(first).state is StepState.VOID


@pytest.mark.parametrize(
    "until",
    ["", "soon", "2026-13-01", "2026-02-30", "1.5.2026", "0001-01-01T00:00+14:00", "9999-12-31T23:59-05:00"],
)
def test_a_deadline_that_is_no_date_is_told(terminal: Terminal, until: str) -> None:
    first, _ = terminal.asked(terminal.submitted())
    said = terminal.fails(
        2, "deadline", first, "--until", until, "--reason", "r", "--as", COORDINATOR, "--code", "x"
    )
    assert "--until: " in said
    assert "expected YYYY-MM-DD" in said


def test_a_deadline_moves_to_the_end_of_the_day_in_brussels_and_not_into_the_past(terminal: Terminal) -> None:
    application = terminal.submitted()
    first, second = terminal.asked(application)
    proof = ["--reason", "holidays", "--as", COORDINATOR, "--code", terminal.coordinators_code(application)]
    assert "is past" in terminal.fails(3, "deadline", first, "--until", "2026-03-01", *proof)
    assert terminal.run("deadline", first, "--until", "2026-05-01", *proof).exit_code == 5
    proof[-1] = terminal.coordinators_code(application)
    assert terminal.run("deadline", second, "--until", "2026-05-01T12:00", *proof).exit_code == 5
    awaited = {one["step"]: one["by"] for one in terminal.json("show", application)["awaiting"]}
    assert awaited == {first: "2026-05-01T21:59:59Z", second: "2026-05-01T10:00:00Z"}


def test_the_code_of_an_empty_seat_fills_it_also_for_an_organisation_without_coordinators(
    terminal: Terminal,
) -> None:
    from labels.record.schema import Staff

    application = terminal.submitted()
    with terminal.here.record.writing() as session:
        session.execute(sa.delete(Staff))
    [step] = terminal.asked(application)
    assert (terminal.step(step).kind, terminal.step(step).assignee) == (
        StepKind.ASSIGNMENT,
        "nss@nss.example",
    )
    with terminal.here.record.writing() as session:
        session.add(
            Staff(email="new@nss.example", role="reviewer", name="Nowa", organisation="NSS-PL", language="pl")
        )
    result = terminal.run(
        "reassign", step, "--to", "new@nss.example", "--reason", "new here",
        "--as", "nss@nss.example", "--code", terminal.code(step),
    )  # fmt: skip
    assert result.exit_code == 5
    assert NO_SERVER in result.stderr
    assert terminal.right(application, StepKind.REVIEW).assignee == "new@nss.example"


# recover, up and down ---------------------------------------------------------------------------


def test_recovery_without_a_server_says_so_and_changes_nothing(terminal: Terminal) -> None:
    terminal.submitted()
    assert NO_SERVER in one_line(terminal.fails(5, "recover"))
    assert NO_SERVER in one_line(terminal.fails(5, "recover", "--json"))


@pytest.mark.parametrize("patience", ["nan", "inf", "-1", "1e300", "soon"])
def test_patience_is_a_number_of_seconds(terminal: Terminal, patience: str) -> None:
    assert "--patience" in terminal.fails(2, "recover", "--patience", patience)


# schema, rules, import --------------------------------------------------------------------------


def test_every_schema_is_printed_alone_and_all_together(terminal: Terminal) -> None:
    together = json.loads(terminal.run("schema").stdout)
    assert together.keys() == SCHEMAS.keys()
    for name, schema in together.items():
        assert json.loads(terminal.run("schema", name).stdout) == schema
        assert schema["type"] == "object"


def test_every_decision_is_checked_from_the_record_alone(terminal: Terminal) -> None:
    application = terminal.submitted()
    for step in terminal.asked(application):
        file = terminal.file("r.json", {"scores": points(5), "comment": "Good."})
        who = terminal.step(step).assignee
        terminal.run("answer", step, file, "--as", who, "--code", terminal.code(step))
    with terminal.here.record.writing() as session:
        deciding.decide(terminal.here.turn(session), application)
    none = {"cycles": 0, "differing": [], "erased": []}
    for words in ([], [application], ["2026"]):
        assert terminal.json("decide", "--check", *words) == {"decisions": 1, **none}
    assert terminal.json("decide", "--check", "2025") == {"decisions": 0, **none}
    assert "--check" in terminal.fails(2, "decide")
    assert "1066 is no year of eTwinning" in terminal.fails(2, "decide", "--check", "1066")
    with terminal.here.record.writing() as session:  # half an hour into the year, in Brussels
        at = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
        decided_at = session.scalars(sa.select(Decision.decided_at)).one()
        session.execute(sa.update(Decision).values(decided_at=at))
    made = [json.loads(terminal.run("decide", "--check", one, "--json").stdout) for one in ("2025", "2026")]
    assert [one["decisions"] for one in made] == [0, 1]
    with terminal.here.record.writing() as session:
        session.execute(sa.update(Decision).values(decided_at=decided_at))
    with terminal.here.record.writing() as session:
        session.execute(sa.update(Decision).values(score=1.0))
    result = terminal.run("decide", "--check")
    assert result.exit_code == 6
    assert f"{application} (score)" in result.stderr


def test_all_layers_of_faults_are_told_at_once(terminal: Terminal) -> None:
    """What can't be read, what the registry lacks, evidence, and the conditions of what could be read."""
    good = application_file()
    terminal.file("evidence.exe", b"MZ\x90\x00")
    file = terminal.file(
        "application.json",
        good | {"preconditions": good["preconditions"] | {"safe": "yes"}, "description": "word " * 900},
    )
    for words in (["submit", file], ["submit", file, "--check"]):
        said = " ".join(terminal.fails(2, *words, "--evidence", "evidence.exe").split())
        assert "preconditions.safe: expected true or false; it says “yes”" in said
        assert "evidence.exe" in said
        assert "description: " in said
        assert "precondition." not in said, "what is declared is met, and what is wrong was told"
        assert "nothing was changed" in said
    file = terminal.file(
        "application.json", good | {"teacher": "T-99", "pupils": {"count": "24", "average_age": 9}}
    )
    said = terminal.fails(2, "submit", file)
    assert 'teacher: the registry has no teacher "T-99"' in said
    assert "pupils.count: expected a whole number" in said


def test_one_wrong_value_hides_nothing_of_the_others_beside_it(terminal: Terminal) -> None:
    good = application_file()
    first, second, *_ = good["sections"]
    declared = good["preconditions"] | {"safe": "yes", "finished": False}
    file = terminal.file(
        "application.json",
        good | {"preconditions": declared, "sections": good["sections"] | {first: 7, second: " "}},
    )
    said = " ".join(terminal.fails(2, "submit", file, "--check").split())
    for expected in (
        "preconditions.safe: expected true or false", "precondition.finished: The condition",
        f"sections.{first}: expected text in quotes", f"sections.{second}: The section",
    ):  # fmt: skip
        assert said.count(expected) == 1
    assert said.count("precondition.") == 1
    assert said.count("sections.") == 2


@pytest.mark.parametrize("name", [name for name in SCHEMAS if name.startswith(("application", "answer"))])
def test_the_schema_of_what_people_hand_in_says_what_each_field_is_and_what_it_takes(name: str) -> None:
    schema = SCHEMAS[name].model_json_schema()
    for part in (schema, *schema.get("$defs", {}).values()):
        assert part["title"]
        assert part["description"]
        for field in part["properties"].values():
            assert field["description"]
            if field.get("type") == "string" and "const" not in field:
                assert "maxLength" in field or "pattern" in field
            if field.get("type") == "array":
                assert "maxItems" in field


def test_a_schema_that_there_is_not_is_told_with_those_that_there_are(terminal: Terminal) -> None:
    said = terminal.fails(2, "schema", "certificate")
    assert '"certificate" is unknown' in said
    assert all(name in said for name in SCHEMAS)


def test_the_rules_that_ship_are_in_order(terminal: Terminal) -> None:
    result = terminal.run("rules")
    assert result.exit_code == 0
    assert {"2026/default", "2026/NSS-PL"} <= set(result.stdout.split())
    assert (
        "2026/NSS-IT: “Annual round” closes on 06-30 23:59 and is decided by 10-15, after 09-30"
        in result.stderr
    )


def test_a_broken_rule_file_is_told_by_file_line_and_reason(terminal: Terminal) -> None:
    (terminal.folder / "own/editions/2026").mkdir(parents=True)
    terminal.file("own/editions/2026/default.yaml", "national:\n  review: [\n")
    said = terminal.fails(2, "rules", "own")
    assert "editions/2026/default.yaml:3: is not YAML" in said
    terminal.file("own/editions/2026/default.yaml", "in_force_from: 2026-01-01\nnonsense: 1\n")
    said = terminal.fails(2, "rules", "own")
    assert "editions/2026/default.yaml:2 · nonsense: " in said


def test_an_organisation_that_nobody_has_is_said_by_each_command_that_takes_one(terminal: Terminal) -> None:
    for words in (
        ("rules", "NSS-XX"),
        ("list", "--organisation", "NSS-XX"),
        ("stuck", "--organisation", "NSS-XX"),
        ("staff", "list", "--organisation", "NSS-XX"),
        ("statistics", "NSS-XX"),
        ("assign", "NSS-XX"),
        ("code", "NSS-XX", "--as", "coordinator@nss.example"),
    ):
        assert "There is no organisation NSS-XX." in terminal.fails(4, *words), words
    assert "Is NSS-PL or NSS-PT meant?" in terminal.fails(4, "rules", "NSS-P")


def test_a_whole_staff_is_listed_and_not_one_of_it(terminal: Terminal) -> None:
    assert "--organisation ID" in terminal.fails(2, "staff", "list", "NSS-PL")


def test_what_is_wrong_with_evidence_is_said_beside_a_file_that_is_no_json(terminal: Terminal) -> None:
    terminal.file("application.json", "{“label”: “national”}")
    terminal.file("poster.pdf", b"MZ" * 100)
    for check in ([], ["--check"]):
        said = terminal.fails(2, "submit", "application.json", "--evidence", "poster.pdf", *check)
        assert "is a curly quote" in said
        assert "poster.pdf: It is not a PDF" in said


def test_a_folder_without_rules_is_told(terminal: Terminal) -> None:
    assert "has no editions/" in terminal.fails(2, "rules", "none")


def test_an_import_says_how_many_rows_it_took(terminal: Terminal) -> None:
    folder = terminal.folder / "registry"
    folder.mkdir()
    terminal.file("registry/projects.csv", "project,title,started_on,ended_on\nP-8,=1+1,2026-01-01,\n")
    assert terminal.json("import", "registry")["files"]["projects.csv"] == 1
    result = terminal.run("import", "registry")
    assert result.exit_code == 0
    assert "projects.csv" in result.stdout


def test_a_registry_with_faults_is_told_by_file_and_line_and_none_of_it_is_taken(terminal: Terminal) -> None:
    (terminal.folder / "registry").mkdir()
    terminal.file(
        "registry/projects.csv",
        "project,title,started_on,ended_on\nP-8,Fine,2026-01-01,\nP-9,Bad,yesterday,\nP-10,Bad,2026-02-30,\n",
    )
    said = terminal.fails(2, "import", "registry")
    assert "projects.csv:3" in said
    assert "projects.csv:4" in said
    terminal.file("a.json", application_file(project="P-8"))
    assert 'no project "P-8"' in terminal.fails(2, "submit", "a.json")


@pytest.mark.parametrize("folder", ["none", "file.csv"])
def test_a_folder_that_is_none_is_told(terminal: Terminal, folder: str) -> None:
    terminal.file("file.csv", "a,b\n")
    assert f"{folder}: is not a folder" in terminal.fails(2, "import", folder)


def test_a_coordinator_who_took_a_step_over_still_acts_as_coordinator(terminal: Terminal) -> None:
    application = terminal.submitted()
    first, second = terminal.asked(application)
    own = terminal.coordinators_code(application)
    assert terminal.run(
        "takeover", first, "--reason", "ill", "--as", COORDINATOR, "--code", own
    ).exit_code in {0, 5}
    code = terminal.coordinators_code(application)
    until = ["--until", "2026-12-31", "--reason", "more time"]
    moved = terminal.run("deadline", second, *until, "--as", COORDINATOR, "--code", code)
    assert moved.exit_code in {0, 5}, moved.output
    assert "not valid" not in moved.output
