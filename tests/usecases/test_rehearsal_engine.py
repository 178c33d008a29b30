"""A rehearsal's engine that calls the steps of the flows knows the flows as they are."""

from __future__ import annotations

import ast

import pytest

from labels.settings import PROJECT
from usecases.rehearsing.engine import TOLD


def calls(body: ast.AST) -> list[str]:
    """The names of the functions that are called, in the order in which they stand."""
    found = [
        (node.lineno, node.col_offset, node.func.id)
        for node in ast.walk(body)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    return [name for _, _, name in sorted(found)]


@pytest.mark.parametrize("flow", TOLD)
def test_a_flow_goes_as_a_rehearsal_plays_it(flow: str) -> None:
    tree = ast.parse((PROJECT / "flows" / flow).read_text(encoding="utf-8"))
    process = next(n for n in tree.body if isinstance(n, ast.AsyncFunctionDef))
    steps = ast.Module(body=process.body, type_ignores=[])
    assert calls(steps) == TOLD[flow].split(), "say so to InProcess, in usecases/rehearsing/engine.py"
