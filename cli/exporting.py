"""The commands that hand the record and its formats to other programs: export, schema."""

from __future__ import annotations

import csv
import json
import sys
from datetime import datetime
from typing import Annotated, Any, Literal

import typer
from pydantic import BaseModel

from adapters.workspace import existing_workspace
from cli.output import emit, say
from cli.printed import ShownCase, ShownItem, ShownStuck
from cli.printed_people import ShownAssignment, ShownImport, ShownPlan, ShownStaff
from cli.tokens import ShownToken
from cli.webhooks import ShownWebhook
from cli.words import AsJson, SeenAs
from labels.applications.file import NationalApplication
from labels.errors import Fault, InvalidInput
from labels.european_label.gallery import Gallery
from labels.papers.verifying import Verification
from labels.pupil_label.report import ClassReport
from labels.steps.answers import Decline, Information, Question, ReviewAnswer, Screening
from labels.views import exports
from labels.views.cycle import CycleView
from labels.views.looker import reach_of
from labels.words.text import csv_plain


def export(
    what: Annotated[str, typer.Argument(help=", ".join(exports.EXPORTS))],
    email: SeenAs = "",
    format: Annotated[Literal["csv", "json"], typer.Option(help="csv or json.")] = "csv",
    as_json: AsJson = False,
) -> None:
    """A table of the record, or what one person may see of it.

    Flat rows, for spreadsheets and programs.
    """
    if what not in exports.EXPORTS:
        raise InvalidInput(
            "export", [Fault("WHAT", f'"{what}" is unknown; expected one of {", ".join(exports.EXPORTS)}.')]
        )
    here = existing_workspace()
    with here.record.reading() as session:
        reach = reach_of(session, email) if email else None
        if what == "reviews" and (hidden := exports.hidden_reviews(session, reach)):
            are = "1 review is" if hidden == 1 else f"{hidden} reviews are"
            say(f"{are} left out: reviews are hidden until their application is decided.")
        rows = exports.export(session, what, reach)
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
        writer.writerow(exports.export_columns(what))
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
    "import": ShownImport,
    "staff": ShownStaff,
    "persons": ShownPlan,
    "assign": ShownAssignment,
    "show": ShownCase,
    "inbox": ShownItem,
    "stuck": ShownStuck,
    "token": ShownToken,
    "webhook": ShownWebhook,
    "cycle": CycleView,
    "gallery": Gallery,
    "pupils": ClassReport,
    "verify": Verification,
}


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
