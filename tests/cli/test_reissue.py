"""A certificate with a wrong name is issued anew, the former points to it, and classes' certificates can be taken back."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

import adapters.papers.issuing
import usecases.correcting
from labels.errors import OutOfReach
from labels.papers.issued import MadePaper
from labels.papers.verifying import PaperState
from labels.record.journal import Event
from labels.record.schema import Application, Award, Document, Issued, Journal, Mail, Teacher
from tests.cli.conftest import COORDINATOR, Terminal
from tests.cli.test_pupils import AWARD, made, mailed_code
from tests.cli.test_verify import awarded_application, code_of_paper, paper, served, verified

__all__ = ["served"]


def renamed(terminal: Terminal, name: str = "Zażółć Gęślą-Jaźń") -> None:
    """What an import of a corrected registry does."""
    with terminal.here.record.writing() as session:
        session.get_one(Teacher, "T-1").name = name


def proof(terminal: Terminal, application: str, reason: str = "The name was misspelt.") -> list[str]:
    return ["--as", COORDINATOR, "--code", terminal.coordinators_code(application), "--reason", reason]


@pytest.mark.slow
def test_a_corrected_certificate_replaces_the_former_and_goes_to_its_holder(terminal: Terminal) -> None:
    application = awarded_application(terminal)
    old_code = code_of_paper(terminal, application)
    with terminal.here.record.reading() as session:
        old = terminal.here.documents.get(
            session.scalars(sa.select(Document.key).where(Document.kind == "certificate")).one()
        )
    renamed(terminal)
    shown = terminal.json("reissue", old_code)
    assert shown == {
        "number": application, "done": False, "code": None,
        "changes": [{"what": "holder", "was": "Zażółć Gęślą", "now": "Zażółć Gęślą-Jaźń"}],
    }  # fmt: skip
    assert f"labels code {application} --as EMAIL" in terminal.run("reissue", application).stderr
    done = terminal.json("reissue", application, *proof(terminal, application))
    assert (done["done"], done["changes"]) == (True, shown["changes"])
    said = verified(terminal, old)
    assert (said.state, said.genuine, said.holder, said.superseded_by) == (
        PaperState.SUPERSEDED, True, "Zażółć Gęślą", done["code"],
    )  # fmt: skip
    assert f"was replaced on 2026-03-16 by a later one, which counts instead: {done['code']}." in said.why
    assert verified(terminal, old_code).state is PaperState.SUPERSEDED
    new = verified(terminal, done["code"])
    assert (new.state, new.holder, new.number) == (PaperState.VALID, "Zażółć Gęślą-Jaźń", application)
    with terminal.here.record.reading() as session:
        first, second = session.scalars(
            sa.select(Issued).where(Issued.kind == "certificate").order_by(Issued.edition)
        )
        assert (first.superseded_by, second.edition) == (second.paper, 2)
        [mail] = session.scalars(sa.select(Mail).where(Mail.template == "paper_reissued"))
        assert mail.to_address == "t-1@school.example"
        assert mail.sent_at is not None
        texts = [path.read_text("utf-8") for path in terminal.here.settings.mail_folder.rglob("*.eml")]
        assert any(done["code"] in text for text in texts), "the mail says the new code"
        assert mail.attachment == f"certificate/{application}/2"
        [entry] = session.scalars(sa.select(Journal).where(Journal.what == Event.REISSUED))
        assert (entry.who, entry.details["because"]) == (COORDINATOR, "The name was misspelt.")
        file = terminal.here.documents.get(
            session.scalars(sa.select(Document.key).where(Document.name.contains("edition-2"))).one()
        )
    assert verified(terminal, file).state is PaperState.VALID
    assert "states what the registry says" in terminal.fails(3, "reissue", application)


def test_only_a_coordinator_with_a_code_and_a_reason_reissues(terminal: Terminal) -> None:
    application = awarded_application(terminal)
    assert "states what the registry says. Correct the registry first" in terminal.fails(
        3, "reissue", application
    )
    renamed(terminal)
    wrong = ["--as", COORDINATOR, "--code", "2222-2222-22", "--reason", "Misspelt."]
    terminal.coordinators_code(application)
    assert "The code is not valid" in terminal.run("reissue", application, *wrong).stderr
    refused = terminal.run("reissue", application, *wrong)
    assert refused.exit_code == 3
    assert "--reason: is needed together with the others" in terminal.fails(
        2, "reissue", application, *wrong[:4]
    )
    assert "There is no label NQL-NO" in terminal.fails(4, "reissue", "NQL-NO")
    with terminal.here.record.reading() as session:
        assert session.scalars(sa.select(Issued.edition).where(Issued.kind == "certificate")).all() == [1]


@pytest.mark.slow
def test_a_command_that_died_after_the_file_was_stored_is_given_again_with_the_same_code(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = awarded_application(terminal)
    renamed(terminal)
    words = ["reissue", application, *proof(terminal, application)]
    make = adapters.papers.issuing.make

    def dies(*given: object) -> MadePaper:
        make(*given)  # type: ignore[arg-type]  # as it was given
        raise OutOfReach("This machine", "it was switched off.")

    with monkeypatch.context() as broken:
        broken.setattr(usecases.correcting, "make", dies)
        assert terminal.run(*words).exit_code == 5
    assert terminal.run(*words).exit_code == 0
    with terminal.here.record.reading() as session:
        editions = session.scalars(sa.select(Issued.edition).where(Issued.kind == "certificate")).all()
    assert sorted(editions) == [1, 2]


@pytest.mark.slow
def test_what_changed_since_it_was_shown_is_not_issued(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = awarded_application(terminal)
    renamed(terminal)
    words = ["reissue", application, *proof(terminal, application)]
    make = adapters.papers.issuing.make

    def meanwhile(*given: object) -> MadePaper:
        renamed(terminal, "Somebody Else")
        return make(*given)  # type: ignore[arg-type]  # as it was given

    monkeypatch.setattr(usecases.correcting, "make", meanwhile)
    assert "changed meanwhile. Nothing was done" in terminal.run(*words).stderr
    monkeypatch.setattr(usecases.correcting, "make", make)
    assert terminal.run(*words).exit_code == 0, "the code was not spent"
    assert verified(terminal, code_now(terminal, application)).holder == "Somebody Else"


def code_now(terminal: Terminal, application: str) -> str:
    with terminal.here.record.reading() as session:
        newest = sa.select(Issued.code).where(Issued.subject == application, Issued.code.is_not(None))
        return str(session.scalars(newest.order_by(Issued.edition.desc())).first())


def test_a_revoked_label_gets_no_certificate_and_a_pupils_code_takes_no_label_back(
    terminal: Terminal, served: tuple[Terminal, str, list[bytes]]
) -> None:
    _, number, _ = served
    code = terminal.here.stamp.pupil(number, 1)
    assert f"name the class: {number}" in terminal.fails(3, "revoke", code)
    assert f"No certificate of {AWARD} was issued here" in terminal.fails(4, "reissue", AWARD)
    with terminal.here.record.writing() as session:
        session.get_one(Award, AWARD).revoked_at = terminal.here.now()
    assert "it gets no certificate" in terminal.fails(3, "reissue", AWARD)


@pytest.mark.slow
def test_the_certificates_of_one_class_are_taken_back_and_the_label_stays(terminal: Terminal) -> None:
    application = awarded_application(terminal)
    terminal.awarded_elsewhere(
        AWARD
    )  # the class is made by the steps of another test, whose award is a constant
    number = made(terminal, mailed_code(terminal))["number"]
    with terminal.here.record.writing() as session:
        row = session.scalars(sa.select(Issued).where(Issued.subject == number)).one()
        row.award = application
    code = terminal.here.stamp.pupil(number, 1)
    shown = terminal.json("revoke", number)
    assert not shown["done"]
    assert "6 certificates" in shown["consequences"][0]["what"]
    assert verified(terminal, code).state is PaperState.VALID
    done = terminal.json("revoke", number, *proof(terminal, application, "The list was of another class."))
    assert done["done"]
    said = verified(terminal, code)
    assert (said.state, said.because) == (PaperState.REVOKED, "The list was of another class.")
    assert verified(terminal, paper(terminal, application)).state is PaperState.VALID
    with terminal.here.record.reading() as session:
        [mail] = session.scalars(sa.select(Mail).where(Mail.template == "class_revoked"))
        assert mail.sent_at is not None
        assert session.get_one(Application, application).outcome == "awarded"
    again = terminal.run("revoke", number, *proof(terminal, application, "Once more."))
    assert again.exit_code == 3
    assert "are revoked already" in again.stderr


def test_a_label_is_revoked_by_the_code_of_its_certificate(terminal: Terminal) -> None:
    application = awarded_application(terminal)
    by_code = terminal.json("revoke", code_of_paper(terminal, application))
    assert by_code == terminal.json("revoke", application)
    other = terminal.here.stamp.paper("certificate", "NQL-NO")
    assert f"No certificate has the code {other}" in terminal.fails(4, "revoke", other)
