"""What a teacher of an awarded project gives for the gallery of its year: words and a picture, with their agreement, which they may take back."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import Route

from adapters.documents.tokens import sealed, unsealed
from desk.frame import Visit, kept_fields, page
from desk.my_projects import is_teacher
from desk.parts import Mistake, why
from desk.uploads import LARGEST
from labels.applications.documents import StoredDocument
from labels.errors import InvalidInput, LabelsError, NotFound, OutOfReach
from labels.european_label.contributions import (
    LONGEST,
    LONGEST_LINE,
    MOST_WORDS,
    Given,
    MayGive,
    may_give,
)
from labels.turn import Door
from labels.words.text import word_count
from usecases import cycles, signing_in

PATH = "/my-gallery/{award}"
PICTURE = "/my-gallery/{award}/picture"
TEMPLATE = "my-gallery.html.j2"
_PURPOSE = b"desk/gallery/1\n"


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form."""

    words: str = ""
    shows: str = ""
    credit: str = ""
    agreed: bool = False
    picture: StoredDocument | None = None
    """One that came along and is in the store, but is not given yet."""


class Gone(Exception):
    """A picture that came with a form before is to be chosen again."""


def mine(visit: Visit) -> MayGive:
    """The award that this page's address names.

    Raises:
        NotFound: it is somebody else's, or was taken back.
    """
    with visit.here.record.reading() as session:
        return may_give(session, visit.account.teachers, visit.named("award"))


def show(visit: Visit) -> Response:
    """What was given so far, with what was sent when the session had run out."""
    one = mine(visit)
    there = one.contribution
    typed = Typed(there.words, there.shows or "", there.credit or "") if there else Typed()
    if kept := kept_fields(visit):
        fields = {name: value for name, value in kept[0].items() if isinstance(value, str)}
        typed = Typed(fields.get("words", ""), fields.get("shows", ""), fields.get("credit", ""))
    return _shown(visit, one, typed)


def _shown(
    visit: Visit, one: MayGive, typed: Typed, mistakes: Sequence[Mistake] = (), status: int = 200
) -> Response:
    picture = typed.picture
    return visit.shows(
        TEMPLATE,
        status,
        one=one,
        there=None if one.is_others else one.contribution,
        typed=typed,
        words=word_count(typed.words),
        most=MOST_WORDS,
        kept=_kept(visit, picture) if picture else "",
        mistakes=list(mistakes),
        at={mistake.field: mistake.text for mistake in mistakes},
        sent=visit.request.query_params.get("sent", ""),
    )


def send(visit: Visit) -> Response:
    """Gives what was typed, or takes back what was given."""
    one, texts = mine(visit), visit.texts(TEMPLATE)
    typed = Typed(
        visit.sent.text("words", LONGEST).strip(),
        visit.sent.line("shows", LONGEST_LINE),
        visit.sent.line("credit", LONGEST_LINE),
        visit.sent.has("agreed"),
    )
    back = visit.sent.has("back")
    try:
        if not back:
            typed = dataclasses.replace(typed, picture=_picture(visit))
        given = Given(
            typed.words,
            typed.picture,
            not visit.sent.has("without"),
            typed.shows,
            typed.credit,
            typed.agreed,
        )
        act = cycles.take_back(one.award) if back else cycles.give(one.award, given)
        cycles.contribute(visit.here, one.year, act, visit.proof, Door.DESK)
    except (OutOfReach, NotFound):
        raise
    except InvalidInput as error:
        wrong = [
            Mistake(f"{texts.told(one.problem)} {texts.told(one.remedy)}", one.where) for one in error.faults
        ]
        return _shown(visit, one, typed, wrong, 422)
    except Gone:
        gone = Mistake(texts.say("It did not arrive whole. Choose it again."), "picture")
        return _shown(visit, one, typed, [gone], 422)
    except LabelsError as error:
        return _shown(visit, mine(visit), typed, [Mistake(why(texts, error), "words")], 409)
    signing_in.forget_form(visit.here, visit.account.person, visit.path)
    return visit.goes_to(visit.path, sent="back" if back else "1")


def _picture(visit: Visit) -> StoredDocument | None:
    """The picture that came along, or the one that came with the form before.

    Raises:
        InvalidInput: what came along is no picture that can be published.
        Gone: the one that came before is no longer in the store, or its word is no longer good.
    """
    if files := visit.sent.files("picture"):
        return cycles.put_picture(visit.here, files[0].file.read())
    if not (kept := visit.sent.text("kept", 2_000)):
        return None
    try:
        person, key, size = unsealed(kept, _PURPOSE, *visit.here.good_keys())
    except (NotFound, ValueError):
        raise Gone from None
    # One that was put there too long ago may be gone from the store.
    if person != visit.account.person:
        return None
    if not visit.here.documents.exists(key):
        raise Gone
    return StoredDocument("gallery", cycles.PICTURE_NAME, key, cycles.PICTURE, size)


def _kept(visit: Visit, picture: StoredDocument) -> str:
    return sealed([visit.account.person, picture.key, picture.size], _PURPOSE, visit.here.key)


def picture(visit: Visit) -> Response:
    """One's own picture, as it would be published."""
    one = mine(visit)
    if one.is_others or one.contribution is None or one.contribution.key is None:
        raise NotFound("There is nothing here.")
    return as_picture(visit, one.contribution.key)


def as_picture(visit: Visit, key: str) -> Response:
    """A picture for the gallery, out of the store."""
    headers = {"Content-Security-Policy": "sandbox; default-src 'none'", "Cache-Control": "no-store"}
    return Response(visit.here.documents.get(key), media_type=cycles.PICTURE, headers=headers)


def routes() -> list[Route]:
    """The addresses of these pages."""
    return [
        page(PATH, show, send, allowed=is_teacher, largest=LARGEST, files=1),
        page(PICTURE, picture, allowed=is_teacher),
    ]
