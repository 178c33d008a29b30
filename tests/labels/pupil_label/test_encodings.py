"""An encoding is taken where the bytes leave no doubt, and asked for where they do."""

from __future__ import annotations

import pytest

from labels.errors import InvalidInput
from labels.pupil_label.encodings import KNOWN, decoded

UNDOUBTED = [
    ("PL", "Łucja Źdźbło", "windows-1250"), ("PL", "Łucja Źdźbło Ąkoś", "iso-8859-2"),
    ("CZ", "Tomáš Dvořák", "windows-1250"), ("CZ", "Tomáš Dvořák", "iso-8859-2"),
    ("HU", "Zsófia Gyöngyös Kőrösi", "windows-1250"), ("RO", "Ștefan", "iso-8859-16"),
    ("RS", "Живко Ђорђевић", "windows-1251"), ("RS", "Živko Đorđević", "windows-1250"),
    ("BG", "Иван Петров", "windows-1251"), ("UA", "Їжак Ґанна", "windows-1251"),
    ("GR", "Άννα Παπαδοπούλου", "windows-1253"), ("GR", "Άννα Παπαδοπούλου", "iso-8859-7"),
    ("TR", "Şule Işık Ğ", "windows-1254"), ("LT", "Šarūnas Žukauskas", "windows-1257"),
    ("LV", "Jānis Bērziņš", "windows-1257"), ("EE", "Kärt Põld Šmidt", "windows-1257"),
    ("EE", "Šarlote Žagars", "windows-1252"), ("TN", "فاطمة بن عاشور", "windows-1256"),
    ("TN", "Hélène Lefèvre", "windows-1252"), ("IS", "Þórður Æsir", "windows-1252"),
    ("FR", "Zoë D’Arcy", "windows-1252"), ("FI", "Žofia Œuvre", "iso-8859-15"),
]  # fmt: skip


@pytest.mark.parametrize(("country", "name", "encoding"), UNDOUBTED)
def test_a_name_of_the_country_is_read_as_it_was_saved(country: str, name: str, encoding: str) -> None:
    assert decoded(name.encode(encoding), country)[0] == name


READ_RIGHT_OR_ASKED = [
    ("ES", "José Muñoz\nÁngela Peña", "macintosh"),
    ("ES", "JOSÉ MUÑOZ", "macintosh"),
    ("ES", "JOSÉ MUÑOZ", "windows-1252"),
    ("ES", "María García", "macintosh"),
    ("ES", "José Muñoz\nÁngela Peña", "cp850"),
    ("ES", "José", "cp850"),
    ("ES", "Zoë Björn", "windows-1252"),
    ("ES", "Žan", "windows-1252"),
    ("MD", "Иван Петров\nМария", "windows-1251"),
    ("MD", "Ștefan Țurcanu", "iso-8859-16"),
    ("PL", "Łukasz Wójcik\nAnna Müller", "windows-1250"),
    ("PL", "Ewa Müller", "windows-1250"),
    ("PL", "Łukasz Żak", "mac-latin2"),
    ("PL", "Paweł Ćwik", "cp852"),
    ("DE", "Jürgen Groß", "macintosh"),
    ("DE", "Jürgen Groß", "cp850"),
    ("FR", "Zoë Lefèvre", "macintosh"),
    ("HR", "Živko Đorđević", "mac-croatian"),
    ("UA", "Олена Шевченко", "mac-cyrillic"),
    ("UA", "Олена Шевченко", "cp866"),
    ("GR", "Άννα Παπαδοπούλου", "mac-greek"),
    ("IT", "Nicolò Dell’Acqua", "macintosh"),
    ("NL", "Jan ’t Hart Zoë", "windows-1252"),
    ("TR", "Işıl Çağlar", "mac-turkish"),
    ("LT", "Šarūnas Žukauskas", "cp775"),
    ("IS", "Þórður Æsir", "mac-iceland"),
]


@pytest.mark.parametrize(("country", "names", "encoding"), READ_RIGHT_OR_ASKED)
def test_a_list_of_an_older_program_is_read_right_or_asked_about(
    country: str, names: str, encoding: str
) -> None:
    saved = names.encode(encoding)
    assert read_or_asked(saved, country) in (names, "asked")
    assert decoded(saved, country, encoding)[0] == names


def read_or_asked(saved: bytes, country: str) -> str:
    try:
        return decoded(saved, country)[0]
    except InvalidInput as refused:
        return "asked" if "say which encoding it has" in str(refused) else str(refused)


def test_a_macintosh_s_spanish_and_a_moldovan_list_in_russian_are_read_right() -> None:
    macintosh = b"nombre\nJos\x8e Mu\x96oz\n\xe7ngela Pe\x96a\n"
    assert decoded(macintosh, "ES") == ("nombre\nJosé Muñoz\nÁngela Peña\n", "macintosh")
    russian = "nume\nИван Петров\nМария\n"
    assert decoded(russian.encode("windows-1251"), "MD") == (russian, "windows-1251")


def test_a_letter_of_no_name_in_the_country_is_asked_about() -> None:
    with pytest.raises(InvalidInput, match="may be macintosh or windows-1252"):
        decoded(b"\x8ean", "ES")


def test_what_may_be_two_things_is_asked_about() -> None:
    doubtful = "Ъгъл".encode("windows-1251")
    with pytest.raises(InvalidInput, match=r"is not UTF-8.*say which encoding it has"):
        decoded(doubtful, "GE")
    assert decoded(doubtful, "GE", "windows-1251")[0] == "Ъгъл"


def test_letters_of_another_country_do_not_decide() -> None:
    """š and ą stand at one place: neither is a letter of the Hungarian alphabet."""
    with pytest.raises(InvalidInput, match="may be windows-1250 or iso-8859-2"):
        decoded("Tomáš".encode("iso-8859-2"), "HU")


def test_what_is_not_in_the_encoding_that_was_said_is_told_with_its_line() -> None:
    with pytest.raises(InvalidInput, match=r"is not utf-8 \(line 2\)"):
        decoded(b"Bo\n\xff", "PL", "utf-8")


def test_an_unknown_encoding_is_told_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="expected one of utf-8, utf-16, windows-1250"):
        decoded(b"Bo", "PL", "rot13")


@pytest.mark.parametrize("encoding", KNOWN)
def test_every_known_encoding_is_one_that_python_reads(encoding: str) -> None:
    assert decoded("Bo".encode(encoding), "PL", encoding)[0] == "Bo"


def test_no_byte_that_could_not_be_read_goes_along_with_the_error() -> None:
    for content, said in ((b"Ada\xff", "utf-8"), (b"Ada\x81\xff", "")):
        with pytest.raises(InvalidInput) as raised:
            decoded(content, "GE", said)
        assert raised.value.__context__ is None
        assert raised.value.__cause__ is None
