"""Every page of the desk is opened in a browser by a test, where axe looks at it: a new page without one fails here."""

from __future__ import annotations

import ast
from pathlib import Path

from starlette.routing import Route

from desk.app import public_app
from tests.cli.conftest import Terminal

NO_PAGES = {
    "/": "leads to the first place of whoever asks",
    "/account/mail": "shows the account",
    "/account/passkeys": "only takes a form",
    "/assets/{version}/{path:path}": "style, script and art",
    "/cases.csv": "a file",
    "/cases.xlsx": "a file",
    "/documents/{token}": "a file",
    "/evidence/{word}": "drawn inside a reviewer's page, where no script runs and so no axe",
    "/evidence/{word}/file": "a file",
    "/evidence/{word}/{page:int}": "a picture",
    "/evidence/pages.css": "style",
    "/gallery/{year}": "leads to the newest",
    "/gallery/{year}/gallery.json": "data",
    "/gallery/{year}/pictures/{picture}": "a picture",
    "/health": "for machines",
    "/language/{language}": "leads back",
    "/my-documents/{document}": "a file",
    "/my-gallery/{award}/picture": "a picture",
    "/ready": "for machines",
    "/rehearsals/{organisation}/{name}/files/{file:path}": "a file",
    "/reviews/offline.zip": "a file",
    "/reviews/{step}/next": "leads to the next review",
    "/schools/{school}/documents/{document}": "a file",
    "/sign-in/provider": "leads to the provider",
    "/staff.csv": "a file",
    "/statistics.csv": "a file",
    "/statistics.pdf": "a file",
    "/statistics.xlsx": "a file",
    "/to-prefect": "leads to Prefect",
    "/verify/{code}/credential": "for wallets",
    "/verify/{code}/credential.json": "for wallets",
    "/verify/{code}/status": "for machines",
    "/verify/issuers/{organisation}/did.json": "for wallets",
    "/verify/issuers/{organisation}/jwks.json": "for wallets",
    "/verify/lists/{organisation}/{part}": "for wallets",
    "/.well-known/did.json": "for wallets",
    "/.well-known/jwks.json": "for wallets",
    "/year": "leads to the newest year",
    "/year/{year}/gallery/{project}/picture": "a picture",
}
"""What answers with something else than a page of its own, and with what."""


def test_axe_looks_at_every_page_of_the_desk(terminal: Terminal) -> None:
    """Who says `looks_at` has done so: a fixture of `conftest.py` compares it with what axe saw."""
    routes = public_app(terminal.here, mail_shown=True).routes
    there = {one.path for one in routes if isinstance(one, Route) and "GET" in (one.methods or ())}
    seen = {route for path in Path(__file__).parent.glob("test_*.py") for route in looked_at_in(path)}
    assert there - seen - NO_PAGES.keys() == set(), "open it in a browser, in a test that says looks_at"
    assert seen - there == set()


def test_what_answers_no_page_is_there(terminal: Terminal) -> None:
    routes = public_app(terminal.here, mail_shown=True).routes
    assert NO_PAGES.keys() - {one.path for one in routes if isinstance(one, Route)} == set()


def looked_at_in(path: Path) -> set[str]:
    """The routes at which the tests of a file say that they look."""
    marks = [
        one
        for one in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr == "looks_at"
    ]
    return {str(ast.literal_eval(route)) for mark in marks for route in mark.args}
