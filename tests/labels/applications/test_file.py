"""The application file: what may stand in it."""

from __future__ import annotations

import pytest

from labels.applications.file import read_application
from labels.errors import InvalidInput
from tests.support.people import application_file


@pytest.mark.parametrize("language", ["pl", "pt-PT", "sr-Latn"])
def test_an_application_is_in_any_language_that_the_registry_knows(language: str) -> None:
    assert read_application(application_file(language=language), "application.json").language == language
    with pytest.raises(InvalidInput, match="language"):
        read_application(application_file(language="Polish"), "application.json")
