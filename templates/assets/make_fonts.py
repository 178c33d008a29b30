"""Makes the static, subset font files in `fonts/` from the locked font packages and Debian's Noto fonts.

Run it after a new release of a font, with `fonts-noto-core` (Debian) and the locked dependencies installed:

    python templates/assets/make_fonts.py

Variable fonts cost WeasyPrint three times as much as static ones and make its output differ from run
to run, so every weight the templates use becomes a file of its own. Hinting goes (a PDF has no use
for it); every glyph of the scripts that the registry's countries write stays.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.ttLib.reorderGlyphs import reorderGlyphs
from fontTools.varLib.instancer import instantiateVariableFont

FONTS = Path(__file__).resolve().parent / "fonts"
NOTO = Path("/usr/share/fonts/truetype/noto")
"""Where Debian's `fonts-noto-core` puts its files."""

WESTERN = (
    *range(0x20, 0x7F), *range(0xA0, 0x530), *range(0x1D00, 0x2070), *range(0x2070, 0x20D0),
    *range(0x2100, 0x2152), *range(0x2190, 0x219A), *range(0x2200, 0x2270),
    *range(0x25A0, 0x25D0), 0x2605, 0x2606, 0x2713, 0x2717,
    *range(0x2C60, 0x2C80), *range(0x2DE0, 0x2E60), *range(0xA640, 0xA6A0), *range(0xA720, 0xA7C0),
    *range(0xFB00, 0xFB07), 0xFFFD,
)  # fmt: skip
ARABIC = (
    *range(0x20, 0x7F), 0xA0, 0xAB, 0xBB, 0xB7, *range(0x600, 0x700), *range(0x750, 0x780),
    *range(0x200C, 0x2010), *range(0x2010, 0x2027), *range(0xFB50, 0xFC00), *range(0xFE70, 0xFF00),
)  # fmt: skip


@dataclass(frozen=True)
class Cut:
    """One static file: where it comes from, what it is called, what it keeps."""

    source: str
    family: str
    style: str
    weight: int
    keeps: tuple[int, ...] | None = None
    """Code points that stay; None keeps every one of the source."""

    @property
    def name(self) -> str:
        return f"{self.family.replace(' ', '')}-{self.style.replace(' ', '')}.ttf"


CUTS = (
    Cut("fontpkg_eb_garamond:EBGaramond[wght].ttf", "EB Garamond", "Regular", 400, WESTERN),
    Cut("fontpkg_eb_garamond:EBGaramond[wght].ttf", "EB Garamond", "SemiBold", 600, WESTERN),
    Cut("fontpkg_eb_garamond:EBGaramond-Italic[wght].ttf", "EB Garamond", "Italic", 400, WESTERN),
    Cut("fontpkg_noto_sans:NotoSans[wdth,wght].ttf", "Noto Sans", "Regular", 400, WESTERN),
    Cut("fontpkg_noto_sans:NotoSans[wdth,wght].ttf", "Noto Sans", "SemiBold", 600, WESTERN),
    Cut("fontpkg_amiri:Amiri-Regular.ttf", "Amiri", "Regular", 400, ARABIC),
    Cut("fontpkg_amiri:Amiri-Bold.ttf", "Amiri", "Bold", 700, ARABIC),
    Cut("NotoSansArabic-Regular.ttf", "Noto Sans Arabic", "Regular", 400, ARABIC),
    Cut("NotoSansArabic-Bold.ttf", "Noto Sans Arabic", "Bold", 700, ARABIC),
    *(
        Cut(f"Noto{shape}{script}-{style}.ttf", f"Noto {shape} {script}", style, weight)
        for shape in ("Serif", "Sans")
        for script in ("Georgian", "Armenian")
        for style, weight in (("Regular", 400), ("Bold", 700))
    ),
)  # fmt: skip


def packaged(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        sys.exit(f"{package} is not installed: install the locked dependencies first")
    return Path(spec.origin).parent


def source_of(cut: Cut) -> Path:
    if ":" in cut.source:
        package, file = cut.source.split(":")
        return packaged(package) / "files" / file
    path = NOTO / cut.source
    if not path.exists():
        sys.exit(f"{path} is missing: apt-get install fonts-noto-core")
    return path


def rename(font: TTFont, cut: Cut) -> None:
    """Gives the static file names of its own, so that fontconfig tells the weights apart."""
    names = font["name"]
    four = cut.style in ("Regular", "Bold", "Italic")
    values = {
        1: cut.family if four else f"{cut.family} {cut.style}",
        2: cut.style if four else "Regular",
        3: f"{cut.family}-{cut.style}",
        4: f"{cut.family} {cut.style}",
        6: f"{cut.family}-{cut.style}".replace(" ", ""),
    }
    if not four:
        values |= {16: cut.family, 17: cut.style}
    for number in (1, 2, 3, 4, 6, 16, 17, 21, 22, 25):
        names.removeNames(nameID=number)
    for number, value in values.items():
        names.setName(value, number, 3, 1, 0x409)
    font["OS/2"].usWeightClass = cut.weight


def make(cut: Cut) -> int:
    """Writes one file and returns its size in bytes."""
    font = TTFont(source_of(cut), recalcTimestamp=False)
    if "fvar" in font:
        axes = {axis.axisTag: axis.defaultValue for axis in font["fvar"].axes}
        font = instantiateVariableFont(font, axes | {"wght": cut.weight}, static=True)
        if "wdth" in axes:
            font["OS/2"].usWidthClass = 5
    rename(font, cut)
    if "STAT" in font:
        del font["STAT"]
    options = Options(
        layout_features=[
            "ccmp", "locl", "kern", "mark", "mkmk", "liga", "rlig", "calt", "clig", "curs",
            "init", "medi", "fina", "isol", "rclt", "rtlm", "lnum", "onum", "pnum", "tnum",
        ],
        hinting=False, glyph_names=False, notdef_outline=True,
        name_IDs=[0, 1, 2, 3, 4, 5, 6, 11, 13, 14, 16, 17],
    )  # fmt: skip
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=cut.keeps or list(font.getBestCmap()))
    subsetter.subset(font)
    if font["maxp"].numGlyphs > 1000:
        put_everyday_letters_first(font)
    target = FONTS / cut.name
    font.save(target)
    return target.stat().st_size


def put_everyday_letters_first(font: TTFont) -> None:
    """Sorts the glyphs by their letters, alternates and ligatures beside their first letter.

    A PDF carries its fonts with a place for every glyph up to the last one that it uses: with the space
    at the 1,650th place, a name of ten letters takes three times the room and twice the time.
    """
    letters = {name: code for code, name in sorted(font.getBestCmap().items(), reverse=True)}

    def place(name: str) -> tuple[int, bool]:
        return letters.get(name, letters.get(name.split(".")[0].split("_")[0], 0x110000)), name not in letters

    for glyph in font["glyf"].glyphs.values():
        glyph.expand(font["glyf"])  # what they are composed of is written as numbers
    first, *others = font.getGlyphOrder()  # .notdef is always the first
    reorderGlyphs(font, [first, *sorted(others, key=place)])


def copyright_of(path: Path) -> str:
    return TTFont(path)["name"].getDebugName(0) or ""


def main() -> None:
    FONTS.mkdir(exist_ok=True)
    for old in FONTS.glob("*.ttf"):
        old.unlink()
    total = 0
    for cut in CUTS:
        size = make(cut)
        total += size
        print(f"{cut.name:36} {size:>9,}")
    for package, name in (
        ("fontpkg_eb_garamond", "EBGaramond"), ("fontpkg_noto_sans", "NotoSans"), ("fontpkg_amiri", "Amiri"),
    ):  # fmt: skip
        shutil.copyfile(packaged(package) / "LICENSE", FONTS / f"OFL-{name}.txt")
    licence = (packaged("fontpkg_noto_sans") / "LICENSE").read_text().split("\n", 1)[1]
    notices = sorted({copyright_of(source_of(cut)) for cut in CUTS if ":" not in cut.source})
    (FONTS / "OFL-NotoArabicArmenianGeorgian.txt").write_text("\n".join(notices) + "\n" + licence)
    print(f"{'together':36} {total:>9,}")


if __name__ == "__main__":
    main()
