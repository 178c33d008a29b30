"""Files that come with a form: looked through and stored at once, whatever else is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import UploadFile
from starlette.responses import Response

from adapters.languages.desk import DeskTexts
from desk.forms import FILES
from desk.frame import Visit
from desk.parts import FileShown, Mistake, why
from labels.applications.documents import StoredDocument
from labels.applications.uploads.limits import MIB
from labels.rules.model import RuleEdition
from labels.words.text import one_line
from usecases.drafting import store_uploads

LARGEST = 105 * MIB
"""Bytes of a form with files: all that the rules let an application have, and the text."""
FIELD = "upload"
"""The field of a form in which files are chosen."""


def stored_files(
    visit: Visit, texts: DeskTexts, edition: RuleEdition
) -> tuple[list[StoredDocument], list[Mistake]]:
    """The files that came along, which are in the store now; and why others were not taken.

    Raises:
        OutOfReach: the store does not answer.
    """
    most = edition.national.limits.upload_mib.value
    files: list[tuple[str, UploadFile]] = []
    mistakes: list[Mistake] = []
    for file in visit.sent.files(FIELD)[:FILES]:
        name = one_line(file.filename or "", 120)
        if (file.size or 0) > most * MIB:
            large = texts.say(
                "{file} is larger than {most} MB. Make it smaller, or split it.", file=name, most=most
            )
            mistakes.append(Mistake(large, FIELD))
            continue
        files.append((name, file))
    read = ((name, file.file.read()) for name, file in files)  # one after the other: they may be large
    stored, refused = store_uploads(visit.here, read, edition)
    return stored, mistakes + [Mistake(why(texts, error), FIELD) for error in refused]


def too_much(texts: DeskTexts, edition: RuleEdition) -> Mistake:
    """That all files together are more than the rules allow."""
    most = edition.national.limits.uploads_mib.value
    return Mistake(texts.say("All files together may have {most} MB. Take one out first.", most=most), FIELD)


def listed(visit: Visit, files: Sequence[FileShown], mistakes: Sequence[Mistake], version: int) -> Response:
    """The list of files anew, for the page's script, which sends each as soon as it is chosen."""
    return visit.shows(
        "apply-evidence.html.j2",
        422 if mistakes else 200,
        files=files,
        version=version,
        mistakes=list(mistakes),
    )


def kind_of(media_type: str) -> str:
    """How a file is drawn in a list."""
    return "picture" if media_type.startswith("image/") else "file"
