"""Many things are asked for a few at a time, again where the server is busy, and none is lost."""

from __future__ import annotations

import contextvars
import threading
import time
from collections import Counter

import httpx
import pytest

from adapters.prefect.bulk import AT_ONCE, PAUSES, in_bulk
from tests.support.killing import ctrl_c
from tests.support.patience import PATIENCE, until


def refusal(status: int) -> httpx.HTTPStatusError:
    request = httpx.Request("POST", "http://server")
    return httpx.HTTPStatusError("no", request=request, response=httpx.Response(status, request=request))


def no_pause(_: float) -> None:
    pass


def test_every_item_is_done_once_in_order_and_never_too_many_at_once() -> None:
    under_way, most, lock = Counter[str](), [0], threading.Lock()
    together = threading.Barrier(AT_ONCE, timeout=PATIENCE)
    shown: list[int] = []

    def double(number: int) -> int:
        with lock:
            under_way["now"] += 1
            most[0] = max(most[0], under_way["now"])
        together.wait()
        with lock:
            under_way["now"] -= 1
        return 2 * number

    many = range(10 * AT_ONCE)
    assert in_bulk(many, double, shown=shown.append) == [2 * number for number in many]
    assert most == [AT_ONCE]
    assert shown == sorted(shown)
    assert shown[-1] == len(many)
    assert in_bulk([], double) == []


@pytest.mark.parametrize("fault", [refusal(503), refusal(429), httpx.ReadTimeout("slow")])
def test_a_busy_server_is_asked_again_with_longer_pauses(fault: Exception) -> None:
    tries, pauses = Counter[int](), list[float]()

    def do(number: int) -> int:
        tries[number] += 1
        if number == 3 and tries[number] <= 4:
            raise fault
        return number

    assert in_bulk(range(6), do, pause=pauses.append) == list(range(6))
    assert tries == {0: 1, 1: 1, 2: 1, 3: 5, 4: 1, 5: 1}
    assert all(mean / 2 <= pause <= mean * 1.5 for pause, mean in zip(pauses, PAUSES, strict=False))


def test_a_server_that_stays_busy_or_refuses_is_told_of_and_nothing_more_is_begun() -> None:
    begun: list[int] = []

    def do(number: int) -> int:
        begun.append(number)
        if number == 0:
            raise refusal(404)
        return number

    with pytest.raises(httpx.HTTPStatusError):
        in_bulk(range(100), do, pause=no_pause)
    assert len(begun) < 100

    def never(_: int) -> int:
        raise refusal(503)

    with pytest.raises(httpx.HTTPStatusError):
        in_bulk([1], never, pause=no_pause)


def test_where_one_fails_those_under_way_come_to_their_end() -> None:
    together, ended = threading.Barrier(AT_ONCE, timeout=PATIENCE), Counter[int]()

    def do(number: int) -> None:
        together.wait()
        if number == 0:
            raise refusal(404)
        time.sleep(0.2)
        ended[number] += 1

    with pytest.raises(httpx.HTTPStatusError):
        in_bulk(range(AT_ONCE), do)
    assert ended == {1: 1, 2: 1, 3: 1}


def test_whoever_presses_ctrl_c_waits_for_nothing_that_is_under_way() -> None:
    over, waited_for = threading.Event(), list[bool]()
    together = threading.Barrier(AT_ONCE, timeout=PATIENCE)
    threads = {*threading.enumerate()}

    def do(_: int) -> None:
        if together.wait() == 0:
            press()
        waited_for.append(not over.wait(PATIENCE))

    with ctrl_c() as press, pytest.raises(KeyboardInterrupt):
        in_bulk(range(AT_ONCE), do)
    over.set()
    until(lambda: len(waited_for) == AT_ONCE, "they have ended", every=0.01)
    assert not any(waited_for)
    assert all(one.daemon for one in {*threading.enumerate()} - threads), "nor does the end of the program"


def test_what_is_set_for_the_caller_holds_for_each_item() -> None:
    address: contextvars.ContextVar[str] = contextvars.ContextVar("address", default="elsewhere")
    address.set("here")
    assert set(in_bulk(range(5), lambda _: address.get())) == {"here"}
