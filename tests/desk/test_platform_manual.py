"""What the page for platforms tells to type can be typed, in its order, and does what it says."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
from starlette.testclient import TestClient

from desk.app import public_app
from labels.settings import PROJECT
from tests.cli.conftest import Terminal
from tests.desk.conftest import ORIGIN

PAGE = (PROJECT / "docs" / "platform.md").read_text("utf-8")


def commands() -> list[str]:
    """The commands of the page, each as one line."""
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines() if line.strip()]


def curled(client: TestClient, words: list[str]) -> Any:
    """The answer to what `curl` would ask, of as many of its options as the page uses."""
    headers: dict[str, str] = {}
    method, content, address = "GET", None, ""
    rest = iter(words)
    for word in rest:
        match word:
            case "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            case "-X":
                method = next(rest)
            case "-d":
                method, content = ("POST" if method == "GET" else method), next(rest)
                headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
            case _:
                assert not word.startswith("-"), word
                address = word
    return client.request(method, address, headers=headers, content=content)


def test_every_command_of_the_page_does_what_it_says(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The name of the page's example leads nowhere; it is found here as a host of the public Internet would be.
    monkeypatch.setattr("usecases.webhooks.resolved", lambda host, port, private: "93.184.216.34")
    values = {"$DESK": ORIGIN, "$CASE": terminal.submitted()}
    client = TestClient(public_app(terminal.here), base_url=ORIGIN)
    told = 0
    for line in commands():
        for name, value in values.items():
            line = line.replace(name, value)
        program, *words = shlex.split(line)
        if program == "labels":
            done = terminal.run(*words)
            assert done.exit_code == 0, f"{line}\n{done.output}"
            if words[:2] == ["token", "make"]:
                values["$TOKEN"] = done.stdout.strip()
            continue
        assert program == "curl", line
        answer = curled(client, words)
        assert answer.status_code == 200, f"{line}\n{answer.text}"
        told += 1
    assert told >= 4
