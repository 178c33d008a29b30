"""The registry by JSON: batches of rows, each once, with the faults of `labels import` for each row and field."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, create_model

from desk.api.bodies import read_json
from desk.api.frame import Answer, Call, Operation
from desk.api.problems import ProblemFault, Refused, whole, wrong
from labels.errors import Fault, InvalidInput
from labels.platform.batches import LONGEST_KEY, NOT_IN_KEYS, Batch, is_key
from labels.platform.tokens import TokenScope
from labels.record.schema import PlatformBatch
from labels.registry.files import (
    Choice,
    Column,
    Day,
    Number,
    Objection,
    RegistryFile,
    Text,
    registry_files,
)
from labels.registry.owned import BROUGHT_IN
from usecases import platform_registry
from usecases.platform_registry import AnotherBatch

MOST_ROWS = 5_000
MOST_FIELDS = 40
LARGEST = 4 << 20
"""Bytes of a batch."""
LONGEST_POSITION = 1_000

FILES: Mapping[str, RegistryFile] = {
    file.stem: file for file in registry_files(date.max) if file.table in BROUGHT_IN
}
"""What can be brought in, by the names that addresses have for it."""

Cell: TypeAlias = str | int | float | bool | None


# Shapes -------------------------------------------------------------------------------------------------


class BatchRemark(Answer):
    """What looks wrong and was taken all the same."""

    row: int | None
    """The place of the row in the batch, from 0 on."""
    field: str | None


class BatchTaken(Answer):
    """A batch that is in the registry."""

    key: str
    resource: str
    rows: int
    inserted: int
    """Rows that the registry did not have."""
    updated: int
    """Rows that it had, with other values."""
    corrections: int
    """People to whom mail goes to another address from now on."""
    moved: int
    """Teachers who are in another school than before."""
    remarks: list[BatchRemark]
    position: str | None
    """As the batch said it."""
    taken_at: datetime


class RegistryPosition(Answer):
    """How far the registry is."""

    last: BatchTaken | None
    """The batch that was taken last; none where none was."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _described(column: Column) -> Any:
    """The type of a column's values, for the description: what is wrong with one the import itself says."""
    match column.kind:
        case Day():
            kind: Any = Annotated[str, Field(json_schema_extra={"format": "date"})]
        case Choice(words=("true", "false")):
            kind = bool
        case Choice():
            kind = Literal[column.kind.words]
        case Number():
            kind = float
        case _:
            kind = str
    if column.optional:
        return kind | None, None
    return (kind if column.required else kind | None), ...


def _batch_model(stem: str, file: RegistryFile) -> type[BaseModel]:
    name = stem.capitalize()
    fields: dict[str, Any] = {column.name: _described(column) for column in file.columns}
    row = create_model(f"{name}Row", __base__=_Strict, __doc__=f"A row of {file.name}.", **fields)
    return create_model(
        f"{name}Batch",
        __base__=_Strict,
        __doc__="Rows that have the same fields: a field that is left out says nothing, null takes out what was there.",
        rows=(list[row], Field(min_length=1, max_length=MOST_ROWS)),
        position=(
            str | None,
            Field(
                None,
                max_length=LONGEST_POSITION,
                description="How far the platform is with it; given back as it is.",
            ),
        ),
    )


# Taking a batch -------------------------------------------------------------------------------------------


def brought_in(resource: str, call: Call) -> BatchTaken:
    """Takes a batch of rows of one kind, or says what it was answered before."""
    key = call.headers.get("idempotency-key", "")
    if not is_key(key):
        raise Refused(
            400,
            "idempotency-key",
            f"A batch needs a key of its own, of 1 to {LONGEST_KEY} letters and digits, without any of "
            f"{' '.join(NOT_IN_KEYS)}: Idempotency-Key: …",
        )
    rows, position = _read(call.content)
    content, lines = _as_file(rows)
    batch = Batch(
        call.caller.organisation,
        key,
        hashlib.sha256(resource.encode() + b"\0" + call.content).hexdigest(),
        resource,
        len(rows),
        position,
    )
    try:
        return _taken(platform_registry.take(call.here, call.caller, batch, content, partial(_place, lines)))
    except AnotherBatch:
        raise Refused(
            422, "key-of-another", "This key is that of another batch, which was taken. Nothing was changed."
        ) from None
    except InvalidInput as error:
        raise wrong([_fault(one, lines) for one in error.faults]) from None


def _read(content: bytes) -> tuple[list[dict[str, Cell]], str]:
    """The rows of a batch, each with the same fields of plain values, and its position.

    Raises:
        Refused: it is no batch.
    """
    body = read_json(content)
    faults = []
    rows: list[Any] = []
    position: Any = ""
    if not isinstance(body, dict) or not isinstance(body.get("rows"), list):
        faults.append(ProblemFault(where="all of it", problem="expected an object with a list of “rows”."))
    else:
        rows, position = body["rows"], body.get("position")
        if position is None:
            position = ""
        faults += [
            ProblemFault(where=name[:60], problem="is not known.") for name in sorted(body.keys() - _KNOWN)
        ]
    if not isinstance(position, str) or len(position) > LONGEST_POSITION or not _is_kept(position):
        faults.append(
            ProblemFault(
                where="position", problem=f"expected a text of at most {LONGEST_POSITION:,} letters."
            )
        )
    if not faults and not 0 < len(rows) <= MOST_ROWS:
        faults.append(ProblemFault(where="rows", problem=f"expected 1 to {MOST_ROWS:,} rows."))
    fields = list(rows[0]) if rows and isinstance(rows[0], dict) else None
    if fields is not None and len(fields) > MOST_FIELDS:
        faults.append(ProblemFault(where="rows", problem=f"has more than {MOST_FIELDS} fields."))
        raise wrong(faults)
    for place, row in enumerate(rows[: MOST_ROWS + 1]):
        faults += _faults_of_row(place, row, fields)
    if faults:
        raise wrong(faults[:MOST_FAULTS])
    return rows, str(position)


def _is_kept(text: str) -> bool:
    """Whether a database keeps a text: JSON may have halves of characters."""
    return "\0" not in text and whole(text) == text


_KNOWN = frozenset({"rows", "position"})
MOST_FAULTS = 1_000


def _faults_of_row(place: int, row: Any, fields: Sequence[str] | None) -> list[ProblemFault]:
    where = f"row {place}"
    if not isinstance(row, dict) or fields is None:
        return [ProblemFault(where=where, row=place, problem="is no object.")]
    if set(row) != set(fields):
        problem = "has other fields than the first row of the batch."
        remedy = "Send rows with the same fields together."
        return [ProblemFault(where=where, row=place, problem=problem, remedy=remedy)]
    if not any(value not in ("", None) for value in row.values()):
        return [ProblemFault(where=where, row=place, problem="is empty.")]
    return [
        ProblemFault(
            where=f"{where} · {name[:60]}",
            row=place,
            field=name[:60],
            problem=objection.problem,
            remedy=objection.remedy,
        )
        for name, value in row.items()
        if (objection := _objection(value)) is not None
    ]


_ANY = Text(LARGEST)


def _objection(value: Any) -> Objection | None:
    """What is wrong with a value that a file of text can't have."""
    if not isinstance(value, str | int | float | bool | None):
        return Objection("is neither text nor a number, true, false or null.", "Write it as text.")
    return _ANY.objection(value) if isinstance(value, str) and "\0" in value else None


_LINE_END = re.compile("\r\n|\r|\n")


def _as_file(rows: Sequence[dict[str, Cell]]) -> tuple[bytes, dict[int, int]]:
    """The rows as a file of the registry has them, and which row begins on which of its lines."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    fields = list(rows[0])
    writer.writerow(fields)
    line = 2 + sum(len(_LINE_END.findall(name)) for name in fields)
    lines = {}
    for place, row in enumerate(rows):
        values = [_as_text(row[name]) for name in fields]
        writer.writerow(values)
        lines[line] = place
        line += 1 + sum(len(_LINE_END.findall(value)) for value in values)
    # Halves of characters are told by the import as any other byte that is no text.
    return text.getvalue().encode("utf-8", "surrogatepass"), lines


def _as_text(value: Cell) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
    return str(value)


_WHERE = re.compile(r"[^:]*?(?::(\d+))?(?: · (.+))?", re.DOTALL)
_ON_LINE = re.compile(r"\bon line (\d+)")
_FILE = re.compile(r"\b(\w+)\.csv\b")


def _place(lines: Mapping[int, int], where: str) -> tuple[int | None, str | None]:
    """The row and the field of which the import says something."""
    found = _WHERE.fullmatch(where)
    if found is None:
        return None, None
    return (lines.get(int(found[1])) if found[1] else None), found[2]


def _fault(fault: Fault, lines: Mapping[int, int]) -> ProblemFault:
    """A fault of the import, said of a row and its field."""
    row, field = _place(lines, fault.where)
    words = [one for one in (f"row {row}" if row is not None else "", field or "") if one]

    def said(text: str) -> str:
        text = _ON_LINE.sub(lambda line: f"in row {lines.get(int(line[1]), '?')}", text)
        return _FILE.sub(r"\1", text)

    return ProblemFault(
        where=" · ".join(words) or "rows",
        row=row,
        field=field,
        problem=said(fault.problem),
        remedy=said(fault.remedy),
    )


def _taken(row: PlatformBatch) -> BatchTaken:
    answer = row.answer
    return BatchTaken(
        key=row.key,
        resource=row.resource,
        rows=row.rows,
        inserted=answer["inserted"],
        updated=answer["updated"],
        corrections=answer["corrections"],
        moved=answer["moved"],
        remarks=[BatchRemark(row=one["row"], field=one["field"]) for one in answer["remarks"]],
        position=row.position or None,
        taken_at=row.taken_at,
    )


# What has been taken ----------------------------------------------------------------------------------------


def batch(call: Call) -> BatchTaken:
    """A batch that was taken."""
    return _taken(platform_registry.batch_of(call.here, call.caller, call.places["key"]))


def position(call: Call) -> RegistryPosition:
    """The batch that was taken last."""
    found = platform_registry.newest(call.here, call.caller)
    return RegistryPosition(last=_taken(found) if found else None)


OPERATIONS = (
    *(
        Operation(
            "POST",
            f"/registry/{stem}",
            TokenScope.REGISTRY_WRITE,
            f"Brings in rows of {stem}, all of a batch or none.",
            partial(brought_in, stem),
            BatchTaken,
            body=_batch_model(stem, file),
            largest=LARGEST,
            keyed=True,
            refuses=(408, 413, 415),
        )
        for stem, file in FILES.items()
    ),
    Operation(
        "GET",
        "/registry/position",
        TokenScope.REGISTRY_WRITE,
        "The batch that was taken last, from where the platform goes on.",
        position,
        RegistryPosition,
    ),
    Operation(
        "GET",
        "/registry/batches/{key}",
        TokenScope.REGISTRY_WRITE,
        "A batch by its key, if it was taken.",
        batch,
        BatchTaken,
        refuses=(404,),
    ),
)
