"""Keys are replaced while people work: what was mailed stays good, or all of it ends at once where a key leaked."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import usecases.keys
from adapters.documents.tokens import DownloadPass
from adapters.mail.folder import MailFolder, codes_in, plain_text
from adapters.workspace import workspace
from labels.clock import brussels_day
from labels.errors import InvalidInput, NotAllowed
from labels.keyring import FORMER, KEY, FormerKey, Keyring, former_keys, key_mark
from labels.mail import messages
from labels.mail.context import message_of
from labels.record.journal import Event
from labels.record.schema import Journal, KeyGeneration, Mail, Step, StepState
from labels.settings import SIGNING_FORMER, load_settings
from labels.steps.codes import code_hash, code_matches, review_code
from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.cli.test_pupils import AWARD, made, mailed_code
from tests.cli.test_verify import awarded_application, code_of_paper, paper, verified
from tests.desk.conftest import Browser
from tests.desk.test_credentials import Holder
from tests.support.authority import Authority, authority
from usecases import backup
from usecases.diagnosis.finding import Level
from usecases.diagnosis.machine import check_key_of_record
from usecases.upkeep import keep_up

LEAKED = ("keys", "rotate", "secret", "--leaked", "--do")


@pytest.fixture
def terminal(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """One whose secret key lies in its home, where commands make and replace it."""
    (terminal.here.settings.home / KEY).write_text("a secret for tests")
    monkeypatch.delenv("LABELS_SECRET")
    workspace.cache_clear()
    terminal.here = workspace()
    return terminal


def mails(terminal: Terminal, address: str) -> list[str]:
    """The texts of the mails to an address, the newest last."""
    every = MailFolder(terminal.here.settings.mail_folder).messages()
    return [plain_text(one) for one in every if one["To"] and address in str(one["To"])]


def open_review(terminal: Terminal) -> tuple[Step, str]:
    """A review that somebody has, and the code that was mailed to them."""
    step = terminal.step(terminal.asked(terminal.submitted())[0])
    terminal.run("upkeep")
    return step, codes_in(mails(terminal, step.assignee)[-1])[0]


def is_right(terminal: Terminal, step: Step, code: str) -> bool:
    return code_matches(code, terminal.step(step.id).code_hash)


def tasks_told(terminal: Terminal, address: str) -> int:
    """How many tasks the newest mail to an address is about, which says that its former codes are void."""
    newest = sa.select(Mail).where(Mail.to_address == address).order_by(Mail.queued_at.desc()).limit(1)
    with terminal.here.record.reading() as session:
        message = message_of(session.scalars(newest).one())
    assert isinstance(message, messages.CodesVoid)
    return message.number


def told_once(terminal: Terminal) -> list[str]:
    with terminal.here.record.reading() as session:
        return list(session.scalars(sa.select(Mail.to_address).where(Mail.template == "codes_void")))


# The secret key -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_was_mailed_stays_good_when_the_secret_key_is_replaced(terminal: Terminal) -> None:
    step, code = open_review(terminal)
    browser = Browser(terminal.here).signs_in(step.assignee)
    page = browser.token("/account")
    key = terminal.here.key
    stored = terminal.here.documents.put(b"evidence", "application/pdf")
    link = DownloadPass(stored, "a.pdf", "application/pdf", terminal.here.now() + timedelta(days=1)).token(
        key
    )
    plan = terminal.json("keys", "rotate", "secret")
    assert (plan["done"], plan["former"], terminal.here.key) == (False, key_mark(key), key)

    assert terminal.json("keys", "rotate", "secret", "--do")["done"]
    assert terminal.here.key != key, "processes that run have the new one at once"
    assert is_right(terminal, step, code)
    assert browser.opens(f"/documents/{link}").status_code == 200
    assert browser.sends("/account", token=page).status_code == 303, "an open form counts"
    assert told_once(terminal) == []

    assert not terminal.json("keys", "end", key_mark(key)[:8])["done"]
    assert browser.opens(f"/documents/{link}").status_code == 200, "a plan ends nothing"
    assert terminal.run("keys", "end", key_mark(key), "--do").exit_code == 0
    assert browser.opens(f"/documents/{link}").status_code == 404
    assert is_right(terminal, step, code), "the code itself does not hang on the key"


def test_a_former_key_is_ended_by_its_own_mark_and_on_demand_only(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = key_mark(terminal.here.key)
    terminal.run("keys", "rotate", "secret", "--do")
    file = terminal.here.settings.home / FORMER
    before = file.read_bytes()
    assert "8 letters at least" in terminal.fails(2, "keys", "end", mark[:7], "--do")
    assert "8 letters at least" in terminal.fails(2, "keys", "end", "--do")
    assert "no former key" in terminal.fails(4, "keys", "end", "x" * 16, "--do")
    assert "no former key" in terminal.fails(4, "keys", "end", key_mark(terminal.here.key), "--do")
    assert f"labels keys end {mark} --do" in terminal.run("keys", "end", mark[:8]).stderr
    assert terminal.json("keys", "end", mark)["mark"] == mark
    assert file.read_bytes() == before
    assert terminal.json("keys", "end", mark, "--do")["done"]
    assert file.read_bytes() != before

    terminal.run("keys", "rotate", "secret", "--do")
    monkeypatch.setattr("usecases.keys.key_mark", lambda key: f"the same {hash(key)}")
    assert "2 former keys begin so" in terminal.fails(2, "keys", "end", "the same", "--do")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("list --do", "--do: does not go with list"),
        ("list secret", "secret: does not go with list"),
        ("end 0123456789abcdef --leaked", "--leaked: does not go with end"),
        ("rotate secret --since 2026-03-01", "--since: does not go with rotate secret"),
        ("rotate secret new.p12", "FILE: does not go with rotate secret"),
        ("rotate secret --leaked --until 2026-06-01", "--until: does not go with --leaked"),
        ("rotate signing new.p12 --until 2026-06-01", "--until: does not go with rotate signing"),
        ("rotate signing new.p12 --since 2026-03-01", "--since: goes with --leaked"),
        ("rotate signing new.p12 --leaked --since 2026-03-17", "--since: is still to come"),
        ("rotate signing new.p12 --leaked --since 0001-01-01", "--since: “0001-01-01” is not a date"),
        ("rotate another", "another is no kind of key"),
    ],
)
def test_an_option_that_would_be_left_out_of_account_is_refused(
    terminal: Terminal, words: str, told: str
) -> None:
    assert told in terminal.fails(2, "keys", *words.split())


def test_the_command_that_a_plan_names_does_what_was_planned(terminal: Terminal) -> None:
    said = terminal.run("keys", "rotate", "secret", "--until", "2026-09-01").stderr
    assert "labels keys rotate secret --until 2026-09-01 --do" in said


def test_a_code_that_waits_in_the_outbox_is_right_whenever_it_goes_out(terminal: Terminal) -> None:
    step = terminal.step(terminal.asked(terminal.submitted())[0])
    terminal.run("keys", "rotate", "secret", "--do")
    terminal.run("upkeep")
    [mailed] = codes_in(mails(terminal, step.assignee)[-1])[:1]
    assert is_right(terminal, step, mailed)


def test_a_code_made_by_a_process_that_had_the_leaked_key_still_is_made_anew_when_it_is_mailed(
    terminal: Terminal,
) -> None:
    step = terminal.step(terminal.asked(terminal.submitted())[0])
    home = terminal.here.settings.home
    (home / KEY).write_text("another one, as on a machine that was told earlier")
    terminal.run("upkeep")
    [mailed] = codes_in(mails(terminal, step.assignee)[-1])[:1]
    assert is_right(terminal, step, mailed)


def test_pupils_certificates_of_before_are_known_with_every_later_key(terminal: Terminal) -> None:
    terminal.awarded_elsewhere(AWARD)
    done = made(terminal, mailed_code(terminal))
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO((terminal.folder / done["files"][0]).read_bytes())) as opened:
        certificate = opened.read("row-001.pdf")
    terminal.run("keys", "rotate", "secret", "--do")
    terminal.run(*LEAKED)
    assert len(former_keys(terminal.here.settings.home / FORMER)) == 2
    assert verified(terminal, certificate).state == "valid"


@pytest.mark.slow
def test_after_a_leak_everything_that_was_made_with_the_key_ends_at_once(terminal: Terminal) -> None:
    step, code = open_review(terminal)
    key = terminal.here.key
    browser = Browser(terminal.here).signs_in(step.assignee)
    half = Browser(terminal.here)
    half.client.post("/sign-in", data={"address": TEACHER})
    code_to_sign_in = half.code(TEACHER)
    stored = terminal.here.documents.put(b"evidence", "application/pdf")
    link = DownloadPass(stored, "a.pdf", "application/pdf", terminal.here.now() + timedelta(days=1)).token(
        key
    )
    with terminal.here.record.reading() as session:
        people = set(session.scalars(sa.select(Step.person).where(Step.state == StepState.OPEN)))
        steps = {one.id: one.code_hash for one in session.scalars(sa.select(Step))}

    plan = terminal.json("keys", "rotate", "secret", "--leaked")
    assert plan["ends"]["codes"] == len(steps)
    assert plan["ends"]["people"] == len(people)
    assert plan["ends"]["sessions"] == 1
    assert browser.opens("/account").status_code == 200, "a plan ends nothing"

    terminal.run(*LEAKED)
    assert not is_right(terminal, step, code)
    assert browser.opens("/account").status_code == 303
    assert browser.opens(f"/documents/{link}").status_code == 404
    assert half.client.post("/sign-in/code", data={"code": code_to_sign_in}).status_code != 303
    assert len(told_once(terminal)) == len(people)
    terminal.run("upkeep")
    text = mails(terminal, step.assignee)[-1]
    assert tasks_told(terminal, step.assignee) == 1
    assert is_right(terminal, step, codes_in(text)[0])
    browser.signs_in(step.assignee)
    terminal.run("upkeep")
    assert len(told_once(terminal)) == len(people), "once each"


def test_whoever_has_several_tasks_gets_one_mail_without_codes(terminal: Terminal) -> None:
    step, _ = open_review(terminal)
    terminal.run("code", step.application, "--as", COORDINATOR)
    terminal.run("code", terminal.submitted(project="P-2"), "--as", COORDINATOR)
    terminal.run(*LEAKED)
    terminal.run("upkeep")
    text = mails(terminal, COORDINATOR)[-1]
    assert tasks_told(terminal, COORDINATOR) == 2
    assert codes_in(text) == []


def test_a_code_that_a_late_transaction_made_with_the_leaked_key_ends_too(terminal: Terminal) -> None:
    step, _ = open_review(terminal)
    leaked = terminal.here.key
    terminal.run(*LEAKED)
    terminal.run("upkeep")
    told = len(told_once(terminal))
    late = review_code(leaked, step.id, 9)
    with terminal.here.record.writing() as session:
        row = session.get_one(Step, step.id)
        row.code_number, row.code_hash = 9, code_hash(late)
    assert is_right(terminal, step, late)
    terminal.run("upkeep")
    assert not is_right(terminal, step, late)
    assert is_right(terminal, step, codes_in(mails(terminal, step.assignee)[-1])[0])
    terminal.run("upkeep")
    assert len(told_once(terminal)) == told + 1, "only whom it concerns is told, once"


def test_the_journal_and_the_commands_name_no_key(terminal: Terminal) -> None:
    former = terminal.here.key
    said = terminal.run(*LEAKED).output + terminal.run("keys", "list").output
    with terminal.here.record.reading() as session:
        entries = session.scalars(sa.select(Journal).where(Journal.what == Event.REPLACED_A_KEY)).all()
        noted = json.dumps([one.details for one in entries])
        rows = [one.mark for one in session.scalars(sa.select(KeyGeneration))]
    assert len(entries) == 1
    assert set(rows) == {key_mark(former), key_mark(terminal.here.key)}
    for key in (former, terminal.here.key):
        assert key.decode() not in said + noted + str(rows)
        assert (terminal.here.settings.home / FORMER).stat().st_mode & 0o777 == 0o600


class Killed(BaseException):
    """The process ended here."""


@contextlib.contextmanager
def dying_at(step: int, *names: str) -> Iterator[None]:
    """Ends the process before the call of that number, of all calls of these functions of `usecases.keys`."""
    taken = 0

    def mortal(does: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal taken
            taken += 1
            if taken == step:
                raise Killed
            return does(*args, **kwargs)

        return call

    with pytest.MonkeyPatch.context() as mortals:
        for name in names:
            mortals.setattr(usecases.keys, name, mortal(getattr(usecases.keys, name)))
        yield


@pytest.mark.sampled
@pytest.mark.parametrize("step", range(1, 7))
def test_killed_between_any_two_steps_one_key_is_in_force_and_the_rest_is_done_later(
    terminal: Terminal, step: int
) -> None:
    review, code = open_review(terminal)
    before = terminal.here.key
    plan = usecases.keys.plan_secret(terminal.here, leaked=True)

    with dying_at(step, "place", "take_up", "end_codes", "_note"), pytest.raises(Killed):
        usecases.keys.rotate_secret(terminal.here, plan)
    after = terminal.here.key
    if after == before:
        assert is_right(terminal, review, code), "nothing has ended"
        terminal.run(*LEAKED)
    terminal.run("upkeep")
    assert terminal.here.key != before
    assert not is_right(terminal, review, code)
    assert is_right(terminal, review, codes_in(mails(terminal, review.assignee)[-1])[0])
    assert len(told_once(terminal)) == len(set(told_once(terminal)))
    assert usecases.keys.take_up(terminal.here) == usecases.keys.TakenUp()


def test_a_home_with_another_key_than_the_records_is_told_and_ends_nothing(terminal: Terminal) -> None:
    step, code = open_review(terminal)
    assert [one.level for one in check_key_of_record(load_settings())] == [Level.WELL]
    (terminal.here.settings.home / KEY).write_text("of another home")
    [told] = terminal.json("upkeep")["wrong"]
    assert "another than the record's" in told
    [found] = check_key_of_record(load_settings())
    for advice in (told, found.remedy):  # every other command is refused before the first of them
        assert "labels up --with-another-key, then labels keys rotate secret --do" in advice
    assert (found.level, "another than the record's" in found.what) == (Level.FAULT, True)
    assert is_right(terminal, step, code)
    terminal.run("keys", "rotate", "secret", "--do")
    assert "another than" not in terminal.run("upkeep").output


def test_a_key_of_the_environment_is_not_replaced(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABELS_SECRET", "from the environment, and long enough")
    workspace.cache_clear()
    assert "unset LABELS_SECRET" in terminal.fails(3, "keys", "rotate", "secret", "--do")


def test_a_copy_of_before_is_restored_with_the_keys_of_after(terminal: Terminal, tmp_path: Path) -> None:
    step, code = open_review(terminal)
    place = backup.open_place(str(tmp_path / "copies"), terminal.here.settings)
    backup.back_up(terminal.here, place)
    terminal.run(*LEAKED)
    kept = backup.copy_keys(terminal.here.settings, tmp_path / "keys")
    assert [path.name for path in kept] == [KEY, FORMER]
    home = tmp_path / "another"
    home.mkdir()
    for path in kept:
        (home / path.name).write_bytes(path.read_bytes())
    there = load_settings().model_copy(update={"home": home})
    backup.restore(there, place)
    from adapters.workspace import open_workspace

    restored = open_workspace(there)
    with restored.record.reading() as session:
        assert code_matches(code, session.get_one(Step, step.id).code_hash)
    assert keep_up(restored).wrong == ()
    with restored.record.reading() as session:
        assert not code_matches(code, session.get_one(Step, step.id).code_hash), (
            "it leaked: it ends there too"
        )


def test_a_former_key_counts_until_its_day_and_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    now = datetime(2026, 3, 16, tzinfo=UTC)
    ring = Keyring(b"new", (FormerKey(b"old", now, now + timedelta(days=1)),))
    assert ring.good(now) == (b"new", b"old")
    assert ring.good(now + timedelta(days=1)) == (b"new",)
    assert ring.every == (b"new", b"old")
    (tmp_path / FORMER).write_text('[{"key": "secret-of-somebody"}]')
    with pytest.raises(InvalidInput, match="is no list of former keys") as told:
        former_keys(tmp_path / FORMER)
    assert "secret-of-somebody" not in str(told.value)


# The signing key ----------------------------------------------------------------------------------


@pytest.fixture
def signed(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Authority]:
    """An authority with a key in the settings, on the real day."""
    monkeypatch.setenv("LABELS_TODAY", brussels_day(datetime.now(UTC)).isoformat())
    with authority(datetime.now(UTC)) as made_here:
        monkeypatch.setenv("LABELS_SIGNING_KEY", str(made_here.pkcs12(tmp_path / "key.p12")))
        monkeypatch.setenv("LABELS_SIGNING_PASSWORD", "a password")
        workspace.cache_clear()
        terminal.here = workspace()
        yield made_here


@pytest.mark.slow
def test_a_credential_stays_good_when_the_signing_key_is_replaced(
    terminal: Terminal, signed: Authority, tmp_path: Path
) -> None:
    holder = Holder(terminal)
    token = holder.credential()
    new = signed.pkcs12(tmp_path / "new.p12")
    before = (tmp_path / "key.p12").read_bytes()
    assert "Nothing was changed" in terminal.run("keys", "rotate", "signing", str(new)).output
    assert (tmp_path / "key.p12").read_bytes() == before
    said = terminal.run("keys", "rotate", "signing", str(new), "--do").output
    assert (tmp_path / "key.p12").read_bytes() == new.read_bytes()
    for file in (tmp_path / "key.p12", terminal.here.settings.home / SIGNING_FORMER):
        assert str(file) in "".join(said.split()), "other machines need it, too"
    assert holder.checks(token).id.endswith(holder.code), (
        "by the former key, and a list signed with the new one"
    )
    assert holder.checks(holder.credential()).id.endswith(holder.code)
    assert {one["kind"] for one in terminal.json("keys", "list")} == {"secret", "signing"}


@pytest.mark.slow
def test_papers_of_a_signing_key_that_leaked_are_told_and_can_be_issued_anew(
    terminal: Terminal, signed: Authority, tmp_path: Path
) -> None:
    application = awarded_application(terminal)
    file, code = paper(terminal, application), code_of_paper(terminal, application)
    published = terminal.here
    new = signed.pkcs12(tmp_path / "new.p12")
    rotate = ("keys", "rotate", "signing", str(new), "--leaked", "--since", f"{date.today() - timedelta(1)}")
    told = terminal.json(*rotate, "--do")
    assert len(told["doubtful"]) == 2, "a certificate and a letter"
    found = verified(terminal, file)
    assert (found.state, found.genuine) == ("valid", True), "the record knows the file itself"
    assert found.signature is not None
    assert "Others may have that key since" in str(found.signature.why)
    assert not (published.settings.home / SIGNING_FORMER).exists(), "its key is published no more"
    mailed = terminal.coordinators_code(application)
    anew = ("--as", COORDINATOR, "--code", mailed, "--reason", "The key leaked.")
    assert terminal.run("reissue", application, *anew).exit_code == 0
    assert verified(terminal, code).state == "superseded"


@pytest.mark.sampled
@pytest.mark.parametrize("leaked", [None, datetime(2026, 1, 1, tzinfo=UTC)])
@pytest.mark.parametrize("step", range(1, 5))
def test_killed_while_the_signing_key_is_replaced_one_is_in_force_and_the_command_ends_it(
    terminal: Terminal, signed: Authority, tmp_path: Path,
    leaked: datetime | None, step: int,
) -> None:  # fmt: skip
    new = signed.pkcs12(tmp_path / "new.p12")
    former = (tmp_path / "key.p12").read_bytes()
    plan = usecases.keys.plan_signing(terminal.here, new, leaked)
    steps = ("_leaked" if leaked else "_begin", "_publish", "place", "_note")

    with dying_at(step, *steps), contextlib.suppress(Killed):
        usecases.keys.rotate_signing(terminal.here, plan)
    content = (tmp_path / "key.p12").read_bytes()
    assert content in (former, new.read_bytes())
    if content == former:
        usecases.keys.rotate_signing(terminal.here, usecases.keys.plan_signing(terminal.here, new, leaked))
    assert (tmp_path / "key.p12").read_bytes() == new.read_bytes()
    assert (terminal.here.settings.home / SIGNING_FORMER).exists() is (leaked is None)
    with pytest.raises(NotAllowed, match="in force already"):
        usecases.keys.plan_signing(terminal.here, new)


@pytest.mark.slow
def test_a_key_that_could_not_sign_replaces_none(
    terminal: Terminal, signed: Authority, tmp_path: Path
) -> None:
    ended = signed.pkcs12(tmp_path / "old.p12", until=datetime.now(UTC) - timedelta(days=1))
    assert "not valid now" in terminal.fails(2, "keys", "rotate", "signing", str(ended), "--do")
    terminal.file("words.p12", b"no key")
    assert "no PKCS#12" in terminal.fails(2, "keys", "rotate", "signing", "words.p12", "--do")
