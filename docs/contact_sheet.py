"""Draws the certificates on one sheet, to be looked at: every label, language and script, short names and long ones.

    .venv/bin/python -m docs.contact_sheet certificates.png           # large enough to read
    .venv/bin/python -m docs.contact_sheet docs/pictures/certificates.png --width 320 --colours 96
    .venv/bin/python -m docs.contact_sheet grey.png --grey            # as a printer without colours would
    .venv/bin/python -m docs.contact_sheet edges.png --edges          # with the 5 mm in which nothing may stand

Needs pdftoppm (Debian: poppler-utils). Languages are those that there are.
"""

from __future__ import annotations

import argparse
import io
import subprocess
from collections.abc import Iterator
from datetime import date
from itertools import cycle
from pathlib import Path

from PIL import Image, ImageDraw

from adapters.papers.certificates import Stamping
from labels.kinds import CERTIFIED, LabelKind
from labels.papers.facts import CertificateFacts
from labels.words.languages import ENGLISH, translated

LONG = (
    "Maria de los Ángeles Fernández-Villaverde y Ruiz de la Prada",
    "Αικατερίνη-Ευαγγελία Παπαδοπούλου-Χατζηαντωνίου",
    "Олександра-Вікторія Ґудзь-Їжакевич-Шевченко",
    "Collegium Maximiliano-Wilhelminum der Freien Hansestadt an der Weser und zu beiden Ufern",
)
NAMES = (
    "Bo Li", "Zsófia Kovács-Ștefănescu", "Αικατερίνη Παπαδοπούλου", LONG[0], "Олександра Ґудзь-Їжакевич",
    "ნინო გელაშვილი", "Þórhallur Æ. Ðagfinnsson", "Անահիտ Տեր-Պետրոսյան", "فاطمة الزهراء بن عاشور", LONG[1],
    "Łukasz Żółć", "Siobhán O’Neill", "Çağrı Şükrü İĞÖ", LONG[2], "Ђорђе Љубичић", "Nguyễn Thị Ánh-Tuyết",
)  # fmt: skip
SCHOOLS = (
    ("Petőfi Sándor Gimnázium", "Szeged", "HU"), ("3ο Γυμνάσιο Καλαμάτας", "Καλαμάτα", "GR"),
    ("Ліцей № 7", "Чернівці", "UA"), ("თბილისის 51-ე საჯარო სკოლა", "თბილისი", "GE"),
    ("Երևանի թիվ 114 հիմնական դպրոց", "Երևան", "AM"), ("المدرسة الإعدادية ابن خلدون", "صفاقس", "TN"),
    (LONG[3], "Bremen", "DE"), ("Escola Secundária Gago Coutinho", "Alverca do Ribatejo", "PT"),
)  # fmt: skip
PROJECTS = (
    "Rivers Without Borders", "Η θάλασσα που μας ενώνει", "Мости крізь Європу", "ერთად სწავლა",
    "Learning together across rivers, mountains and seas: how pupils of nine schools measured the water of their towns",
    "Արարատից մինչև Ալպեր", "جسور المتوسط", "Fjord & Fell – Σχολεία – Школи",
)  # fmt: skip


def specimens() -> Iterator[CertificateFacts]:
    """Four certificates in every language; what stands on them goes round the scripts."""
    names, schools, projects = cycle(NAMES), cycle(SCHOOLS), cycle(PROJECTS)
    for language in sorted(translated(), key=lambda one: (one != ENGLISH, one)):
        for label in CERTIFIED:
            school, city, country = next(schools)
            name = next(names)
            yield CertificateFacts.of(
                label=label, language=language, application=f"{label[0].upper()}QL-7KQ4M9XT2A",
                holder=school if label is LabelKind.SCHOOL else name, school=school, city=city, country=country,
                project="" if label is LabelKind.SCHOOL else next(projects), school_year="2025/26",
                organisation="National Support Organisation", coordinator="Dr. Margareta Lindqvist",
                coordinator_role="", awarded_on=date(2026, 10, 14), code="7KQ4-M9XT-2A5B",
                check_url="https://labels.example.eu/verify",
                criteria_set="2022 (five criteria)" if label in (LabelKind.NATIONAL, LabelKind.EUROPEAN) else "",
                valid_until=date(2028, 10, 13) if label is LabelKind.SCHOOL else None,
            )  # fmt: skip


def drawn(pdf: bytes, width: int, *, grey: bool) -> Image.Image:
    """A certificate so many pixels wide, as poppler draws it at twice the size."""
    command = ["pdftoppm", "-png", "-singlefile", "-scale-to-x", str(width * 2), "-scale-to-y", "-1"]
    done = subprocess.run(
        [*command, *(["-gray"] if grey else []), "-"], input=pdf, capture_output=True, check=True
    )
    picture = Image.open(io.BytesIO(done.stdout)).convert("RGB")
    return picture.resize((width, round(width * picture.height / picture.width)), Image.Resampling.LANCZOS)


def sheet(width: int, across: int, *, grey: bool = False, edges: bool = False) -> Image.Image:
    """All specimens beside and below each other."""
    facts = list(specimens())
    printed = Stamping().print(facts, [None] * len(facts))
    pictures = [drawn(pdf, width, grey=grey) for pdf in printed]
    gap, height = max(4, width // 60), pictures[0].height
    rows = -(-len(pictures) // across)
    whole = Image.new("RGB", (across * (width + gap) + gap, rows * (height + gap) + gap), "#8a8a8a")
    for index, picture in enumerate(pictures):
        if edges:
            edge = width * 5 / 297
            box = edge, edge, width - edge, height - edge
            ImageDraw.Draw(picture).rectangle(box, outline="red")
        whole.paste(picture, (gap + index % across * (width + gap), gap + index // across * (height + gap)))
    return whole


def main() -> None:
    """Draws the sheet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("picture", type=Path)
    parser.add_argument("--width", type=int, default=520, help="pixels of one certificate")
    parser.add_argument("--across", type=int, default=4, help="certificates beside each other")
    parser.add_argument("--colours", type=int, default=256, help="of the picture, for a smaller file")
    parser.add_argument("--grey", action="store_true")
    parser.add_argument("--edges", action="store_true")
    arguments = parser.parse_args()
    whole = sheet(arguments.width, arguments.across, grey=arguments.grey, edges=arguments.edges)
    whole.quantize(arguments.colours).save(arguments.picture, optimize=True)


if __name__ == "__main__":
    main()
