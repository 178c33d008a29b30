"""The command by which each thing is mended, as people copy it."""

from __future__ import annotations

import shlex
from typing import assert_never

from labels.errors import Fault, LabelsError
from labels.mending import (
    AddDocument,
    AskForCode,
    BeginCycle,
    CheckSchools,
    DeclareConflict,
    GoOnWithRound,
    HandInAgain,
    ImportRegistry,
    KeepUp,
    LookAtCase,
    LookAtMail,
    MakeRecord,
    Mend,
    MoveDeadline,
    NameColumn,
    NameEncoding,
    PreviewCycle,
    Reassign,
    Recover,
    ReopenDecision,
    SetClock,
    StartServices,
    TellAgain,
    UseAnotherKey,
    Withdraw,
)


def command(mend: Mend) -> str:
    """The command alone; what it concerns is filled in, what a person chooses is in capitals."""
    return _worded(mend)[1]


def advice(mend: Mend | None) -> str:
    """The command in a sentence that goes behind what was said; empty where nothing mends it."""
    if mend is None:
        return ""
    before, how = _worded(mend)
    return f" {before}: {how}"


def said(error: LabelsError | Fault) -> str:
    """What is wrong, and the command that mends it."""
    return f"{error}{advice(error.mend)}"


def _worded(mend: Mend) -> tuple[str, str]:
    """What the command is for, and the command."""
    match mend:
        case AskForCode(subject, email):
            return "Ask for one with", f"labels code {shlex.quote(subject)} --as {shlex.quote(email)}"
        case Withdraw(application):
            return "To withdraw it", f"labels withdraw {application} --as EMAIL --code CODE"
        case HandInAgain():
            return "The option for that is", "--again"
        case AddDocument():
            return "The option for that is", "--evidence FILE"
        case NameColumn():
            return "The option for that is", "--column 1"
        case NameEncoding():
            return "The option for that is", "--encoding NAME"
        case LookAtCase(application):
            return "See where it stands", f"labels show {application}"
        case LookAtMail():
            return "See what waits", "labels export mail"
        case BeginCycle(year):
            return "To make it up", f"labels begin-cycle {year}"
        case PreviewCycle(year):
            return "See what it would be today", f"labels cycle {year}"
        case CheckSchools():
            return "Which schools would pass", "labels school-check"
        case GoOnWithRound(on):
            return "Go on with it", f"labels preselect --on {on}"
        case Reassign(step):
            return "To give it to somebody else", f"labels reassign {step} --to EMAIL …"
        case MoveDeadline(step):
            return "To move its deadline", f"labels deadline {step} --until DATE …"
        case DeclareConflict(application):
            return "To declare one", f"labels conflict {application} --reviewer EMAIL …"
        case ReopenDecision(application, cause):
            return "To see what hangs on it and reopen it", f"labels reopen {application} --cause {cause}"
        case ImportRegistry(file):
            return "To correct it", "labels import DIR" + (f" (with {file})" if file else "")
        case MakeRecord():
            return "To make one here", "labels import DIR, or labels up"
        case StartServices():
            return "Once the server is back, labels recover goes on from there; to start it", "labels up"
        case Recover():
            return "To go on with it", "labels recover"
        case SetClock():
            return "To see whether it is set by others", "timedatectl"
        case UseAnotherKey():
            return "Where it is lost for ever", "--with-another-key"
        case KeepUp():
            return "To do it now", "labels upkeep"
        case TellAgain(webhook):
            return "Once it answers", f"labels webhook replay {webhook}"
    assert_never(mend)
