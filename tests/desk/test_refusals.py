"""What the desk refuses is said in its reader's language: each refusal of an act that it offers is a sentence."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.languages.desk import DeskTexts
from desk.parts import why
from labels.errors import Fault, InvalidInput, NotAllowed
from labels.settings import PROJECT
from labels.words.sentences import listed, say

ACTS = [
    *(f"labels/answering/{room}.py" for room in ("accepting", "deadlines", "reviewing", "rights")),
    *(f"labels/reviews/{room}.py" for room in ("coordinating", "drafting", "scoring", "sheet")),
    *(f"labels/applications/{room}.py" for room in ("drafting", "submitting")),
    "labels/answering/proving.py",
    "labels/sessions/passkeys.py",
    "labels/revoking/redeciding.py",
    *(f"usecases/{room}.py" for room in ("acts", "coordinating", "drafting", "reviewing")),
]
"""Where what the desk offers is done, or refused."""
REFUSALS = {"Refusal", "NotAllowed", "NotReady", "StaleDraft", "TooMuch", "Fault"}
ELSEWHERE = {"wrong_code", "send_code", "prove_coordinator", "applicants_organisation"}
"""At the desk nobody types in the code of a step, or writes the application's file by hand."""


def _spoken_english(path: Path) -> Iterator[str]:
    """The refusals of a module whose words are a text and no sentence."""
    tree = ast.parse(path.read_text("utf-8"))
    functions = [
        one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) and one.name not in ELSEWHERE
    ]
    for call in (node for one in functions for node in ast.walk(one) if isinstance(node, ast.Call)):
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        words = call.args[1:] if name == "Fault" else call.args[:1]
        if name in REFUSALS:
            yield from (
                f"{path.name}:{word.lineno}"
                for word in words
                if isinstance(word, ast.Constant | ast.JoinedStr)
            )


@pytest.mark.parametrize("module", ACTS)
def test_what_the_desk_refuses_is_a_sentence_that_can_be_translated(module: str) -> None:
    assert list(_spoken_english(PROJECT / module)) == []


@pytest.mark.parametrize(("language", "between"), [("en", "; "), ("pl", "; "), ("ar", "؛ ")])
def test_several_reasons_are_in_the_language_of_the_page(language: str, between: str) -> None:
    reasons = [say("is the applicant"), say("teaches at a school of the project")]
    texts = DeskTexts(language, {})
    told = why(texts, NotAllowed(listed(reasons)))
    assert told == between.join(map(texts.told, reasons))
    assert 'lang="en"' not in told


def test_everything_that_is_wrong_is_told_where_it_is() -> None:
    wrong = InvalidInput("STEP-1", [Fault("scores.results", say("is missing.")), Fault("a.txt", "no text")])
    assert why(DeskTexts("en", {}), wrong) == "scores.results: is missing. a.txt: no text"
    assert "STEP-1" not in why(DeskTexts("en", {}), wrong)
