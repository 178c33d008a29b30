"""Records as an earlier version left them, each with a case open at another step, for tests of migrations.

The rows were written by the code of revision 0022, which knew steps, conflicts, notices and mail by addresses.
"""

from __future__ import annotations

import functools
import gzip
import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from labels.record.engine import Record, open_engine
from labels.record.migrating import upgrade
from labels.settings import PROJECT

REVISION = "0022"
_FILE = PROJECT / "tests" / "labels" / "record" / "open_at_every_step.json.gz"


@dataclass(frozen=True)
class Former:
    """One record, and what somebody was asked in it."""

    application: str
    step: str
    person: str
    """Their address."""
    code: str
    """What was mailed to them."""
    now: datetime
    tables: dict[str, Any]
    """Of each table its columns and rows."""


@functools.cache
def _all() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress(_FILE.read_bytes()))
    return found


def former(name: str) -> Former:
    """The record in which a case is open at that step."""
    scene, rules = dict(_all()["scenes"][name]), _all()["rules"]
    assert scene.pop("revision") == REVISION
    texts = [rules[digest] for [digest] in scene["tables"]["rule_text"]["rows"]]
    columns = list(texts[0])
    texts_of_rules = {"columns": columns, "rows": [[text[column] for column in columns] for text in texts]}
    tables = scene.pop("tables") | {"rule_text": texts_of_rules}
    return Former(**scene | {"now": datetime.fromisoformat(scene["now"]), "tables": tables})


def names() -> list[str]:
    """The steps at which there is a record with an open case."""
    return list(_all()["scenes"])


def written(url: str, one: Former) -> sa.Engine:
    """Writes a former record into an empty database, at its own revision."""
    engine = open_engine(url)
    upgrade(engine, REVISION)
    tables = sa.MetaData()
    tables.reflect(engine)
    with engine.begin() as connection:
        for table in tables.sorted_tables:
            given = one.tables.get(table.name, {"columns": [], "rows": []})
            for row in given["rows"]:
                values = dict(zip(given["columns"], row, strict=True))
                connection.execute(
                    table.insert(),
                    {name: _value(table.c[name].type, value) for name, value in values.items()},
                )
        if connection.dialect.name == "postgresql":
            _count_on(connection, tables)
    return engine


def migrated(url: str, one: Former) -> Record:
    """A former record, brought to the newest revision."""
    engine = written(url, one)
    upgrade(engine)
    return Record(engine)


def _value(kind: sa.types.TypeEngine[Any], value: Any) -> Any:
    """A value as SQLite had stored it, for the column of either database."""
    if isinstance(value, dict):
        return bytes.fromhex(value["hex"])
    if value is None:
        return sa.null() if isinstance(kind, sa.JSON) else None
    match kind:
        case sa.JSON():
            return json.loads(value)
        case sa.DateTime():
            return datetime.fromisoformat(value)
        case sa.Date():
            return date.fromisoformat(value)
        case sa.Boolean():
            return bool(value)
    return value


def _count_on(connection: sa.Connection, tables: sa.MetaData) -> None:
    """Lets PostgreSQL number the next rows behind those that are there."""
    for table in tables.sorted_tables:
        for column in table.primary_key.columns:
            if isinstance(column.type, sa.Integer) and len(table.primary_key.columns) == 1:
                sequence = connection.scalar(
                    sa.select(sa.func.pg_get_serial_sequence(table.name, column.name))
                )
                last = connection.scalar(sa.select(sa.func.max(column)))
                if sequence and last:
                    connection.execute(sa.select(sa.func.setval(sequence, last)))
