"""The command line: `labels COMMAND`."""

from __future__ import annotations

import csv
import functools
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, ParamSpec, TypeVar

import typer
from pydantic import BaseModel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli.output import emit, err, fail, out, say, table
from cli.showing import show_application
from labels import deciding, inquiry, outbox, reviewing
from labels.answers import Answer, Decline, Information, Question, ReviewAnswer, Screening, read_answer
from labels.applications import NationalApplication
from labels.clock import BRUSSELS, end_of_day
from labels.errors import Fault, InvalidInput, LabelsError, NotAllowed, NotFound, NotMailed, OutOfReach
from labels.european_label.gallery import Gallery
from labels.european_label.inspecting import CycleView
from labels.pupil_label import classes
from labels.pupil_label.report import ClassReport
from labels.radar import Stuck
from labels.record.engine import place_of
from labels.record.schema import Stage
from labels.reviewing import Accepted, Refusal
from labels.settings import load_settings
from labels.steps import held, seen
from labels.submitting import rules_of
from labels.text import clean, csv_plain
from labels.verifying import Verdict
from tasks.post import send_due
from tasks.runs import PATIENCE, prefect_answers, prefect_client, recover, start, wake
from tasks.submission import store_evidence, submit_file
from tasks.workspace import Workspace, existing_workspace, workspace

P = ParamSpec("P")
T = TypeVar("T")

app = typer.Typer(
    help="eTwinning label applications: from a teacher's file to a certificate.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def plain(value: str) -> str:
    """A word of a command as text: a shell may hand over what no eye sees, or bytes that are no text."""
    return clean(value).strip()


def reason_given(value: str) -> str:
    """A reason as text; refused where it says nothing."""
    if not (said := plain(value)):
        raise typer.BadParameter("expected a sentence that says why")
    return said


def seconds(value: float) -> float:
    """Up to a year of seconds, and no NaN."""
    if not 0 <= value <= YEAR:
        raise typer.BadParameter(f"expected 0 to {YEAR} seconds")
    return value


YEAR = 366 * 86_400
GROUNDS = 20_000
"""Characters in the grounds of an appeal: eight printed pages, and a bound on abuse."""

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
As = Annotated[str, typer.Option("--as", metavar="EMAIL", help="Who you are.", callback=plain)]
Code = Annotated[str, typer.Option(help="The one-time code from your mail.", callback=plain)]
Reason = Annotated[str, typer.Option(help="Why; it is kept in the journal.", callback=reason_given)]
WithoutAs = Annotated[str, typer.Option("--as", metavar="EMAIL", help="Who you are.", callback=plain)]
WithoutCode = Annotated[str, typer.Option(help="The one-time code from your mail.", callback=plain)]
WithoutReason = Annotated[str, typer.Option(help="Why; it is told to whom it concerns.", callback=plain)]
OneApplication = Annotated[str, typer.Argument(metavar="APPLICATION", callback=plain)]
OneStep = Annotated[str, typer.Argument(metavar="STEP", callback=plain)]


def worded(function: Callable[P, T]) -> Callable[P, T]:
    """Words the project's errors for people, and gives them their exit codes."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except NotFound as error:
            fail(NotFound(f"{error}{_where_looked()}"))
        except LabelsError as error:
            fail(error)
        except BrokenPipeError:
            raise  # whoever read our output has enough of it; that is no fault
        except OSError as error:
            fail(OutOfReach(str(error.filename or "This machine"), f"{error.strerror or error}."))

    return run


def _where_looked() -> str:
    """Where a record was looked at that has nothing in it, which is seldom the one that was meant."""
    if not workspace.cache_info().currsize:
        return ""
    here = workspace()
    with here.record.reading() as session:
        if inquiry.has_applications(session):
            return ""
    return f" The record in {place_of(here.settings)} has no applications at all: is LABELS_HOME right?"


def proofs(email: str, code: str, reason: str) -> bool:
    """Whether somebody means to do what is only shown without a proof: all of it is given, or nothing.

    Raises:
        InvalidInput: only a part of it is given.
    """
    given = {"--as": email, "--code": code, "--reason": reason.strip()}
    if any(given.values()) and not all(given.values()):
        missing = [
            Fault(name, "is needed together with the others.") for name, one in given.items() if not one
        ]
        raise InvalidInput("proof", missing)
    return any(given.values())


def read_json(path: Path) -> Any:
    """The JSON value in a file.

    Raises:
        InvalidInput: the file can't be read, is too large, or is no JSON; says the line.
    """
    try:
        if path.stat().st_size > 2_000_000:
            raise InvalidInput(
                path.name, [Fault("(whole file)", "is larger than 2 MB, which no application is.")]
            )
        return json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise InvalidInput(str(path), [Fault("(whole file)", f"can't be read: {error.strerror}.")]) from None
    except UnicodeDecodeError as error:
        raise InvalidInput(
            path.name, [Fault("(whole file)", f"is not UTF-8 (byte {error.start}).", "Save it as UTF-8.")]
        ) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidInput(path.name, [Fault(where, f"is not JSON: {error.msg}.")]) from None
    except RecursionError:
        raise InvalidInput(path.name, [Fault("(whole file)", "is nested too deeply.")]) from None
    except ValueError:  # the only one that is left
        raise InvalidInput(
            path.name, [Fault("(whole file)", "has a number of thousands of digits.")]
        ) from None


def accepted(result: Accepted | Refusal | None, here: Workspace, application: str | None = None) -> str:
    """The remark of what was accepted; a refusal is raised, so that it ends with exit code 3.

    Where a code was tried too often, the mail with the new one goes out first.
    """
    if isinstance(result, Refusal):
        if result.mailed:
            send_due(here, application)
        raise result.error or NotAllowed(result.why)
    return result.remark if result else ""


def _went_on(here: Workspace, application: str, as_json: bool, remark: str) -> None:
    """Says what was done, and wakes the application's run, for which the record now has news.

    Where Prefect is away, what was done comes first: it is in the record and counts.
    """
    try:
        with prefect_client() as client:
            woken = wake(here, client, application)
    except OutOfReach as error:
        say(remark, "green")
        fail(error)
    if not woken.done:
        say(woken.remark)
    _done(as_json, application, remark)


# Applying ---------------------------------------------------------------------------------------


@app.command("import")
@worded
def import_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the registry's CSV files.")],
    as_json: AsJson = False,
) -> None:
    """Load or update the registry from CSV files. All of it, or nothing."""
    from labels.registry.importing import import_registry

    here = workspace()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=as_json) as bar:
        jobs: dict[str, Any] = {}

        def progress(file: str, rows: int) -> None:
            if file not in jobs:
                jobs[file] = bar.add_task(file, total=None)
            bar.update(jobs[file], completed=rows)

        report = import_registry(here.record, folder, here.now().astimezone(BRUSSELS).date(), progress)
    if as_json:
        emit({"files": report.files})
    else:
        table("Imported", ["file", "rows"], report.files.items())


@app.command()
@worded
def submit(
    file: Annotated[Path, typer.Argument(help="The application, as JSON.")],
    evidence: Annotated[list[Path] | None, typer.Option(help="A file of evidence; may be repeated.")] = None,
    again: Annotated[
        bool, typer.Option(help="The same file anew, where it did not meet the conditions before.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Register an application and its documents; start its run.

    The same again is the same one, unless that was withdrawn.
    """
    here = existing_workspace()
    done = submit_file(here, read_json(file), file.name, evidence or [], again=again)
    send_due(here, done.application)
    outage = None
    with here.record.reading() as session:
        view = inquiry.show(session, done.application)
    if view.stage != Stage.CLOSED:
        try:
            with prefect_client() as client:
                if done.created:
                    start(here, client, done.application)
                else:
                    recover(here, client, application_id=done.application)
        except OutOfReach as error:
            outage = error
        with here.record.reading() as session:
            view = inquiry.show(session, done.application)
    if as_json:
        emit(
            {
                "application": done.application, "run": view.run, "created": done.created,
                "stage": view.stage, "outcome": view.outcome, "remark": done.remark,
            }
        )  # fmt: skip
    else:
        out.print(done.application)
        say(done.remark)
        say(f"See where it stands: labels show {done.application}")
    if outage:
        fail(outage)


@app.command()
@worded
def show(application: OneApplication, as_json: AsJson = False) -> None:
    """Where an application stands.

    What is awaited from whom by when, and all that happened.
    """
    here = existing_workspace()
    with here.record.reading() as session:
        view = inquiry.show(session, application, here.settings.site_url)
    if as_json:
        emit(view)
        return
    run = view.url if not view.url or prefect_answers() else f"{view.run} (Prefect's server does not answer)"
    show_application(view, run)


@app.command()
@worded
def withdraw(application: OneApplication, email: As, code: Code, as_json: AsJson = False) -> None:
    """Take an application back, at any time before the decision."""
    here = existing_workspace()
    with here.record.writing() as session:
        result = deciding.withdraw(session, application, email, code, now=here.now(), key=here.key)
    accepted(result, here, application)
    _went_on(here, application, as_json, "Withdrawn; a confirmation is on its way.")


@app.command()
@worded
def appeal(
    application: OneApplication,
    email: As,
    code: Code,
    grounds: Annotated[Path, typer.Option(help="A text file that says what was wrong.")],
    as_json: AsJson = False,
) -> None:
    """Appeal against a refusal, where the rules have it.

    Other people judge the application anew.
    """
    here = existing_workspace()
    try:
        with grounds.open(encoding="utf-8-sig") as file:
            text = clean(file.read(4 * GROUNDS)).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            str(grounds), [Fault("(whole file)", f"can't be read as text: {error}.")]
        ) from None
    if not text:
        raise InvalidInput(str(grounds), [Fault("(whole file)", "is empty; say what was wrong.")])
    if len(text) > GROUNDS:
        too_long = Fault("(whole file)", f"has more than {GROUNDS} characters.", "Say it in fewer.")
        raise InvalidInput(str(grounds), [too_long])
    with here.record.writing() as session:
        result = deciding.appeal(session, application, email, code, text, now=here.now(), key=here.key)
    accepted(result, here, application)
    _went_on(here, application, as_json, "Your appeal is lodged; other people will judge your application.")


# Deciding ---------------------------------------------------------------------------------------


@app.command()
@worded
def inbox(email: As, as_json: AsJson = False) -> None:
    """The steps that await a person."""
    here = existing_workspace()
    with here.record.reading() as session:
        items = inquiry.inbox(session, email, here.settings.site_url)
    dead = any(item.url for item in items) and not prefect_answers()
    if dead:
        items = [item.model_copy(update={"url": ""}) for item in items]
    if as_json:
        emit(items)
    elif not items:
        say(f"Nothing awaits {email}.")
    else:
        table(
            "",
            ["step", "application", "what", "by"],
            [(i.step, i.application, i.what, i.by) for i in items],
        )
        if dead:
            say(
                "There is no form to open now: Prefect's server does not answer. You can answer all the same:"
            )
            say("labels answer STEP FILE --as EMAIL --code CODE")
        elif any(item.url for item in items):
            out.print("\nWhere the form is (press Resume)", style="bold")
        for application, url in dict.fromkeys((i.application, i.url) for i in items if i.url):
            out.print(f"{application}  {url}", soft_wrap=True)


@app.command()
@worded
def answer(
    step: OneStep,
    file: Annotated[Path, typer.Argument(help="The answer, as JSON; see `labels schema`.")],
    email: As,
    code: Code,
    evidence: Annotated[
        list[Path] | None,
        typer.Option(help="A file that goes with a school's self-assessment; several times."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """A person's answer to a step.

    A review, a question, a reason to decline, information, or a school's self-assessment.
    """
    given = read_answer(read_json(file), file.name)
    answered(step, email, code, given, evidence or [], as_json)


def answered(
    step: str, email: str, code: str, given: Answer, evidence: Sequence[Path], as_json: bool
) -> None:
    """Gives an answer to a step and wakes the run that waits for it."""
    here = existing_workspace()
    application = _application_of(step)
    documents = []
    if evidence:
        with here.record.reading() as session:
            edition = rules_of(session, seen(session, application))
        documents = store_evidence(here, evidence, edition)
    with here.record.writing() as session:
        result = reviewing.answer(
            session, step, email, code, given,
            now=here.now(), key=here.key, door="command line", documents=documents,
        )  # fmt: skip
    remark = accepted(result, here, application)
    assert isinstance(result, Accepted)
    _went_on(here, result.application, as_json, remark)


@app.command()
@worded
def code(
    subject: Annotated[str, typer.Argument(metavar="STEP|APPLICATION|AWARD", callback=plain)],
    email: As,
    as_json: AsJson = False,
) -> None:
    """Mail a fresh one-time code to a person.

    For a step of theirs, for an action as a coordinator, or, to the teacher who holds an award, for the
    certificates of a class.
    """
    here = existing_workspace()
    if _mailed_for_a_class(here, subject, email):
        _done(as_json, subject, f"A code for {subject} is on its way to {email}.")
        return
    with here.record.writing() as session:
        step = reviewing.send_code(session, subject, email, now=here.now(), key=here.key)
        application = reviewing.find_step(session, step).application
    send_due(here, application)
    with here.record.reading() as session:
        if why := outbox.held_up(session, step):
            fail(NotMailed(f"The code for {step} could not be mailed yet and is sent later. {why}"))
    _done(as_json, step, f"A code for {step} is on its way to {email}.")


def _mailed_for_a_class(here: Workspace, subject: str, email: str) -> bool:
    """Mails the code for a class if that is what is asked for."""
    with here.record.writing() as session:
        if not classes.is_for_a_class(session, subject, email):
            return False
        rules = classes.rules_for(session, subject, here.now(), here.settings.rules)
        reason = classes.send_code(session, subject, email, rules, now=here.now(), key=here.key)
    send_due(here)
    with here.record.reading() as session:
        if why := outbox.not_out(session, reason):
            fail(NotMailed(f"The code for {subject} could not be mailed yet and is sent later. {why}"))
    return True


def _coordinate(
    application: str, email: str, code: str, act: Callable[[Any, Workspace], str]
) -> tuple[Workspace, str]:
    """One action of a coordinator: the code is spent and the action done together, or neither is."""
    here = existing_workspace()
    with here.record.writing() as session:
        its = held(session, application)
        refusal = reviewing.act_as_coordinator(session, its, email, code, now=here.now(), key=here.key)
        remark = act(session, here) if refusal is None else ""
    accepted(refusal, here, application)  # only now, when a wrong code is counted
    send_due(here)
    return here, remark


def _application_of(step: str) -> str:
    with existing_workspace().record.reading() as session:
        return reviewing.find_step(session, step).application


@app.command()
@worded
def reassign(
    step: OneStep,
    to: Annotated[str, typer.Option(metavar="EMAIL", help="Who shall review instead.", callback=plain)],
    reason: Reason,
    email: As,
    code: Code,
    as_json: AsJson = False,
) -> None:
    """A coordinator gives a reviewer's seat to somebody else."""

    def act(session: Any, here: Workspace) -> str:
        new = reviewing.reassign(session, step, to, reason, email, now=here.now(), key=here.key)
        return f"{to} is asked to review ({new.id})."

    application = _application_of(step)
    here, remark = _coordinate(application, email, code, act)
    _went_on(here, application, as_json, remark)


@app.command()
@worded
def takeover(step: OneStep, reason: Reason, email: As, code: Code, as_json: AsJson = False) -> None:
    """A coordinator takes a reviewer's step over."""
    reassign(step=step, to=email, reason=reason, email=email, code=code, as_json=as_json)


@app.command()
@worded
def deadline(
    step: OneStep,
    until: Annotated[
        str, typer.Option(help="YYYY-MM-DD (to the end of the day) or YYYY-MM-DDTHH:MM, in Brussels.")
    ],
    reason: Reason,
    email: As,
    code: Code,
    as_json: AsJson = False,
) -> None:
    """A coordinator moves one person's deadline."""
    try:
        moment = end_of_day(date.fromisoformat(until)) if len(until) == 10 else datetime.fromisoformat(until)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=BRUSSELS)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(
            "--until", [Fault("--until", f'"{until}" is no date; expected YYYY-MM-DD or YYYY-MM-DDTHH:MM.')]
        ) from None

    def act(session: Any, here: Workspace) -> str:
        return reviewing.move_deadline(session, step, moment, reason, email, now=here.now())

    application = _application_of(step)
    here, remark = _coordinate(application, email, code, act)
    _went_on(here, application, as_json, remark)


@app.command()
@worded
def conflict(
    application: OneApplication,
    reviewer: Annotated[
        str, typer.Option(metavar="EMAIL", help="Who has the conflict of interest.", callback=plain)
    ],
    reason: Reason,
    email: As,
    code: Code,
    as_json: AsJson = False,
) -> None:
    """A coordinator declares a reviewer's conflict of interest.

    A review given in spite of it is taken back.
    """

    def act(session: Any, here: Workspace) -> str:
        reviewing.declare_conflict(session, application, reviewer, reason, email, now=here.now())
        return f"{reviewer} judges nothing of this applicant any more."

    here, remark = _coordinate(application, email, code, act)
    _went_on(here, application, as_json, remark)


def _done(as_json: bool, subject: str, remark: str) -> None:
    if as_json:
        emit({"subject": subject, "remark": remark})
    else:
        say(remark, "green")


# Keeping ----------------------------------------------------------------------------------------


@app.command("recover")
@worded
def recover_(
    patience: Annotated[
        float, typer.Option(help="Seconds after which a run under way counts as lost.", callback=seconds)
    ] = PATIENCE.total_seconds(),
    as_json: AsJson = False,
) -> None:
    """Bring every open application back to its step.

    For after Prefect or a machine was lost.
    """
    from datetime import timedelta

    here = existing_workspace()
    with prefect_client() as client:
        done = recover(here, client, patience=timedelta(seconds=patience))
    send_due(here)
    if as_json:
        emit([{"application": one.application, "did": one.did} for one in done])
    elif done:
        table("", ["application", "what was done"], [(one.application, one.did) for one in done])
    else:
        say("Every open application has its run.", "green")


@app.command()
@worded
def export(
    what: Annotated[str, typer.Argument(help=", ".join(inquiry.EXPORTS))],
    format: Annotated[Literal["csv", "json"], typer.Option(help="csv or json.")] = "csv",
    as_json: AsJson = False,
) -> None:
    """Everything a coordinator sees, as flat rows."""
    if what not in inquiry.EXPORTS:
        raise InvalidInput(
            "export", [Fault("WHAT", f'"{what}" is unknown; expected one of {", ".join(inquiry.EXPORTS)}.')]
        )
    here = existing_workspace()
    with here.record.reading() as session:
        if what == "reviews" and (hidden := inquiry.hidden_reviews(session)):
            are = "1 review is" if hidden == 1 else f"{hidden} reviews are"
            say(f"{are} left out: reviews are hidden until their application is decided.")
        rows = inquiry.export(session, what)
        if as_json or format == "json":
            emit(
                [
                    {
                        k: v if not isinstance(v, (dict, list)) else json.dumps(v, ensure_ascii=False)
                        for k, v in row.items()
                    }
                    for row in rows
                ]
            )
            return
        writer = csv.writer(sys.stdout)
        writer.writerow(inquiry.export_columns(what))
        for row in rows:
            writer.writerow([_spreadsheet(value) for value in row.values()])


def _spreadsheet(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (int, float)):
        return str(value)  # a number below zero is no formula
    if isinstance(value, (dict, list)):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, datetime):
        value = value.isoformat()
    return csv_plain(str(value))


SCHEMAS: dict[str, type[BaseModel]] = {
    "application-national": NationalApplication,
    "answer-review": ReviewAnswer,
    "answer-question": Question,
    "answer-decline": Decline,
    "answer-information": Information,
    "answer-screening": Screening,
    "show": inquiry.ApplicationView,
    "inbox": inquiry.InboxItem,
    "stuck": Stuck,
    "cycle": CycleView,
    "gallery": Gallery,
    "pupils": ClassReport,
    "verify": Verdict,
}


@app.command()
@worded
def schema(name: Annotated[str | None, typer.Argument(help=", ".join(SCHEMAS))] = None) -> None:
    """JSON Schemas of the files that commands read and print."""
    if name is None:
        emit({known: model.model_json_schema() for known, model in SCHEMAS.items()})
        return
    if name not in SCHEMAS:
        raise InvalidInput(
            "schema", [Fault("NAME", f'"{name}" is unknown; expected one of {", ".join(SCHEMAS)}.')]
        )
    emit(SCHEMAS[name].model_json_schema())


@app.command()
@worded
def rules(
    folder: Annotated[
        Path | None, typer.Argument(help="A folder of rule files; else those that ship.")
    ] = None,
) -> None:
    """Check rule files; name every mistake with file and line."""
    from labels.rules import check_all

    for version in check_all(folder or load_settings().rules):
        out.print(version)


@app.command()
@worded
def translations(
    update: Annotated[
        bool, typer.Option("--update", help="Bring every catalogue in step with the code and the rules.")
    ] = False,
    begin: Annotated[
        str, typer.Option(metavar="LANGUAGE", help="Begin a catalogue for this language.", callback=plain)
    ] = "",
    as_json: AsJson = False,
) -> None:
    """How far each language of the papers is.

    Exit code 2 where something is missing or wrong, which is named.
    """
    from cli.translating import report

    report(update=update, begin=begin, as_json=as_json)


@app.command()
@worded
def branding(
    organisation: Annotated[
        str, typer.Argument(metavar="[ORGANISATION]", help="Whose papers to print.", callback=plain)
    ] = "",
    specimens: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Print a specimen of each paper into this folder.")
    ] = None,
    language: Annotated[str, typer.Option(help="Of the specimens.", callback=plain)] = "en",
    as_json: AsJson = False,
) -> None:
    """Check organisations' own drawings and words.

    With --specimens, print each certificate and a letter as the organisation's would be.
    """
    from cli.branding import print_specimens, report

    report(as_json=as_json)
    if specimens:
        print_specimens(organisation, language, specimens)


@app.command()
@worded
def demo(
    auto: Annotated[bool, typer.Option(help="Play the people too, to the last certificate.")] = False,
) -> None:
    """The main job on the sample data, in a folder of its own.

    Server, worker, a dozen applications, and people who decide.
    """
    from cli.demo import run_demo

    run_demo(auto=auto)


@app.command()
@worded
def up() -> None:
    """Server, worker and schedules, for real use on one machine."""
    from cli.services import run_services

    run_services()


from cli import certificates, cycle, papers, pupils, schools, upkeep  # noqa: E402, F401 -- commands in modules of their own register on the app above
