"""What came of a list: the certificates that were made and the rows that were left out, without a name."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from labels.pupil_label.names import NameList


class LeftOut(BaseModel):
    """A row that has no certificate, and why."""

    row: int
    problem: str
    remedy: str


class ClassReport(BaseModel):
    """What `labels pupils` prints with `--json`."""

    number: str
    """The class's, `PQL-…`, as it stands on each certificate."""
    award: str
    certificates: int
    files: list[str]
    left_out: list[LeftOut]
    repeated: list[int]
    """Rows whose name stands further up too; each has its certificate."""
    read_as: str
    """The encoding in which the list was read."""


def report(number: str, award: str, files: Sequence[str], listed: NameList) -> ClassReport:
    """The report on a class whose certificates were made."""
    return ClassReport(
        number=number,
        award=award,
        certificates=len(listed.pupils),
        files=list(files),
        left_out=[
            LeftOut(row=int(fault.where.removeprefix("row ")), problem=fault.problem, remedy=fault.remedy)
            for fault in listed.faults
        ],
        repeated=list(listed.repeated),
        read_as=listed.encoding,
    )
