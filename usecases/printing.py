"""Printing the certificates of a class, whose names nothing but the memory of this process has.

Prefect keeps what it is given: parameters, results, the messages of errors. So the names stay beside it for as
long as the command lasts, in a variable of this process; its run knows the class's number and how many pupils
there are. An error leaves here without what it was about, since its text could name them.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import ParamSpec, TypeVar

from adapters.files import place
from adapters.papers.signing import signer_of
from adapters.workspace import Workspace
from labels.errors import Fault, InvalidInput, LabelsError, NotAllowed
from labels.kinds import LabelKind
from labels.papers.codes import Stamp
from labels.papers.facts import CertificateFacts
from labels.pupil_label import classes
from labels.pupil_label.classes import Begun
from labels.pupil_label.encodings import SUBJECT
from labels.pupil_label.names import NameList, Pupil
from labels.rules.model import PupilRules
from labels.steps.outcome import Refusal
from labels.steps.proof import Proof
from labels.turn import Door
from labels.words.sentences import say
from usecases.discreet import bare
from usecases.discreet import place as where
from usecases.performing import refused

P = ParamSpec("P")
T = TypeVar("T")


class NotMade(LabelsError):
    """The certificates could not be made or written; says why or where, and nobody's name."""

    exit_code = 5


@dataclass
class ClassInHand:
    """A class while its certificates are made; the names are left out wherever this is shown."""

    here: Workspace
    begun: Begun
    known_by: str
    """How the teacher was known, for the journal."""
    pupils: Sequence[Pupil] = field(repr=False)
    folder: Path | None
    """Where they go; None where whoever asks takes them from memory."""
    door: Door | None = None
    files: dict[str, bytes] = field(default_factory=dict, repr=False)
    """What goes into the folder, by name."""
    marks: list[bytes] = field(default_factory=list, repr=False)
    """By which the record knows each certificate again, and the file in which all are printed, and nobody whom they are for."""
    stamp: Stamp | None = None
    """What they are marked with; None as long as none is made."""


def rules_of_award(here: Workspace, award: str, *, by: Proof, door: Door) -> tuple[PupilRules, str]:
    """The rules for a class of an award and the country of its lists, for whoever proves that they may print it.

    Raises:
        LabelsError: they may not; a wrong code is counted.
    """
    with here.record.writing() as session:
        rules = classes.rules_for(session, award, here.now(), here.settings.rules)
        country = classes.country_of(session, award)
        refusal = classes.prove(here.turn(session, door, known_by=by.known_by), award, by, rules)
    if refusal:
        raise refused(here, refusal)
    return rules, country


def few_enough(listed: NameList, rules: PupilRules) -> None:
    """Refuses a list with more names than the rules let a class have.

    Raises:
        InvalidInput: it has more.
    """
    most = rules.most_names.value
    if len(listed.pupils) > most:
        problem = say(
            "has {names} names; at most {most} are taken at a time.",
            names=f"{len(listed.pupils):,}",
            most=most,
        )
        raise InvalidInput(SUBJECT, [Fault("(whole file)", problem, say("Make a list for each class."))])


def begin(here: Workspace, award: str, listed: NameList, *, by: Proof, door: Door) -> Begun:
    """Opens a class for the names of a list, or takes it up again where it was interrupted.

    Raises:
        LabelsError: this person may not; a wrong code is counted.
    """
    with here.record.writing() as session:
        turn = here.turn(session, door, known_by=by.known_by)
        rules = classes.rules_for(session, award, turn.now, here.settings.rules)
        pupils, left_out = len(listed.pupils), len(listed.faults)
        begun = classes.begin(turn, award, by, rules, pupils=pupils, left_out=left_out)
    if isinstance(begun, Refusal):
        raise refused(here, begun)
    return begun


_IN_HAND: ContextVar[ClassInHand | None] = ContextVar("the class in hand", default=None)


@contextlib.contextmanager
def in_hand(given: ClassInHand) -> Iterator[None]:
    """Lets the tasks of this process, and nobody else, work on a class."""
    token = _IN_HAND.set(given)
    try:
        yield
    finally:
        _IN_HAND.reset(token)
        given.files.clear()
        given.marks.clear()


def _class_in_hand(number: str) -> ClassInHand:
    given = _IN_HAND.get()
    if given is None or given.begun.id != number:
        raise NotAllowed("Pupils' certificates are made only by the process that was given their names.")
    return given


def nameless(function: Callable[P, T]) -> Callable[P, T]:
    """Lets an error out without its causes and whatever else could hold a name."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        failure: LabelsError
        try:
            return function(*args, **kwargs)
        except InvalidInput as error:
            rest = [fault for fault in error.faults if fault.where != "holder"]
            failure = InvalidInput(error.subject, rest) if rest else NotMade("A name could not be printed.")
        except OSError as error:
            failure = NotMade(
                f"The certificates could not be written: {error.strerror}. The code still works."
            )
        except LabelsError as error:
            failure = bare(error)
        except Exception as error:
            failure = NotMade(
                f"The certificates could not be made: {type(error).__name__} at {where(error)}."
            )
        # Out here, no error is being handled that Python would keep as the context of this one.
        raise failure

    return call


@functools.cache
def make_ready() -> None:
    """Loads what certificates are printed with, once, by printing one for nobody: else the first class waits two seconds for it."""
    from adapters.papers.certificates import render_certificates

    nobody = CertificateFacts.of(
        label=LabelKind.PUPIL,
        application="PQL-0000000000",
        holder="A",
        school="A",
        country="Poland",
        project="A",
        organisation="A",
        awarded_on=date(2000, 1, 1),
        school_year="1999/2000",
        code="2222-2222-2222-2222",
        check_url="https://labels.example",
    )
    render_certificates([nobody])


@nameless
def print_certificates(number: str) -> int:
    """Lays out a certificate for each pupil; they stay in memory. Returns how many there are."""
    # WeasyPrint takes half a second to import.
    from adapters.papers.certificates import render_certificates
    from adapters.papers.credentials import render_credential

    given = _class_in_hand(number)
    settings, stamp = given.here.settings, given.here.stamp
    with given.here.record.reading() as session:
        stated = classes.stated(session, number, settings.rules) | {"check_url": stamp.check_url}
        must = classes.rules_of_class(session, number, settings.rules).must_be_signed
    facts = [
        CertificateFacts.of(holder=pupil.name, code=stamp.pupil(number, place), **stated)
        for place, pupil in enumerate(given.pupils, 1)
    ]
    signer = signer_of(settings, must=must) if must or settings.sign_pupils else None
    credentials = [render_credential(one, settings.branding) for one in facts]
    each, together = render_certificates(facts, credentials, settings.branding)
    if signer:
        each = [signer.sign(content, given.here.now()) for content in each]
    given.stamp = stamp  # their codes are made: another key meanwhile changes nothing of them
    given.marks = [
        stamp.mark(number, place, hashlib.sha256(content).hexdigest())
        for place, content in (*enumerate(each, 1), (0, together))
    ]
    rows = [f"row-{pupil.row:03}.pdf" for pupil in given.pupils]
    contents = (_zipped(dict(zip(rows, each, strict=True))), together)
    given.files = dict(zip(file_names(number), contents, strict=True))
    return len(each)


@nameless
def hand_over(number: str) -> int:
    """Puts the certificates into the teacher's folder, if they go into one, and counts them: both, or neither."""
    given = _class_in_hand(number)
    placed: list[Path] = []
    try:
        with given.here.record.writing() as session:
            turn = given.here.turn(session, given.door, known_by=given.known_by)
            assert given.stamp is not None
            pupils = classes.finish(turn, given.begun, given.marks, given.stamp)
            for name, content in given.files.items():
                if given.folder is not None:
                    place(given.folder / name, content)
                    placed.append(given.folder / name)
    except BaseException:
        for path in placed:
            path.unlink(missing_ok=True)
        raise
    return pupils


@nameless
def download(here: Workspace, award: str, listed: NameList, *, by: Proof, door: Door) -> tuple[str, bytes]:
    """A class's certificates in one ZIP, with the file for printing: its name and content, which nothing keeps.

    The class is counted before they are handed out: whoever loses them has them made once more, as another class.

    Raises:
        LabelsError: this person may not, or they could not be made.
    """
    begun = begin(here, award, listed, by=by, door=door)
    given = ClassInHand(here, begun, by.known_by, listed.pupils, None, door)
    with in_hand(given):
        print_certificates(begun.id)
        hand_over(begun.id)
        archive, print_file = file_names(begun.id)
        content = io.BytesIO(given.files[archive])
        with zipfile.ZipFile(content, "a") as whole:
            whole.writestr(_entry(print_file), given.files[print_file])
        return archive, content.getvalue()


def file_names(number: str) -> tuple[str, str]:
    """What the class's ZIP and its file for printing are called."""
    return f"{number}.zip", f"{number}-print.pdf"


def _zipped(files: Mapping[str, bytes]) -> bytes:
    """The files as a ZIP, the same bytes for the same files; PDFs are compressed as they are."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, file in files.items():
            archive.writestr(_entry(name), file)
    return content.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system, entry.external_attr = 3, 0o600 << 16
    return entry
