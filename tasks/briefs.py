"""What people see of an application in Prefect: the brief, the score table, the decision.

All text of applicants and reviewers goes through `markdown_plain`, so that it is text and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.workspace import Workspace
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
from labels.rules.kept import rules_of
from labels.steps.step import steps_of
from labels.views.brief import Brief
from labels.words.text import markdown_paragraphs, markdown_plain


def brief(session: Session, here: Workspace, application: Application, awaited: Sequence[Step]) -> Brief:
    """What somebody needs to know before answering, and what of it belongs to which criterion."""
    content = application.content
    opening = [
        *warnings(awaited),
        asked(awaited),
        _about(session, application),
        f"### In short\n\n{markdown_paragraphs(content['description'])}",
        *questions_answered(session, application),
        documents(session, here, application, "application", "evidence"),
    ]
    return Brief(
        title=session.get_one(Project, application.project).title,
        opening="\n\n".join(filter(None, opening)),
        sections={section: markdown_paragraphs(text) for section, text in content["sections"].items()},
        names={c.id: c.name for c in rules_of(session, application).criteria_set.criteria},
    )


def listed(items: Iterable[str]) -> str:
    """A list as Markdown."""
    return "\n".join(f"- {item}" for item in items)


def warnings(awaited: Sequence[Step]) -> list[str]:
    """Why the last answer was not accepted, as Markdown."""
    reasons = dict.fromkeys(step.refused for step in awaited if step.refused)
    return [f"⚠️ **The last answer was not accepted.** {markdown_plain(why)}" for why in reasons]


def asked(awaited: Sequence[Step]) -> str:
    """What is asked of reviewers, applicants and coordinators, and by when, as Markdown."""
    lines = []
    reviews = [step for step in awaited if step.kind is StepKind.REVIEW]
    if reviews:
        by = " and ".join(sorted({in_words(step.due_at) for step in reviews if step.due_at}))
        who = "One review is" if len(reviews) == 1 else f"{len(reviews)} reviews by different people are"
        lines.append(
            f"{who} awaited"
            + (f" by **{by}**" if by else "")
            + ": points for every criterion and a comment. Instead you can ask the applicant a question, "
            "or say why you do not review this."
        )
    for step in awaited:
        by = f" by **{in_words(step.due_at)}**" if step.due_at else ""
        if step.kind is StepKind.INFORMATION:
            lines.append(f"The applicant’s answer is awaited{by} to: “{markdown_plain(step.question or '')}”")
        elif step.kind is StepKind.ASSIGNMENT:
            lines.append(f"The coordinator is asked{by} to name a reviewer without a conflict of interest.")
    return "\n\n".join(lines)


def about_school(session: Session, application: Application) -> str:
    """Which school applies, to whom and under which rules, as Markdown."""
    school = session.get_one(School, application.school)
    rows = [
        ("School", f"{school.name}, {school.city}, {country_name(school.country)}"),
        ("Registered since", school.registered_on.isoformat()),
        ("Applied to", session.get_one(Organisation, application.organisation).name),
        ("Application", f"{application.id}, under the rules {rules_of(session, application).version}"),
    ]
    return listed(f"**{name}:** {markdown_plain(value)}" for name, value in rows)


def _about(session: Session, application: Application) -> str:
    if application.label == "school":
        return about_school(session, application)
    content = application.content
    school = session.get_one(School, application.school)
    project = session.get_one(Project, application.project)
    pupils = content["pupils"]
    rows = [
        ("Applicant", session.get_one(Teacher, application.teacher).name),
        ("School", f"{school.name}, {school.city}, {country_name(school.country)}"),
        ("Pupils", f"{pupils['count']}, {pupils['average_age']:g} years old on average"),
        ("Project ran", f"{project.started_on} to {project.ended_on or 'today'}"),
        ("Applied to", session.get_one(Organisation, application.organisation).name),
        ("Application", f"{application.id}, under the rules {rules_of(session, application).version}"),
        # Shown as text, not as links: where they lead is the reader's own decision.
        *[("Link", link) for link in content["links"]],
    ]
    # A list, since the dialog is too narrow for a table and cuts off what does not fit.
    return listed(f"**{name}:** {markdown_plain(value)}" for name, value in rows)


def questions_answered(session: Session, application: Application) -> list[str]:
    """What the applicant was asked, with the answers, as Markdown."""
    return [
        f"**The applicant was asked:** “{markdown_plain(step.question or '')}”\n\n"
        + (
            f"**and answered:**\n\n{markdown_paragraphs((step.answer or {}).get('text', ''))}"
            if step.state is StepState.ANSWERED
            else "**and did not answer in time.**"
        )
        for step in steps_of(session, application, StepKind.INFORMATION)
        if step.state in (StepState.ANSWERED, StepState.EXPIRED)
    ]


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
    until = now + timedelta(days=days)
    # The name stands outside the link, since Prefect's UI shows escapes within one as they are typed.
    lines = listed(
        f"{document.kind.capitalize()}: {markdown_plain(document.name)} – "
        f"[open]({here.documents.link(document.key, document.name, document.media_type, until, now)})"
        for document in rows
    )
    return f"### Documents\n\nThe links work for {days} days.\n\n{lines}"


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
    title = (
        session.get_one(Project, application.project).title
        if application.project
        else session.get_one(School, application.school).name
    )
    parts = [f"# {row.outcome.value.capitalize()}: {markdown_plain(title)}", _about(session, application)]
    if "lines" in verdict:
        parts.append(score_table(session, application))
        parts.append("### Reasons\n\n" + listed(map(markdown_plain, verdict["reasons"])))
        comments = "\n\n---\n\n".join(filter(None, map(markdown_paragraphs, verdict["comments"])))
        parts.append(comments and f"### Comments for the applicant\n\n{comments}")
    if "conditions" in verdict:
        parts.append(
            "### Conditions that are not met\n\n"
            + listed(
                f"{markdown_plain(one['problem'])} *{markdown_plain(one['remedy'])}*"
                for one in verdict["conditions"]
            )
        )
    parts.append(documents(session, here, application, "certificate", "letter"))
    parts.append(
        f"Decided at {in_words(row.decided_at)} under the rules {rules_of(session, application).version}."
    )
    return "\n\n".join(part for part in parts if part)
