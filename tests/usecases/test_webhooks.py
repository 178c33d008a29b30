"""Webhooks: real receivers that take, fail, are slow, send elsewhere or want nothing more, and what is told to the operator."""

from __future__ import annotations

import base64
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.documents.directory import DirectoryStore
from adapters.webhooks import NotSent, is_public, resolved, send
from adapters.workspace import Workspace
from labels.errors import InvalidInput, NotAllowed, NotFound
from labels.keyring import KEY as KEY_FILE
from labels.platform import keys
from labels.platform.signing import shown
from labels.platform.tokens import Caller
from labels.platform.webhooks import FORMER_FOR, KEPT_FOR, LONGEST_PAUSE, MOST, UNTIL, due, pause
from labels.record import Record
from labels.record.schema import Journal, Mail, Person, PlatformDelivery, PlatformWebhook
from labels.settings import Settings
from labels.views.changes import Change
from labels.views.stuck import Problem, stuck
from tests.support.case import Case, open_case
from tests.support.killing import ctrl_c
from tests.support.patience import PATIENCE, until
from tests.support.people import KEY, NOW
from tests.support.receivers import Receiver, receiving
from usecases import platform, webhooks
from usecases.keys import plan_secret, rotate_secret


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@dataclass
class Time:
    """A clock that tests move."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def case(record: Record) -> Case:
    return open_case(record)


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def here(settings: Settings, record: Record, case: Case, clock: Time) -> Workspace:
    ours = settings.model_copy(update={"webhooks": "private"})
    return Workspace(ours, record, DirectoryStore.from_settings(settings), KEY, clock)


def signed(secret: str, headers: dict[str, str], body: bytes) -> list[str]:
    """As the specification has it, written down once more."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    return ["v1," + base64.b64encode(hmac.new(key, content, "sha256").digest()).decode()]


@pytest.mark.slow
def test_a_change_is_told_with_numbers_alone_and_signed_as_the_specification_says(
    here: Workspace, receiver: Receiver, case: Case
) -> None:
    added = webhooks.add(here, "NSS-PL", receiver.address)
    assert webhooks.tell(here).told == 0, "only what happens from now on"
    first, _ = case.ask()
    case.review(first)
    assert webhooks.tell(here).failed == 0
    told = receiver.told()
    assert [one["type"] for one in told] == [Change.REVIEW_ASKED, Change.REVIEW_ASKED, Change.REVIEW_GIVEN]
    assert {one["data"]["case"] for one in told} == {case.id}
    assert all(set(one) == {"type", "timestamp", "data"} for one in told)
    assert all(set(one["data"]) == {"key", "case", "organisation", "label"} for one in told)
    for headers, body in receiver.came:
        assert headers["webhook-signature"].split() == signed(shown(added.secret), headers, body)
        assert int(headers["webhook-timestamp"]) == int(NOW.timestamp())
        key = json.loads(body)["data"]["key"]
        assert headers["webhook-id"] == f"evt_{key}"
        assert keys.opened(here.key, "NSS-PL", key) is not None
    sent = b"".join(body for _, body in receiver.came).decode()
    with here.record.reading() as session:
        for person in session.scalars(sa.select(Person)):
            assert person.name not in sent
            assert person.address not in sent
    assert webhooks.tell(here) == webhooks.Called(), "each once"


def test_a_signature_is_that_of_the_specification_s_own_example() -> None:
    from labels.platform.signing import signatures

    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    given = signatures([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert given == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.slow
def test_another_organisation_s_webhook_is_told_nothing_of_it(
    here: Workspace, receiver: Receiver, case: Case
) -> None:
    webhooks.add(here, "NSS-PT", receiver.address)
    case.ask()
    assert webhooks.tell(here) == webhooks.Called()
    assert receiver.came == []


@pytest.mark.slow
def test_what_fails_is_tried_with_growing_pauses_for_three_days_then_told_to_the_operator_and_can_be_told_again(
    here: Workspace, receiver: Receiver, case: Case, clock: Time
) -> None:
    added = webhooks.add(here, "NSS-PL", receiver.address)
    receiver.answers = 500
    case.ask()
    tried = []
    while clock.now - NOW < UNTIL + LONGEST_PAUSE:
        before = len(receiver.came)
        webhooks.tell(here)
        if len(receiver.came) > before:
            tried.append(clock.now - NOW)
        clock.now += timedelta(seconds=30) if clock.now - NOW < timedelta(hours=1) else timedelta(hours=1)
    gaps = [later - former for former, later in zip(tried[::2], tried[2::2], strict=False)]
    assert gaps[0] < gaps[-1]
    with here.record.reading() as session:
        rows = session.scalars(sa.select(PlatformDelivery)).all()
        assert [one.given_up_at is not None for one in rows] == [True, True]
        found = [one for one in stuck(session, clock.now) if one.problem is Problem.WEBHOOK_FAILED]
    assert [(one.subject, one.organisation) for one in found] == [(added.row.id, "NSS-PL")]
    assert "2 changes could not be told" in found[0].reason
    assert "It answered 500" in found[0].reason
    assert receiver.address not in found[0].reason
    attempts = len(receiver.came)
    webhooks.tell(here)
    assert len(receiver.came) == attempts, "it is not tried any more"
    receiver.answers, former = 204, {headers["webhook-id"] for headers, _ in receiver.came}
    webhooks.replay(here, added.row.id, None)
    assert webhooks.tell(here).told == 2
    assert {headers["webhook-id"] for headers, _ in receiver.came} == former, (
        "the same is told under the same id"
    )
    with here.record.reading() as session:
        assert not [one for one in stuck(session, clock.now) if one.problem is Problem.WEBHOOK_FAILED]


def test_pauses_grow_up_to_half_a_day() -> None:
    pauses = [pause(attempts) for attempts in range(1, 30)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (timedelta(seconds=30), LONGEST_PAUSE)


@pytest.mark.slow
def test_a_receiver_that_is_slow_or_never_ends_its_answer_holds_nobody_up(
    here: Workspace, receiver: Receiver, case: Case, clock: Time
) -> None:
    webhooks.add(here, "NSS-PL", receiver.address)
    done = threading.Event()

    def drips(handler: BaseHTTPRequestHandler) -> None:
        while not done.wait(0.05):
            try:
                handler.wfile.write(b"H")
                handler.wfile.flush()
            except OSError:
                return

    def silent(handler: BaseHTTPRequestHandler) -> None:
        done.wait(PATIENCE)

    case.ask()
    for answers in (drips, silent):
        receiver.answers = answers
        called = webhooks.tell(here, within=0.5)
        assert called == webhooks.Called(0, 1), "after the first failure it is left alone in this round"
        clock.now += timedelta(hours=1)
    done.set()
    receiver.answers = 200
    assert webhooks.tell(here).told == 2


@pytest.mark.slow
def test_a_slow_receiver_has_its_share_of_a_round_and_the_rest_in_the_next(
    here: Workspace, receiver: Receiver, case: Case
) -> None:
    webhooks.add(here, "NSS-PL", receiver.address)
    passed = 0.0

    def slowly(handler: BaseHTTPRequestHandler) -> None:
        nonlocal passed
        passed += webhooks.SHARE - 1
        handler.send_response(200)
        handler.end_headers()

    receiver.answers = slowly
    first, second = case.ask()
    case.review(first)
    case.review(second)
    rounds = [webhooks.tell(here, seconds=lambda: passed).told for _ in range(4)]
    assert rounds[:2] == [2, 2], "of four changes and more"
    assert rounds[-1] == 0
    assert len({headers["webhook-id"] for headers, _ in receiver.came}) == len(receiver.came) == sum(rounds)


@pytest.mark.slow
def test_while_a_receiver_is_slow_the_others_are_told(
    here: Workspace, receiver: Receiver, case: Case
) -> None:
    with receiving() as quick:
        for one in (receiver, quick):
            webhooks.add(here, "NSS-PL", one.address)
        case.ask()
        everything = threading.Event()

        def once_the_other_has_all(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200 if everything.wait(PATIENCE) else 500)
            handler.end_headers()

        def at_once(handler: BaseHTTPRequestHandler) -> None:
            if len(quick.came) == 2:
                everything.set()
            handler.send_response(200)
            handler.end_headers()

        receiver.answers, quick.answers = once_the_other_has_all, at_once
        assert webhooks.tell(here, within=PATIENCE) == webhooks.Called(4)


@pytest.mark.slow
def test_a_receiver_that_answers_410_is_told_nothing_any_more_and_the_operator_learns_it(
    here: Workspace, receiver: Receiver, case: Case, clock: Time
) -> None:
    added = webhooks.add(here, "NSS-PL", receiver.address)
    receiver.answers = 410
    case.ask()
    webhooks.tell(here)
    clock.now += timedelta(days=1)
    webhooks.tell(here)
    assert len(receiver.came) == 1
    with here.record.reading() as session:
        [found] = [one for one in stuck(session, clock.now) if one.problem is Problem.WEBHOOK_FAILED]
    assert "410" in found.reason
    with pytest.raises(NotAllowed, match="has ended"):
        webhooks.replay(here, added.row.id, None)
    webhooks.end(here, added.row.id)
    with here.record.reading() as session:
        assert not [one for one in stuck(session, clock.now) if one.problem is Problem.WEBHOOK_FAILED]
        assert session.scalars(sa.select(PlatformDelivery)).all() == []


@pytest.mark.slow
@pytest.mark.parametrize("status", [302, 307, 404, 429, 503])
def test_any_other_answer_is_no_yes_and_no_redirect_is_followed(
    here: Workspace, receiver: Receiver, case: Case, status: int
) -> None:
    webhooks.add(here, "NSS-PL", receiver.address)
    receiver.answers = status
    case.ask()
    assert webhooks.tell(here) == webhooks.Called(0, 1)
    assert len(receiver.came) == 1


@pytest.mark.slow
def test_for_a_week_after_another_secret_was_made_both_sign(
    here: Workspace, receiver: Receiver, case: Case, clock: Time
) -> None:
    former = webhooks.add(here, "NSS-PL", receiver.address)
    present = webhooks.rotate(here, former.row.id)
    assert former.secret != present.secret
    first, second = case.ask()
    webhooks.tell(here)
    headers, body = receiver.came[-1]
    both = [*signed(shown(present.secret), headers, body), *signed(shown(former.secret), headers, body)]
    assert headers["webhook-signature"].split() == both
    clock.now += FORMER_FOR
    case.review(first)
    webhooks.tell(here)
    headers, body = receiver.came[-1]
    assert headers["webhook-signature"].split() == signed(shown(present.secret), headers, body)
    assert second.id


@pytest.mark.slow
def test_no_secret_is_in_the_record(here: Workspace, receiver: Receiver) -> None:
    added = webhooks.add(here, "NSS-PL", receiver.address)
    with here.record.reading() as session:
        row = session.scalars(sa.select(PlatformWebhook)).one()
        kept = json.dumps([str(getattr(row, one.name)) for one in PlatformWebhook.__table__.columns])
        kept += json.dumps([one.details for one in session.scalars(sa.select(Journal))])
        kept += json.dumps([one.context for one in session.scalars(sa.select(Mail))])
    assert shown(added.secret).removeprefix("whsec_") not in kept
    assert added.secret.hex() not in kept


@pytest.mark.slow
def test_everything_since_a_day_can_be_told_again(
    here: Workspace, receiver: Receiver, case: Case, clock: Time
) -> None:
    added = webhooks.add(here, "NSS-PL", receiver.address)
    first, _ = case.ask()
    webhooks.tell(here)
    case.review(first)
    webhooks.tell(here)
    before = [headers["webhook-id"] for headers, _ in receiver.came]
    webhooks.replay(here, added.row.id, NOW - timedelta(days=400))
    webhooks.tell(here)
    again = [headers["webhook-id"] for headers, _ in receiver.came[len(before) :]]
    assert set(before) < set(again), "also what happened before it was added"
    count = len(receiver.came)
    clock.now += timedelta(days=1)
    webhooks.replay(here, added.row.id, clock.now)
    webhooks.tell(here)
    assert len(receiver.came) == count


@pytest.mark.slow
def test_of_several_processes_each_change_is_told_by_one(
    here: Workspace, receiver: Receiver, case: Case
) -> None:
    webhooks.add(here, "NSS-PL", receiver.address)
    case.ask()
    called: list[webhooks.Called] = []
    threads = [threading.Thread(target=lambda: called.append(webhooks.tell(here))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    webhooks.tell(here)
    assert len(called) == 4
    assert len({headers["webhook-id"] for headers, _ in receiver.came}) == len(receiver.came) == 2


@pytest.mark.slow
def test_a_change_has_the_same_id_after_the_secret_key_was_replaced(
    here: Workspace, receiver: Receiver, case: Case, clock: Time
) -> None:
    home = here.settings.home
    home.mkdir(parents=True, exist_ok=True)
    (home / KEY_FILE).write_bytes(b"the first one")
    ours = replace(here, fixed_key=None, settings=here.settings.model_copy(update={"secret": None}))
    added = webhooks.add(ours, "NSS-PL", receiver.address)
    caller = Caller("number", "NSS-PL", False, frozenset(), None)
    case.ask()
    webhooks.tell(ours)
    listed = [key for key, _ in platform.changes_after(ours, caller, "", 50).told]
    before = {headers["webhook-id"] for headers, _ in receiver.came}
    for leaked in (False, True):
        clock.now += timedelta(days=1)
        rotate_secret(ours, plan_secret(ours, leaked=leaked))
        receiver.came.clear()
        webhooks.replay(ours, added.row.id, NOW - timedelta(days=400))
        webhooks.tell(ours)
        assert before <= {headers["webhook-id"] for headers, _ in receiver.came}
        assert [key for key, _ in platform.changes_after(ours, caller, listed[0], 50).told] == listed[1:]


@pytest.mark.slow
def test_who_was_killed_between_telling_and_noting_it_tells_it_again_under_the_same_id(
    here: Workspace, receiver: Receiver, case: Case, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhooks.add(here, "NSS-PL", receiver.address)
    case.ask()

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("labels.platform.webhooks.mark_told", dies)
        with pytest.raises(KeyboardInterrupt):
            webhooks.tell(here)
    assert webhooks.tell(here).told == 1, "the other one; the first is claimed still"
    clock.now += timedelta(minutes=5)
    assert webhooks.tell(here).told == 1
    assert len(receiver.came) == 3
    assert len({headers["webhook-id"] for headers, _ in receiver.came}) == 2


def test_whoever_presses_ctrl_c_waits_for_no_receiver_and_nothing_is_lost(
    here: Workspace, receiver: Receiver, case: Case, clock: Time
) -> None:
    over, answered = threading.Event(), list[bool]()
    both = threading.Barrier(2, timeout=PATIENCE)

    def once_it_is_over(handler: BaseHTTPRequestHandler) -> None:
        if both.wait() == 0:
            press()
        answered.append(over.wait(PATIENCE))
        handler.send_response(500)
        handler.end_headers()

    with receiving() as other:
        receiver.answers = other.answers = once_it_is_over
        for one in (receiver, other):
            webhooks.add(here, "NSS-PL", one.address)
        case.ask()
        with ctrl_c() as press, pytest.raises(KeyboardInterrupt):
            webhooks.tell(here, within=PATIENCE)
        over.set()
        until(lambda: not any(one.name == "webhooks" for one in threading.enumerate()), "all have ended")
        assert answered == [True, True], "it was over before they answered"
        ids = [headers["webhook-id"] for one in (receiver, other) for headers, _ in one.came]
        receiver.answers = other.answers = 200
        clock.now += timedelta(minutes=5)
        assert webhooks.tell(here) == webhooks.Called(4)
        again = {headers["webhook-id"] for one in (receiver, other) for headers, _ in one.came[1:]}
        assert len(again) == 2
        assert {*ids} <= again, "those that were under way, under the same ids"


@pytest.mark.slow
def test_what_was_told_long_ago_is_forgotten(
    here: Workspace, receiver: Receiver, case: Case, clock: Time
) -> None:
    webhooks.add(here, "NSS-PL", receiver.address)
    case.ask()
    webhooks.tell(here)
    clock.now += KEPT_FOR + timedelta(days=1)
    webhooks.forget_told(here)
    with here.record.reading() as session:
        assert session.scalars(sa.select(PlatformDelivery)).all() == []
    assert webhooks.tell(here) == webhooks.Called()


# Where it may go ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("fec0::1", False),
        ("192.88.99.1", False),
        ("168.63.129.16", False),
        ("::ffff:168.63.129.16", False),
        ("64:ff9b::a83f:8110", False),
        ("192.0.0.192", False),
        ("100.100.100.200", False),
        ("fd00:ec2::254", False),
        ("161.26.0.10", False),
        ("166.8.0.1", False),
        ("168.63.129.17", True),
    ],
)
def test_only_addresses_of_the_public_internet_are_called(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.sampled
@pytest.mark.parametrize(
    "address",
    [
        "http://platform.example/",
        "ftp://platform.example/",
        "https:///nothing",
        "https://user:password@platform.example/",
        "https://platform.example/#part",
        "https://platform.example:0/",
        "https://platform.example:99999/",
        "https://platform.example/a b",
        "https://platform.example/\n",
        "https://żółw.example/",
        "https://" + "a" * 600,
        "",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://[",
        "https://[::1/",
    ],
)
def test_an_address_that_may_not_be_told_is_refused_when_it_is_added(here: Workspace, address: str) -> None:
    strict = replace(here, settings=here.settings.model_copy(update={"webhooks": "public"}))
    with pytest.raises(InvalidInput):
        webhooks.add(strict, "NSS-PL", address)


@pytest.mark.slow
def test_a_name_that_leads_to_our_own_network_later_is_not_called(
    here: Workspace, receiver: Receiver, case: Case
) -> None:
    webhooks.add(here, "NSS-PL", receiver.address)
    case.ask()
    strict = replace(here, settings=here.settings.model_copy(update={"webhooks": "public"}))
    assert webhooks.tell(strict) == webhooks.Called(0, 1)
    assert receiver.came == []
    with pytest.raises(NotSent, match="no host of the public Internet"):
        send(receiver.address.replace("http:", "https:"), b"{}", {})


def test_a_name_that_nobody_finds_is_waited_for_so_long_and_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = threading.Event()

    def silent(*_: Any, **__: Any) -> Any:
        done.wait(PATIENCE)
        raise OSError

    monkeypatch.setattr("adapters.webhooks.socket.getaddrinfo", silent)
    with pytest.raises(NotSent, match="was not found within"):
        resolved("platform.example", 443, private=False, within=0.1)
    assert not done.is_set()
    done.set()


@pytest.mark.slow
def test_a_receiver_that_takes_nothing_keeps_nobody_else_waiting(
    here: Workspace, receiver: Receiver, case: Case
) -> None:
    dead = webhooks.add(here, "NSS-PL", receiver.address).row.id
    well = webhooks.add(here, "NSS-PL", receiver.address).row.id

    def delivery(webhook: str, entry: int, **more: Any) -> PlatformDelivery:
        values = {
            "what": Change.REVIEW_ASKED, "application": case.id, "organisation": "NSS-PL", "label": "national",
            "at": NOW, "queued_at": NOW, "attempts": 0, "next_attempt_at": NOW - timedelta(hours=2),
        }  # fmt: skip
        return PlatformDelivery(webhook=webhook, entry=entry, **(values | more))

    with here.record.writing() as session:
        session.add_all(delivery(dead, entry) for entry in range(1, 301))
        session.add(
            delivery(dead, 301, last_error="It answered 500.", next_attempt_at=NOW + timedelta(days=1))
        )
        session.add_all(delivery(well, entry, next_attempt_at=NOW) for entry in (301, 302))
    with here.record.reading() as session:
        found = due(session, NOW)
        assert found[:3] == [(well, 301), (well, 302), (dead, 1)]
        assert len(found) == 52


@pytest.mark.slow
def test_an_organisation_has_so_many_webhooks_and_no_more(here: Workspace, receiver: Receiver) -> None:
    for _ in range(MOST):
        added = webhooks.add(here, "NSS-PL", receiver.address)
    with pytest.raises(NotAllowed, match="end one first"):
        webhooks.add(here, "NSS-PL", receiver.address)
    webhooks.end(here, added.row.id)
    webhooks.add(here, "NSS-PL", receiver.address)
    with pytest.raises(NotFound):
        webhooks.add(here, "NSS-XX", receiver.address)
    with pytest.raises(NotFound):
        webhooks.end(here, "WH-NOTHING")


def test_nothing_is_waited_for_where_nobody_answers(here: Workspace, case: Case) -> None:
    with pytest.raises(NotSent):
        send("http://127.0.0.1:9/", b"{}", {}, private=True, within=1.0)


@pytest.mark.slow
def test_a_copy_of_an_installation_tells_nobody(here: Workspace, receiver: Receiver, case: Case) -> None:
    webhooks.add(here, "NSS-PL", receiver.address)
    case.ask()
    copy = replace(here, settings=here.settings.model_copy(update={"webhooks": "off"}))
    assert webhooks.tell(copy) == webhooks.Called()
    assert receiver.came == []
    assert webhooks.tell(here).told == 2
