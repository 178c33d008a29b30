"""The command line, `labels COMMAND`: the table of its commands, each of which is imported only when it is given."""

from __future__ import annotations

import functools
import gc
import importlib
from typing import Any, NamedTuple

import typer
import typer.main
from typer.core import TyperCommand


class Row(NamedTuple):
    """A command in the list of `labels --help`, and where it is."""

    name: str
    function: str
    """`MODULE:FUNCTION`, the module below `cli`."""
    line: str
    """The first line of the function's docstring, so that the list can be shown without importing it."""


TABLE = (
    Row("import", "importing:import_", "Load or update the registry from files."),
    Row("submit", "applying:submit", "Register an application and its documents; start its run."),
    Row("find", "finding:find", "Find a teacher, school, project or case."),
    Row("list", "listing:list_", "List applications: names, titles, states, days."),
    Row(
        "statistics",
        "statistics:statistics_",
        "An organisation's statistics of ten years; its yearly report.",
    ),
    Row("show", "showing:show", "Where an application stands."),
    Row("withdraw", "applying:withdraw", "Take an application back, at any time before the decision."),
    Row("appeal", "applying:appeal", "Appeal against a refusal, where the rules have it."),
    Row("inbox", "showing:inbox", "The steps that await a person."),
    Row("answer", "answering:answer", "A person's answer to a step."),
    Row("code", "answering:code", "Mail a person their one-time code."),
    Row("reassign", "coordinating:reassign", "A coordinator gives a reviewer's seat to somebody else."),
    Row("assign", "assigning:assign", "Assign reviewers to all applications that wait for them, at once."),
    Row("takeover", "coordinating:takeover", "A coordinator takes a reviewer's step over."),
    Row("send-back", "coordinating:send_back", "A coordinator sends a review back as a draft."),
    Row("deadline", "coordinating:deadline", "A coordinator moves one person's deadline."),
    Row(
        "dates",
        "dates:dates",
        "Move a date for all: of a round of the School Label, or of a year of the European one.",
    ),
    Row(
        "another", "coordinating:another", "A coordinator calls one more reviewer, where the rules allow it."
    ),
    Row(
        "decision",
        "coordinating:decision",
        "A coordinator decides, where the rules leave it to a person.",
    ),
    Row(
        "many",
        "many:many",
        "Assign, reassign, remind, or move deadlines or decision dates of many applications at once.",
    ),
    Row(
        "conflict",
        "coordinating:conflict",
        "A coordinator declares a reviewer's conflict of interest, or lifts one.",
    ),
    Row("recover", "upkeep:recover_", "Bring every open application back to its step."),
    Row("export", "exporting:export", "A table of the record, or what one person may see of it."),
    Row("schema", "exporting:schema", "JSON Schemas of the files that commands read and print."),
    Row("rules", "operating:rules", "Check rule files; name every mistake with file and line."),
    Row("translations", "operating:translations", "How far each language of the papers is."),
    Row("branding", "operating:branding", "Check organisations' own drawings and words."),
    Row(
        "rehearse",
        "rehearsing:rehearse",
        "Play a year on a copy: virtual people, and nothing that reaches anybody.",
    ),
    Row("demo", "operating:demo", "The main job on the sample data, in a folder of its own."),
    Row(
        "break-glass",
        "operating:break_glass",
        "Print a code to sign in at the desk, for somebody whom no mail reaches.",
    ),
    Row(
        "up",
        "operating:up",
        "Server, worker and schedules, for real use; --role starts a part of several machines.",
    ),
    Row(
        "deploy",
        "operating:deploy",
        "Register the flows with Prefect's server, once for all machines; wait for it.",
    ),
    Row(
        "environment",
        "operating:environment",
        "Print the settings that another machine needs for its role, by those of this one.",
    ),
    Row(
        "doctor",
        "doctor:doctor",
        "Check the configuration: addresses, TLS, mail, files, secrets, clock, fonts, databases.",
    ),
    Row(
        "status",
        "status:status",
        "How each part is: processes, Prefect, desk, record, documents, outbox, late cases.",
    ),
    Row(
        "certificates", "certificates:certificates", "Gather a year's certificates, also bound for printing."
    ),
    Row("cycle", "cycle:cycle", "Where a year of the European Quality Label stands."),
    Row("begin-cycle", "beginning:begin_cycle", "Begin a year of the European Quality Label now."),
    Row("gallery", "cycle:gallery", "Make the gallery of a year's awarded projects again."),
    Row("reopen", "cycle:reopen", "Have a decision made again."),
    Row("revoke", "cycle:revoke", "Take a label back, or the certificates of a class."),
    Row("strike", "cycle:strike_", "Strike a nomination after its screening."),
    Row("verify", "papers:verify", "Whether a certificate is genuine and still valid, and why."),
    Row("reissue", "papers:reissue", "Issue a certificate anew, with what the registry says now."),
    Row("pupils", "pupils:pupils", "Make certificates for the pupils of a labelled teacher."),
    Row("school-check", "schools:school_check", "Which schools meet the School Label's conditions, and why."),
    Row("preselect", "beginning:preselect", "Check every school and invite the eligible ones."),
    Row("self-assessment", "schools:self_assessment", "What a school is asked, and what is missing still."),
    Row("declare", "schools:declare", "Confirm a self-assessment as principal, or send it back."),
    Row("draft", "schools:draft", "Save a draft of a self-assessment for your colleagues."),
    Row(
        "hands-in",
        "schools:hands_in",
        "Say which of your school's teachers hands in for all.",
    ),
    Row("drafts", "schools:drafts", "The drafts of a school's self-assessment: who, when."),
    Row("decide", "deciding:decide", "Whether every decision is the one that the record leads to."),
    Row("journal", "journal:journal", "Whether the journal is as it was written."),
    Row("privacy", "privacy:privacy", "What is known of a person: told, erased, kept."),
    Row("staff", "staffing:staff", "Who is on the staff of organisations; leaving, and coming back."),
    Row(
        "token",
        "tokens:token",
        "Tokens by which an organisation's platform calls the HTTP API.",
    ),
    Row("webhook", "webhooks:webhook", "Where platforms are told that something happened."),
    Row("persons", "persons:persons", "Who may be one person, and what coordinators say of it."),
    Row("check", "checking:check", "Whether the record, the journal and the documents are whole."),
    Row("backup", "backup:backup", "Copy the record and new documents to a folder or bucket."),
    Row("restore", "backup:restore", "Make an installation from a copy, in an empty home or database."),
    Row("keys", "keys:keys", "Which keys there are; replace one, or end a former one."),
    Row("gc", "clearing:gc", "Delete documents that nobody claims."),
    Row("bounces", "bounces:bounces", "Take in mail that came back; list addresses that take none."),
    Row("upkeep", "upkeep:upkeep", "Do now what upkeep does every ten minutes."),
    Row("stuck", "upkeep:stuck", "What does not go on by itself."),
)
"""Every command, in the order in which `labels --help` lists them."""


class Listed(TyperCommand):
    """A command that is only listed so far. What makes it run is imported once its words are to be read."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """The context of the command itself, which reads these words and is what runs from here on."""
        assert self.name is not None
        command = loaded(self.name)
        if not gc.isenabled():  # by `cli.main`, until here
            gc.freeze()
            gc.enable()
        return command.make_context(info_name, args, parent, **extra)

    def get_short_help_str(self, limit: int = 0) -> str:
        """Its whole line: one that is too long for the terminal is folded, not cut off."""
        return self.help or ""


def _typer(**more: Any) -> typer.Typer:
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None, **more)


@functools.cache
def loaded(name: str) -> TyperCommand:
    """The command of that name with its parameters, its module imported."""
    # Here, because the words of errors need the record, and `labels --help` needs neither.
    from cli.words import worded

    [row] = [one for one in TABLE if one.name == name]
    module, function = row.function.split(":")
    alone = _typer()
    alone.command(name)(worded(getattr(importlib.import_module(f"cli.{module}"), function)))
    command = typer.main.get_command(alone)
    assert isinstance(command, TyperCommand)
    return command


app = _typer(
    help="eTwinning label applications: from a teacher's file to a certificate.", no_args_is_help=True
)
for _row in TABLE:
    app.command(_row.name, cls=Listed, help=_row.line)(lambda: None)  # never called: see `Listed`
