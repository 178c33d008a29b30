"""What a school's application says to those who look at it, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from adapters.workspace import Workspace
from labels.clock import in_words
from labels.record.schema import Application, School, Stage, Step, StepKind, StepState
from labels.rules.model import Requirement, SelfAssessmentRules
from labels.school_label.prefilling import FIELDS
from labels.school_label.receiving import questions_of
from labels.school_label.worksheet import line as row_line
from labels.steps.step import steps_of
from labels.views.brief import Brief
from labels.words.text import markdown_paragraphs, markdown_plain
from tasks.briefs import about_school, asked, documents, listed, questions_answered, warnings

LISTED = 40
"""Rows of each part of what was filled in that are shown; a large school has hundreds."""

NAMES = {
    "members": "Members",
    "projects": "Projects",
    "professional_development": "Professional development",
    "events": "Events",
}


def school_brief(
    session: Session, here: Workspace, application: Application, awaited: Sequence[Step]
) -> Brief:
    """What is asked of the school, or of its reviewers, with all that they go by."""
    school = session.get_one(School, application.school)
    questions, answer = questions_of(session, application), answered(session, application)
    opening = [
        *warnings(awaited),
        _asked_of_school(awaited) or asked(awaited),
        about_school(session, application),
        *questions_answered(session, application),
        documents(session, here, application, "evidence"),
    ]
    if application.stage is not Stage.SELF_ASSESSMENT:
        opening += [_requirements(questions, answer), _filled_in(application, answer)]
    return Brief(
        title=f"{school.name} · School Label {application.round}",
        opening="\n\n".join(filter(None, opening)),
        sections={} if answer is None else _by_pillar(questions, answer),
        names={pillar.id: pillar.name for pillar in questions.pillars},
    )


def answered(session: Session, application: Application) -> Mapping[str, Any] | None:
    """What the school handed in; None before."""
    given = [
        step.answer
        for step in steps_of(session, application, StepKind.SELF_ASSESSMENT)
        if step.state is StepState.ANSWERED and step.answer is not None
    ]
    return given[-1] if given else None


def _asked_of_school(awaited: Sequence[Step]) -> str:
    lines = []
    by = " and ".join(sorted({in_words(step.due_at) for step in awaited if step.due_at}))
    teachers = sum(step.kind is StepKind.SELF_ASSESSMENT for step in awaited)
    if teachers:
        who = "One teacher" if teachers == 1 else f"Each of {teachers} teachers"
        lines.append(
            f"The school’s self-assessment is awaited by **{by}**. {who} may hand it in, with the command in "
            "the invitation: it has more questions than a form. Resuming here with nothing filled in makes the "
            "run look at the record again."
        )
    if any(step.kind is StepKind.DECLARATION for step in awaited):
        lines.append(
            f"The principal is asked to confirm the self-assessment by **{by}**, with the command in the mail."
        )
    return "\n\n".join(lines)


def _by_pillar(questions: SelfAssessmentRules, answer: Mapping[str, Any]) -> dict[str, str]:
    """The school's words on each pillar."""
    texts: dict[str, list[str]] = {pillar.id: [] for pillar in questions.pillars}
    for one in questions.questions:
        said = answer["answers"][one.pillar][one.id]
        texts[one.pillar].append(
            f"**{markdown_plain(one.text)}** {markdown_plain(questions.levels[said['level']])} "
            f"({said['level']} of {max(questions.levels)})\n\n{markdown_paragraphs(said['text'])}"
        )
    return {pillar: "\n\n".join(lines) for pillar, lines in texts.items()}


def _requirements(questions: SelfAssessmentRules, answer: Mapping[str, Any] | None) -> str:
    if answer is None:
        return ""

    def line(one: Requirement) -> str:
        said = answer["requirements"].get(one.id, "").strip()
        how = f"the school says: “{said}”" if said else "shown by the registry or a document"
        return f"**{one.id}** {markdown_plain(one.text)} {markdown_plain(how)}"

    parts = [f"### Requirements\n\n{listed(map(line, questions.requirements))}"]
    if answer["links"]:
        parts.append(listed(f"**Link:** {markdown_plain(link)}" for link in answer["links"]))
    return "\n\n".join(parts)


def _filled_in(application: Application, answer: Mapping[str, Any] | None) -> str:
    prefilled = application.content.get("prefilled")
    if prefilled is None:
        return ""
    disputed = answer["disputed"] if answer else {}
    parts = [
        f"### What the registry knows\n\nAs it was on {prefilled['at'][:10]}, from {prefilled['since']} on."
    ]
    for name in FIELDS:
        rows = list(_rows(prefilled[name][:LISTED], disputed))
        if more := len(prefilled[name]) - LISTED:
            rows += [f"… and {more} more"] if more > 0 else []
        said = f" · disputed: {disputed[name]}" if name in disputed else ""
        parts.append(f"**{NAMES[name]}** ({len(prefilled[name])}){markdown_plain(said)}\n\n{listed(rows)}")
    return "\n\n".join(parts)


def _rows(rows: Sequence[Mapping[str, Any]], disputed: Mapping[str, str]) -> Iterator[str]:
    for row in rows:
        text = row_line(row)
        if row["id"] in disputed:
            text += f" · disputed: {disputed[row['id']]}"
        yield markdown_plain(text)
