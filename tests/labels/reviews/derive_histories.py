"""Derives the neutral sequences of `histories.txt` from a log of review processes (`reviewing.csv` of pm4py).

    python -m tests.labels.reviews.derive_histories reviewing.csv > tests/labels/reviews/histories.txt

Only what kind of event follows which is kept, and which reviews of one history are one person's: no date, no name, no
text of the log. `test_histories.py` says what the words stand for.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

PAIRS = {
    "invite reviewers": "invite",
    "collect reviews": "collect",
    "decide": "decide",
    "invite additional reviewer": "another",
    "accept": "accept",
    "reject": "reject",
}
"""What is logged when it begins and when it ends."""
RESULTS = {"1": "A", "2": "B", "3": "C", "X": "X"}
"""How the log calls the column with the result of a reviewer."""

Row = Mapping[str, str]


def histories(rows: Iterable[Row]) -> Iterator[list[str]]:
    """Each history as words, in the order of the log."""
    of: dict[str, list[Row]] = {}
    for row in rows:
        of.setdefault(row["case:concept:name"], []).append(row)
    for _, events in sorted(of.items(), key=lambda one: int(one[0])):
        yield list(words(events))


def words(events: Iterable[Row]) -> Iterator[str]:
    """The events of one history."""
    people: dict[str, str] = {}
    for event in events:
        name = event["concept:name"]
        if name in PAIRS:
            yield PAIRS[name] + ("(" if event["lifecycle:transition"] == "start" else ")")
            continue
        what, seat = name.rsplit(" ", 1)
        if what == "time-out":
            yield f"{seat}:late"
        else:
            who = people.setdefault(event["org:resource"], chr(ord("a") + len(people)))
            yield f"{seat}:{who}{'+' if event[f'Result by Reviewer {RESULTS[seat]}'] == 'accept' else '-'}"


if __name__ == "__main__":
    with Path(sys.argv[1]).open(encoding="utf-8", newline="") as log:
        for history in histories(csv.DictReader(log)):
            print(" ".join(history))
