"""A reviewer's list and their own numbers; which part of the list is shown stands in the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from starlette.responses import Response
from starlette.routing import Route

from adapters.languages.desk import DeskTexts, language_name
from desk.frame import Visit, page
from desk.lists import AFTER, address_of, one_of, place, place_in
from labels.clock import brussels_day
from labels.kinds import LabelKind
from labels.sessions.accounts import Account
from labels.views.review_list import Due, Filters, Key, ReviewList, Tab, review_list
from labels.views.review_statistics import BANDS, my_statistics
from labels.words.sentences import Sentence, say

LIST = "/reviews"
STATISTICS = "/reviews/statistics"

TABS: Mapping[Tab, Sentence] = {
    Tab.TO_DO: say("To do"),
    Tab.WAITING: say("Waiting for an answer"),
    Tab.SENT: say("Sent"),
}
DUES: Mapping[Due, Sentence] = {
    Due.OVERDUE: say("overdue"),
    Due.WEEK: say("this week"),
    Due.MONTH: say("this month"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter of the list."""

    name: str
    label: Sentence
    value: str
    options: Sequence[tuple[str, object]]


def judges(account: Account) -> bool:
    """Whether somebody may have reviews: the staff of an organisation, for coordinators take reviews over."""
    return account.staff


def filters_in(query: Mapping[str, str]) -> Filters:
    """The filters in an address; what is none is left out."""
    return Filters(
        tab=one_of(Tab, query.get("state")) or Tab.TO_DO,
        due=one_of(Due, query.get("due")),
        label=one_of(LabelKind, query.get("label")),
        country=query.get("country", "")[:2] or None,
        language=query.get("language", "")[:3] or None,
        words=query.get("q", "")[:100],
    )


def query_of(filters: Filters, after: Key | None = None) -> str:
    """The filters as the end of an address, so that they survive opening a case; empty where there are none."""
    chosen = {
        "state": filters.tab.value if filters.tab is not Tab.TO_DO else "",
        "due": filters.due.value if filters.due else "",
        "label": filters.label.value if filters.label else "",
        "country": filters.country or "",
        "language": filters.language or "",
        "q": filters.words,
        AFTER: place(after.at, after.step) if after else "",
    }
    return address_of(chosen)


def key_in(query: Mapping[str, str]) -> Key | None:
    """After which row the page begins; None at the beginning, and where an address says nothing of ours."""
    return Key(*found) if (found := place_in(query)) else None


def reviews(visit: Visit) -> Response:
    """The list."""
    query = visit.request.query_params
    filters, after, now = filters_in(query), key_in(query), visit.here.now()
    with visit.here.record.reading() as session:
        found = review_list(session, visit.account.person, now, filters, after=after)
    template = "reviews/list.html.j2"
    texts = visit.texts(template)
    return visit.shows(
        template,
        found=found,
        filters=filters,
        tabs=[
            (
                words,
                LIST + query_of(replace(filters, tab=tab, due=None)),
                found.counts[tab],
                tab is filters.tab,
            )
            for tab, words in TABS.items()
        ],
        choices=_choices(texts, filters, found),
        chosen=_chosen(texts, filters),
        clear=LIST + query_of(Filters(tab=filters.tab)),
        query=query_of(filters),
        further=LIST + query_of(filters, found.next) if found.next else "",
        first_page=after is None,
        days_until=_days_until(now),
        language_name=lambda code: language_name(code, texts.language),
    )


def _days_until(now: datetime) -> Callable[[datetime], int]:
    today = brussels_day(now)
    return lambda until: (brussels_day(until) - today).days


def _choices(texts: DeskTexts, filters: Filters, found: ReviewList) -> list[Choice]:
    """The filters that have something to choose from."""
    there, all_of = found.choices, ("", say("all"))
    due = [("", say("any time")), *((one.value, words) for one, words in DUES.items())]
    labels = [all_of, *((one.value, texts.label(one)) for one in there.labels)]
    countries = [all_of, *((code, texts.country(code)) for code in there.countries)]
    spoken = [all_of, *((code, language_name(code, texts.language)) for code in there.languages)]
    offered = [
        Choice("due", say("Due"), filters.due.value if filters.due else "", due),
        Choice("label", say("Label"), filters.label.value if filters.label else "", labels),
        Choice("country", say("Country"), filters.country or "", countries),
        Choice("language", say("Language"), filters.language or "", spoken),
    ]
    if filters.tab is not Tab.TO_DO:
        del offered[0]
    return [one for one in offered if len(one.options) > 2 or one.value]


def _chosen(texts: DeskTexts, filters: Filters) -> list[tuple[object, str]]:
    """Each filter that is set, with the address at which it is not."""
    found: list[tuple[object, Filters]] = []
    if filters.due:
        found.append((DUES[filters.due], replace(filters, due=None)))
    if filters.label:
        found.append((texts.label(filters.label), replace(filters, label=None)))
    if filters.country:
        found.append((texts.country(filters.country), replace(filters, country=None)))
    if filters.language:
        name = language_name(filters.language, texts.language)
        found.append((name, replace(filters, language=None)))
    if filters.words:
        found.append((f"“{filters.words}”", replace(filters, words="")))
    return [(words, LIST + query_of(without)) for words, without in found]


def numbers(visit: Visit) -> Response:
    """A reviewer's own statistics."""
    with visit.here.record.reading() as session:
        mine = my_statistics(session, visit.account.person)
    return visit.shows(
        "reviews/statistics.html.j2", mine=mine, bands=BANDS, number=lambda value: Decimal(str(value))
    )


def routes() -> list[Route]:
    """The addresses of these pages."""
    return [page(LIST, reviews, allowed=judges), page(STATISTICS, numbers, allowed=judges)]
