"""Certificates a second: WeasyPrint as its manual shows it, ours one by one, as a class and as a campaign, and Typst.

    .venv/bin/python -m benchmarks.certificates                     # the table, about two minutes
    .venv/bin/python -m benchmarks.certificates --count 100000      # a long run: its rate and memory as it goes
    .venv/bin/python -m benchmarks.certificates --profile           # where the rest of the time goes

Every way makes complete files of the same page: PDF/A-3a and PDF/UA-1, code, credential attached. Each runs in a
process of its own that has printed before; what counts is the processor's time, the best of some rounds. *Plain* is
`HTML(…).write_pdf(…)` for each page and nothing else: the page's wording is not counted. Typst comes from PyPI into
an environment of the benchmark's own (`~/.cache/etwinning-labels/benchmarks`).
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import resource
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from adapters.papers.campaigns import Wanted, render_each
from labels.papers.facts import CertificateFacts

PUPILS_TIMES, OTHERS_TIMES = 30, 3
"""How many times as fast as plain a campaign's pupil certificates, and the others, are to be."""
LARGEST = 80.0
"""Kilobytes that a file may have."""
GROWTH = 1.15
"""By how much memory may grow between the first tenth of a long run and its end."""
CHECK_URL = "https://labels.example.eu/verify"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "etwinning-labels" / "benchmarks"
TYPST = "typst==0.15.2", "segno==1.6.6"

GIVEN = (
    "Zsófia", "Łukasz", "Siobhán", "Ana Maria", "Johann", "Pernilla", "Ştefan", "Žofia", "İpek", "Bo", "Chiara",
    "Αικατερίνη", "Γιώργος", "Олександра", "Ђорђе", "Мария",
)  # fmt: skip
FAMILY = (
    "Kovács", "Ștefănescu", "O’Neill", "Żółć-Nowak", "Müller", "Åkerström", "de la Cruz", "Çelik", "Li", "Rossi",
    "Παπαδοπούλου", "Χατζηαντωνίου", "Шевченко", "Ђорђевић", "Їжакевич",
)  # fmt: skip
ELSEWHERE = "ნინო გელაშვილი", "Անահիտ Տեր-Պետրոսյան", "فاطمة الزهراء بن عاشور"
"""Names in other scripts, one in fifty."""


def render_many(wanted: Iterable[Wanted], *, processes: int) -> Iterator[bytes]:
    """The certificates in the order in which they are wanted; each can be printed."""
    for made in render_each(wanted, processes=processes):
        assert isinstance(made, bytes)
        yield made


def people(seed: int) -> Iterator[str]:
    """Names without end, of two scripts mostly, which are mixed in no name."""
    chance = Random(seed)
    latin = [[name for name in names if name[0] < "Α"] for names in (GIVEN, FAMILY)]
    other = [[name for name in names if name[0] >= "Α"] for names in (GIVEN, FAMILY)]
    while True:
        given, family = latin if chance.random() < 0.8 else other
        yield (
            chance.choice(ELSEWHERE)
            if chance.random() < 0.02
            else f"{chance.choice(given)} {chance.choice(family)}"
        )


def pupils(count: int, class_size: int = 20) -> Iterator[Wanted]:
    """Pupils of many classes, each of its own school and project; one class where the size is the count."""
    for index, name in zip(range(count), people(7), strict=False):
        number = index // class_size
        yield CertificateFacts.of(
            label="pupil", application=f"PQL-{number:010}", holder=name, school=f"Liceum nr {number % 997 + 1}",
            city="Łódź", country="Poland", project=f"Rivers Without Borders {number % 313 + 1}",
            organisation="Narodowe Biuro", coordinator="Dr. Margareta Lindqvist", awarded_on=date(2026, 10, 14),
            school_year="2025/26", code=code(index), check_url=CHECK_URL,
        ), credential(name, index)  # fmt: skip


def awards(count: int) -> Iterator[Wanted]:
    """European labels, no two of which have more in common than the day."""
    for index, name in zip(range(count), people(11), strict=False):
        yield CertificateFacts.of(
            label="european", application=f"EQL-{index:010}", holder=name, school=f"Liceum nr {index % 997 + 1}",
            city=f"City {index % 89}", country="Poland", project=f"Rivers Without Borders {index % 313 + 1}",
            organisation="Central Support Service", awarded_on=date(2026, 10, 14), school_year="2025/26",
            criteria_set="2022 (five criteria)", code=code(index), check_url=CHECK_URL,
        ), credential(name, index)  # fmt: skip


def code(index: int) -> str:
    """A code as certificates have it."""
    digits = Random(index)
    return "-".join("".join(digits.choices("23456789ABCDEFGHJKMNPQRSTVWXYZ", k=4)) for _ in range(4))


def credential(name: str, index: int) -> bytes:
    """About as large as the real one."""
    subject = {
        "type": "AchievementSubject",
        "name": name,
        "note": "which a school in Europe has earned. " * 40,
    }
    return json.dumps({"id": f"urn:label:{index}", "credentialSubject": subject}, ensure_ascii=False).encode()


# ——— the ways


def plain(wanted: Iterable[Wanted]) -> Callable[[], Iterator[bytes]]:
    """Every page from the beginning: fonts, style sheet and art are loaded for each."""
    from adapters.papers.certificates import _attached, _sheets, _titled, _worded
    from adapters.papers.environment import texts
    from adapters.press.pdf import ART, SCHEME, AssetDoor  # before WeasyPrint, to which it shows the fonts

    import weasyprint  # isort: skip

    described = []
    for one, attached in wanted:
        words = texts("certificates", one.label.value, one.language)
        page = _worded(_sheets([one], words), words, _titled(one, words))
        described.append((*page, _attached(one, attached, words)))

    def way() -> Iterator[bytes]:
        for html, sheet, codes, attached in described:
            door = AssetDoor(ART)
            style = weasyprint.CSS(string=sheet.read_text("utf-8"), base_url=SCHEME, url_fetcher=door)
            yield weasyprint.HTML(string=html, base_url=SCHEME, url_fetcher=door).write_pdf(
                stylesheets=[style],
                pdf_variant="pdf/a-3a",
                cache=dict(codes),
                attachments=[attached.file()] if attached else [],
            )

    return way


def one_by_one(wanted: Iterable[Wanted]) -> Callable[[], Iterator[bytes]]:
    """As a single award's certificate is made."""
    from adapters.papers.certificates import render_certificate

    given = list(wanted)
    return lambda: (render_certificate(*one) for one in given)


def class_of(wanted: Iterable[Wanted], *, bound: bool) -> Callable[[], Iterator[bytes]]:
    """As `labels pupils` does it; with the file for printing, or without it."""
    from adapters.papers.certificates import Stamping, render_certificates

    facts, credentials = zip(*wanted, strict=True)
    if bound:
        return lambda: iter(render_certificates(facts, credentials)[0])
    return lambda: iter(Stamping().print(facts, credentials))


def campaign(wanted: Iterable[Wanted]) -> Callable[[], Iterator[bytes]]:
    """As a campaign does it, on one core."""
    given = list(wanted)
    return lambda: render_many(given, processes=1)


# ——— measuring


@dataclass(frozen=True, order=True)
class Measured:
    """What one certificate takes."""

    seconds: float
    size: float
    """Bytes."""
    peak: float
    """Megabytes of the process."""


def in_child(prepare: Callable[[], Callable[[], Iterator[bytes]]]) -> Measured:
    """Seconds of a processor for each file, in a process of its own that has printed before."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            way = prepare()
            list(one_by_one(pupils(1))())
            list(class_of(pupils(2), bound=True)())
            began = time.process_time()
            sizes = [len(file) for file in way()]
            taken = time.process_time() - began
            told = [taken / len(sizes), sum(sizes) / len(sizes)]
            os.write(writing, json.dumps(told).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told_by:
        seconds, size = json.load(told_by)
    _, _, used = os.wait4(child, 0)
    return Measured(seconds, size, used.ru_maxrss / 1024)


def in_typst(wanted: Iterable[Wanted], picture: Path) -> tuple[Measured, str]:
    """The same with Typst, and its version."""
    given = [
        {
            "holder": one.holder, "school": one.school, "place": f"{one.city}, {one.country}", "project": one.project,
            "signs": one.coordinator, "organisation": one.organisation, "year": one.school_year, "code": one.code,
            "check": "Check it at labels.example.eu/verify", "number": one.application,
            "address": f"{one.check_url}/{one.code}", "credential": (attached or b"").decode(),
        }
        for one, attached in wanted
    ]  # fmt: skip
    command = [typst_python(), Path(__file__).with_name("typst_certificates.py"), picture]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    return Measured(told["seconds"] / len(given), told["size"], told["peak"]), told["version"]


def typst_python() -> Path:
    """An interpreter that has Typst; made the first time."""
    folder = CACHE / TYPST[0].replace("==", "-")
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        print(f"(putting Typst into {folder})", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *TYPST], check=True, stdout=subprocess.DEVNULL)
        (folder / "ready").touch()
    return python


def a_second(wanted: Callable[[], Iterable[Wanted]], processes: int) -> float:
    """Certificates a second by the clock, once all processes are at work."""
    made = render_many(wanted(), processes=processes)
    for _ in islice(made, 400 * processes):
        pass
    began, count = time.perf_counter(), 0
    for _ in made:
        count += 1
    return count / (time.perf_counter() - began)


# ——— what is printed


def compare(arguments: argparse.Namespace) -> None:
    """Prints the table."""
    size, many, few = arguments.pupils, arguments.campaign, arguments.few
    ways: dict[str, Callable[[], Callable[[], Iterator[bytes]]]] = {
        "plain WeasyPrint, pupils": lambda: plain(pupils(few)),
        "one by one, pupils": lambda: one_by_one(pupils(few)),
        f"a class of {size}": lambda: class_of(pupils(size, size), bound=False),
        f"a class of {size}, and bound for printing": lambda: class_of(pupils(size, size), bound=True),
        f"a campaign of {many} pupils, classes of 20": lambda: campaign(pupils(many)),
        "plain WeasyPrint, European labels": lambda: plain(awards(few)),
        "one by one, European labels": lambda: one_by_one(awards(few)),
        f"a campaign of {many} European labels": lambda: campaign(awards(many)),
    }
    best: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(arguments.rounds):
            for name, prepare in ways.items():
                measured = in_child(prepare)
                best[name] = min(measured, best.get(name, measured))
            if not arguments.without_typst:
                measured, version = in_typst(pupils(size, size), Path(folder) / "typst.pdf")
                name = f"Typst {version}, a class of {size}"
                best[name] = min(measured, best.get(name, measured))
    (slowest, _, one_class, _, whole, other, _, others), typst = list(best)[:8], list(best)[8:]
    print(f"{'':46}{'CPU ms':>8}{'a second':>10}{'× plain':>9}{'kB':>6}{'peak MB':>9}")
    for name, one in best.items():
        base = best[other if "European" in name else slowest]
        print(
            f"{name:46}{one.seconds * 1000:>8.2f}{1 / one.seconds:>10.1f}{base.seconds / one.seconds:>9.1f}"
            f"{one.size / 1000:>6.0f}{one.peak:>9.0f}"
        )
    print()
    told("pupils, campaign / plain", best[slowest].seconds / best[whole].seconds, PUPILS_TIMES)
    told("European labels, campaign / plain", best[other].seconds / best[others].seconds, OTHERS_TIMES)
    for name in typst:
        told(f"a class / {name}", best[name].seconds / best[one_class].seconds, 1)
        told(f"pupils, campaign / {name}", best[name].seconds / best[whole].seconds, 1)
    largest = max(one.size for name, one in best.items() if "Typst" not in name) / 1000
    print(f"largest mean size: {largest:.0f} kB ({verdict(largest <= LARGEST)}: at most {LARGEST:.0f})")
    rates = {cores: a_second(lambda: pupils(many * 2), cores) for cores in (1, 2)}
    print(f"by the clock: {rates[1]:.0f} a second on one core, {rates[2]:.0f} on two of {os.cpu_count()}")


def told(what: str, ratio: float, times: float) -> None:
    """Prints a ratio and whether it is what is to be reached."""
    print(f"{what}: {ratio:.1f} times as fast ({verdict(ratio >= times)}: at least {times:g})")


def verdict(reached: bool) -> str:
    """How a target is told of."""
    return "reached" if reached else "MISSED"


def run_long(count: int, processes: int) -> None:
    """Makes so many pupil certificates and prints, at every tenth, the rate since the last and the memory."""
    began = last = time.perf_counter()
    sizes, memory, rates = 0, [], []
    print(f"{'made':>8}{'a second':>10}{'MB here':>9}{'MB all':>8}")
    for made, file in enumerate(render_many(pupils(count), processes=processes), 1):
        sizes += len(file)
        if made % max(1, count // 10) == 0:
            now = time.perf_counter()
            rates.append(count // 10 / (now - last))
            memory.append(resident())
            here = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{made:>8}{rates[-1]:>10.0f}{here:>9.0f}{memory[-1]:>8.0f}", flush=True)
            last = now
    seconds = time.perf_counter() - began
    print(f"{count} in {seconds:.0f} s: {count / seconds:.0f} a second, {sizes / count / 1000:.1f} kB each")
    grown = memory[-2] / memory[0]  # at the very end the processes are gone
    print(
        f"memory grew {grown:.2f} times since the first tenth ({verdict(grown <= GROWTH)}: at most {GROWTH})"
    )
    left = sorted(path.name for path in Path(tempfile.gettempdir()).iterdir())
    left = [name for name in left if not name.startswith("etwinning-labels-fonts")]  # what fontconfig knows
    print(f"left in the temporary folder: {', '.join(left) or 'nothing'}")


def resident() -> float:
    """Megabytes that this process and its children have in memory now."""
    found, waiting = 0, [os.getpid()]
    while waiting:
        process = Path("/proc") / str(waiting.pop())
        try:
            found += int((process / "statm").read_text().split()[1]) * resource.getpagesize()
            for task in (process / "task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return found / 1024 / 1024


PARTS = (
    ("composing: texts, sizes, checks", ("certificates.py:_composed", "certificates.py:_page")),
    ("square codes", ("codes.py:of_many",)),
    ("setting the page's own lines", ("stamping.py:_set_alone", "stamping.py:_runs_on")),
    ("cutting fonts down", ("stamping.py:_cut_down",)),
    ("what the file says of itself, credential", ("stamping.py:_named", "anchors.py:write_pdf_attachment")),
    ("packing and joining the file", ("files.py:file",)),
    ("the sample, printed plainly", ("stamping.py:_plain",)),
)
"""Where time goes, by the functions in which it does."""


def profile(count: int) -> None:
    """Prints the shares of the parts of a campaign's time, as the profiler sees them."""
    given = list(pupils(count))
    list(render_many(given[:400], processes=1))
    profiler = cProfile.Profile()
    profiler.enable()
    list(render_many(given, processes=1))
    profiler.disable()
    stats: Any = pstats.Stats(profiler)
    taken = {f"{Path(path).name}:{name}": row[3] for (path, _, name), row in stats.stats.items()}
    squares = taken["codes.py:of_many"]
    taken["certificates.py:_composed"] -= squares
    rest = stats.total_tt
    for what, functions in PARTS:
        part = sum(taken.get(function, 0.0) for function in functions)
        rest -= part
        print(f"{what:44}{part / stats.total_tt:>6.0%}")
    print(f"{'packing the content, the rest':44}{rest / stats.total_tt:>6.0%}")


def main() -> None:
    """Prints the table, or what else is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pupils", type=int, default=30, help="size of the class")
    parser.add_argument("--campaign", type=int, default=1000, help="size of the campaigns in the table")
    parser.add_argument("--few", type=int, default=10, help="how many are made one by one")
    parser.add_argument("--rounds", type=int, default=3, help="how often; the best of each counts")
    parser.add_argument("--without-typst", action="store_true")
    parser.add_argument("--count", type=int, help="a long run instead, of so many")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="of the long run")
    parser.add_argument("--profile", action="store_true", help="where the time goes instead")
    arguments = parser.parse_args()
    if arguments.count:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["TMPDIR"] = tempfile.tempdir = folder
            run_long(arguments.count, arguments.processes)
    elif arguments.profile:
        profile(arguments.campaign)
    else:
        compare(arguments)


if __name__ == "__main__":
    main()
