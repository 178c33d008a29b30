"""What the operating manual tells to type can be typed, in the order in which it stands there, and does what it says."""

from __future__ import annotations

import re
import shlex
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from adapters.workspace import workspace
from labels.settings import PROJECT
from tests.cli.conftest import Terminal

MANUAL = (PROJECT / "docs" / "operating.md").read_text("utf-8")
ALARMS = PROJECT / "deploy" / "monitoring" / "alerts.yaml"
NO_SERVICES = {"status": 5, "doctor": 2}
"""Exit codes of what says how an installation is, on a machine of tests: nothing is started, nothing published."""


def blocks() -> list[list[str]]:
    """The blocks of commands, line by line."""
    found = re.findall(r"^ *```sh\n(.*?)^ *```", MANUAL, re.MULTILINE | re.DOTALL)
    return [[line.strip() for line in block.splitlines() if line.strip()] for block in found]


@pytest.mark.slow
def test_every_command_of_the_manual_does_what_it_says(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LABELS_SECRET", raising=False)
    workspace.cache_clear()
    (terminal.folder / "examples").mkdir()
    shutil.copytree(PROJECT / "examples" / "registry", terminal.folder / "examples" / "registry")
    typed = [line for block in blocks() for line in block if line.startswith("labels ")]
    assert len(typed) > 12
    for line in typed:
        words = [one.replace("/var/backups", str(tmp_path / "backups")) for one in shlex.split(line)[1:]]
        done = terminal.run(*words)
        assert done.exit_code == NO_SERVICES.get(words[0], 0), f"{line}\n{done.output}"


def test_the_folders_that_the_manual_writes_to_are_made_before_for_the_user_of_its_commands() -> None:
    """`labels …` runs as that user, who can make nothing below `/var`."""
    made: set[str] = set()
    written: set[str] = set()
    for line in (line for block in blocks() for line in block):
        if line.startswith("install -d -o labels -g labels "):
            made.update(word for word in line.split() if word.startswith("/var/"))
        elif line.startswith("labels "):
            assert {word for word in line.split() if word.startswith("/var/")} <= made, line
            written.update(word for word in line.split() if word.startswith("/var/"))
    assert written == made


def test_the_service_is_never_stopped_without_its_sockets_which_would_start_it_again() -> None:
    told = re.findall(r"systemctl (?:stop|start|enable --now) [^`\n]*\blabels[^`\n]*", MANUAL)
    assert len(told) >= 4
    for one in told:
        assert {"labels-desk.socket", "labels-gate.socket", "labels.service"} <= set(one.split()), one


def test_certificates_are_renewed_where_the_proxy_looks_for_them_and_it_takes_the_new_ones() -> None:
    (certbot,) = (line for block in blocks() for line in block if line.startswith("certbot certonly "))
    words = shlex.split(certbot)
    told = dict(pairwise(words))
    proxy = (PROJECT / "deploy" / "nginx" / "labels.conf").read_text("utf-8")
    assert f"location /.well-known/acme-challenge/ {{ root {told['-w']}; }}" in proxy
    assert set(re.findall(r"/etc/letsencrypt/live/([^/]+)/", proxy)) == {told["--cert-name"]}
    names = {after for word, after in pairwise(words) if word == "-d"}
    assert names == set(re.findall(r"(?<=server_name )[^;]+", proxy)[0].split())
    assert told["--deploy-hook"] == "systemctl reload nginx"


def test_what_the_manual_copies_is_there() -> None:
    named = {
        word
        for block in blocks()
        for line in block
        for word in line.split()
        if word.startswith("/opt/labels/")
    }
    assert len(named) > 5
    for one in named:
        path = one.removeprefix("/opt/labels/")
        assert list(PROJECT.glob(path)), one


def test_units_that_the_manual_starts_are_ones_that_there_are() -> None:
    named = set(re.findall(r"labels[\w-]*\.(?:service|socket|timer)", MANUAL))
    assert len(named) >= 4
    assert {one for one in named if not (PROJECT / "deploy" / "systemd" / one).exists()} == set()


def test_every_alarm_has_its_cause_and_its_cure_in_the_manual() -> None:
    rules = yaml.safe_load(ALARMS.read_text("utf-8"))
    alarms = [one for group in rules["groups"] for one in group["rules"]]
    sections = dict(re.findall(r"^### (Labels\w+)\n(.*?)(?=^##)", MANUAL, re.MULTILINE | re.DOTALL))
    assert set(sections) == {one["alert"] for one in alarms}
    for one in alarms:
        told = sections[one["alert"]]
        assert "*Cause:*" in told
        assert "*Cure:*" in told
        assert one["annotations"]["runbook"] == f"docs/operating.md#{one['alert'].lower()}"
