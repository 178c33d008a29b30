"""What the services and the demo take from the environment, and what they leave alone."""

from __future__ import annotations

import json
import os
import socket
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from urllib.parse import urlsplit

import pytest

import cli.demo
import cli.services
from adapters.prefect.address import FOR_CLIENTS
from adapters.prefect.environment import child_environment
from adapters.workspace import Workspace
from cli import _find_running_services
from cli.demo import demo_home, forget_settings, fresh
from cli.environment import home
from cli.processes import Interrupted
from cli.services import free_port, running_services, say_where_prefect_is, services
from labels.errors import InvalidInput, NotAllowed, OutOfReach
from labels.sessions.passkeys import site_at
from labels.settings import Settings, load_settings


def test_a_child_reads_the_settings_of_its_parent_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("LABELS_SMTP_URL=smtp://real.example:25\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LABELS_DATABASE_URL", "postgresql://real.example/record")
    given = Settings(
        _env_file=None,
        home=tmp_path / "home",
        database_url="sqlite:///one.db",
        today=date(2026, 3, 16),
        s3_path_style=True,
        secret="geheim",
    )
    environment = child_environment(given, "http://127.0.0.1:1/api")
    for name in [name for name in os.environ if name.startswith("LABELS_")]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert load_settings() == given
    assert environment["PREFECT_API_URL"] == "http://127.0.0.1:1/api"


def test_commands_know_what_a_client_of_our_server_need_not_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what the environment says instead counts for them too."""
    monkeypatch.setenv("PREFECT_CLIENT_CSRF_SUPPORT_ENABLED", "true")
    ours = "http://127.0.0.1:1/api"
    environment = child_environment(Settings(_env_file=None, home=tmp_path), ours)
    client = {name: environment[name] for name in FOR_CLIENTS}
    assert client["PREFECT_CLIENT_CSRF_SUPPORT_ENABLED"] == "true"
    assert client["PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED"] == "false"
    known = {"api_url": ours, "site_url": "http://1", "documents_url": "http://2", "client": client}
    known["client"] = client | {"LABELS_SMTP_URL": "smtp://elsewhere.example", "LD_PRELOAD": "/elsewhere"}
    (tmp_path / "services.json").write_text(json.dumps(known))
    assert Path(client["PREFECT_API_SSL_CERT_FILE"]).read_text().count("BEGIN CERTIFICATE") == 1
    known |= {"today": "2026-03-16", "today_since": "2026-11-30"}
    (tmp_path / "services.json").write_text(json.dumps(known))
    for day, since in {"2026-03-16": "2026-11-30", "2026-06-01": None}.items():
        monkeypatch.setattr(os, "environ", {"LABELS_HOME": str(tmp_path), "LABELS_TODAY": day})
        _find_running_services()
        assert os.environ.get("LABELS_TODAY_SINCE") == since
    for url, said in {"": client, "https://prefect.example/api": {}}.items():
        given = {"LABELS_HOME": str(tmp_path)} | ({"PREFECT_API_URL": url} if url else {})
        monkeypatch.setattr(os, "environ", given)
        _find_running_services()
        assert given["PREFECT_API_URL"] == (url or ours)
        assert {name: given[name] for name in client if name in given} == said
        assert not {"LABELS_SMTP_URL", "LD_PRELOAD"} & given.keys()


@pytest.mark.parametrize("spelled", ["LABELS_HOME", "labels_home", "export LABELS_HOME"])
def test_a_home_in_the_env_file_is_the_home_of_every_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelled: str
) -> None:
    """The running services are found there, the demo goes there, and the settings of real use say the same."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", {"HOME": str(tmp_path)})
    (tmp_path / ".env").write_text(f'{spelled}="real"\nLABELS_SITE_URL=http://own.example\n', "utf-8")
    (tmp_path / "real").mkdir()
    known = {"api_url": "http://127.0.0.1:1/api", "site_url": "http://1", "documents_url": "http://2"}
    (tmp_path / "real" / "services.json").write_text(json.dumps(known))
    assert load_settings().home == tmp_path / "real"
    assert demo_home() == tmp_path / "real" / "demo"
    _find_running_services()
    assert os.environ["PREFECT_API_URL"] == "http://127.0.0.1:1/api"
    assert (load_settings().site_url, load_settings().documents_url) == ("http://own.example", "http://2")


@pytest.mark.parametrize("file", ["", "other"])
def test_which_env_file_counts_is_the_same_for_settings_and_for_running_services(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", {"HOME": str(tmp_path), "LABELS_ENV_FILE": file})
    (tmp_path / ".env").write_text("LABELS_HOME=real\n", "utf-8")
    (tmp_path / "other").write_text("LABELS_HOME=\n", "utf-8")
    assert home() == load_settings().home


def test_a_port_that_another_program_has_is_told_and_nothing_is_started(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        for ports in ((taken, free_port()), (free_port(), taken)):
            with (
                pytest.raises(NotAllowed, match=f"Port {taken}, for .* is taken by another program"),
                services(Settings(_env_file=None, home=tmp_path / "home"), *ports),
            ):
                pass
    assert not (tmp_path / "home").exists()


def test_what_it_means_that_no_gate_is_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    say_where_prefect_is(Settings(_env_file=None, gate="off"), "http://127.0.0.1:4200")
    told = " ".join(capsys.readouterr().err.split())
    assert "http://127.0.0.1:4200. The gate is off: whoever reaches this address can read" in told
    assert "run programs on this machine" in told
    say_where_prefect_is(
        Settings(_env_file=None, site_url="https://runs.example.eu"), "http://127.0.0.1:4200"
    )
    told = capsys.readouterr().err
    assert "https://runs.example.eu" in told
    assert "4200" not in told, "nobody is led past the gate"


def test_a_gate_without_tls_that_no_session_would_reach_is_refused(tmp_path: Path) -> None:
    settings = Settings(
        _env_file=None,
        home=tmp_path,
        public_url="https://labels.example.eu",
        site_url="http://labels.example.eu:8443",
        listen=f"127.0.0.1:{free_port()}",
        gate=f"127.0.0.1:{free_port()}",
    )
    with pytest.raises(InvalidInput, match=r"LABELS_SITE_URL.*by TLS, too"), services(settings, free_port()):
        pass


def test_what_services_left_that_were_killed_keeps_nobody_from_starting_them(tmp_path: Path) -> None:
    """In a container, whoever starts them has the same number each time."""
    (tmp_path / "services.json").write_text(json.dumps({"pid": str(os.getpid()), "api_url": "http://x/api"}))
    (tmp_path / "services.lock").write_text(str(os.getpid()))
    assert running_services(tmp_path) is None


def test_services_of_one_home_are_started_once(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path)
    with cli.services.locked(tmp_path):
        known = running_services(tmp_path)
        assert known
        assert (known["pid"], known["api_url"]) == (str(os.getpid()), "it is starting")
        with (
            pytest.raises(NotAllowed, match=f"running already .process {os.getpid()}.: it is starting"),
            services(settings, free_port(), free_port()),
        ):
            pass
        with pytest.raises(NotAllowed, match="being started already"), cli.services.locked(tmp_path):
            pass
    assert running_services(tmp_path) is None


def test_the_demo_forgets_where_the_real_record_mail_and_prefect_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))  # what is forgotten, only this test forgets
    monkeypatch.setenv("LABELS_HOME", str(tmp_path))
    monkeypatch.setenv("LABELS_DATABASE_URL", "postgresql://real.example/record")
    monkeypatch.setenv("LABELS_SMTP_URL", "smtp://real.example:25")
    monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", "postgresql+asyncpg://real.example/prefect")
    home = demo_home()
    forget_settings()
    settings = Settings(home=home, _env_file=None)
    assert settings.home == tmp_path / "demo"
    assert settings.record_url == f"sqlite:///{home / 'record.db'}"
    assert not settings.smtp_url
    assert not [name for name in child_environment(settings, "http://x/api") if "DATABASE" in name]


@pytest.mark.parametrize("auto", [False, True])
def test_the_demo_is_at_a_name_at_which_browsers_make_passkeys(
    auto: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setenv("LABELS_HOME", str(tmp_path))
    begun: list[Settings] = []

    def not_now(settings: Settings, *_: object, **__: object) -> None:
        begun.append(settings)
        raise Interrupted

    monkeypatch.setattr(cli.demo, "services", not_now)
    cli.demo.run_demo(auto=auto)
    [settings] = begun
    assert site_at(settings.desk_url)
    if not auto:
        assert urlsplit(settings.site_url).hostname == "localhost"
        assert not settings.gate_is_elsewhere, "one cookie reaches both"


def test_a_new_demo_moves_the_former_one_aside_and_keeps_no_more_than_that(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "demo"
    assert fresh(home) is None, "there was none"
    assert fresh(home) is None, "there was nothing in it"
    for day in ("first", "second"):
        (home / "day").write_text(day)
        former = fresh(home)
        assert former is not None
        assert (former / "day").read_text() == day
        assert list(home.iterdir()) == []
    assert sorted(one.name for one in home.parent.iterdir()) == ["demo", "demo-former"]


def test_the_demo_waits_as_long_as_something_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(cli.demo, "time", SimpleNamespace(monotonic=lambda: now))
    here = cast("Workspace", SimpleNamespace(settings=Settings(_env_file=None, home=tmp_path)))
    patience = cli.demo._Patience(here)
    for left in (12, 11, 11, 10):
        patience.moved_to(left, f"{left} runs did not reach their step")
        now += cli.demo.SETTLES_WITHIN / 2
    now += cli.demo.SETTLES_WITHIN
    with pytest.raises(OutOfReach, match="10 runs did not reach their step"):
        patience.moved_to(10, "10 runs did not reach their step")
