"""A teacher's list of names, as a spreadsheet saves it; a faulty row is named by its number, never by its name."""

from __future__ import annotations

import csv
import itertools
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from labels.errors import Fault, InvalidInput
from labels.mending import Mend, NameColumn
from labels.pupil_label.encodings import SUBJECT, decoded
from labels.registry.workbooks import NoWorkbook, is_archive, sheet_rows
from labels.words.sentences import Sentence, say, say_counted
from labels.words.text import clean

LARGEST = 1 << 20
"""Bytes of a list: some ten thousand names, and a bound on abuse."""
LARGEST_UNPACKED = 64 << 20
"""Bytes of a spreadsheet that is unpacked."""
_MOST_ROWS = 20_000
SPREADSHEET = "spreadsheet"
"""What stands for an encoding where the list was one."""
LONGEST = 120
"""Characters of a name."""
_LINES_A_ROW = 20
"""How far a cell in quotation marks may reach, where another column holds whole notes."""


@dataclass(frozen=True, slots=True)
class Pupil:
    """A pupil on the list. The name is left out wherever this is shown."""

    row: int
    """As the spreadsheet numbers it."""
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NameList:
    """What a list says."""

    pupils: tuple[Pupil, ...]
    faults: tuple[Fault, ...]
    """One for each row that can have no certificate."""
    repeated: tuple[int, ...]
    """Rows whose name stands further up too; two pupils may well have one name."""
    encoding: str
    """In which it was read; `SPREADSHEET` for one."""


def read_names(
    content: bytes,
    country: str,
    missing: Callable[[str], Sequence[str]],
    *,
    encoding: str = "",
    columns: Sequence[str] = (),
    header: bool | None = None,
) -> NameList:
    """The pupils of a list in CSV, XLSX or ODS, with a header or without.

    CSV may have commas, semicolons or tabs, in any usual encoding.

    Args:
        country: where it was saved (ISO 3166); decides the encoding where it is not Unicode.
        missing: the characters of a text that cannot be printed.
        encoding: as the teacher says, where it can't be detected.
        columns: where the name stands: numbers from 1, or words of the header; several are joined. Empty:
            the only column, or what a header in one of 30 languages calls the name.
        header: whether the first row is one; none: it is where it has such a word.

    Raises:
        InvalidInput: the list as a whole can't be read. A faulty row is no error, but among `faults`.
    """
    if len(content) > LARGEST:
        raise _whole(f"is larger than {LARGEST >> 20} MiB, which no class is.")
    if is_archive(content):
        rows, delimiter, read_as = _sheet(content), "", SPREADSHEET
    else:
        text, read_as = decoded(content, country, encoding)
        rows, delimiter = _rows(text)
    first = next((cells for _, cells in rows if cells), None)
    if first is None:
        raise _whole("has no names.", "Write one name in each row.")
    titles = [_title(cell) for cell in first]
    headed = _is_header(titles, columns) if header is None else header
    chosen = _chosen(titles if headed else None, columns, len(first))
    pupils: list[Pupil] = []
    faults: list[Fault] = []
    known: dict[str, int] = {}
    repeated: list[int] = []
    begun = False
    for number, cells in rows:
        if cells is not None and not any(map(_plain, cells)):
            continue  # an empty row
        if not begun:
            begun = True
            if headed and cells is not None:
                continue
        name, fault = _name(cells, chosen, len(first), delimiter, missing)
        if fault:
            problem, remedy = fault
            faults.append(Fault(f"row {number}", problem, remedy))
            continue
        if known.setdefault(name.casefold(), number) != number:
            repeated.append(number)
        pupils.append(Pupil(number, name))
    if not pupils and not faults:
        raise _whole("has a header and no names.", "Write one name in each row.")
    return NameList(tuple(pupils), tuple(faults), tuple(repeated), read_as)


def _whole(problem: str, remedy: str = "", mend: Mend | None = None) -> InvalidInput:
    return InvalidInput(SUBJECT, [Fault("(whole file)", problem, remedy, mend)])


def _plain(cell: str) -> str:
    return " ".join(clean(cell).split())


# Rows -------------------------------------------------------------------------------------------


def _sheet(content: bytes) -> list[tuple[int, list[str] | None]]:
    """Each row of a spreadsheet with its number."""
    try:
        rows = list(itertools.islice(sheet_rows(content, LARGEST_UNPACKED), _MOST_ROWS + 1))
    except NoWorkbook as error:
        problem = str(error)
    else:
        if len(rows) > _MOST_ROWS:
            raise _whole(f"has more than {_MOST_ROWS:,} rows, which no class has.")
        width = max((place + 1 for _, row in rows for place, cell in enumerate(row) if cell), default=0)
        return [(number, row[:width]) for number, row in rows]
    raise _whole(problem, 'Save it as XLSX, ODS or "CSV UTF-8" and try again.')


def _rows(text: str) -> tuple[list[tuple[int, list[str] | None]], str]:
    """Each row with its number, or none where its quotation marks do not close; and what parts its cells."""
    lines = re.split(r"\r\n|\n|\r", text)
    numbered = 1
    if said := re.fullmatch(
        r'"?sep=(.)"?', lines[0]
    ):  # for spreadsheets; it is a row of the file, not of the sheet
        delimiter = said[1]
        lines = lines[1:]
    else:
        delimiter = _delimiter(next((line for line in lines if line.strip()), ""))
    return list(_numbered(lines, delimiter, numbered)), delimiter


def _delimiter(line: str) -> str:
    """What parts the cells of the first row; a comma where nothing does, so that cells may be quoted."""
    bare = re.sub(r'"[^"]*"', "", line)
    return max("\t;,", key=lambda mark: (bare.count(mark), mark == ","))


def _numbered(lines: Sequence[str], delimiter: str, number: int) -> Iterator[tuple[int, list[str] | None]]:
    place = 0
    while place < len(lines):
        for taken in range(1, min(_LINES_A_ROW, len(lines) - place) + 1):
            cells = _cells("\n".join(lines[place : place + taken]), delimiter)
            if cells is not None:
                break
        else:
            taken, cells = 1, None
        yield number, cells
        place += taken
        number += 1


def _cells(line: str, delimiter: str) -> list[str] | None:
    """The cells of a row, or none where a quotation mark is not closed."""
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        if "unexpected end" in str(error):
            return None
    try:
        return next(csv.reader([line], delimiter=delimiter), [])  # "Ania" Nowak
    except csv.Error:
        return None


# Columns ----------------------------------------------------------------------------------------


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip().casefold() for word in text.replace("\n", "|").split("|") if word.strip())


_WHOLE = _words(
    """
    name|names|full name|pupil|pupils|pupil name|student|students|student name|child|name of pupil|holder
    name und vorname|vor- und nachname|vorname und name|vollständiger name|schüler|schülerin|schüler/in
    nom complet|nom et prénom|nom prénom|prénom nom|prénom et nom|élève|élèves
    nombre completo|nombre y apellidos|apellidos y nombre|alumno|alumna|alumnado|alumno/a|nom i cognoms|alumne
    nome completo|nome e cognome|cognome e nome|alunno|alunna|studente|aluno|aluna|nome do aluno
    imię i nazwisko|nazwisko i imię|uczeń|uczennica|jméno a příjmení|příjmení a jméno|žák|žákyně
    meno a priezvisko|priezvisko a meno|žiak|név|teljes név|tanuló|tanuló neve|diák
    nume și prenume|nume şi prenume|numele și prenumele|elev|eleva|ime i prezime|prezime i ime|učenik|učenica
    ime in priimek|priimek in ime|učenec|učenka|naam|volledige naam|leerling|navn|fulde navn|fullt navn|elev
    namn|fullständigt namn|nafn|fullt nafn|nemandi|nimi|koko nimi|oppilas|täisnimi|õpilane|ees- ja perekonnanimi
    vārds, uzvārds|vārds un uzvārds|skolēns|vardas, pavardė|vardas ir pavardė|vardas pavardė|mokinys
    όνομα|ονοματεπώνυμο|ονοματεπωνυμο|μαθητής|μαθήτρια|име|име и фамилия|ученик|ученичка|име и презиме|презиме и име
    ім'я|ім’я|піб|прізвище та ім'я|прізвище, ім'я|учень|учениця|ad soyad|adı soyadı|ad ve soyad|öğrenci
    emri|emri dhe mbiemri|emri mbiemri|nxënësi|isem|isem u kunjom|ainm|անուն|անուն ազգանուն|աշակերտ
    სახელი და გვარი|სახელი, გვარი|მოსწავლე|ad, soyad|şagird|الاسم|اسم|الاسم الكامل|اسم الطالب|التلميذ|الطالب
    """
)
_GIVEN = _words(
    """
    first name|given name|forename|firstname|vorname|prénom|prénoms|nombre|nome|imię|imiona|jméno|křestní jméno
    meno|keresztnév|utónév|prenume|prenumele|ime|voornaam|fornavn|förnamn|fornafn|etunimi|eesnimi|vārds|vardas
    ім'я та по батькові|име на ученика|სახელი|adı|ad|emër|όνομα μαθητή|الاسم الأول|الاسم الشخصي
    """
)
_FAMILY = _words(
    """
    last name|family name|surname|lastname|nachname|familienname|zuname|nom|nom de famille|apellidos|apellido
    cognome|apelido|apelidos|sobrenome|nazwisko|příjmení|priezvisko|vezetéknév|családnév|nume|numele|prezime
    priimek|achternaam|efternavn|etternavn|efternamn|eftirnafn|sukunimi|perekonnanimi|uzvārds|pavardė|επώνυμο
    επίθετο|фамилия|презиме|прізвище|soyadı|soyad|mbiemri|mbiemër|kunjom|cognoms|sloinne|ազգանուն|გვარი
    اللقب|اسم العائلة|الاسم العائلي
    """
)
_FAMILY_FIRST = frozenset(("vezetéknév", "családnév"))
"""Where a name is written with the family's first."""


def _title(cell: str) -> str:
    return _plain(cell).casefold().strip(" :*.")


def _is_header(titles: Sequence[str], columns: Sequence[str]) -> bool:
    known = _WHOLE | _GIVEN | _FAMILY | {_title(column) for column in columns if not column.isdecimal()}
    return not known.isdisjoint(titles)


def _chosen(titles: Sequence[str] | None, columns: Sequence[str], width: int) -> list[int]:
    """The places of the columns that make a name, in the order in which it is written."""
    if columns:
        return [_place(titles, column, width) for column in columns]
    if titles is None:
        if width == 1:
            return [0]
        raise _whole(
            f"has {width} columns and no header that tells which of them is the name.",
            'Write "name" above that column, or say which it is.',
            NameColumn(),
        )
    given = [place for place, title in enumerate(titles) if title in _GIVEN]
    family = [place for place, title in enumerate(titles) if title in _FAMILY]
    whole = [place for place, title in enumerate(titles) if title in _WHOLE]
    match len(given), len(whole), len(family):
        case 1, _, 1:
            return family + given if titles[family[0]] in _FAMILY_FIRST else given + family
        case 0, 1, 1:  # name, surname
            return whole + family
        case 1, 1, 0:  # Name, Vorname
            return given + whole
        case (0, 1, 0) | (1, 0, 0):
            return whole + given
    if width == 1:
        return [0]
    raise _whole(
        "has a header that does not tell which column is the name.",
        'Write "name" above that column, or say which it is.',
        NameColumn(),
    )


def _place(titles: Sequence[str] | None, column: str, width: int) -> int:
    if column.isdecimal() and 1 <= int(column) <= width:
        return int(column) - 1
    found = [place for place, title in enumerate(titles or ()) if title == _title(column)]
    if len(found) != 1:
        there = (
            f"the list has {width} columns" if column.isdecimal() else "no column of the list is called so"
        )
        raise InvalidInput("column", [Fault("column", f"there is no column {clean(column)[:40]}: {there}.")])
    return found[0]


# Names ------------------------------------------------------------------------------------------

_LETTER_LOST = re.compile(r"\w\?\w|\?\w{2}|\w{2}\?")


def _name(
    cells: Sequence[str] | None,
    chosen: Sequence[int],
    width: int,
    delimiter: str,
    missing: Callable[[str], Sequence[str]],
) -> tuple[str, tuple[str, str] | None]:
    """The name in a row; or what is wrong with it and what to do, in words that do not repeat it."""
    if cells is None:
        return "", (say("has a quotation mark that is not closed."), say("Take it away or close it."))
    if any(_plain(cell) for cell in cells[width:]):
        return "", (
            say("has {columns} columns where the first row has {width}.", columns=len(cells), width=width),
            say("Put a name that has a comma or semicolon in it between quotation marks."),
        )
    name = " ".join(filter(None, (_plain(cells[place]) for place in chosen if place < len(cells))))
    return name, _wrong(name, width, delimiter, missing)


def _wrong(
    name: str, width: int, delimiter: str, missing: Callable[[str], Sequence[str]]
) -> tuple[str, str] | None:
    if not name:
        return say("has no name."), say("Write one, or take the row away.")
    if len(name) > LONGEST:
        long = say(
            "has a name of {length} characters; at most {most} fit.", length=f"{len(name):,}", most=LONGEST
        )
        return long, say("Shorten it.")
    if width == 1 and (";" in name or "\t" in name):
        return say("has several columns where the first row has one."), say("Write one name in each row.")
    if not any(character.isalpha() for character in name):
        return say("has no letter in its name."), say("Write the name, or take the row away.")
    if "\ufffd" in name or _LETTER_LOST.search(name) or _read_twice(name):
        return (
            say("has a name whose letters were lost or changed when the list was saved."),
            say('Write it again and save the list as "CSV UTF-8".'),
        )
    if lost := missing(name):
        why = say_counted(
            "has a name with a character that no bundled font can print ({scripts}).",
            "has a name with {count} characters that no bundled font can print ({scripts}).",
            len(lost),
            scripts=_scripts(lost),
        )
        return why, say("Write it in Latin, Greek, Cyrillic, Georgian, Armenian or Arabic letters.")
    return None


ODD = {
    "digits": say("has a digit in it"),
    "capitals": say("is written in capitals"),
    "one word": say("is a single word"),
}
"""What may be odd about a name that can be printed all the same, for whoever looks the list through."""


def odd(name: str) -> Sentence | None:
    """What is odd about a name; None where nothing is."""
    if any(character.isdigit() for character in name):
        return ODD["digits"]
    if sum(map(str.isalpha, name)) > 3 and name.isupper():
        return ODD["capitals"]
    return ODD["one word"] if " " not in name else None


def looked_through(pairs: Sequence[tuple[int, str]], missing: Callable[[str], Sequence[str]]) -> NameList:
    """Names that were read from a list before, by their rows, as a list once more: each is looked at again."""
    pupils, faults, known, repeated = [], [], set(), []
    for row, written in pairs:
        name = _plain(written)
        if wrong := _wrong(name, 2, "", missing):
            faults.append(Fault(f"row {row}", *wrong))
            continue
        if name.casefold() in known:
            repeated.append(row)
        known.add(name.casefold())
        pupils.append(Pupil(row, name))
    return NameList(tuple(pupils), tuple(faults), tuple(repeated), "utf-8")


def _read_twice(name: str) -> bool:
    """Whether it is UTF-8 that was taken for a Western code page: `JosÃ©`."""
    if name.isascii():
        return False
    try:
        name.encode("windows-1252").decode("utf-8")
    except UnicodeError:
        return False
    return True


def _scripts(characters: Sequence[str]) -> str:
    """What kinds of characters they are, by which a person can find them and nobody the name."""
    kinds = {
        "a symbol"
        if unicodedata.category(character)[0] in "SC"
        else {"CJK": "Chinese"}.get(
            word := unicodedata.name(character, "unknown").split(" ")[0], word.title()
        )
        for character in characters
    }
    return ", ".join(sorted(kinds))
