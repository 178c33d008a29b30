"""A file that somebody wrote by hand and that is no JSON is told what stands there and what to write."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels.errors import InvalidInput
from labels.words.json_text import read_json_text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{\n  “label”: “national”\n}", "line 2, column 3: is not JSON: “ is a curly quote"),
        ('{"label": „national“}', "„ is a curly quote"),
        ("{'label': 'national'}", "names and text stand in double quotes"),
        ('{"links": ["a",\n]}', "a comma stands before the ] that closes. Take the comma away."),
        ('{"a": 1,\n}', "a comma stands before the } that closes"),
        ('{"average_age": 13,5}', "line 1, column 20: is not JSON: a number has a point, 13.5, and no comma"),
        (
            '{"safe": yes}',
            "“yes” stands without quotes. Write text in quotes, “…”, and yes or no as true or false.",
        ),
        ('{"safe": True}', "“True” stands without quotes"),
        ('{"a": 1 "b": 2}', "a comma is missing"),
        ('{"a": "one\ntwo"}', "a text goes over the end of its line"),
        ('{"a": 1} and more', "something stands after its end"),
        ('{"a": "one}', "has no closing quote"),
        ("  ", "the file is empty"),
        (
            "PK\x03\x04[Content_Types].xml",
            "is a Word, Excel or ZIP file, and no JSON. Open it in a plain text editor",
        ),
        ("%PDF-1.7", "is a PDF"),
    ],
)
def test_what_stands_there_is_told_and_what_to_write(content: str, said: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        read_json_text(content.encode(), "application.json")
    assert said.replace("“…”", '"…"') in str(raised.value)
    assert "Expecting" not in str(raised.value)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_is_in_a_file_is_a_value_or_told(content: bytes) -> None:
    with contextlib.suppress(InvalidInput):
        read_json_text(content, "a.json")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
@pytest.mark.slow
def test_json_is_read_as_it_is(value: object) -> None:
    assert read_json_text(json.dumps(value).encode(), "a.json") == value
