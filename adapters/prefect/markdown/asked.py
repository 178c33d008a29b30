"""What is asked of whom by when, and why the last answer was not accepted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from labels.clock import in_words
from labels.record.schema import StepKind
from labels.views.briefs.common import Asked
from labels.words.text import markdown_plain


def warnings(asked: Iterable[Asked]) -> list[str]:
    """Why the last answer was not accepted."""
    reasons = dict.fromkeys(one.refused for one in asked if one.refused)
    return [f"⚠️ **The last answer was not accepted.** {markdown_plain(why)}" for why in reasons]


def dates(asked: Iterable[Asked]) -> str:
    """The days by which it is awaited; empty where there is none."""
    return " and ".join(sorted({in_words(one.due_at) for one in asked if one.due_at}))


def by_reviewers(asked: Sequence[Asked]) -> str:
    """What is asked of reviewers, applicants and coordinators."""
    lines = []
    reviews = [one for one in asked if one.kind is StepKind.REVIEW]
    if reviews:
        who = "One review is" if len(reviews) == 1 else f"{len(reviews)} reviews by different people are"
        lines.append(
            f"{who} awaited{_until(reviews)}: points for every criterion and a comment. Instead you can ask the "
            "applicant a question, or say why you do not review this."
        )
    for one in asked:
        by = _until([one])
        if one.kind is StepKind.INFORMATION:
            lines.append(f"The applicant’s answer is awaited{by} to: “{markdown_plain(one.question or '')}”")
        elif one.kind is StepKind.ASSIGNMENT:
            lines.append(f"The coordinator is asked{by} to name a reviewer without a conflict of interest.")
        elif one.kind is StepKind.DECISION:
            lines.append(
                f"The coordinator is asked{by} to decide: to award the label, to refuse it, or to have one more reviewer "
                "asked. The reviews are on the case’s page of the desk."
            )
    return "\n\n".join(lines)


def by_school(asked: Sequence[Asked]) -> str:
    """What is asked of a school; empty where it is asked for nothing."""
    lines = []
    teachers = sum(one.kind is StepKind.SELF_ASSESSMENT for one in asked)
    if teachers:
        who = "One teacher" if teachers == 1 else f"Each of {teachers} teachers"
        lines.append(
            f"The school’s self-assessment is awaited by **{dates(asked)}**. {who} may hand it in, with the command "
            "in the invitation: it has more questions than a form. Resuming here with nothing filled in makes the "
            "run look at the record again."
        )
    if any(one.kind is StepKind.DECLARATION for one in asked):
        lines.append(
            f"The principal is asked to confirm the self-assessment by **{dates(asked)}**, with the command in the "
            "mail."
        )
    return "\n\n".join(lines)


def _until(asked: Iterable[Asked]) -> str:
    return f" by **{by}**" if (by := dates(asked)) else ""
