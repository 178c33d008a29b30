"""Every command that a mail or a document quotes is one that the parser of `labels` takes."""

from __future__ import annotations

import email
import re
import shlex
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
import typer
import typer.main
from typer.core import TyperGroup
from typer.exceptions import TyperException

from adapters.languages.mails import TEMPLATES
from adapters.mail import acting
from adapters.mail.rendering import compose
from cli.app import app
from labels.mail.message import Template
from labels.settings import PROJECT
from tests.support.mails import CODE, EXAMPLES, NOW, STEP, mail

COMMANDS = typer.main.get_command(app)
DOCUMENTS = ["README.md", "examples/README.md", *sorted(f"docs/{p.name}" for p in PROJECT.glob("docs/*.md"))]
SCRIPTS = {"test", "lint"}
"""What `./run` does itself; everything else it hands to `labels`."""


def commands() -> list[str]:
    """The names of all commands."""
    assert isinstance(COMMANDS, TyperGroup)
    return list(COMMANDS.commands)


def parsed(words: list[str]) -> typer.Context:
    """What the parser makes of the words after `labels`; nothing is run."""
    assert isinstance(COMMANDS, TyperGroup)
    name, *arguments = words
    if name not in COMMANDS.commands:
        raise typer.BadParameter(f"there is no command {name}")
    context: typer.Context = COMMANDS.commands[name].make_context(name, arguments)  # type: ignore[assignment]  # Typer's own
    return context


def quoted_in(text: str) -> Iterator[str]:
    """The commands in a document: lines of code blocks and code within sentences that begin with `labels`."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
    sentences = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for code in lines + re.findall(r"(?<!`)`([^`]+)`(?!`)", sentences):
        if re.match(r"(?:labels|\./run)\s+\S", code):
            yield " ".join(code.partition(" #")[0].partition(" > ")[0].split())


def fits(command: str) -> None:
    """Raises what the parser raises; a command that is only named, with nothing after it, need only exist."""
    program, *words = ("words" if word == "…" else word for word in shlex.split(command))
    if "·" in words:  # `labels inbox · answer`: several that are named
        for word in words:
            if word != "·":
                fits(f"labels {word}")
    elif program == "./run" and words[0] in SCRIPTS:
        return
    elif len(words) == 1:
        assert isinstance(COMMANDS, TyperGroup)
        if words[0] not in COMMANDS.commands:
            raise typer.BadParameter(f"there is no command {words[0]}")
    else:
        parsed(words)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_that_a_document_quotes_is_one_that_exists(document: str) -> None:
    for command in quoted_in((PROJECT / document).read_text("utf-8")):
        try:
            fits(command)
        except TyperException as error:
            pytest.fail(f"{document} quotes `{command}`: {error.format_message()}")


def test_the_search_for_quoted_commands_finds_those_of_the_guide() -> None:
    found = list(quoted_in((PROJECT / "docs/guide.md").read_text("utf-8")))
    assert len(found) > 12
    assert any(command.startswith("labels submit ") for command in found)
    with pytest.raises(TyperException):
        fits("labels answer STEP-1 --as a@b.example")
    with pytest.raises(TyperException):
        fits("labels nominate")


def mailed(template: Template) -> Iterator[tuple[str, str]]:
    """Every command that a message quotes, with the part that quotes it, as its recipient reads it."""
    row = mail(template)
    message = email.message_from_bytes(
        compose(row, CODE, [], "Labels <l@l.example>", NOW).as_bytes(), policy=default
    )
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain",))
    assert body
    for line in body.get_content().splitlines():
        if line.startswith("    labels "):
            yield line.strip(), body.get_content()


@pytest.mark.sampled
@pytest.mark.parametrize("template", Template)
def test_a_mail_quotes_one_command_for_each_act_that_it_invites_to(template: Template) -> None:
    by_command = [act for act in EXAMPLES[template].calls if act in acting.COMMANDS]
    assert len(list(mailed(template))) == len(by_command)


@pytest.mark.parametrize("source", sorted(TEMPLATES.rglob("*.j2")), ids=lambda path: path.stem)
def test_no_source_of_a_mail_spells_a_command(source: Path) -> None:
    text = source.read_text("utf-8")
    assert [name for name in commands() if re.search(rf"labels {re.escape(name)}\b", text)] == []


@pytest.mark.sampled
@pytest.mark.parametrize("template", Template)
def test_every_command_that_a_mail_quotes_can_be_copied_into_a_terminal(template: Template) -> None:
    for command, _ in mailed(template):
        parsed(shlex.split(command)[1:])


@pytest.mark.parametrize(
    ("template", "name"),
    [
        (Template.REVIEW_ASKED, "answer"),
        (Template.REVIEW_RETURNED, "answer"),
        (Template.ASSIGNMENT_ASKED, "reassign"),
    ],
)
def test_a_mail_quotes_the_command_that_does_what_it_asks_for_once(template: Template, name: str) -> None:
    [(command, body)] = mailed(template)
    context = parsed(shlex.split(command)[1:])
    assert context.info_name == name
    assert context.params["code"] == CODE
    assert context.params["email"] == "eleni@school.example"
    assert body.count(f"labels {name}") == 1
    if "step" in context.params:
        assert context.params["step"] == STEP


def test_an_address_that_a_shell_would_take_for_more_stays_one_word() -> None:
    hostile = "o'hara&$home`id`@school.example"
    row = mail(Template.REVIEW_ASKED, to_address=hostile)
    text = compose(row, CODE, [], "Labels <l@l.example>", NOW).get_body(("plain",))
    assert text
    [line] = [line for line in text.get_content().splitlines() if line.strip().startswith("labels answer")]
    assert parsed(shlex.split(line)[1:]).params["email"] == hostile
