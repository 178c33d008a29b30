"""The API's own description, OpenAPI 3.1, made from the operations and their shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from desk.api.frame import Operation
from desk.api.problems import MEDIA_TYPE, Problem
from labels.platform.batches import LONGEST_KEY, NOT_IN_KEYS
from labels.platform.tokens import TokenScope

_REF = "#/components/schemas/{model}"
_PLACE = re.compile(r"\{(\w+)\}")
_ALWAYS = (400, 401, 403, 422, 429, 500, 503)
"""What any operation may answer instead."""

_ABOUT = (
    "Where applications of one organisation stand, and what happens to them, for the platform that has the accounts. "
    "docs/platform.md has examples."
)


def described(operations: Sequence[Operation], server: str) -> dict[str, Any]:
    """The description of some operations at an address."""
    models: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = [
        (Problem, "serialization")
    ]
    for one in operations:
        models += [(one.gives, "serialization"), (one.query, "validation")]
        if one.body is not None:
            models.append((one.body, "validation"))
    refs, schemas = models_json_schema(list(dict.fromkeys(models)), ref_template=_REF)
    components: dict[str, Any] = dict(schemas["$defs"])
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        name = refs[one.query, "validation"]["$ref"].rpartition("/")[2]
        told = _operation(one, components[name], refs[one.gives, "serialization"])
        if one.keyed:
            told["parameters"].append(_KEY)
        if one.body is not None:
            told["requestBody"] = {
                "required": True,
                "content": {"application/json": {"schema": dict(refs[one.body, "validation"])}},
            }
        paths.setdefault(one.path, {})[one.method.lower()] = told
    for query in {one.query for one in operations}:  # they are parameters, and nothing refers to them
        del components[refs[query, "validation"]["$ref"].rpartition("/")[2]]
    return {
        "openapi": "3.1.0",
        "info": {"title": "eTwinning labels", "version": "1", "description": _ABOUT},
        "servers": [{"url": server}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of the organisation, made with `labels token make`. Scopes: "
                    + ", ".join(TokenScope),
                }
            },
        },
    }


_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Made up by the platform for this batch: the same key again answers the same, and changes nothing.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": f"^[^{NOT_IN_KEYS}]+$"},
}


def _operation(one: Operation, query: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    places = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PLACE.findall(one.path)
    ]
    parameters = [
        {
            "name": name,
            "in": "query",
            "required": name in query.get("required", ()),
            "description": schema.get("description", ""),
            "schema": {key: value for key, value in schema.items() if key != "description"},
        }
        for name, schema in query.get("properties", {}).items()
    ]
    problem = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}}
    responses = {
        "200": {"description": "Done.", "content": {"application/json": {"schema": dict(given)}}},
        **{
            str(status): {"description": HTTPStatus(status).phrase, "content": problem}
            for status in sorted({*_ALWAYS, *one.refuses})
        },
    }
    if one.method == "GET":
        responses["304"] = {"description": "It is what whoever asks has already (If-None-Match)."}
    return {
        "operationId": f"{one.method.lower()}{_PLACE.sub('one', one.path).replace('/', '_')}",
        "summary": one.summary,
        "security": [{"token": []}],
        "x-scope": one.scope.value,
        "parameters": [*places, *parameters],
        "responses": responses,
    }
