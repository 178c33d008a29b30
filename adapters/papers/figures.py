"""The statistics in a language, as the desk's page and the printed report show them: tiles, tables and plots from one place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup

from adapters.languages.mails import LABELS
from adapters.languages.wording import Texts
from adapters.papers import plots
from labels.kinds import LabelKind
from labels.rules.calendars import in_writing
from labels.views import statistic_words as words
from labels.views.counts import Count
from labels.views.statistic_words import HIDDEN, NONE, Number, Unit
from labels.views.statistics import Line, Reviewing, Statistics


@dataclass(frozen=True, slots=True)
class Tile:
    """One of the figures that stand first."""

    figure: str
    what: str
    beside: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A row with a number of this year and of the year before, each also as a bar."""

    name: str
    text: str
    before: str
    width: float
    """Of the longest, in percent."""
    mark: float | None
    """Where the year before stands."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A table: what its columns are called, and its rows, each beginning with its name."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


_NOBODY = Reviewing()
_ACROSS = (
    words.RECEIVED, words.DECIDED, words.AWARDED, words.SHARE_AWARDED, words.REFUSED, words.WITHDRAWN,
    words.FIRST_REVIEW_MEDIAN, words.DECISION_MEDIAN,
)  # fmt: skip
"""The columns of tables that have a row for each year, label or organisation."""


@dataclass(frozen=True)
class Figures:
    """Some statistics in the language of some texts."""

    found: Statistics
    texts: Texts
    mirrored: bool = False
    """Whether reading runs from right to left."""

    # Words -----------------------------------------------------------------------------------------

    @property
    def organisation(self) -> str:
        """Whose they are."""
        return self.texts.said(words.ALL_ORGANISATIONS) if self.found.every else self.found.organisation.name

    @property
    def label(self) -> str:
        """Of which label."""
        return self.label_name(self.found.label)

    def label_name(self, label: LabelKind | None) -> str:
        """What a label is called."""
        if label is None:
            return self.texts.said(words.ALL_LABELS)
        return self.texts.named(LABELS[label].context, LABELS[label].text)

    @property
    def year(self) -> str:
        """The school year."""
        return in_writing(self.found.year)

    @property
    def year_before(self) -> str:
        """The one before it."""
        return in_writing(self.found.year - 1)

    def text(self, number: Number, line: Line, reviewing: Reviewing = _NOBODY) -> str:
        """A number as it is written."""
        value = number.of(line, reviewing)
        if value is None:
            return HIDDEN if number.count else NONE
        match number.unit:
            case Unit.COUNT:
                return self.texts.whole(value)
            case Unit.PERCENT:
                return self.texts.percent(value)
        return self.texts.decimal(value)

    # The year --------------------------------------------------------------------------------------

    @cached_property
    def tiles(self) -> list[Tile]:
        """The figures of the year, each with the year before."""
        return [
            Tile(
                self.text(number, self.found.line),
                self.texts.said(number.name),
                self.texts.said(words.beside(self.text(number, self.found.before), self.year_before)),
            )
            for number in (
                words.RECEIVED, words.DECIDED, words.AWARDED, words.SHARE_AWARDED,
                words.FIRST_REVIEW_MEDIAN, words.DECISION_MEDIAN,
            )
        ]  # fmt: skip

    def _bars(self, numbers: Iterable[Number]) -> list[Bar]:
        this, last = self.found.line, self.found.before
        told = [
            one
            for one in numbers
            if one.count is not Count.EXPIRED or one.of(this, _NOBODY) or one.of(last, _NOBODY)
        ]
        pairs = [(one, one.of(this, _NOBODY), one.of(last, _NOBODY)) for one in told]
        most = max((value or 0 for _, *both in pairs for value in both), default=0) or 1
        return [
            Bar(
                self.texts.said(one.name),
                self.text(one, this),
                self.text(one, last),
                round(100 * (value or 0) / most, 1),
                None if before is None else round(100 * before / most, 1),
            )
            for one, value, before in pairs
        ]

    @cached_property
    def outcomes(self) -> list[Bar]:
        """What became of what was received."""
        return self._bars(words.OUTCOMES)

    @cached_property
    def stages(self) -> list[Bar]:
        """Where the open ones are."""
        return self._bars(words.STAGES)

    @cached_property
    def durations(self) -> list[Bar]:
        """How long it took."""
        return self._bars(words.DURATIONS)

    def _two_years(self, numbers: Iterable[Number]) -> Rows:
        this, last = self.found.reviewing[self.found.year], self.found.reviewing[self.found.year - 1]
        rows = [
            (
                self.texts.said(one.name),
                self.text(one, self.found.line, this),
                self.text(one, self.found.before, last),
            )
            for one in numbers
        ]
        return Rows((self.texts.said(words.NUMBER), self.year, self.year_before), rows)

    @cached_property
    def afterwards(self) -> Rows:
        """Appeals and labels that were taken back."""
        return self._two_years(words.AFTERWARDS)

    @cached_property
    def reviewing(self) -> Rows:
        """Reviewers and reviews."""
        return self._two_years(words.REVIEWING)

    # Tables ----------------------------------------------------------------------------------------

    def _table(self, first: str, lines: Iterable[tuple[str, Line]]) -> Rows:
        heads = (first, *(self.texts.said(one.name) for one in _ACROSS))
        return Rows(heads, [(name, *(self.text(one, line) for one in _ACROSS)) for name, line in lines])

    @cached_property
    def years(self) -> Rows:
        """The ten years, the latest first."""
        lines = [(in_writing(year), line) for year, line in sorted(self.found.years.items(), reverse=True)]
        return self._table(self.texts.said(words.SCHOOL_YEAR), lines)

    @cached_property
    def labels(self) -> Rows:
        """Each label."""
        lines = [(self.label_name(label), line) for label, (line, _) in self.found.labels.items()]
        return self._table(self.texts.said(words.LABEL), lines)

    @cached_property
    def organisations(self) -> Rows:
        """Each organisation, under the name of its country."""
        lines = [(self.texts.country(one.country), line) for one, line in self.found.organisations]
        return self._table(self.texts.said(words.ORGANISATION), sorted(lines, key=lambda line: line[0]))

    @cached_property
    def words(self) -> list[tuple[str, str]]:
        """What each number means."""
        return [(self.texts.said(one.name), self.texts.said(one.means)) for one in words.NUMBERS]

    # Plots -----------------------------------------------------------------------------------------

    @cached_property
    def most(self) -> str:
        """In which year most was received; empty where no year's number is shown."""
        counts = [(line.counts[Count.RECEIVED] or 0, year) for year, line in self.found.years.items()]
        number, year = max(counts)
        if not number:
            return ""
        return self.texts.said(words.most_received(in_writing(year), self.texts.whole(number)))

    @cached_property
    def received_plot(self) -> Markup:
        """Received and awarded over the ten years."""
        shown = [
            plots.Column(
                _short(year),
                line.counts[Count.RECEIVED],
                line.counts[Count.AWARDED],
                self.text(words.RECEIVED, line),
            )
            for year, line in self.found.years.items()
        ]
        title = Markup(self.texts.said(words.RECEIVED_PLOT)).striptags()
        return plots.columns(
            title, Markup(self.most).striptags(), shown, mirrored=self.mirrored, name="received"
        )

    @cached_property
    def days_plot(self) -> Markup:
        """Days to the first review and to the decision over the ten years."""
        series = [
            plots.Series(
                [number.of(line, _NOBODY) for line in self.found.years.values()],
                [self.text(number, line) for line in self.found.years.values()],
                first=number is words.DECISION_MEDIAN,
            )
            for number in (words.DECISION_MEDIAN, words.FIRST_REVIEW_MEDIAN)
        ]
        title = Markup(self.texts.said(words.DAYS_PLOT)).striptags()
        names = [_short(year) for year in self.found.years]
        return plots.lines(title, title, names, series, mirrored=self.mirrored, name="days")


def _short(year: int) -> str:
    """A school year where there is little room: `25/26`."""
    return in_writing(year)[2:]
