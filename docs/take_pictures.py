"""Takes the pictures of the documentation anew, from the sample data in real services.

    .venv/bin/python -m docs.take_pictures     # after ./run test has set up the tests' tools

It takes about two minutes and replaces docs/pictures.
"""

from __future__ import annotations

import io
import tempfile
import threading
from pathlib import Path

import sqlalchemy as sa
import yaml
from PIL import Image
from playwright.sync_api import Page

from adapters.prefect.client import prefect_client
from adapters.workspace import Workspace
from cli import demo
from cli.services import free_port, services
from labels.record.schema import Application, Issued
from labels.registry.importing import import_registry
from labels.settings import PROJECT, Settings
from tests.support.browser import Person, ResumeForm, person_at

PICTURES = PROJECT / "docs" / "pictures"
WAITING = {"02-pt-rivers.json", "08-de-energy.json", "11-ge-mountains.json", "12-tn-olives.json"}
SHOWN, AWARDED = "11-ge-mountains.json", "01-pl-rivers.json"


def take_pictures() -> None:
    """Plays a part of the sample data, and pictures what a coordinator and a reviewer see then."""
    PICTURES.mkdir(exist_ok=True)
    scripts = [demo.Script(**one) for one in yaml.safe_load((demo.EXAMPLES / "demo.yaml").read_text("utf-8"))]
    for script in scripts:
        script.waits = script.file in WAITING
    demo.forget_settings()
    stop = threading.Event()
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), today=demo.TODAY, _env_file=None)
        with services(settings, free_port(), free_port()) as (running, here):
            import_registry(here.record, demo.EXAMPLES / "registry", demo.TODAY)
            played = demo._submit_all(here, scripts)
            by_file = {script.file: application for application, script in played.items()}
            demo._settle(here, played, stop)
            demo._play(here, played, stop)
            demo._settle(here, played, stop)
            with person_at(running.ui_url, height=1400) as person:
                _picture_all(here, person, by_file)
                if gallery := demo._play_year(here, stop):
                    person.page.set_viewport_size({"width": 1100, "height": 760})
                    person.page.goto(gallery.as_uri())
                    _keep(person.page, "gallery")


def _picture_all(here: Workspace, person: Person, by_file: dict[str, str]) -> None:
    person.opens_runs()
    _keep(person.page, "runs")
    with here.record.reading() as session:
        run = session.get_one(Application, by_file[SHOWN]).run
    _fill(person.opens_form(run))
    _keep(person.page, "resume-form")
    with here.record.reading() as session:
        printed = sa.select(Issued.code).where(Issued.subject == by_file[AWARDED], Issued.code.is_not(None))
        code = session.scalars(printed).first()
    for name, application in (("brief", by_file[SHOWN]), ("decision", by_file[AWARDED])):
        person.opens_artifact(_artifact(f"{name}-{application}"))
        _keep(person.page, name)
    person.page.set_viewport_size({"width": 1100, "height": 1120})
    person.page.goto(f"{here.settings.check_url}/{code}?language=en")
    _keep(person.page, "check-page")


def _fill(form: ResumeForm) -> None:
    form.writes(form.code, "7KQ4-M9XT-2C")
    form.gives("Pedagogical innovation", 4)
    form.dialog.locator(".p-modal__body").evaluate("body => body.scrollTo(0, 0)")


def _artifact(key: str) -> str:
    wanted = {"artifacts": {"key": {"any_": [key.lower()]}}, "sort": "CREATED_DESC", "limit": 1}
    with prefect_client() as client:
        [found] = client.request("POST", "/artifacts/filter", json=wanted).json()
    return str(found["id"])


def _keep(page: Page, name: str) -> None:
    page.wait_for_timeout(1500)  # until what is drawn stands still
    picture = Image.open(io.BytesIO(page.screenshot()))
    # 128 colours look the same, in a third of the size.
    picture.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(
        PICTURES / f"{name}.png", optimize=True
    )


if __name__ == "__main__":
    take_pictures()
