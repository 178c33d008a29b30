"""The report of a rehearsal as a page that needs nothing from anywhere."""

from __future__ import annotations

from markupsafe import Markup

from adapters.papers import plots
from adapters.papers.environment import paper_environment
from labels.clock import in_words
from labels.views.rehearsal import Rehearsal
from labels.views.rehearsal_tables import cell_text, tables
from labels.words.sentences import english


def waiting_plot(found: Rehearsal, title: str, told: str, *, mirrored: bool) -> Markup:
    """Days to the decision of each year: what nine in ten do not exceed, and the middle within it."""
    shown = [
        plots.Column(
            str(place),
            one.decision.p90,
            one.decision.median,
            f"{one.decision.median or 0:g} / {one.decision.p90 or 0:g}",
        )
        for place, one in enumerate(found.played, 1)
    ]
    return plots.columns(title, told, shown, mirrored=mirrored, name="waiting")


def render_rehearsal(found: Rehearsal) -> bytes:
    """The report as HTML, in English; the same rehearsal gives the same bytes."""
    page: str = (
        paper_environment()
        .get_template("reports/rehearsal.html.j2")
        .render(
            found=found,
            at=in_words(found.made_at),
            plot=waiting_plot(
                found,
                "Days to the decision",
                "The middle of each year, and what nine in ten do not exceed.",
                mirrored=False,
            ),
            tables=[
                (
                    english(one.title),
                    [cell_text(head) for head in one.heads],
                    [[cell_text(cell) for cell in row] for row in one.rows],
                )
                for one in tables(found)
            ],
        )
    )
    return page.encode()
