"""The bundled fonts print every name of the registry's countries, alone and without the machine's fonts."""

from __future__ import annotations

import io
import os
import tempfile
import unicodedata
from pathlib import Path

import pikepdf
import pytest

from adapters.fonts import (
    FONTS,
    _private_folder,
    missing_characters,
    use_bundled_fonts,
    with_placeholders,
    without_decoration,
)
from adapters.papers.certificates import render_certificate
from labels.errors import InvalidInput
from labels.words.text import described
from tests.support.papers import certificate

ALPHABETS = {
    "Albanian": "ÇçËë", "Azerbaijani": "ÇçƏəĞğIıİiÖöŞşÜü", "Croatian": "ČčĆćĐđŠšŽž",
    "Czech": "ÁáČčĎďÉéĚěÍíŇňÓóŘřŠšŤťÚúŮůÝýŽž", "Danish": "ÆæØøÅå", "Estonian": "ÕõÄäÖöÜüŠšŽž",
    "French": "ÀàÂâÆæÇçÉéÈèÊêËëÎîÏïÔôŒœÙùÛûÜüŸÿ", "German": "ÄäÖöÜüßẞ", "Hungarian": "ÁáÉéÍíÓóÖöŐőÚúÜüŰű",
    "Icelandic": "ÁáÐðÉéÍíÓóÚúÝýÞþÆæÖö", "Irish": "ÁáÉéÍíÓóÚúḂḃĊċḊḋḞḟĠġṀṁṖṗṠṡṪṫ", "Italian": "ÀàÈèÉéÌìÒòÙù",
    "Latvian": "ĀāČčĒēĢģĪīĶķĻļŅņŠšŪūŽžŖŗ", "Lithuanian": "ĄąČčĘęĖėĮįŠšŲųŪūŽž", "Maltese": "ĊċĠġĦħŻż",
    "Polish": "ĄąĆćĘęŁłŃńÓóŚśŹźŻż", "Portuguese": "ÀàÁáÂâÃãÇçÉéÊêÍíÓóÔôÕõÚú", "Romanian": "ĂăÂâÎîȘșȚțŞşŢţ",
    "Sami": "ÁáČčĐđŊŋŠšŦŧŽž", "Slovak": "ÁáÄäČčĎďÉéÍíĹĺĽľŇňÓóÔôŔŕŠšŤťÚúÝýŽž", "Spanish": "ÁáÉéÍíÑñÓóÚúÜü¿¡ªº",
    "Turkish": "ÇçĞğIıİiÖöŞşÜü", "Welsh": "ŴŵŶŷẀẁẂẃẄẅỲỳ",
    "Greek": "ΑαΆάΒβΓγΔδΕεΈέΖζΗηΉήΘθΙιΊίΪϊΐΚκΛλΜμΝνΞξΟοΌόΠπΡρΣσςΤτΥυΎύΫϋΰΦφΧχΨψΩωΏώἈᾳῆὮ",
    "Bulgarian": "АаБбВвГгДдЕеЖжЗзИиЙйКкЛлМмНнОоПпРрСсТтУуФфХхЦцЧчШшЩщЪъЬьЮюЯяЀѐЍѝ",
    "Macedonian": "ЃѓЅѕЈјЉљЊњЌќЏџ", "Serbian": "ЂђЈјЉљЊњЋћЏџ", "Ukrainian": "ҐґЄєІіЇї",
    "Georgian": "".join(map(chr, range(0x10D0, 0x10F1))),
    "Georgian capitals": "".join(map(chr, range(0x1C90, 0x1CB1))),
    "Armenian": "".join(map(chr, [*range(0x531, 0x557), *range(0x561, 0x588)])) + "՚՛՜՝՞։",
    "Arabic": "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيًٌٍَُِّْٰ،؛؟٠١٢٣٤٥٦٧٨٩",
    "punctuation": "’‘“”„«»‹›–—-‐…·•'\"/&№°ªº",
}  # fmt: skip


@pytest.mark.parametrize("language", ALPHABETS)
def test_every_letter_of_the_registrys_languages_has_a_glyph(language: str) -> None:
    letters = ALPHABETS[language]
    assert missing_characters(letters) == []
    assert missing_characters(unicodedata.normalize("NFD", letters)) == []


def test_the_fonts_stay_below_four_megabytes_and_carry_their_licences() -> None:
    assert sum(path.stat().st_size for path in FONTS.glob("*.ttf")) < 4_000_000
    licences = "".join(path.read_text() for path in FONTS.glob("OFL-*.txt"))
    for owner in ("EB Garamond", "Noto", "Amiri"):
        assert owner in licences
    assert licences.count("SIL OPEN FONT LICENSE Version 1.1") == 4


def test_only_bundled_fonts_end_up_in_a_paper() -> None:
    families = {"EB-Garamond", "Noto-Sans", "Noto-Serif", "Amiri"}
    pdf = render_certificate(certificate(holder="Ελένη გიორგი Անահիտ فاطمة Їжак Łódź"))
    with pikepdf.open(io.BytesIO(pdf)) as document:
        used = {
            str(o.BaseFont)
            for o in document.objects
            if isinstance(o, pikepdf.Dictionary) and "/BaseFont" in o
        }
    assert len(used) >= 7
    for name in used:
        assert any(family in name for family in families), name


def test_a_letter_without_a_glyph_is_refused_by_name_before_anything_is_printed() -> None:
    with pytest.raises(InvalidInput) as caught:
        render_certificate(certificate(holder="Ana 王", school="בית ספר", project="語 together"))
    said = [str(fault) for fault in caught.value.faults]
    assert any(text.startswith("holder") and "CJK UNIFIED IDEOGRAPH-738B, U+738B" in text for text in said)
    assert any(text.startswith("school") and "HEBREW LETTER BET" in text for text in said)
    assert any(text.startswith("project") and "U+8A9E" in text for text in said)


def test_a_character_is_described_so_that_a_person_finds_it() -> None:
    assert described("語") == "“語” (CJK UNIFIED IDEOGRAPH-8A9E, U+8A9E)"


def test_emoji_have_no_place_in_a_title_and_stay_readable_in_a_comment() -> None:
    assert without_decoration("Let’s ❤️ rivers 🌍🌍 together") == "Let’s rivers together"
    assert without_decoration("語 🌍") == "語"
    assert with_placeholders("Well done 🎉, 評価!") == "Well done [party popper], □□!"
    assert with_placeholders("Ελένη, № 5") == "Ελένη, № 5"


def test_fontconfig_is_shown_the_bundled_fonts_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FONTCONFIG_FILE", "/etc/fonts/fonts.conf")
    monkeypatch.setenv("FONTCONFIG_PATH", "/etc/fonts")
    path = use_bundled_fonts()
    assert os.environ["FONTCONFIG_FILE"] == str(path)
    assert "FONTCONFIG_PATH" not in os.environ
    assert path.read_text().count("<dir>") == 1
    assert f"<dir>{FONTS}</dir>" in path.read_text()
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_folder_others_can_write_is_not_trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    first = _private_folder()
    first.chmod(0o777)
    second = _private_folder()
    assert second != first
    assert second.stat().st_mode & 0o077 == 0
