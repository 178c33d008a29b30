"""The benchmark of many hosts says what this machine lacks, and its table what limits the next factor."""

from __future__ import annotations

import pytest

import benchmarks.cluster.machine
from benchmarks.cluster.__main__ import Row, by_kind, table
from benchmarks.cluster.machine import Lacking, Spent, see_that_hosts_can_be_made


def test_a_machine_without_root_and_programs_is_told_so_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(
        benchmarks.cluster.machine, "found", lambda program: None if program == "nginx" else "/bin/true"
    )
    with pytest.raises(Lacking) as told:
        see_that_hosts_can_be_made()
    assert "root" in str(told.value)
    assert "nginx" in str(told.value)
    assert "redis" not in str(told.value)
    assert "\n" not in str(told.value)


def test_hosts_of_a_kind_are_counted_together_and_what_waits_most_limits() -> None:
    one = Row(
        1, 16, 60.0, by_kind({"api1": Spent(8.0, 100, 90), "worker1": Spent(8.0, 100, 60), "s3": Spent(1.0)})
    )
    both = {"api1": Spent(8.0, 100, 40), "api2": Spent(8.0, 100, 30), "worker1": Spent(6.0, 100, 80)}
    two = Row(2, 32, 75.0, by_kind(both | {"worker2": Spent(6.0, 100, 90), "s3": Spent(2.0)}))
    assert one.limits == "api (90%), worker (60%)"
    assert two.limits == "worker (85%)"
    assert two.linear(one) == pytest.approx(0.8)
    head, _, first, second = table([one, two], limited=True)
    assert head.startswith(
        "| API hosts | workers | applications | a minute | of linear | limited by | api, s |"
    )
    assert first.startswith("| 1 | 1 | 16 | 16.0 | 1.00 | api (90%), worker (60%) | 0.50 | 0.50 |")
    assert second.startswith("| 2 | 2 | 32 | 25.6 | 0.80 | worker (85%) | 0.50 | 0.38 |")


def test_without_limits_the_table_claims_no_throughput() -> None:
    row = Row(2, 32, 75.0, {"api": Spent(16.0)})
    head, _, line = table([row], limited=False)
    assert "a minute" not in head
    assert line.startswith("| 2 | 2 | 32 | 0.50 |")
    assert row.limits == "not known"
