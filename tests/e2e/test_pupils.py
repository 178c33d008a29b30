"""No pupil's name stays behind: not in the record, Prefect's database, logs, mail, documents or temporary folders."""

from __future__ import annotations

import json
import logging
import os
import re
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import pytest
import typer.testing
from prefect.client.schemas.objects import FlowRun
from prefect.logging.handlers import APILogHandler

import adapters.papers.certificates
import usecases.printing
from adapters.prefect.client import prefect_client
from adapters.workspace import workspace
from cli.app import app
from labels.mail.outbox import pupil_code_subject
from labels.record.schema import Award, PupilClass, PupilCode
from labels.steps.codes import review_code
from tests.e2e.conftest import Stage_
from tests.support.people import TODAY

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stage")]

AWARD = "NQL-PVP11NAMES"
EMAIL = "t-1@school.example"
PUPILS = [
    "Wisława Brzęczyszczykiewicz-Ñuñez",
    "Αικατερίνη Χατζηαντωνίου",
    "Олександра Ґудзь-Їжакевич",
    "ნინო გელაშვილი",
    "Անահիտ Պետրոսյան",
    "فاطمة الزهراء عاشور",
    "Quintillian O’Hanrahan",
    "歐陽修竹",  # has no glyph, and is left out
]


def forms(name: str) -> set[bytes]:
    """Every way in which a name, or a word of it, could be written down."""
    found: set[bytes] = set()
    for part in {name, *re.findall(r"\w{4,}", name)}:
        for text in {part, unicodedata.normalize("NFD", part), part.casefold(), part.upper()}:
            found |= {text.encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be")}
        escaped = json.dumps(part)[1:-1]
        found |= {escaped.encode(), re.sub(r"(?<=\\u)\w{4}", lambda code: code[0].upper(), escaped).encode()}
        found |= {json.dumps(escaped)[1:-1].encode(), repr(part.encode())[2:-1].encode()}
        found |= {quote(part).encode(), quote_plus(part).encode(), quote(part).lower().encode()}
        found |= {part.encode("ascii", how) for how in ("xmlcharrefreplace", "backslashreplace")}
    return found


def anywhere(names: Sequence[str], places: Sequence[Path]) -> list[str]:
    """Where one of the names stands, in a file's content or in its name."""
    wanted = {form for name in names for form in forms(name)}
    found = []
    for path in {path.resolve() for place in places for path in place.rglob("*")}:
        content = path.read_bytes() if path.is_file() else b""
        if any(form in content or form in os.fsencode(path.name) for form in wanted):
            found.append(path.name)
    return found


class Heard(logging.Handler):
    """Everything that any logger of this process says, down to the last detail."""

    def __init__(self, path: Path) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(self.format(record) + "\n")


@pytest.fixture
def desk(stage: Stage_, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A teacher's desk beside the running services, with a list of names and a label to show for it."""
    desk, temporary, heard = (tmp_path / name for name in ("desk", "temporary", "heard"))
    for folder in (desk, temporary, heard):
        folder.mkdir()
    (desk / "names.csv").write_text("\n".join(PUPILS), "utf-16")
    monkeypatch.chdir(desk)
    for name, value in stage.here.settings.exported().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    workspace.cache_clear()
    with stage.here.record.writing() as session:
        if session.get(Award, AWARD) is None:
            session.add(
                Award(
                    id=AWARD, label="national", teacher="T-1", project="P-1", school="S-1",
                    organisation="NSS-PL", awarded_on=TODAY, score=25,
                )
            )  # fmt: skip
    handler = Heard(heard / "all.log")
    loggers = [
        logging.getLogger(name)
        for name in (None, "prefect", "weasyprint", "weasyprint.progress", "fontTools")
    ]
    before = [(logger, logger.level) for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    yield desk
    for logger, level in before:
        logger.removeHandler(handler)
        logger.setLevel(level)
    workspace.cache_clear()


def make(stage: Stage_, *more: str) -> typer.testing.Result:
    """Asks for a code, and has the certificates made with it."""
    runner = typer.testing.CliRunner()
    asked = runner.invoke(app, ["code", AWARD, "--as", EMAIL])
    assert asked.exit_code == 0, asked.output
    with stage.here.record.reading() as session:
        number = session.get_one(PupilCode, AWARD).number
    code = review_code(stage.here.key, pupil_code_subject(AWARD), number)
    return runner.invoke(app, ["pupils", AWARD, "names.csv", "out", "--as", EMAIL, "--code", code, *more])


def searched(stage: Stage_, desk: Path) -> list[Path]:
    """All that outlives the command, but for the teacher's own desk."""
    APILogHandler().flush()
    return [
        stage.running.settings.home,
        Path(stage.running.environment.get("PREFECT_HOME", os.environ["PREFECT_HOME"])),
        Path(os.environ["PREFECT_HOME"]),
        desk.parent / "temporary",
        desk.parent / "heard",
    ]


def runs() -> list[FlowRun]:
    with prefect_client() as client:
        found = client.request("POST", "/flow_runs/filter", json={"sort": "START_TIME_DESC"}).json()
        return [FlowRun.model_validate(run) for run in found if run["name"].startswith(f"PQL · {AWARD}")]


def _says_names(*_: Any) -> Any:
    raise ValueError(f"no room for {PUPILS!r}")


def _says_names_as_the_system(*_: Any) -> Any:
    try:
        _says_names()
    except ValueError as error:
        raise OSError(28, "No space left on device", PUPILS[0]) from error


def _is_stopped(*_: Any) -> Any:
    raise KeyboardInterrupt


FAILURES: list[tuple[Any, str, Callable[..., Any], str]] = [
    (adapters.papers.certificates, "render_certificates", _says_names, "ValueError at test_pupils.py:"),
    (adapters.papers.certificates, "render_certificates", _is_stopped, ""),
    (usecases.printing, "place", _says_names_as_the_system, "No space left on device"),
]


def test_no_name_stays_behind_whether_a_class_was_served_or_not(
    stage: Stage_, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = []
    for where, name, failure, why in FAILURES:
        with monkeypatch.context() as broken:
            broken.setattr(where, name, failure)
            said.append(make(stage))
        assert said[-1].exit_code != 0
        assert isinstance(said[-1].exception, SystemExit)
        assert why in said[-1].output
    said.append(make(stage, "--strict"))
    assert "row 8: has a name with 4 characters that no bundled font can print (Chinese)." in said[-1].output
    assert {path.name for path in desk.rglob("*") if path.is_file()} == {"names.csv"}
    said.append(make(stage))
    assert said[-1].exit_code == 0, said[-1].output

    states = [str(run.state.name) for run in runs() if run.state]
    assert sorted(states) == ["Completed", "Crashed", "Failed", "Failed"]
    made = next(run for run in runs() if run.state and run.state.is_completed())
    assert made.parameters == {"award": AWARD, "number": made.parameters["number"], "pupils": len(PUPILS) - 1}
    with stage.here.record.reading() as session:
        assert session.get_one(PupilClass, made.parameters["number"]).pupils == len(PUPILS) - 1
    with zipfile.ZipFile(next((desk / "out").glob("*.zip"))) as archive:
        assert len(archive.namelist()) == len(PUPILS) - 1
        certificates = [archive.read(name) for name in archive.namelist()]

    # Anybody can check them, by command and on the page, which leaves no name behind either.
    (desk / "one.pdf").write_bytes(certificates[0])
    (desk / "altered.pdf").write_bytes(certificates[1][:-7])
    checked = [
        typer.testing.CliRunner().invoke(app, ["verify", f"{name}.pdf"]) for name in ("one", "altered")
    ]
    assert "VALID" in checked[0].stdout
    assert f"1 of {len(PUPILS) - 1}" in checked[0].stdout
    assert "ALTERED" in checked[1].stdout
    page = f"{stage.running.settings.desk_url}/verify?language=en"
    for certificate, state in zip(
        certificates, ("Genuine and valid", *[""] * len(certificates)), strict=False
    ):
        answer = httpx.post(page, files={"paper": ("row-002.pdf", certificate, "application/pdf")})
        assert answer.status_code == 200
        assert state in answer.text
        (desk.parent / "heard" / f"page-{len(list((desk.parent / 'heard').iterdir()))}").write_text(
            answer.text
        )
    said += checked

    (desk.parent / "heard" / "said").write_text("".join(one.output for one in said))
    assert anywhere(PUPILS, searched(stage, desk)) == []
    # The search does find: the list itself, and the teacher's name, which record and mail have.
    assert anywhere(PUPILS, [desk]) == ["names.csv"]
    assert anywhere(["Zażółć"], [stage.running.settings.home]) != []
