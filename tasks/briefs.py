"""What people see of an application in Prefect: the brief, the score table, the decision.

All text of applicants and reviewers goes through `markdown_plain`, so that it is text and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.clock import in_words
from labels.record.schema import (
    Application,
    Decision,
    Document,
    Organisation,
    Project,
    Review,
    School,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.registry.countries import country_name
from labels.steps import steps_of
from labels.submitting import rules_of
from labels.text import markdown_paragraphs, markdown_plain
from tasks.workspace import Workspace


def brief(session: Session, here: Workspace, application: Application, awaited: Sequence[Step]) -> str:
    """What a reviewer (or applicant, or coordinator) needs to know before answering, as Markdown."""
    parts = [*_warnings(awaited), _asked(awaited), _about(session, application)]
    parts += _questions_answered(session, application)
    parts += _sections(session, application)
    parts.append(documents(session, here, application, "application", "evidence"))
    return "\n\n".join(part for part in parts if part)


def _warnings(awaited: Sequence[Step]) -> list[str]:
    return [
        f"> ⚠️ **The last answer was not accepted.** {markdown_plain(step.refused)}"
        for step in awaited
        if step.refused
    ]


def _asked(awaited: Sequence[Step]) -> str:
    lines = ["### What is asked"]
    for step in awaited:
        by = f", by **{in_words(step.due_at)}**" if step.due_at else ""
        lines.append(
            {
                StepKind.REVIEW: f"- **Reviewer {step.seat}**: points for every criterion and a comment, or a question to the applicant{by}.",
                StepKind.INFORMATION: f"- **The applicant**: an answer to this question{by}: “{markdown_plain(step.question or '')}”",
                StepKind.ASSIGNMENT: "- **The coordinator**: a reviewer without a conflict of interest has to be found.",
            }[step.kind]
        )
    lines.append(
        "\nThe one-time code from your mail proves who you are. On the command line: `labels inbox --as EMAIL`."
    )
    return "\n".join(lines)


def _about(session: Session, application: Application) -> str:
    content = application.content
    school = session.get_one(School, application.school)
    project = session.get_one(Project, application.project)
    rows = [
        ("Project", project.title),
        ("Ran", f"{project.started_on} to {project.ended_on or 'now'}"),
        ("Applicant", session.get_one(Teacher, application.teacher).name),
        ("School", f"{school.name}, {school.city}, {country_name(school.country)}"),
        ("Organisation", session.get_one(Organisation, application.organisation).name),
        ("Pupils", f"{content['pupils']['count']}, {content['pupils']['average_age']:g} years on average"),
        ("Rules", rules_of(session, application).version),
    ]
    table = "\n".join(f"| {name} | {markdown_plain(value)} |" for name, value in rows)
    return f"### {application.id}\n\n| | |\n|---|---|\n{table}"


def _questions_answered(session: Session, application: Application) -> list[str]:
    return [
        f"### The applicant was asked\n\n“{markdown_plain(step.question or '')}”\n\n"
        f"{markdown_paragraphs((step.answer or {}).get('text', ''))}"
        for step in steps_of(session, application, StepKind.INFORMATION)
        if step.state is StepState.ANSWERED
    ]


def _sections(session: Session, application: Application) -> list[str]:
    content = application.content
    names = {c.id: c.name for c in rules_of(session, application).criteria_set.criteria}
    parts = [f"### Description\n\n{markdown_paragraphs(content['description'])}"]
    parts += [
        f"### {markdown_plain(names.get(section, section))}\n\n{markdown_paragraphs(text)}"
        for section, text in content["sections"].items()
    ]
    if content["links"]:
        # Shown as text, not as links: where they lead is the reader's own decision.
        parts.append("### Links\n\n" + "\n".join(f"- {markdown_plain(one)}" for one in content["links"]))
    return parts


def documents(session: Session, here: Workspace, application: Application, *kinds: str) -> str:
    """The application's documents as links that expire, as Markdown; empty where it has none."""
    days = rules_of(session, application).national.review.link_days.value
    now = here.now()
    rows = session.scalars(
        sa.select(Document)
        .where(Document.application == application.id, Document.kind.in_(kinds))
        .order_by(Document.kind, Document.name)
    ).all()
    if not rows:
        return ""
    lines = [
        f"- {document.kind}: [{markdown_plain(document.name)}]"
        f"({here.documents.link(document.key, document.name, document.media_type, now + timedelta(days=days), now)})"
        for document in rows
    ]
    return f"### Documents\n\nThe links work for {days} days.\n\n" + "\n".join(lines)


def score_table(session: Session, application: Application) -> str:
    """The points of every reviewer per criterion, once all of them are in; else who is awaited."""
    reviews = session.scalars(
        sa.select(Review)
        .join(Step, Step.id == Review.step)
        .where(
            Review.application == application.id,
            Review.instance == application.instance,
            Review.void_at.is_(None),
        )
        .order_by(Step.seat)
    ).all()
    criteria = rules_of(session, application).criteria_set
    head = " | ".join(f"Reviewer {n}" for n in range(1, len(reviews) + 1))
    lines = [f"| Criterion | {head} | of |", "|---|" + "---|" * (len(reviews) + 1)]
    lines += [
        f"| {markdown_plain(c.name)} | "
        + " | ".join(str(review.scores.get(c.id, "–")) for review in reviews)
        + f" | {c.maximum} |"
        for c in criteria.criteria
    ]
    totals = " | ".join(
        f"**{sum(review.scores.get(c.id, 0) for c in criteria.counted)}**" for review in reviews
    )
    lines.append(f"| **Total** | {totals} | {criteria.maximum} |")
    return "\n".join(lines)


def decision(session: Session, here: Workspace, application: Application) -> str:
    """The outcome with its reasons and papers, as Markdown."""
    row = session.get_one(Decision, (application.id, application.instance))
    verdict = row.verdict
    parts = [f"## {application.id}: {row.outcome.value}", _about(session, application)]
    if "lines" in verdict:
        parts.append(score_table(session, application))
        parts.append("### Reasons\n\n" + "\n".join(f"- {markdown_plain(r)}" for r in verdict["reasons"]))
    for condition in verdict.get("conditions", []):
        parts.append(f"- {markdown_plain(condition['problem'])} *{markdown_plain(condition['remedy'])}*")
    parts.append(documents(session, here, application, "certificate", "letter"))
    parts.append(
        f"Decided at {in_words(row.decided_at)} under the rules {rules_of(session, application).version}."
    )
    return "\n\n".join(part for part in parts if part)
