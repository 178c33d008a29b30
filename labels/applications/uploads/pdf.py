"""PDF: that it opens, and that nothing in it acts by itself or carries other files."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator

import pikepdf

from labels.applications.uploads.limits import MIB, Complaint, UploadLimits
from labels.words.sentences import Sentence, say

PDF_MEMORY = 32 * MIB
"""What a compressed table or group of objects in a PDF may unfold to."""

pikepdf.settings.set_qpdf_limits(  # for the whole process, so it is done once, before any PDF is opened
    flate_max_memory=PDF_MEMORY,
    png_max_memory=PDF_MEMORY,
    run_length_max_memory=PDF_MEMORY,
    tiff_max_memory=PDF_MEMORY,
    max_stream_filters=4,
)

_SAVE_PDF_AGAIN = say("Open it, and save or print it as a new PDF.")
_ACTIVE_PDF: dict[str, Sentence] = {
    "/JS": say("It contains JavaScript."),
    "/JavaScript": say("It contains JavaScript."),
    "/Launch": say("It starts programs."),
    "/ImportData": say("It reads other files."),
    "/SubmitForm": say("It sends what is typed into it to an address."),
    "/GoToR": say("It opens other files."),
    "/AA": say("It acts by itself while it is read."),
    "/GoToE": say("It has other files inside."),
    "/EmbeddedFiles": say("It has other files inside."),
    "/EmbeddedFile": say("It has other files inside."),
    "/EF": say("It has other files inside."),
    "/FileAttachment": say("It has other files inside."),
    "/RichMedia": say("It contains a player or program."),
    "/XFA": say("It is a dynamic (XFA) form."),
}
_ACTIVE_PDF_NAME = re.compile(rb"/(?:%s)\b" % "|".join(name[1:] for name in _ACTIVE_PDF).encode())
_DAMAGED_PDF = re.compile(r"error decoding|limit exceeded|unfilterable|reconstruct|damaged|loop detected")


def check(content: bytes, limits: UploadLimits) -> Iterator[Complaint]:
    damaged = say("It is damaged or incomplete and does not open as a PDF."), _SAVE_PDF_AGAIN
    try:
        with pikepdf.open(io.BytesIO(content), attempt_recovery=False) as pdf:
            if pdf.is_encrypted:
                yield say("It is encrypted."), say("Save it without a password or restrictions.")
            if int(pdf.trailer.Size) > limits.pdf_objects:
                yield say("It has more than {most} objects inside.", most=limits.pdf_objects), _SAVE_PDF_AGAIN
                return
            if not len(pdf.pages):
                yield say("It has no pages."), _SAVE_PDF_AGAIN
            problems = sorted({_ACTIVE_PDF[name] for name in _active_names(pdf)})
            for problem in problems:
                yield problem, say("Print it as a new PDF, and hand in files inside it on their own.")
            if not problems and _acts_on_opening(pdf):
                yield say("It acts by itself when it is opened."), _SAVE_PDF_AGAIN
            if any(map(_DAMAGED_PDF.search, pdf.get_warnings())):
                yield damaged
    except pikepdf.PasswordError:
        yield say("It is locked with a password."), say("Save it without a password or restrictions.")
    except (pikepdf.PdfError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        yield damaged


def _acts_on_opening(pdf: pikepdf.Pdf) -> bool:
    """Whether opening it does more than show a place in it, with which LaTeX and office programs begin their files.

    A place is an array, or a name of one (ISO 32000-2, 12.3.2); an action that only goes to one does the same.
    """
    action = pdf.Root.get("/OpenAction")
    if action is None or isinstance(action, _PLACES):
        return False
    if not isinstance(action, pikepdf.Dictionary):
        return True
    place = action.get("/D")
    return action.get("/S") != pikepdf.Name.GoTo or "/Next" in action or not isinstance(place, _PLACES)


_PLACES = (pikepdf.Array, pikepdf.Name, pikepdf.String)


def _active_names(pdf: pikepdf.Pdf) -> set[str]:
    """Every name in the file that makes it do something, or carry something, beyond its pages."""
    found: set[str] = set()
    for thing in pdf.objects:
        # qpdf writes names without the escapes that hide them, so this finds every candidate, and quickly
        table = thing.stream_dict if isinstance(thing, pikepdf.Stream) else thing
        if _ACTIVE_PDF_NAME.search(table.unparse(resolved=True)):
            found |= _names_within(table)
    return found & _ACTIVE_PDF.keys()


def _names_within(thing: pikepdf.Object) -> set[str]:
    """The names in an object itself, strings left out, other objects that it points to as well."""
    found: set[str] = set()
    waiting: list[object] = [thing]
    while waiting:
        item = waiting.pop()
        inside: Iterable[object] = ()
        if isinstance(item, pikepdf.Name):
            found.add(str(item))
        elif isinstance(item, pikepdf.Dictionary):
            found.update(item.keys())
            inside = (value for _, value in item.items())
        elif isinstance(item, pikepdf.Array):
            inside = item
        waiting.extend(part for part in inside if not getattr(part, "is_indirect", False))
    return found
