"""Programs of organisations that call the API, whose every answer is held against the API's own description."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import jsonschema
from starlette.testclient import TestClient

from adapters.workspace import Workspace
from desk.api.app import ROOT
from desk.api.problems import MEDIA_TYPE, Problem
from desk.app import public_app
from labels.clock import brussels_day
from labels.platform.tokens import TokenScope
from usecases import platform

ORIGIN = "http://127.0.0.1:4280"
ALL = tuple(TokenScope)
LATER = timedelta(days=100)


class Program:
    """A program of an organisation that calls the API."""

    def __init__(self, here: Workspace, token: str) -> None:
        self.here = here
        self.client = TestClient(public_app(here), base_url=ORIGIN, raise_server_exceptions=False)
        self.token = token
        self.description: dict[str, Any] = self.client.get(f"{ROOT}/openapi.json").json()

    def gets(self, path: str, status: int = 200, **headers: str) -> Any:
        """The answer to a request with its token, which the description has and its shape allows."""
        answer = self.client.get(ROOT + path, headers={"Authorization": f"Bearer {self.token}", **headers})
        assert answer.status_code == status, answer.text
        self.as_described(answer, path, "get")
        return answer

    def sends(self, path: str, content: bytes | str, status: int = 200, **headers: str) -> Any:
        """The same for a body."""
        head = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"} | headers
        answer = self.client.post(ROOT + path, content=content, headers=head)
        assert answer.status_code == status, answer.text
        self.as_described(answer, path, "post")
        return answer

    def ends(self, path: str, status: int = 200) -> Any:
        """The same for what is ended."""
        answer = self.client.delete(ROOT + path, headers={"Authorization": f"Bearer {self.token}"})
        assert answer.status_code == status, answer.text
        self.as_described(answer, path, "delete")
        return answer

    def as_described(self, answer: Any, path: str, method: str) -> None:
        """Fails unless an answer is one that the API's description has for this address."""
        parts = path.partition("?")[0].split("/")
        of = [
            operations[method]
            for template, operations in self.description["paths"].items()
            if method in operations and _fits(parts, template.split("/"))
        ]
        assert of, path
        response = of[0]["responses"][str(answer.status_code)]
        if answer.status_code == 304:
            assert answer.content == b""
            return
        [(media_type, content)] = response["content"].items()
        assert answer.headers["content-type"].partition(";")[0] == media_type
        schema = {**content["schema"], "components": self.description["components"]}
        checker = jsonschema.FormatChecker()
        jsonschema.Draft202012Validator(closed(schema), format_checker=checker).validate(answer.json())


def _fits(parts: list[str], template: list[str]) -> bool:
    return len(parts) == len(template) and all(
        one == other or other.startswith("{") for one, other in zip(parts, template, strict=True)
    )


def closed(schema: Any) -> Any:
    """A schema by which an object has no field that it does not name."""
    if isinstance(schema, dict):
        made = {name: closed(one) for name, one in schema.items()}
        if made.get("type") == "object" and "properties" in made:
            made.setdefault("additionalProperties", False)
        return made
    return [closed(one) for one in schema] if isinstance(schema, list) else schema


def token(here: Workspace, organisation: str = "NSS-PL", scopes: tuple[TokenScope, ...] = ALL) -> str:
    """A new token."""
    until = brussels_day(here.now() + LATER)
    return platform.make_token(here, organisation, scopes, "tests", until).text


def problem(answer: Any) -> Problem:
    """The problem that an answer tells."""
    assert answer.headers["content-type"] == MEDIA_TYPE
    return Problem.model_validate(answer.json())
