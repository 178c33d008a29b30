"""The desk's tests begin with what was typed in a terminal, or with somebody who opens a browser."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.routing import compile_path
from starlette.testclient import TestClient

from adapters.mail.folder import MailFolder
from adapters.workspace import Workspace
from desk.app import public_app
from desk.languages import COOKIE
from labels.record.schema import Mail
from labels.sessions.codes import sign_in_code
from labels.words.languages import ENGLISH
from tests.cli.conftest import Terminal, terminal
from tests.support.platform_programs import Program, token

__all__ = ["Browser", "MailFolder", "browser", "terminal"]

ORIGIN = "http://127.0.0.1:4280"


@pytest.fixture(scope="module", autouse=True)
def no_browser_for_another_module() -> Iterator[None]:
    """Ends the Chromium that the module's tests shared."""
    yield
    if (used := sys.modules.get("tests.support.browser")) is not None:
        used.close_shared()


@pytest.fixture(autouse=True)
def routes_that_are_looked_at(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whoever says that a test looks at a route has axe look at a page there (`test_every_page_is_looked_at.py`)."""
    promised = {route for mark in request.node.iter_markers("looks_at") for route in mark.args}
    if not promised:
        yield
        return
    from tests.support.accessibility import looked_at  # it needs a browser's library

    looked_at.clear()
    yield
    literal = {one for one in promised if "{" not in one}
    missing = {
        one
        for one in promised
        if not any(
            compile_path(one)[0].match(path) for path in looked_at if one in literal or path not in literal
        )
    }
    assert missing == set(), "axe did not look at them"


class Browser:
    """Somebody with a browser of their own, before the desk of one record, who has chosen to read it in English."""

    def __init__(self, here: Workspace, *, language: str = ENGLISH, **more: Any) -> None:
        self.here = here
        self.client = TestClient(
            public_app(here, **more), base_url=ORIGIN, follow_redirects=False, raise_server_exceptions=False
        )
        self.client.headers["Sec-Fetch-Site"] = "same-origin"
        if language:
            self.client.cookies.set(COOKIE, language, domain="127.0.0.1")

    def opens(self, path: str, **headers: str) -> Any:
        """The answer to a link or an address."""
        return self.client.get(path, headers=headers)

    def sends(self, path: str, fields: dict[str, Any] | None = None, **more: Any) -> Any:
        """The answer to a form of the page at `path`, which carries what that page's forms carry."""
        token = more.pop("token", None)
        if token is None:
            token = self.token(more.pop("page", "/account"))
        return self.client.post(path, data={"form_token": token, **(fields or {})}, **more)

    def token(self, path: str) -> str:
        """What the forms of a page carry; empty where nobody has signed in."""
        found = re.search(r'name="form_token" value="([^"]*)"', self.client.get(path).text)
        return found[1] if found else ""

    def signs_in(self, address: str) -> Browser:
        """With the code from their mail."""
        asked = self.client.post("/sign-in", data={"address": address})
        assert asked.status_code == 303, asked.text
        answer = self.client.post("/sign-in/code", data={"code": self.code(address)})
        assert answer.status_code == 303, words(answer)
        return self

    def code(self, address: str) -> str:
        """The code in the newest mail to an address."""
        with self.here.record.reading() as session:
            reason = session.scalars(
                sa.select(Mail.reason)
                .where(Mail.to_address == address.lower(), Mail.template == "sign_in")
                .order_by(Mail.queued_at.desc(), Mail.reason)
            ).first()
        assert reason, f"no code was mailed to {address}"
        return sign_in_code(self.here.key, reason.split("/")[1])


def words(answer: Any) -> str:
    """What a page shows in its middle, as text."""
    body = answer.text.partition('<main id="main"')[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


@pytest.fixture
def browser(terminal: Terminal) -> Callable[..., Browser]:
    """Opens a new browser before the desk of the terminal's record."""
    return lambda **more: Browser(terminal.here, **more)


@pytest.fixture
def program(terminal: Terminal) -> Callable[..., Program]:
    """A program of an organisation, with a token."""
    return lambda *words, **more: Program(terminal.here, token(terminal.here, *words, **more))
