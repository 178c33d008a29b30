"""Mail that came back: the address is marked, what waits for it waits, and a coordinator is told once what mends it."""

from __future__ import annotations

import mailbox
from pathlib import Path

import pytest
import sqlalchemy as sa

from adapters.mail.folder import MailFolder, codes_in, plain_text
from adapters.mail.reports import LARGEST, read_folder, reports_in
from adapters.workspace import workspace
from labels.errors import InvalidInput
from labels.files import contents
from labels.mail.outbox import message_id
from labels.mail.undelivered import Report
from labels.record.schema import Bounce, Mail, Step
from labels.steps.codes import code_matches
from tests.cli.conftest import COORDINATOR, Terminal
from usecases import bounces as usecases

UNKNOWN = "550 5.1.1 <r1@nss.example>: Recipient address rejected: User unknown"

POSTFIX = """\
From: MAILER-DAEMON@mx.example (Mail Delivery System)
To: labels@labels.example.eu
Subject: Undelivered Mail Returned to Sender
Message-Id: <20261130101010.0A1B2C3D@mx.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4F1A2B3C4D.1764497410/mx.example"

--4F1A2B3C4D.1764497410/mx.example
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.

--4F1A2B3C4D.1764497410/mx.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
X-Postfix-Queue-ID: 4F1A2B3C4D
Arrival-Date: Mon, 30 Nov 2026 10:10:10 +0000 (UTC)

Final-Recipient: rfc822; {address}
Original-Recipient: rfc822;{address}
Action: {action}
Status: {status}
Remote-MTA: dns; mail.nss.example
Diagnostic-Code: smtp; {said}

--4F1A2B3C4D.1764497410/mx.example
Content-Description: Undelivered Message
Content-Type: message/rfc822

Message-ID: {message_id}
From: eTwinning labels <labels@labels.example.eu>
To: {address}
Subject: An application for you to review

The text.

--4F1A2B3C4D.1764497410/mx.example--
"""


def report(mail: Mail, *, status: str = "5.1.1", said: str = UNKNOWN, address: str = "") -> bytes:
    """What Postfix sends back."""
    action = "failed" if status.startswith("5") else "delayed"
    text = POSTFIX.format(
        address=address or mail.to_address,
        action=action,
        status=status,
        said=said,
        message_id=mail.message_id,
    )
    return text.replace("\n", "\r\n").encode()


def asked(terminal: Terminal) -> tuple[Step, Mail]:
    """A reviewer who was asked, and the mail that asked them."""
    step = terminal.step(terminal.asked(terminal.submitted())[0])
    terminal.run("upkeep")
    with terminal.here.record.reading() as session:
        return step, session.scalars(sa.select(Mail).where(Mail.step == step.id)).one()


def mails(terminal: Terminal, address: str) -> list[str]:
    every = MailFolder(terminal.here.settings.mail_folder).messages()
    return [plain_text(one) for one in every if address in str(one["To"])]


@pytest.mark.slow
def test_a_report_for_good_stops_mail_to_the_address_and_its_coordinator_is_told_once(
    terminal: Terminal,
) -> None:
    step, mail = asked(terminal)
    terminal.file("bounce.eml", report(mail))
    done = terminal.json("bounces", "bounce.eml")
    assert (done["hard"], done["soft"], done["stopped"]) == (1, 0, [step.assignee])
    again = terminal.json("bounces", "bounce.eml")
    assert (again["hard"], again["ignored"], again["stopped"]) == (0, 1, []), (
        "the same report twice is as once"
    )
    terminal.file("later.eml", report(mail, said="550 5.1.1 still unknown"))
    assert terminal.json("bounces", "later.eml")["hard"] == 1
    terminal.run("upkeep")
    texts = [" ".join(one.replace(">", " ").split()) for one in mails(terminal, COORDINATOR)]
    [told] = [
        one for one in texts if "User unknown" in one
    ]  # the server's words, in whatever language the rest is
    assert step.assignee in told

    before = len(mails(terminal, step.assignee))
    terminal.run("code", step.id, "--as", step.assignee)
    terminal.run("upkeep")
    assert len(mails(terminal, step.assignee)) == before
    with terminal.here.record.reading() as session:
        unsent = sa.select(Mail).where(Mail.sent_at.is_(None), Mail.attachment.is_(None))
        waits = session.scalars(unsent).all()
    assert [one.to_address for one in waits] == [step.assignee]
    assert "takes no mail: 5.1.1" in str(waits[0].last_error)
    listed = terminal.json("bounces", "--list")
    assert [(one["address"], one["stopped"], one["hard"]) for one in listed] == [(step.assignee, True, 2)]


def test_what_waits_goes_out_once_the_address_is_corrected(terminal: Terminal) -> None:
    step, mail = asked(terminal)
    terminal.file("bounce.eml", report(mail))
    terminal.run("bounces", "bounce.eml")
    terminal.run("code", step.id, "--as", step.assignee)
    before = len(mails(terminal, step.assignee))
    with terminal.here.record.writing() as session:
        from labels.answering.following import follow
        from labels.record.schema import Person
        from labels.registry.entering import Correction

        person = session.get_one(Person, step.person)
        former, person.address = person.address, "right@nss.example"
        session.flush()
        follow(
            terminal.here.turn(session),
            [Correction(step.person, person.name, former, "right@nss.example", "a test")],
        )
    terminal.run("upkeep")
    codes = [code for text in mails(terminal, "right@nss.example") for code in codes_in(text)]
    assert any(code_matches(code, terminal.step(step.id).code_hash) for code in codes)
    assert len(mails(terminal, former)) == before, "nothing goes to the former"


def test_an_address_that_was_right_after_all_gets_its_mail(terminal: Terminal) -> None:
    step, mail = asked(terminal)
    terminal.file("bounce.eml", report(mail, status="5.2.1", said="550 5.2.1 mailbox disabled"))
    terminal.run("bounces", "bounce.eml")
    terminal.run("code", step.id, "--as", step.assignee)
    before = len(mails(terminal, step.assignee))
    assert terminal.run("bounces", "--lift", step.assignee).exit_code == 0
    terminal.run("upkeep")
    assert len(mails(terminal, step.assignee)) == before + 1
    assert "lifted already" in terminal.fails(4, "bounces", "--lift", step.assignee)


def test_a_report_for_now_is_counted_and_stops_nothing(terminal: Terminal) -> None:
    step, mail = asked(terminal)
    terminal.file("delayed.eml", report(mail, status="4.4.1", said="connection timed out"))
    assert terminal.json("bounces", "delayed.eml")["soft"] == 1
    [one] = terminal.json("bounces", "--list")
    assert (one["stopped"], one["hard"], one["soft"]) == (False, 0, 1)
    before = len(mails(terminal, step.assignee))
    terminal.run("code", step.id, "--as", step.assignee)
    terminal.run("upkeep")
    assert len(mails(terminal, step.assignee)) == before + 1


def test_no_report_counts_of_a_message_that_was_sent_before_identifiers_were_secret(
    terminal: Terminal,
) -> None:
    _, mail = asked(terminal)
    with terminal.here.record.writing() as session:
        mail = session.get_one(Mail, mail.reason)
        mail.message_id = message_id(mail.reason)
        session.flush()
        of_before = report(mail)
    terminal.file("bounce.eml", of_before)
    assert terminal.json("bounces", "bounce.eml")["ignored"] == 1


@pytest.mark.parametrize(
    ("status", "said", "stops"),
    [
        ("5.1.10", "null MX", True),
        ("5.2.1", "mailbox disabled", True),
        ("5.2.2", "mailbox full", False),
        ("5.7.1", "taken for spam", False),
        ("5.1.8", "the sender's domain is unknown", False),
        ("5.0.0", "undefined", False),
    ],
)
def test_only_a_report_that_the_address_takes_no_mail_stops_mail_to_it(
    terminal: Terminal, status: str, said: str, stops: bool
) -> None:
    _, mail = asked(terminal)
    terminal.file("bounce.eml", report(mail, status=status, said=said))
    done = terminal.json("bounces", "bounce.eml")
    assert (done["hard"], done["soft"], bool(done["stopped"])) == (int(stops), int(not stops), stops)


def test_nobody_stops_mail_to_another_by_a_report_of_a_message_that_did_not_go_there(
    terminal: Terminal,
) -> None:
    _, mail = asked(terminal)
    forged = report(mail, address=COORDINATOR)
    unknown = report(mail).replace(mail.message_id.encode(), b"<nothing@labels.etwinning.invalid>")
    guessed = report(mail).replace(mail.message_id.encode(), message_id(mail.reason).encode())
    for name, content in {
        "forged": forged,
        "unknown": unknown,
        "guessed": guessed,
        "words": b"Subject: Hello\r\n\r\nHello.\r\n",
    }.items():
        terminal.file(name, content)
        done = terminal.json("bounces", name)
        assert (done["hard"], done["soft"], done["ignored"]) == (0, 0, 1), name
    with terminal.here.record.reading() as session:
        assert session.scalars(sa.select(Bounce)).all() == []


def test_the_new_mails_of_a_maildir_are_read_once_by_upkeep(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, mail = asked(terminal)
    box = mailbox.Maildir(tmp_path / "bounces")
    box.add(report(mail))
    box.add(b"Subject: Out of office\r\n\r\nUntil Monday.\r\n")
    monkeypatch.setenv("LABELS_BOUNCES", str(tmp_path / "bounces"))
    workspace.cache_clear()
    terminal.here = workspace()
    terminal.run("upkeep")
    assert [one["address"] for one in terminal.json("bounces", "--list")] == [step.assignee]
    assert list((tmp_path / "bounces" / "new").iterdir()) == []
    assert usecases.take_in_mailbox(terminal.here).mails == 0
    assert len(list(read_folder(tmp_path / "bounces"))) == 0


def test_whatever_is_in_the_mailbox_mail_goes_out_and_the_round_is_done(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, mail = asked(terminal)
    box = tmp_path / "bounces"
    for name in ("new", "cur", "tmp"):
        (box / name).mkdir(parents=True)
    (box / "new" / "1.nested").write_bytes(b"Content-Type: message/rfc822\r\n\r\n" * 3000)
    (box / "new" / "2.long").write_bytes(b"x" * (LARGEST + 1))
    (box / "new" / "3.report").write_bytes(report(mail))
    (box / "cur" / "0.read:2,S").write_bytes(report(mail))
    monkeypatch.setenv("LABELS_BOUNCES", str(box))
    workspace.cache_clear()
    terminal.here = workspace()
    assert terminal.json("upkeep")["wrong"] == []
    assert [one["address"] for one in terminal.json("bounces", "--list")] == [step.assignee]
    assert not list((box / "new").iterdir())
    assert "3.report:2,S" in [one.name for one in (box / "cur").iterdir()]

    terminal.asked(terminal.submitted())
    with terminal.here.record.writing() as session:
        session.execute(sa.delete(Bounce))

    def fails(_: object) -> None:
        raise RuntimeError("of the mailbox")

    monkeypatch.setattr("usecases.upkeep.take_in_mailbox", fails)
    done = terminal.json("upkeep")
    assert done["wrong"] == ["Mail that came back was not read to its end: RuntimeError: of the mailbox"]
    assert done["mail"]["sent"] > 0


def test_a_folder_is_read_to_its_end_whatever_lies_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("new", "cur"):
        (tmp_path / name).mkdir()
    for name in ("1", "2", "3", "4"):
        (tmp_path / "new" / name).write_bytes(b"Subject: Hello\r\n\r\nHello.\r\n")

    def opens(path: Path, limit: int) -> bytes:
        if path.name == "2":
            raise PermissionError(13, "Permission denied", str(path))
        return contents(path, limit)

    monkeypatch.setattr("adapters.mail.reports.contents", opens)
    found = []

    def reads() -> None:
        for one in read_folder(tmp_path):
            found.append(Path(one.name).name)
            if one.name.endswith("1"):
                (tmp_path / "new" / "3").unlink()  # another host read it

    with pytest.raises(InvalidInput, match="Permission denied"):
        reads()
    assert found == ["1", "4"]
    assert sorted(one.name for one in (tmp_path / "cur").iterdir()) == ["1:2,S", "4:2,S"]

    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "a").write_bytes(b"x" * (LARGEST + 1))
    (tmp_path / "plain" / "b").write_bytes(b"x")
    assert [one.reports for one in read_folder(tmp_path / "plain")] == [(), ()]


def test_a_report_on_standard_input_and_a_folder_of_files_are_read(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _, mail = asked(terminal)
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "1").write_bytes(report(mail, status="4.0.0"))
    assert terminal.json("bounces", str(tmp_path / "some"))["soft"] == 1

    monkeypatch.setattr("cli.bounces._typed_in", lambda: report(mail))
    assert terminal.json("bounces", "-")["hard"] == 1
    assert "is needed" in terminal.fails(2, "bounces")


def test_of_files_none_is_taken_in_where_one_can_not_be_read(terminal: Terminal, tmp_path: Path) -> None:
    _, mail = asked(terminal)
    good, absent = terminal.file("good.eml", report(mail)), str(tmp_path / "nope.eml")
    said = terminal.fails(2, "bounces", good, absent, f"{absent}2")
    assert "2 faults; nothing was changed" in said
    assert terminal.json("bounces", "--list") == []

    box = mailbox.Maildir(tmp_path / "box")
    box.add(report(mail))
    terminal.fails(2, "bounces", str(tmp_path / "box"), absent)
    assert len(list((tmp_path / "box" / "new").iterdir())) == 1, "it counts as read once it is taken in"


def test_where_mails_of_a_folder_can_not_be_read_it_is_told_that_the_others_are_taken_in(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, mail = asked(terminal)
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "1").write_bytes(report(mail))
    (tmp_path / "some" / "2").write_bytes(b"")

    def opens(path: Path, limit: int) -> bytes:
        if path.name == "2":
            raise PermissionError(13, "Permission denied", str(path))
        return contents(path, limit)

    monkeypatch.setattr("adapters.mail.reports.contents", opens)
    result = terminal.run("bounces", str(tmp_path / "some"))
    assert result.exit_code == 2
    assert "Permission denied" in result.stderr
    assert "What was read before that is taken in" in result.stderr
    assert "nothing was changed" not in result.stderr
    assert [one["address"] for one in terminal.json("bounces", "--list")] == [step.assignee]


def test_headers_alone_tell_which_message_it_was_as_exchange_writes_them() -> None:
    text = POSTFIX.format(
        address="a@x.example",
        action="failed",
        status="5.7.1",
        said="blocked",
        message_id="<abc@labels.invalid>",
    ).replace("message/rfc822", "text/rfc822-headers")
    [one] = reports_in(text.encode())
    assert one == Report(one.id, "a@x.example", "5.7.1", "blocked", "<abc@labels.invalid>")


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\xff\xfe\x00",
        b"Content-Type: multipart/report\r\n\r\n",
        POSTFIX.encode()[:900],
        POSTFIX.replace("{status}", "five").encode(),
        POSTFIX.replace("{action}", "relayed").encode(),
        b"Content-Type: multipart/report; boundary=a\r\n\r\n"
        + b"--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n" * 50,
        b"Content-Type: message/rfc822\r\n\r\n" * 3000,
    ],
)
def test_what_is_no_report_says_nothing(broken: bytes) -> None:
    assert reports_in(broken) == ()


def test_a_report_of_many_recipients_is_read_as_far_as_is_bearable() -> None:
    fields = "".join(
        f"\nFinal-Recipient: rfc822; r{n}@x.example\nAction: failed\nStatus: 5.1.1\n" for n in range(200)
    )
    text = POSTFIX.format(
        address="a@x.example", action="failed", status="5.1.1", said="x", message_id="<a@b>"
    )
    found = reports_in(text.replace("Diagnostic-Code: smtp; x\n", fields).encode())
    assert 0 < len(found) <= 50
