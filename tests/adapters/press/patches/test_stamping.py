"""Stamped pages are, byte for byte, what WeasyPrint prints; where they would not be, it is WeasyPrint that prints."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.papers.certificates import SHEET, Stamping, render_certificate
from adapters.press import pdf
from adapters.press.patches import stamping
from adapters.press.patches.lines import Recorder
from adapters.press.pdf import press
from labels.papers.codes import Stamp
from labels.papers.facts import CertificateFacts
from tests.adapters.papers.test_certificates import NAMES
from tests.support.papers import certificate
from tests.support.patches import switch_off

STAMP = Stamp(b"a key for tests", "https://labels.example.eu/verify")
CODED = {"code": STAMP.paper("certificate", "NQL-1"), "check_url": STAMP.check_url}
ARABIC = "فاطمة الزهراء بن عاشور"


def pupils(*names: str, **changes: Any) -> list[CertificateFacts]:
    return [
        certificate(
            **(
                {"label": "pupil", "criteria_set": "", "holder": name}
                | CODED
                | {"code": STAMP.pupil("a class", n)}
                | changes
            )
        )
        for n, name in enumerate(names)
    ]


@pytest.fixture(autouse=True)
def _nothing_is_distrusted() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", stamping.Distrusted)
        yield


def stamped_and_plain(
    facts: list[CertificateFacts], monkeypatch: pytest.MonkeyPatch
) -> tuple[list[bytes], list[bytes], int]:
    """Certificates made together, made alone, and how many of the former were not stamped."""
    printed = []
    print_open = pdf.Press.print_open

    def counted(*given: Any) -> Any:
        printed.append(given)
        return print_open(*given)

    credentials = [f'{{"id": {n}}}'.encode() for n, _ in enumerate(facts)]
    monkeypatch.setattr(pdf.Press, "print_open", counted)
    together = Stamping().print(facts, credentials)
    return together, list(map(render_certificate, facts, credentials)), len(printed)


@pytest.mark.slow
def test_a_class_is_stamped_after_its_first_page_and_comes_out_as_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = ["Zsófia Kovács", "Bo Li", "Siobhán O’Neill", "Łukasz Żółć", "Πέτρος Ωραίος", "Їжак Ґудзь"]
    long = "Maria Fernández-Villaverde y Ruiz de"
    together, alone, printed = stamped_and_plain(pupils(*names, long), monkeypatch)
    assert together == alone
    assert printed == 1


@pytest.mark.slow
def test_names_of_every_script_and_length_come_out_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [name for name in NAMES.values() if len(name) < 200] + [ARABIC]
    together, alone, _ = stamped_and_plain(pupils(*names, *names), monkeypatch)
    assert together == alone


@pytest.mark.slow
def test_awards_of_many_projects_schools_and_countries_share_a_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = [
        certificate(
            label="european", application=f"EQL-{n:010}", holder=f"Anna {name}", project=f"Rivers of {name}",
            school=f"School of {name}", city=name, **CODED | {"code": STAMP.paper("certificate", name)},
        )
        for n, name in enumerate(["Szeged", "Łódź", "Plzeň", "São Paulo", "Žilina"])
    ]  # fmt: skip
    together, alone, printed = stamped_and_plain(facts, monkeypatch)
    assert together == alone
    assert printed == 1


@pytest.mark.slow
def test_labels_languages_and_days_may_be_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = [
        certificate(label=label, language=language, holder=holder, project="Rivers", **CODED)
        for holder in ("Ana Quick", ARABIC, "Ana Slow")
        for label in ("national", "school", "pupil", "european")
        for language in ("en", "ar", "pl")
    ]
    together, alone, _ = stamped_and_plain(facts, monkeypatch)
    assert together == alone


@pytest.mark.slow
def test_a_certificate_does_not_show_who_else_was_made_with_it() -> None:
    one, other, third = pupils("Ada Quick", "Zoë Öst", "Ωμέγα Ψ")
    made = Stamping().print([other, third, one], [None] * 3)[2]
    assert made == Stamping().print([one, other], [None] * 2)[0] == render_certificate(one)


def test_nothing_of_a_page_is_kept_after_it_was_printed() -> None:
    made = Stamping()
    made.print(pupils("Xerxes Quick", "Xerxes Slow"), [b'"Xerxes"'] * 2)
    seen: set[int] = set()
    waiting: list[Any] = [made]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, (type, pdf.Press)):
            continue
        seen.add(id(thing))
        assert not (isinstance(thing, str) and "Xerxes" in thing)
        assert not (isinstance(thing, bytes) and b"Xerxes" in thing)
        if isinstance(thing, dict):
            waiting += [*thing.keys(), *thing.values()]
        elif isinstance(thing, (list, tuple, set, frozenset)):
            waiting += thing
        elif type(thing).__module__.startswith(("adapters", "labels")):
            waiting += vars(thing).values()
    assert len(seen) > 500


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["_content", "_used_by", "blocks_around", "line"])
def test_what_would_be_stamped_otherwise_is_printed_and_warned_of_without_a_name(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = pupils("Ada Quick", "Bo Slow", "Cy Late")
    alone = list(map(render_certificate, facts))

    def fails(*_: Any) -> Any:
        if broken == "_content":
            return [b"another page"]
        raise AttributeError("Ada Quick has no such thing")

    monkeypatch.setattr(Recorder if broken == "line" else stamping, broken, fails)
    with pytest.warns(stamping.Distrusted) as told:
        assert Stamping().print(facts, [None] * 3) == alone
    assert not any("Ada" in str(one.message) for one in told)


@pytest.mark.slow
def test_a_sample_of_every_batch_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Stamping()
    made.print(pupils("Ada Quick", "Bo Slow"), [None] * 2)
    facts = pupils("Cy Late", "Di Late")
    alone = list(map(render_certificate, facts))
    monkeypatch.setattr(
        stamping, "_named", lambda page, file: iter(())
    )  # from now on, a title would be missing
    with pytest.warns(stamping.Distrusted):
        assert made.print(facts, [None] * 2) == alone


@pytest.mark.slow
def test_beside_another_weasyprint_every_page_is_printed_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = pupils("Ada Quick", "Bo Slow")
    known = Stamping().print(facts, [None] * 2)
    switch_off(monkeypatch)
    monkeypatch.setattr(stamping.Stamps, "print", None)
    assert Stamping().print(facts, [None] * 2) == known


def test_a_width_is_the_one_that_weasyprint_lays_out(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [
        (style, text)
        for style in ("holder", "project", "code", "below")
        for text in (*NAMES.values(), ARABIC)
    ]
    measured = press().widths(runs, SHEET)
    switch_off(monkeypatch)
    assert measured == pytest.approx(press().widths(runs, SHEET), abs=1e-9)
