"""`labels verify`: what an inspector is told of a file or a code, whatever the file is."""

from __future__ import annotations

import io
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

import adapters.papers.issuing
import tasks.national
from adapters.papers.checking import LARGEST, look_into
from adapters.papers.signing import signer_of
from adapters.workspace import workspace
from desk.check import answer_to
from labels.answering import accepting
from labels.applications import ending
from labels.errors import InvalidInput
from labels.papers.codes import MARK
from labels.papers.verifying import PaperState, Verification, by_file
from labels.record.schema import Award, Document, Issued, PupilClass, Review, Step
from labels.reviews import deciding
from labels.rules.loading import RULES
from labels.steps.answers import ReviewAnswer
from labels.steps.proof import Code
from labels.turn import Door, Turn
from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.cli.test_pupils import AWARD, made, mailed_code
from tests.support.authority import Authority, authority
from tests.support.people import KEY, TODAY, points


def judged(terminal: Terminal, each: int, comment: str) -> str:
    """An application that was decided, with so many points for each criterion; its papers are due."""
    application = terminal.submitted()
    for step in terminal.asked(application):
        with terminal.here.record.writing() as session:
            given = ReviewAnswer(scores=points(each), comment=comment)
            accepting.answer(
                Turn(session, terminal.here.now(), terminal.here.key, Door.COMMAND_LINE),
                step,
                Code(terminal.code(step), session.get_one(Step, step).assignee),
                given,
            )
    with terminal.here.record.writing() as session:
        deciding.decide(Turn(session, terminal.here.now(), terminal.here.key), application)
    return application


def awarded_application(terminal: Terminal) -> str:
    """An application that was awarded, with its certificate and its letter."""
    application = judged(terminal, 4, "Well done.")
    assert len(tasks.national.issue_papers.fn(application)) == 2
    assert tasks.national.issue_papers.fn(application) == []
    with terminal.here.record.writing() as session:
        ending.close(Turn(session, terminal.here.now(), KEY), application)
    return application


def paper(terminal: Terminal, application: str, kind: str = "certificate") -> bytes:
    with terminal.here.record.reading() as session:
        document = session.scalars(
            sa.select(Document).where(Document.application == application, Document.kind == kind)
        ).one()
    return terminal.here.documents.get(document.key)


def code_of_paper(terminal: Terminal, subject: str) -> str:
    with terminal.here.record.reading() as session:
        return str(
            session.scalar(sa.select(Issued.code).where(Issued.subject == subject, Issued.code.is_not(None)))
        )


def verified(terminal: Terminal, what: str | bytes) -> Verification:
    named = terminal.file("paper.pdf", what) if isinstance(what, bytes) else what
    return Verification.model_validate(terminal.json("verify", named))


def with_code(content: bytes, code: str) -> bytes:
    """A PDF that carries a code which is not its own."""
    with pikepdf.open(io.BytesIO(content)) as pdf:
        pdf.attachments["note.txt"] = pikepdf.AttachedFileSpec(pdf, f"see {code}".encode())
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()


@pytest.mark.slow
def test_a_certificate_is_genuine_by_its_file_and_by_its_code(terminal: Terminal) -> None:
    application = awarded_application(terminal)
    file = paper(terminal, application)
    said = terminal.json("verify", terminal.file("paper.pdf", file))
    expected = {
        "state": "valid", "genuine": True, "label": "national", "holder": "Zażółć Gęślą", "revoked": False,
        "awarded_on": "2026-03-16", "valid_until": None, "number": application, "project": "Mosty przez Europę",
    }  # fmt: skip
    assert {name: said[name] for name in expected} == expected
    assert (
        said["why"] == "This certificate of the National Quality Label was issued on 2026-03-16. It is valid."
    )
    code = code_of_paper(terminal, application)
    by_code = terminal.json("verify", f" {code.lower().replace('-', ' ')} ")
    assert {name: by_code[name] for name in expected} == expected
    assert "Compare it with the paper" in by_code["why"]
    shown = terminal.run("verify", "paper.pdf")
    assert shown.stdout.startswith("VALID\n")
    assert "Zażółć Gęślą" in shown.stdout


def test_a_letter_is_known_by_its_file(terminal: Terminal) -> None:
    application = awarded_application(terminal)
    said = verified(terminal, paper(terminal, application, "letter"))
    assert (said.state, said.kind, said.holder) == (PaperState.VALID, "letter", "Zażółć Gęślą")
    assert "letter about the National Quality Label" in said.why
    assert "It is no certificate, and proves no label." in said.why


def test_of_a_refusals_letter_it_is_said_that_it_is_one(terminal: Terminal) -> None:
    application = judged(terminal, 1, "Not yet.")
    assert len(tasks.national.issue_papers.fn(application)) == 1
    said = verified(terminal, paper(terminal, application, "letter"))
    assert "This letter of refusal about the National Quality Label was issued" in said.why
    assert "proves no label" in said.why
    assert answer_to(said).heading == "Genuine, but no certificate"


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("NQL-VM28PSF9E2", "That is the number of a label."),
        ("sl-wjk87tw0gr", "That is the number of a label."),
        ("7V6Y-CZKH-TKC2", "it has 12 letters and digits, and a code has sixteen"),
        ("7V6Y-CZKH-TKC2-FGSW", "there is a typing error in it"),
        ("EQL4-CZKH-TKC2-FGSW", "there is a typing error in it"),
    ],
)
def test_what_is_no_code_is_told_what_it_is(terminal: Terminal, typed: str, why: str) -> None:
    said = terminal.run("verify", typed, "--json")
    assert why in json.loads(said.stdout)["why"]


@pytest.mark.slow
def test_any_one_byte_that_was_changed_is_noticed_and_the_paper_named_all_the_same(
    terminal: Terminal,
) -> None:
    application = awarded_application(terminal)
    file = paper(terminal, application)
    step = len(file) // 150
    states = set()
    with terminal.here.record.reading() as session:
        for place in range(0, len(file), step):
            altered = bytearray(file)
            altered[place] ^= 1
            said = by_file(session, look_into(bytes(altered)), terminal.here.stamp, now=terminal.here.now())
            states.add((said.state, said.genuine, said.holder))
    assert states == {(PaperState.ALTERED, False, "Zażółć Gęślą")}
    altered = bytearray(file)
    altered[len(file) // 2] ^= 1
    assert "at least one byte of it is different" in verified(terminal, bytes(altered)).why


def test_what_was_added_to_a_certificate_is_told_from_what_was_issued(terminal: Terminal) -> None:
    application = awarded_application(terminal)
    file = paper(terminal, application)
    said = verified(terminal, file + b"\n1 0 obj\n<<>>\nendobj\n%%EOF\n")
    assert (said.state, said.genuine) == (PaperState.ALTERED, False)
    assert "Something was added to this file after it was issued" in said.why


@pytest.mark.slow
def test_a_decision_is_reopened_after_a_plan_and_its_papers_say_so(terminal: Terminal) -> None:
    application = awarded_application(terminal)
    code = code_of_paper(terminal, application)
    with terminal.here.record.reading() as session:
        judge = session.scalars(sa.select(Review.reviewer).order_by(Review.step)).first()
    by = ["--as", COORDINATOR, "--reason", "They are cousins.", "--code"]
    assert "To declare one: labels conflict" in terminal.fails(
        3, "reopen", application, "--cause", "conflict"
    )
    said = terminal.run(
        "conflict", application, "--reviewer", str(judge), *by, terminal.coordinators_code(application)
    )
    told = " ".join(said.output.split())
    assert "decided, and stays so until it is reopened" in told
    assert f"labels reopen {application} --cause conflict" in told
    shown = terminal.json("reopen", application, "--cause", "conflict")
    assert not shown["done"]
    assert [one["kind"] for one in shown["consequences"]] == [
        "decision", "label", "certificate", "review", "review", "statistics",
    ]  # fmt: skip
    assert verified(terminal, code).state is PaperState.VALID, "showing changes nothing"
    reopen = ["reopen", application, "--cause", "conflict", "--plan", shown["plan"], *by]
    done = terminal.run(*reopen, terminal.coordinators_code(application))
    assert "counts no longer; somebody else is asked" in " ".join(done.stdout.split())
    assert verified(terminal, code).state is PaperState.SUSPENDED
    page = " ".join(terminal.run("show", application).stdout.split())
    assert "does not count until the new decision" in page
    assert "reopened a decision" in page


def test_a_revoked_label_takes_its_papers_with_it(terminal: Terminal) -> None:
    application = awarded_application(terminal)
    code, file = code_of_paper(terminal, application), paper(terminal, application)
    plan = terminal.json("revoke", application)["plan"]
    done = terminal.run(
        "revoke", application, "--plan", plan, "--as", COORDINATOR, "--reason", "Copied from another project.",
        "--code", terminal.coordinators_code(application),
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    for what in (code, file):
        said = verified(terminal, what)
        assert (said.state, said.genuine, said.revoked, said.revoked_on) == (
            PaperState.REVOKED, True, True, TODAY,
        )  # fmt: skip
        assert said.because == "Copied from another project."
        assert "is no longer valid: the label was taken back on 2026-03-16" in said.why
    assert verified(terminal, paper(terminal, application, "letter")).state is PaperState.REVOKED
    shown = " ".join(terminal.run("show", application).stdout.split())
    assert "revoked the label was taken back on 2026-03-16" in shown
    assert "because: Copied from another project." in shown.partition("Journal")[0]
    with terminal.here.record.reading() as session:
        row = session.scalars(sa.select(Issued).where(Issued.kind == "certificate")).one()
        assert (row.revoked_by, row.revoked_because) == (COORDINATOR, "Copied from another project.")


def test_a_label_that_has_ended_is_expired_and_genuine(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = awarded_application(terminal)
    with terminal.here.record.writing() as session:
        session.scalars(sa.select(Issued).where(Issued.kind == "certificate")).one().valid_until = TODAY
    assert verified(terminal, code_of_paper(terminal, application)).state is PaperState.VALID
    with terminal.here.record.writing() as session:
        row = session.scalars(sa.select(Issued).where(Issued.kind == "certificate")).one()
        row.valid_until = TODAY.replace(day=15)
    said = verified(terminal, code_of_paper(terminal, application))
    assert (said.state, said.genuine) == (PaperState.EXPIRED, True)
    assert "valid until 2026-03-15 and has ended" in said.why


def test_papers_from_before_the_record_of_papers_are_known_by_their_document(terminal: Terminal) -> None:
    application = awarded_application(terminal)
    with terminal.here.record.writing() as session:
        session.execute(sa.delete(Issued))
    said = verified(terminal, paper(terminal, application))
    assert (said.state, said.holder, said.number) == (PaperState.VALID, "Zażółć Gęślą", application)
    assert "it is from before papers had them" in said.why
    with terminal.here.record.writing() as session:
        session.get_one(Award, application).revoked_at = terminal.here.now()
    assert verified(terminal, paper(terminal, application)).state is PaperState.REVOKED


# Pupils ------------------------------------------------------------------------------------------


@pytest.fixture
def served(terminal: Terminal) -> tuple[Terminal, str, list[bytes]]:
    """A class that got its certificates: the terminal, the class's number, the files."""
    terminal.awarded_elsewhere(AWARD)
    done = made(terminal, mailed_code(terminal))
    with zipfile.ZipFile(terminal.folder / done["files"][0]) as archive:
        return terminal, done["number"], [archive.read(name) for name in archive.namelist()]


@pytest.mark.slow
def test_a_pupils_certificate_is_known_without_a_name(served: tuple[Terminal, str, list[bytes]]) -> None:
    terminal, number, files = served
    for place, file in enumerate(files, 1):
        said = verified(terminal, file)
        assert (said.state, said.pupil, said.holder) == (PaperState.VALID, f"{place} of 6", None)
        assert said.why.endswith("It is valid.")
    code = terminal.here.stamp.pupil(number, 2)
    said = verified(terminal, code)
    assert (said.state, said.label, said.pupil, said.holder, said.project, said.school_year) == (
        PaperState.VALID, "pupil", "2 of 6", None, "Mosty przez Europę", "2025/26",
    )  # fmt: skip
    assert verified(terminal, terminal.here.stamp.pupil(number, 7)).state is PaperState.UNKNOWN
    with terminal.here.record.reading() as session:
        [row] = session.scalars(sa.select(Issued))
        assert (row.kind, row.pupils, len(row.marks or b""), row.facts["holder"]) == (
            "class",
            6,
            7 * MARK,
            "",
        )
        assert row.paper == f"class/{session.scalars(sa.select(PupilClass.id)).one()}/1"
    assert row.code == code[:9]
    assert len(files) == 6


def test_a_pupils_code_on_another_file_is_no_proof(served: tuple[Terminal, str, list[bytes]]) -> None:
    terminal, number, files = served
    for forged in (
        with_code(files[0], terminal.here.stamp.pupil(number, 2)), files[0][:-9], files[1].replace(b"PDF-1.7", b"PDF-1.6")
    ):  # fmt: skip
        said = verified(terminal, forged)
        assert (said.state, said.genuine, said.holder) == (PaperState.ALTERED, False, None)
    added = verified(terminal, files[2] + b"more\n%%EOF\n")
    assert (added.state, added.pupil) == (PaperState.ALTERED, "3 of 6")
    assert "Something was added to this file" in added.why


def to_print(terminal: Terminal, number: str) -> bytes:
    """The file in which all certificates of a class are printed."""
    [path] = terminal.folder.rglob(f"{number}-print.pdf")
    return path.read_bytes()


def test_the_file_to_print_a_class_is_known_and_said_to_be_that(
    served: tuple[Terminal, str, list[bytes]],
) -> None:
    terminal, number, _ = served
    bound = to_print(terminal, number)
    said = verified(terminal, bound)
    assert (said.state, said.genuine, said.kind, said.pupil, said.holder) == (
        PaperState.VALID, True, "print", None, None,
    )  # fmt: skip
    assert "This file with the 6 certificates of a class (Pupil Quality Label) was issued on" in said.why
    assert "each of its pages has a code of its own" in said.why
    shown = answer_to(said)
    assert shown.heading == "Genuine, but no certificate"
    assert not {"School", "Awarded to", "Number", "Code"} & {str(name) for name, *_ in shown.facts}
    changed = verified(terminal, bound.replace(b"%PDF-1.7", b"%PDF-1.6"))
    assert (changed.state, changed.genuine) == (PaperState.UNKNOWN, False)
    assert "carries the codes of several certificates" in changed.why
    with terminal.here.record.writing() as session:
        session.get_one(Award, AWARD).revoked_at = terminal.here.now()
    assert verified(terminal, bound).state is PaperState.REVOKED


def test_a_file_bound_for_printing_by_an_earlier_version_is_said_to_prove_nothing(
    served: tuple[Terminal, str, list[bytes]],
) -> None:
    terminal, number, files = served
    with terminal.here.record.writing() as session:
        [row] = session.scalars(sa.select(Issued))
        row.marks = (row.marks or b"")[: 6 * MARK]
    said = verified(terminal, to_print(terminal, number))
    assert (said.state, said.genuine) == (PaperState.UNKNOWN, False)
    assert "bound for printing" in said.why
    assert verified(terminal, files[5]).pupil == "6 of 6"


def test_pupils_certificates_fall_with_the_label(served: tuple[Terminal, str, list[bytes]]) -> None:
    terminal, number, files = served
    with terminal.here.record.writing() as session:
        session.get_one(Award, AWARD).revoked_at = terminal.here.now()
    for what in (terminal.here.stamp.pupil(number, 1), files[0]):
        said = verified(terminal, what)
        assert (said.state, said.revoked, said.pupil) == (PaperState.REVOKED, True, "1 of 6")


# Whatever else -----------------------------------------------------------------------------------

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"


def encrypted() -> bytes:
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        out = io.BytesIO()
        pdf.save(out, encryption=pikepdf.Encryption(owner="o", user="u"))
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (PDF, "was not issued here, and it carries no code of ours"),
        (b"", "It is empty"),
        (b"GIF89a", "It is no PDF"),
        (PDF[:60], "its end is missing"),
        (encrypted(), "It is encrypted"),
        (b"%PDF-1.7\n" + b"\0" * LARGEST, "larger than 10 MB"),
        (PDF + b"stream\n" * 5000 + b"%%EOF" * 5000, "no code of ours"),
        (bytes(range(256)) * 100, "It is no PDF"),
    ],
    ids=["foreign", "empty", "picture", "truncated", "encrypted", "huge", "odd", "noise"],
)
def test_any_other_file_is_unknown_and_why_is_told(terminal: Terminal, content: bytes, why: str) -> None:
    said = verified(terminal, content)
    assert (said.state, said.genuine, said.label) == (PaperState.UNKNOWN, False, None)
    assert why in said.why


def test_a_code_of_somebody_else_is_told_by_name(terminal: Terminal) -> None:
    from labels.papers.codes import Stamp

    code = Stamp(b"another key", "https://elsewhere.example").paper("certificate", "NQL-1")
    said = verified(terminal, with_code(encryptable(), code))
    assert (said.state, said.why) == (
        PaperState.UNKNOWN, f"It carries the code {code}, which was never issued here.",
    )  # fmt: skip
    assert verified(terminal, code).why == "No certificate that was issued here has this code."


def encryptable() -> bytes:
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()


def test_a_slip_in_a_code_is_told_as_one(terminal: Terminal) -> None:
    code = terminal.here.stamp.paper("certificate", "NQL-1")
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    assert "typing error" in verified(terminal, wrong).why


def test_neither_a_file_nor_a_code_is_wrong_usage(terminal: Terminal, tmp_path: Path) -> None:
    assert "neither a file nor a code" in terminal.fails(2, "verify", "no-such.pdf")
    (terminal.folder / "folder.pdf").mkdir()
    assert "it is a folder; a file was expected" in terminal.fails(2, "verify", "folder.pdf")


@given(
    st.binary(max_size=400),
    st.lists(st.sampled_from([b"stream\n", b"%%EOF", b"%PDF-1.7\n", b"/Encrypt", b"\x78\xda"])),
)
def test_no_bytes_are_too_odd_to_be_looked_into(noise: bytes, words: list[bytes]) -> None:
    look_into(noise.join(words) + noise)


@pytest.mark.slow
def test_a_compressed_bomb_is_unpacked_no_further_than_is_bearable() -> None:
    import zlib

    packed = b"stream\n" + zlib.compress(b"0" * 100_000_000, 9) + b"\nendstream\n"
    assert look_into(b"%PDF-1.7\n" + packed * 50 + b"%%EOF").codes == ()


# Signed ------------------------------------------------------------------------------------------


@pytest.fixture
def signing(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Authority]:
    """An authority, and a key of it in the settings; the terminal's day is the authority's."""
    with authority(terminal.here.now()) as made:
        monkeypatch.setenv("LABELS_SIGNING_KEY", str(made.pkcs12(tmp_path / "key.p12")))
        monkeypatch.setenv("LABELS_SIGNING_PASSWORD", "a password")
        monkeypatch.setenv("LABELS_SIGNATURES", "required")
        workspace.cache_clear()
        terminal.here = workspace()
        yield made


@pytest.mark.slow
def test_papers_are_signed_once_and_stay_verifiable_when_the_key_is_renewed(
    terminal: Terminal, signing: Authority, tmp_path: Path
) -> None:
    application = awarded_application(terminal)
    file = paper(terminal, application)
    said = verified(terminal, file)
    assert said.state is PaperState.VALID
    assert said.signature is not None
    assert (said.signature.intact, said.signature.whole, said.signature.ours) == (True, True, True)
    assert said.signature.why == "It was signed by Test Organisation on 2026-03-16."
    signing.pkcs12(tmp_path / "key.p12")
    assert tasks.national.issue_papers.fn(application) == []
    assert paper(terminal, application) == file
    again = verified(terminal, file)
    assert (again.state, again.signature) == (said.state, said.signature)
    assert verified(terminal, paper(terminal, application, "letter")).signature is not None


@pytest.mark.slow
def test_a_signed_paper_that_was_changed_says_so_twice(terminal: Terminal, signing: Authority) -> None:
    application = awarded_application(terminal)
    file = paper(terminal, application)
    altered = bytearray(file)
    altered[len(file) // 2] ^= 1
    said = verified(terminal, bytes(altered))
    assert (said.state, said.genuine) == (PaperState.ALTERED, False)
    assert said.signature is not None
    assert (said.signature.intact, said.signature.ours) == (False, True)
    added = verified(terminal, file + b"\n%%EOF\n")
    assert added.state is PaperState.ALTERED
    assert "Something was added" in added.why


@pytest.mark.slow
def test_a_forgery_with_somebody_elses_signature_is_no_paper_of_ours(
    terminal: Terminal, signing: Authority, tmp_path: Path
) -> None:
    application = awarded_application(terminal)
    with authority(terminal.here.now()) as other:
        path = other.pkcs12(tmp_path / "other.p12", name="Test Organisation")
        forger = signer_of(terminal.here.settings.model_copy(update={"signing_key": path}))
        assert forger is not None
        forged = forger.sign(
            with_code(encryptable(), code_of_paper(terminal, application)), terminal.here.now()
        )
    said = verified(terminal, forged)
    assert said.state is PaperState.ALTERED
    assert said.signature is not None
    assert (said.signature.intact, said.signature.ours) == (True, False)
    assert said.signature.why.endswith("No paper of ours was signed with that certificate.")


@pytest.mark.slow
def test_without_the_key_that_is_required_nothing_is_issued(
    terminal: Terminal, signing: Authority, tmp_path: Path
) -> None:
    key = tmp_path / "key.p12"
    key.rename(tmp_path / "elsewhere.p12")
    with pytest.raises(InvalidInput, match=r"LABELS_SIGNING_KEY: .*No such file"):
        awarded_application(terminal)
    with terminal.here.record.reading() as session:
        assert session.scalars(sa.select(Issued)).all() == []
        [application] = session.scalars(sa.select(Award.id))
        kinds = session.scalars(sa.select(Document.kind)).all()
    assert "certificate" not in kinds
    (tmp_path / "elsewhere.p12").rename(key)
    assert len(tasks.national.issue_papers.fn(application)) == 2
    signature = verified(terminal, paper(terminal, application)).signature
    assert signature is not None
    assert signature.ours


@pytest.mark.slow
def test_where_the_rules_ask_for_signatures_nothing_is_issued_without_one(
    terminal: Terminal, signing: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rules, key = tmp_path / "rules", os.environ["LABELS_SIGNING_KEY"]
    shutil.copytree(RULES, rules)
    default = rules / "editions" / "2026" / "default.yaml"
    text = default.read_text("utf-8")
    assert "  signed: {value: false," in text
    default.write_text(text.replace("  signed: {value: false,", "  signed: {value: true,"), "utf-8")
    monkeypatch.setenv("LABELS_RULES", str(rules))
    monkeypatch.setenv("LABELS_SIGNATURES", "if_configured")
    monkeypatch.setenv("LABELS_SIGN_PUPILS", "false")
    monkeypatch.delenv("LABELS_SIGNING_KEY")

    def opened_anew() -> None:
        workspace.cache_clear()
        terminal.here = workspace()

    opened_anew()
    with pytest.raises(InvalidInput, match=r"papers must be signed \(rule papers\.signed\)"):
        awarded_application(terminal)
    terminal.awarded_elsewhere(AWARD)
    code = mailed_code(terminal)
    listed = terminal.file("names.csv", "name\nAda Quick\n")
    words = ("pupils", AWARD, listed, "out", "--as", TEACHER, "--code", code)
    refused = terminal.run(*words)
    assert refused.exit_code == 2
    assert "papers must be signed (rule papers.signed)" in refused.stderr
    with terminal.here.record.reading() as session:
        assert session.scalars(sa.select(Issued)).all() == []
        [application] = session.scalars(sa.select(Award.id).where(Award.id != AWARD))
    monkeypatch.setenv("LABELS_SIGNING_KEY", key)
    opened_anew()
    assert len(tasks.national.issue_papers.fn(application)) == 2
    assert verified(terminal, paper(terminal, application)).signature is not None
    assert terminal.run(*words).exit_code == 0, "the code was not spent"
    [made_of] = (terminal.folder / "out").glob("*.zip")
    with zipfile.ZipFile(made_of) as archive:
        [row] = archive.namelist()
        assert verified(terminal, archive.read(row)).signature is not None


@pytest.mark.slow
def test_a_class_is_signed_too_unless_its_codes_are_proof_enough(
    terminal: Terminal, signing: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.awarded_elsewhere(AWARD)
    for wanted in (True, False):
        monkeypatch.setenv("LABELS_SIGN_PUPILS", str(wanted).lower())
        workspace.cache_clear()
        terminal.here = workspace()
        done = made(terminal, mailed_code(terminal))
        with zipfile.ZipFile(terminal.folder / done["files"][0]) as archive:
            said = verified(terminal, archive.read("row-001.pdf"))
        assert (said.state, said.pupil) == (PaperState.VALID, "1 of 6")
        assert (said.signature is not None and said.signature.intact) is wanted


@pytest.mark.slow
def test_a_run_that_died_after_storing_a_signed_paper_leaves_one_paper(
    terminal: Terminal, signing: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(adapters.papers.issuing, "enter", dies)
        with pytest.raises(KeyboardInterrupt):
            awarded_application(terminal)
    with terminal.here.record.reading() as session:
        [application] = session.scalars(sa.select(Award.id))
        assert session.scalars(sa.select(Issued)).all() == []
    assert len(tasks.national.issue_papers.fn(application)) == 2
    said = verified(terminal, paper(terminal, application))
    assert said.state is PaperState.VALID
    assert said.signature is not None
    with terminal.here.record.reading() as session:
        assert len(session.scalars(sa.select(Issued)).all()) == 2
