"""What `labels branding` says: whose papers have what of their own, and specimens of them to look at."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import sqlalchemy as sa
from pydantic import BaseModel

from adapters.branding import check_branding
from adapters.languages.own_words import own_words
from adapters.workspace import existing_workspace
from cli.output import emit, say, table
from labels.errors import Fault, InvalidInput, NotFound
from labels.kinds import CERTIFIED
from labels.papers.branding import EVERYBODY, read_drawings
from labels.papers.facts import CertificateFacts, LetterFacts, LetterKind
from labels.people.staff import known_organisation
from labels.record.engine import missing_file
from labels.record.schema import Organisation
from labels.settings import load_settings
from labels.words.languages import translated


class Own(BaseModel):
    """What one organisation's papers have of its own."""

    organisation: str
    """Its key, or `all`."""
    drawings: list[str]
    languages: list[str]
    """In which it says something otherwise."""
    texts: int


def report(*, as_json: bool) -> None:
    """Tells who has what of their own.

    Raises:
        InvalidInput: everything in `LABELS_BRANDING` that can't be used, by file.
    """
    folder = load_settings().branding
    organisations = check_branding(folder)
    if known := _known_organisations():
        strange = [one for one in organisations if one not in known and one != EVERYBODY]
        problem = f"is no organisation of the record; expected an id such as {min(known)}, or {EVERYBODY}."
        if strange:
            raise InvalidInput(
                "branding", [Fault(f"{one}/", problem, "Rename the folder.") for one in strange]
            )
    drawings, words = read_drawings(folder) if folder else {}, own_words(folder)
    own = [
        Own(
            organisation=one,
            drawings=sorted(drawings.get(one, {})),
            languages=sorted(language for who, language in words if who == one),
            texts=sum(len(said) for (who, _), said in words.items() if who == one),
        )
        for one in organisations
    ]
    if as_json:
        emit(own)
    elif own:
        rows = [[o.organisation, ", ".join(o.drawings), ", ".join(o.languages), str(o.texts)] for o in own]
        table("", ["Organisation", "Drawings", "Languages", "Texts"], rows)
    else:
        say(
            "All papers have the drawings and words that ship: LABELS_BRANDING names no folder, or an empty one."
        )


def _known_organisations() -> frozenset[str]:
    """The organisations in the record; none where there is no record yet."""
    if missing_file(load_settings()):
        return frozenset()
    with existing_workspace().record.reading() as session:
        return frozenset(session.scalars(sa.select(Organisation.id)))


def see_that_there_is(organisation: str) -> None:
    """Refuses an organisation that nobody has: its specimens would be everybody's.

    Raises:
        NotFound: the record has no such organisation, and nobody has a folder of that name.
    """
    if missing_file(load_settings()) is None:
        with existing_workspace().record.reading() as session:
            known_organisation(session, organisation)
    elif organisation not in check_branding(load_settings().branding):
        raise NotFound(
            f"There is no organisation {organisation}: there is no record yet, and no folder of that name in "
            "LABELS_BRANDING."
        )


def print_specimens(organisation: str, language: str, folder: Path) -> None:
    """Prints the four certificates and a letter as the organisation's would be; their code is no real one.

    Raises:
        InvalidInput: papers are not written in that language, or the folder can't be made.
    """
    # WeasyPrint takes half a second to import.
    from adapters.papers.certificates import render_certificate
    from adapters.papers.letters import render_letter

    if language not in translated():
        problem = f"is no language of papers; expected one of {', '.join(sorted(translated()))}."
        raise InvalidInput("branding", [Fault("--language", problem)])
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"can't be made: {error.strerror}."
        raise InvalidInput("branding", [Fault(str(folder), problem, "Name another folder.")]) from None
    common = {
        "application": "SPECIMEN", "holder": "Maria Specimen", "school": "Specimen School", "city": "Specimen",
        "country": "MT", "project": "A specimen of a project", "organisation": organisation or "Organisation",
        "issuer": organisation or None, "language": language,
    }  # fmt: skip
    day, settings = date(2026, 1, 1), load_settings()
    for label in CERTIFIED:
        facts = CertificateFacts.of(
            label=label, awarded_on=day, school_year="2025/26", code="SPEC-IMEN-0000-0000",
            check_url=settings.check_url, **common,
        )  # fmt: skip
        _write(folder / f"certificate-{label.value}.pdf", render_certificate(facts, None, settings.branding))
    letter = LetterFacts.of(kind=LetterKind.AWARD, written_on=day, comments=("Specimen",), **common)
    _write(folder / "letter.pdf", render_letter(letter, settings.branding))


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    say(str(path))
