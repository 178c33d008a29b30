"""A class's certificates, against WeasyPrint as its manual shows it: one page after the other.

Run it with `.venv/bin/python benchmarks/pupil_certificates.py`. Every way makes the same pages of the
same class in a process of its own, whose peak memory is printed too: *plain* loads fonts, style sheet and
art for each page and writes one PDF each; *one by one* shares them, as for single awards; *a class* lays
all out together and writes the file for printing as well, which the others do not.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from labels.papers import CertificateFacts

TIMES = 2.0
"""A class is to be made at least so many times as fast as by plain WeasyPrint."""
LARGEST = 400.0
"""Megabytes that the largest list the rules take may need, by which worker machines are sized."""

NAMES = (
    "Zsófia Kovács-Ștefănescu", "Αικατερίνη Παπαδοπούλου", "Олександра Ґудзь-Їжакевич",
    "ნინო გელაშვილი", "Անահիտ Տեր-Պետրոսյան", "فاطمة الزهراء بن عاشور", "Bo Li", "Siobhán O’Neill",
)  # fmt: skip


def main() -> None:
    """Makes the same class in each way and prints certificates a second."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pupils", type=int, default=30)
    parser.add_argument("--largest", type=int, default=100, help="pupils of the largest list")
    parser.add_argument("--rounds", type=int, default=3, help="how often; the best of each counts")
    arguments = parser.parse_args()
    ways: dict[str, Callable[[], None]] = {
        "plain": partial(plain, arguments.pupils),
        "one by one": partial(one_by_one, arguments.pupils),
        "a class": partial(together, arguments.pupils),
    }
    best: dict[str, tuple[float, float]] = {}
    for _ in range(arguments.rounds):
        for what, way in ways.items():
            measured = in_child(way)
            best[what] = min(measured, best.get(what, measured))
    print(f"{arguments.pupils} certificates{'':9}{'CPU ms each':>12}{'a second':>10}{'peak MB':>9}")
    for what, (seconds, peak) in best.items():
        each = seconds / arguments.pupils
        print(f"{what:25}{each * 1000:>12.1f}{1 / each:>10.1f}{peak:>9.0f}")
    ratio = best["plain"][0] / best["a class"][0]
    print(f"\na class / plain: {ratio:.2f} times as fast ({verdict(ratio >= TIMES)}: at least {TIMES})")
    _, peak = in_child(partial(together, arguments.largest))
    print(
        f"{arguments.largest} pupils at once: {peak:.0f} MB ({verdict(peak <= LARGEST)}: at most {LARGEST:.0f})"
    )


def verdict(reached: bool) -> str:
    """How a target is told of."""
    return "reached" if reached else "MISSED"


def facts(pupils: int) -> list[CertificateFacts]:
    """A class whose names go round the scripts of the registry."""
    return [
        CertificateFacts.of(
            label="pupil", application="PQL-0123456789", holder=f"{NAMES[n % len(NAMES)]}", school="Liceum nr 7",
            city="Łódź", country="Poland", project="Rivers Without Borders", organisation="Narodowe Biuro",
            awarded_on=date(2026, 3, 16), school_year="2025/26",
        )
        for n in range(pupils)
    ]  # fmt: skip


def plain(pupils: int) -> None:
    """Every page from the beginning: `HTML(string=…).write_pdf(stylesheets=…)`."""
    from tasks.rendering.certificates import SHEET, _sheets, _titled, _worded
    from tasks.rendering.environment import texts
    from tasks.rendering.pdf import ART, SCHEME, AssetDoor  # before WeasyPrint, to which it shows the fonts

    import weasyprint  # isort: skip

    words = texts("certificates", "pupil", "en")
    for one in facts(pupils):
        html, _, codes = _worded(_sheets([one], words), words, _titled(one, words))
        door = AssetDoor(ART)
        weasyprint.HTML(string=html, base_url=SCHEME, url_fetcher=door).write_pdf(
            stylesheets=[weasyprint.CSS(string=SHEET.read_text("utf-8"), base_url=SCHEME, url_fetcher=door)],
            pdf_variant="pdf/a-3a",
            cache=dict(codes),
        )


def one_by_one(pupils: int) -> None:
    """Each with what is shared for as long as the process lives."""
    from tasks.rendering.certificates import render_certificate

    for one in facts(pupils):
        render_certificate(one)


def together(pupils: int) -> None:
    """As `labels pupils` does it, the file for printing too."""
    from tasks.rendering.certificates import render_certificates

    render_certificates(facts(pupils))


def in_child(way: Callable[[], None]) -> tuple[float, float]:
    """Seconds of a processor and megabytes at the most, in a process of its own that has printed before."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            one_by_one(1)
            began = time.process_time()
            way()
            os.write(writing, repr(time.process_time() - began).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        seconds = float(told.read())
    _, _, used = os.wait4(child, 0)
    return seconds, used.ru_maxrss / 1024


if __name__ == "__main__":
    main()
