"""The yearly report: an organisation's statistics on paper, for its ministry."""

from __future__ import annotations

from pathlib import Path

from adapters.fonts import with_placeholders
from adapters.languages.wording import RIGHT_TO_LEFT, Texts
from adapters.papers.environment import TEMPLATES, paper_environment
from adapters.papers.figures import Figures
from labels.clock import brussels_day
from labels.papers.branding import brand_of
from labels.views import statistic_words
from labels.views.statistics import Statistics
from labels.words.languages import ENGLISH, primary, translated

SHEET = TEMPLATES / "reports" / "report.css"


def language_of_report(wanted: str) -> str:
    """The language that a report is in: the one asked for, where it has all that a report says, else English."""
    spoken = primary(wanted)
    has_all = spoken in translated() and Texts(spoken, {}).can_say(statistic_words.sentences())
    return spoken if has_all else ENGLISH


def render_report(found: Statistics, language: str, branding: Path | None = None) -> bytes:
    """The statistics as PDF/A-3a and PDF/UA-1; the same statistics give the same bytes.

    Args:
        found: the statistics.
        language: the one that is wished for.
        branding: the folder of what organisations have of their own.

    Raises:
        InvalidInput: something in `branding` can't be used.
    """
    from adapters.press.pdf import instant_of, press_of

    spoken = language_of_report(language)
    texts = Texts(spoken, {})
    day = brussels_day(found.at)
    html = (
        paper_environment()
        .get_template("reports/report.html.j2")
        .render(
            found=found,
            figures=Figures(found, texts, mirrored=spoken in RIGHT_TO_LEFT),
            organisation=with_placeholders(found.organisation.name),
            words=statistic_words,
            texts=texts,
            said=texts.said,
            day=day,
            instant=instant_of(day),
        )
    )
    return press_of(brand_of(branding, found.organisation.id)).print(html, SHEET)
