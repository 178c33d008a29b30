"""E-mail addresses: one way to write each, and how they go over the wire."""

from __future__ import annotations

import pytest

from labels.words.addresses import all_plain, meant, on_the_wire, written


@pytest.mark.parametrize(
    ("typed", "kept", "wired"),
    [
        ("Ada@S.example", "ada@s.example", "ada@s.example"),
        ("ada@bücher.example", "ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@XN--BCHER-KVA.example", "ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@straße.example", "ada@straße.example", "ada@xn--strae-oqa.example"),
        ("ada@δοκιμή.example", "ada@δοκιμή.example", "ada@xn--jxalpdlp.example"),
    ],
)
def test_an_address_is_kept_in_one_way_and_goes_out_in_ascii(typed: str, kept: str, wired: str) -> None:
    assert written(typed) == meant(typed) == kept
    assert on_the_wire(kept) == wired


@pytest.mark.parametrize(
    "typed",
    ["ada", "ada@x", "@x.example", "ada@a..b", "ada@exa mple.com", "ada@xn--99.example", "ü@x.example", ""],
)
def test_what_is_no_address_is_told_from_one(typed: str) -> None:
    assert written(typed) is None
    assert not all_plain([typed])
    assert meant(typed) == typed.lower()


def test_many_addresses_are_plain_if_each_is() -> None:
    assert all_plain([])
    assert all_plain(["ada@s.example", "Bo.Li+x@a-b.s.example"])
    assert not all_plain(["ada@s.example", "bo"])
    assert not all_plain(["ada@s.example\nbo@s.example"])
    assert not all_plain(["ada@s.example", "bo@xn--bcher-kva.example"])
    assert not all_plain(["ada@s.example", f"bo@{'x' * 62}.{'x' * 62}.{'x' * 62}.{'x' * 62}.example"])
