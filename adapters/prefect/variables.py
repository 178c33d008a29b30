"""Values of Prefect's own variables in what came back with a form."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from adapters.prefect.client import prefect_client

PAGE = 200
"""Variables that Prefect's server tells of in one answer, at most."""


def variables_in(filled: Mapping[str, Any]) -> str | None:
    """Why an answer is refused into which Prefect's server has put the value of a variable of its own.

    The server fills `{"__prefect_kind": "workspace_variable"}` in, also read as JSON, before anybody can
    look at the answer; this keeps such a value from ending in a letter. It can only be the whole of a
    field: words that happen to contain a variable's value are a person's own.
    """
    texts = {value.strip() for value in filled.values() if isinstance(value, str)} - {""}
    with prefect_client() as client:
        seen = 0
        while page := client.request(
            "POST", "/variables/filter", json={"limit": PAGE, "offset": seen}
        ).json():
            if any(texts & _texts_of(variable["value"]) for variable in page):
                return "The answer holds the value of a variable of the Prefect server, which is not for applications."
            seen += len(page)
    return None


def _texts_of(value: Any) -> set[str]:
    """What a variable's value can become in a field that takes text."""
    if not isinstance(value, str):
        return set()
    with contextlib.suppress(ValueError, RecursionError):
        if isinstance(read := json.loads(value), str):
            return {value.strip(), read.strip()}
    return {value.strip()}
