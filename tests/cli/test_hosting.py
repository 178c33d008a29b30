"""The roles of hosts: what each needs and is told, and that a host with another key or record is refused."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prefect.client.schemas.actions import VariableCreate, VariableUpdate
from prefect.exceptions import ObjectAlreadyExists

import adapters.prefect.client
import cli.hosting
from adapters.prefect.installed import NAME, see_that_the_server_is_ours, tell_installation
from adapters.prefect.redis import see_that_redis_answers, shared_environment
from adapters.prefect.server import names_of
from adapters.roles import EVERYTHING, VARIABLES, Role, missing, roles_of
from adapters.workspace import open_installation, open_own_workspace
from cli.hosting import host
from cli.services import free_port
from labels.errors import InvalidInput, NotAllowed, OutOfReach
from labels.keyring import FORMER, KEY, FormerKey, key_mark, written
from labels.record.installation import forget_key, installation, mark, see_that_it_fits
from labels.record.schema import Installation
from labels.settings import Settings, load_settings
from tests.cli.conftest import Terminal
from tests.support.redis import REDIS, running

OF_ONE_MACHINE = {"home", "port"}
"""Settings that no other host needs to be told."""
HERE = {
    "LABELS_DATABASE_URL": "postgresql://labels:geheim-eins@10.0.0.11/record",
    "LABELS_PREFECT_DATABASE_URL": "postgresql://labels:geheim-zwei@10.0.0.11/prefect",
    "LABELS_REDIS_URL": "redis://:geheim-drei@10.0.0.12:6379/0",
    "LABELS_SECRET": "geheim-vier",
    "LABELS_DOCUMENTS": "s3://labels",
    "LABELS_SMTP_URL": "smtp://mail.example.eu:25",
    "LABELS_PUBLIC_URL": "https://labels.example.eu",
    "LABELS_SITE_URL": "https://runs.example.eu",
    "LABELS_OIDC_CLIENT_SECRET": "geheim-fünf",
    "AWS_SECRET_ACCESS_KEY": "geheim-sechs",
    "PREFECT_API_URL": "http://10.0.0.10:4200/api",
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of a machine that has everything."""
    for name in [one for one in os.environ if one.startswith(("LABELS_", "AWS_", "PREFECT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LABELS_ENV_FILE", "")
    monkeypatch.setenv("LABELS_HOME", str(tmp_path))
    for name, value in HERE.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_every_setting_is_one_that_hosts_are_told_or_of_one_machine_alone() -> None:
    told = {one.field for one in VARIABLES if one.field}
    assert told | OF_ONE_MACHINE == set(Settings.model_fields)
    assert not told & OF_ONE_MACHINE


def test_everything_is_the_role_of_who_names_none_and_goes_with_no_other() -> None:
    assert roles_of([]) == EVERYTHING == roles_of(["all"])
    assert roles_of(["api", "services", "api"]) == {Role.API, Role.SERVICES}
    with pytest.raises(InvalidInput, match=r"“all” has every role already"):
        roles_of(["all", "worker"])


def test_one_machine_needs_nothing_of_what_several_do(tmp_path: Path) -> None:
    assert missing(EVERYTHING, Settings(_env_file=None, home=tmp_path), {}) == []
    assert shared_environment(Settings(_env_file=None, home=tmp_path)) == {}


@pytest.mark.parametrize(
    ("role", "lacks"),
    [
        ("api", {"LABELS_SECRET", "LABELS_PREFECT_DATABASE_URL", "LABELS_REDIS_URL"}),
        (
            "services",
            {*HERE} - {"LABELS_OIDC_CLIENT_SECRET", "AWS_SECRET_ACCESS_KEY"},
        ),
        (
            "worker",
            {*HERE}
            - {
                "LABELS_OIDC_CLIENT_SECRET",
                "AWS_SECRET_ACCESS_KEY",
                "LABELS_PREFECT_DATABASE_URL",
                "LABELS_REDIS_URL",
            },
        ),
    ],
)
def test_a_role_that_lacks_something_says_what_to_set_and_starts_nothing(
    role: str, lacks: set[str], here: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in HERE:
        here.delenv(name)
    with pytest.raises(InvalidInput) as refused, host(load_settings(), roles_of([role]), threading.Event()):
        pass
    assert {one.where for one in refused.value.faults} == lacks
    assert all(one.problem and one.remedy for one in refused.value.faults)
    assert not (tmp_path / "secret.key").exists()
    assert not (tmp_path / "logs").exists()


def test_several_hosts_cannot_share_a_file_of_sqlite(here: pytest.MonkeyPatch) -> None:
    here.setenv("LABELS_DATABASE_URL", "sqlite:///record.db")
    [fault] = missing(roles_of(["worker"]), load_settings(), os.environ)
    assert fault.where == "LABELS_DATABASE_URL"
    assert "PostgreSQL" in fault.problem


def test_the_environment_of_a_role_has_its_values_and_names_secrets_only(
    terminal: Terminal, here: pytest.MonkeyPatch
) -> None:
    done = terminal.run("environment", "desk")
    assert done.exit_code == 0, done.output
    assert "geheim" not in done.output
    lines = done.stdout.splitlines()
    assert "PREFECT_API_URL=http://10.0.0.10:4200/api" in lines
    assert "LABELS_SMTP_URL=smtp://mail.example.eu:25" in lines
    assert {"#LABELS_DATABASE_URL=", "#LABELS_OIDC_CLIENT_SECRET="} <= set(lines)
    assert not [line for line in lines if "REDIS" in line or "PREFECT_DATABASE" in line]
    for before, line in pairwise(lines):
        if re.match(r"#?\w+=", line):
            assert before.startswith("# "), f"nothing says why {line}"
    api = {
        one["name"]: one["value"] for one in json.loads(terminal.run("environment", "api", "--json").stdout)
    }
    assert api["LABELS_REDIS_URL"] is None
    assert "LABELS_DATABASE_URL" not in api
    assert "LABELS_SMTP_URL" not in api


def test_the_secret_key_is_named_as_a_file_to_copy_and_not_as_a_variable(
    terminal: Terminal, here: pytest.MonkeyPatch
) -> None:
    said = terminal.run("environment", "worker").stdout
    assert "geheim" not in said
    assert "It is in LABELS_SECRET of this machine: write it to secret.key" in said
    assert "LABELS_SECRET=" not in said
    here.delenv("LABELS_SECRET")
    file = load_settings().home / "secret.key"
    file.write_text("also geheim")
    said = terminal.run("environment", "worker").stdout
    assert "geheim" not in said
    assert f"It is in {file} on this machine: copy that file, and secret.former beside it" in said
    assert "LABELS_SECRET=" not in said
    [secret] = [one for one in terminal.json("environment", "worker") if one["name"] == "LABELS_SECRET"]
    assert (secret["value"], secret["file"]) == (None, str(file))


def test_the_environment_of_a_role_is_refused_with_everything_that_is_missing_here(
    terminal: Terminal, here: pytest.MonkeyPatch
) -> None:
    here.delenv("LABELS_REDIS_URL")
    here.delenv("LABELS_PREFECT_DATABASE_URL")
    said = terminal.fails(2, "environment", "api")
    assert "LABELS_REDIS_URL" in said
    assert "LABELS_PREFECT_DATABASE_URL" in said
    assert "postgresql://labels:PASSWORD@" in said
    assert "LABELS_SMTP_URL" not in said


def test_deploying_needs_to_know_where_prefect_is(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.hosting.api_url", lambda: None)
    assert "PREFECT_API_URL" in terminal.fails(2, "deploy")


# One installation ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_second_home_with_another_key_is_refused_and_gets_none_of_its_own(tmp_path: Path) -> None:
    first = Settings(_env_file=None, home=tmp_path / "first")
    shared = f"sqlite:///{tmp_path / 'first' / 'record.db'}"
    open_installation(first)
    nothing = Settings(_env_file=None, home=tmp_path / "second", database_url=shared)
    with pytest.raises(NotAllowed, match=r"LABELS_SECRET.*secret\.key.*--with-another-key"):
        open_own_workspace(nothing)
    assert not (tmp_path / "second" / "secret.key").exists()
    other = nothing.model_copy(update={"secret": Settings(secret="another").secret})
    with pytest.raises(NotAllowed, match="another than that of the record"):
        open_installation(other)
    same = Settings(_env_file=None, home=tmp_path / "third", database_url=shared, secret=first.key.decode())
    assert open_installation(same)[1].name == open_installation(first)[1].name


@pytest.mark.slow
def test_where_the_key_is_lost_for_ever_another_takes_its_place_and_the_former_is_refused(
    tmp_path: Path,
) -> None:
    first = Settings(_env_file=None, home=tmp_path, secret="the first")
    _, ours = open_installation(first)
    second = Settings(_env_file=None, home=tmp_path, secret="the second")
    _, taken_over = open_installation(second, another_key=True)
    assert taken_over.name == ours.name, "it is the same installation"
    open_own_workspace(second)
    with pytest.raises(NotAllowed):
        open_own_workspace(first)


@pytest.mark.slow
def test_a_home_whose_key_was_replaced_is_known_by_the_former_one_and_from_then_on_by_the_new(
    tmp_path: Path,
) -> None:
    here, _ = open_installation(Settings(_env_file=None, home=tmp_path, secret="former"))
    with here.record.writing() as session:
        mark(session, [b"new", b"former"])
    with here.record.reading() as session:
        found = installation(session)
    see_that_it_fits(found, [b"new"])
    with pytest.raises(NotAllowed):
        see_that_it_fits(found, [b"former"])


@pytest.mark.slow
def test_a_record_that_came_from_a_copy_without_its_key_takes_the_next_one(tmp_path: Path) -> None:
    first = Settings(_env_file=None, home=tmp_path, secret="the first")
    here, _ = open_installation(first)
    with here.record.writing() as session:
        forget_key(session)
    second = Settings(_env_file=None, home=tmp_path, secret="the second")
    open_own_workspace(second)
    open_installation(second)
    with pytest.raises(NotAllowed):
        open_own_workspace(first)


@pytest.mark.slow
def test_a_record_that_was_never_started_belongs_to_whoever_starts_it(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path, secret="a secret")
    here = open_own_workspace(settings)
    with here.record.reading() as session:
        made = installation(session)
        assert made.known_by == ""
    _, ours = open_installation(settings)
    assert ours.name == made.name
    assert "a secret" not in ours.known_by


def test_two_processes_that_begin_a_home_in_the_same_moment_are_one_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, has_key = Settings(_env_file=None, home=tmp_path), Settings.has_key
    others: list[Installation] = []

    def and_then_the_other_begins(self: Settings) -> bool:
        there = (self.home / KEY).is_file()
        if not others:
            monkeypatch.setattr(Settings, "has_key", has_key)
            others.append(open_installation(settings)[1])
        return there

    monkeypatch.setattr(Settings, "has_key", property(and_then_the_other_begins))
    _, ours = open_installation(settings)
    assert [one.name for one in others] == [ours.name]


# By whom Prefect's server is deployed -----------------------------------------------------------


class Variables:
    """Prefect's variables, in memory."""

    def __init__(self) -> None:
        self.there: dict[str, Any] = {}

    @contextmanager
    def client(self, sync_client: bool = True) -> Iterator[Variables]:
        """Stands in for `get_client`."""
        yield self

    def read_variable_by_name(self, name: str) -> Any:
        return SimpleNamespace(value=self.there[name]) if name in self.there else None

    def create_variable(self, variable: VariableCreate) -> None:
        self.there[variable.name] = variable.value

    def update_variable(self, variable: VariableUpdate) -> None:
        assert variable.name in self.there
        self.there[str(variable.name)] = variable.value


@pytest.fixture
def prefect(monkeypatch: pytest.MonkeyPatch) -> Variables:
    """Prefect's server, which nobody has deployed yet."""
    made = Variables()
    monkeypatch.setattr(adapters.prefect.client, "get_client", made.client)
    monkeypatch.setattr(
        adapters.prefect.client, "PREFECT_API_URL", SimpleNamespace(value=lambda: "in memory")
    )
    return made


@pytest.fixture
def replaced(tmp_path: Path) -> Settings:
    """A home whose secret key was replaced after its installation was deployed."""
    settings = Settings(_env_file=None, home=tmp_path / "replaced")
    here, _ = open_installation(settings)
    key, now = settings.key, here.now()
    (settings.home / FORMER).write_bytes(written([FormerKey(key, replaced_at=now, until=now)]))
    (settings.home / KEY).write_text("a new secret")
    return settings


def deployed_before(prefect: Variables, settings: Settings) -> None:
    """Deploys the installation of a home as it was before its key was replaced."""
    here = open_own_workspace(settings)
    with here.record.reading() as session:
        ours = installation(session)
        assert ours.known_by == key_mark(settings.keyring.former[0].key)
        tell_installation(ours, takes_over=False)
    assert prefect.there[NAME]["key"] == ours.known_by


@pytest.mark.slow
def test_a_host_whose_key_was_replaced_is_known_by_the_former_one_and_tells_prefect_of_the_new(
    prefect: Variables, replaced: Settings
) -> None:
    deployed_before(prefect, replaced)
    see_that_the_server_is_ours(replaced.keyring.every, None)
    _, ours = open_installation(replaced)
    see_that_the_server_is_ours(replaced.keyring.every, ours)
    assert prefect.there[NAME] == {"record": ours.name, "key": key_mark(b"a new secret")}
    see_that_the_server_is_ours([b"a new secret"], None)
    with pytest.raises(NotAllowed, match=r"another secret key.*secret\.former.*--with-another-key"):
        see_that_the_server_is_ours([replaced.keyring.former[0].key], None)


@pytest.mark.parametrize("theirs", ["the same record", "another record"])
def test_of_two_that_deploy_in_the_same_moment_the_later_one_looks_for_which_record_it_is(
    prefect: Variables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theirs: str
) -> None:
    _, ours = open_installation(Settings(_env_file=None, home=tmp_path))
    first = {"record": ours.name if theirs == "the same record" else "another", "key": ours.known_by}

    def too_late(variable: VariableCreate) -> None:
        prefect.there[variable.name] = first
        raise ObjectAlreadyExists(http_exc=ValueError("it is there"))

    monkeypatch.setattr(prefect, "create_variable", too_late)
    if theirs == "the same record":
        tell_installation(ours, takes_over=False)
    else:
        with pytest.raises(NotAllowed, match="another record"):
            tell_installation(ours, takes_over=False)
    assert prefect.there[NAME] == first


@pytest.mark.slow
def test_a_host_of_another_record_is_refused_by_whatever_key(
    prefect: Variables, replaced: Settings, tmp_path: Path
) -> None:
    deployed_before(prefect, replaced)
    before = dict(prefect.there)
    other = Settings(_env_file=None, home=tmp_path / "other", secret=replaced.key.decode())
    _, ours = open_installation(other)
    for another_key in (False, True):
        with pytest.raises(NotAllowed, match="another record"):
            see_that_the_server_is_ours(replaced.keyring.every, ours, another_key=another_key)
    assert prefect.there == before


@pytest.mark.slow
@pytest.mark.parametrize("lost", [False, True])
def test_the_host_of_prefects_api_alone_starts_again_after_the_key_was_replaced_or_lost(
    prefect: Variables, replaced: Settings, here: pytest.MonkeyPatch, lost: bool
) -> None:
    deployed_before(prefect, replaced)
    if lost:
        (replaced.home / FORMER).unlink()
    here.delenv("LABELS_SECRET")
    here.setenv("LABELS_HOME", str(replaced.home))
    here.setattr(cli.hosting, "_start_api", lambda *_: None)
    here.setattr(cli.hosting, "child_environment", lambda *_: {})
    here.setattr(cli.hosting, "see_that_redis_answers", lambda _: None)
    roles = roles_of(["api"])
    if lost:
        with (
            pytest.raises(NotAllowed, match="--with-another-key"),
            host(load_settings(), roles, threading.Event()),
        ):
            pass
    with host(load_settings(), roles, threading.Event(), another_key=lost) as (_, opened):
        assert opened is None, "it reaches no record"


# What Prefect's servers are told -----------------------------------------------------------------


def test_a_server_answers_by_its_own_names_and_by_what_everybody_calls_it() -> None:
    names = names_of("10.0.0.21:4200", "http://API.internal/api")
    assert {"10.0.0.21:4200", "127.0.0.1:4200", "api.internal"} <= names
    assert "10.0.0.21" not in names
    assert names_of("127.0.0.1:4200", "") == {"127.0.0.1:4200", "localhost:4200", "[::1]:4200"}


@pytest.mark.skipif(REDIS is None, reason="redis-server is not installed")
def test_everything_that_servers_share_is_in_redis_and_nothing_looks_for_it_on_this_machine(
    tmp_path: Path,
) -> None:
    with running() as server:
        settings = Settings(_env_file=None, home=tmp_path, redis_url=server.url)
        see_that_redis_answers(settings)
        told = shared_environment(settings)
        assert {name for name, value in told.items() if value == server.url} == {
            "PREFECT_REDIS_MESSAGING_URL",
            "PREFECT_REDIS_WORKER_CLEANUP_QUEUE_URL",
            "PREFECT_SERVER_DOCKET_URL",
        }
        wrong = settings.model_copy(update={"redis_url": re.sub(r":[^:@]+@", ":wrong@", server.url)})
        with pytest.raises(OutOfReach, match=r"Redis at 127\.0\.0\.1.*LABELS_REDIS_URL"):
            see_that_redis_answers(wrong)
    with pytest.raises(OutOfReach, match="LABELS_REDIS_URL"):
        see_that_redis_answers(
            Settings(_env_file=None, home=tmp_path, redis_url=f"redis://127.0.0.1:{free_port()}")
        )
