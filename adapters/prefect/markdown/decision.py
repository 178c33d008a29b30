"""A decision, with its points, reasons and papers."""

from __future__ import annotations

from adapters.prefect.markdown.common import about_it, documents, joined, listed
from adapters.prefect.markdown.links import Links
from labels.clock import in_words
from labels.views.decision import DecisionShown, ScoreTable
from labels.words.text import markdown_paragraphs, markdown_plain


def decision(shown: DecisionShown, links: Links) -> str:
    """The outcome with its reasons and papers."""
    title = f"# {shown.outcome.value.capitalize()}: {markdown_plain(shown.about.title)}"
    parts = [title, about_it(shown.about)]
    if shown.scores:
        parts += [_scores(shown.scores), "### Reasons\n\n" + listed(map(markdown_plain, shown.reasons))]
        comments = "\n\n---\n\n".join(filter(None, map(markdown_paragraphs, shown.comments)))
        parts.append(comments and f"### Comments for the applicant\n\n{comments}")
    if shown.conditions:
        unmet = listed(
            f"{markdown_plain(one.problem)} *{markdown_plain(one.remedy)}*" for one in shown.conditions
        )
        parts.append(f"### Conditions that are not met\n\n{unmet}")
    parts += [
        documents(shown.papers, links),
        f"Decided at {in_words(shown.decided_at)} under the rules {shown.about.rules}.",
    ]
    return joined(parts)


def _scores(table: ScoreTable) -> str:
    """The points of every reviewer per criterion."""
    reviewers = range(1, len(table.totals) + 1)
    head = " | ".join(f"Reviewer {n}" for n in reviewers)
    lines = [f"| Criterion | {head} | of |", "|---|" + "---|" * (len(reviewers) + 1)]
    for line in table.lines:
        points = " | ".join("–" if given is None else str(given) for given in line.points)
        lines.append(f"| {markdown_plain(line.criterion)} | {points} | {line.maximum} |")
    totals = " | ".join(f"**{total}**" for total in table.totals)
    lines.append(f"| **Total** | {totals} | {table.maximum} |")
    return "\n".join(lines)
