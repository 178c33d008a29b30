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
