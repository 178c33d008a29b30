"""`labels doctor` finds what is wrong with a configuration, and says what to do about it."""

from __future__ import annotations

import dataclasses
import re
import socket
import sqlite3
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import aiosmtpd.controller
import dns.resolver
import pytest

from adapters.network import Names
from cli.services import free_port
from labels.settings import Settings
from tests.cli.conftest import Terminal, terminal
from tests.support.elsewhere import Pages, names, proxy
from tests.support.nginx import certificate
from usecases.diagnosis.examining import examine
from usecases.diagnosis.finding import Finding, Level, remedy_for
from usecases.diagnosis.machine import KEY_BITS, bits
from usecases.diagnosis.outside import check_sender

__all__ = ["terminal"]

DESK, GATE = "labels.example.eu", "runs.example.eu"
TEXTS = {
    "example.eu": ["v=spf1 a:mail.example.eu -all", "another entry"],
    "_dmarc.example.eu": ["v=DMARC1; p=reject"],
    "s1._domainkey.example.eu": ["v=DKIM1; k=rsa; p=MIIB"],
}
PAGES: Pages = {("GET", "/health"): (200, b'{"status": "ok"}'), ("GET", "/runs"): (303, b"")}


@dataclasses.dataclass
class Configuration:
    """A configuration at which nothing is wrong, until a test changes something."""

    home: Path
    certified: tuple[Path, Path]
    mail_port: int
    texts: dict[str, list[str]] = dataclasses.field(default_factory=lambda: dict(TEXTS))
    pages: dict[tuple[str, str], tuple[int, bytes]] = dataclasses.field(default_factory=lambda: dict(PAGES))
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    ahead: float = 0.0
    env_file: Path | None = None

    def examined(self) -> list[Finding]:
        """What the doctor finds."""
        with (
            proxy(self.pages, self.certified, ahead=self.ahead) as port,
            names(self.texts, {"example.eu"}) as resolver,
        ):
            given: Mapping[str, Any] = {
                "home": self.home,
                "public_url": f"https://{DESK}:{port}",
                "site_url": f"https://{GATE}:{port}",
                "smtp_url": f"smtp://127.0.0.1:{self.mail_port}",
                "mail_sender": "labels@example.eu",
                "operators": "operator@nss.example",
                "port": free_port(),
            }
            settings = Settings(_env_file=None, **{**given, **self.settings})
            return list(examine(settings, names=Names(resolver), selector="s1", env_file=self.env_file))

    def faults(self) -> list[str]:
        """What is wrong, with what to do."""
        return [
            f"{one.check}: {one.what} {one.remedy}" for one in self.examined() if one.level is Level.FAULT
        ]


@pytest.fixture
def right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Configuration]:
    """Names of example.eu lead to this machine, whose proxy has a certificate that is trusted."""
    found = socket.getaddrinfo

    def here(host: Any, *more: Any, **named: Any) -> Any:
        return found("127.0.0.1" if str(host).endswith("example.eu") else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", here)
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    certified = certificate(tmp_path, DESK, GATE, days=90)
    monkeypatch.setenv("SSL_CERT_FILE", str(certified[0]))
    mail = aiosmtpd.controller.Controller(object(), hostname="127.0.0.1", port=free_port())
    mail.start()
    yield Configuration(home, certified, mail.port)
    mail.stop()


def test_a_right_configuration_has_no_fault_and_nothing_is_made(right: Configuration) -> None:
    found = right.examined()
    assert [one for one in found if one.level is Level.FAULT] == []
    assert {one.check for one in found if one.level is Level.WELL} >= {
        "address", "TLS", "Prefect", "mail", "documents", "clock", "files", "disk", "fonts",
    }  # fmt: skip
    assert list(right.home.iterdir()) == []


def without(name: str) -> Callable[[Configuration], None]:
    def change(one: Configuration) -> None:
        one.settings[name] = ""

    return change


def no_certificate_of_ours(one: Configuration) -> None:
    """The proxy has a certificate of another authority than the one that is trusted."""
    folder = one.home.parent / "another"
    folder.mkdir()
    one.certified = certificate(folder, DESK, GATE, days=90)


def ends_next_week(one: Configuration) -> None:
    one.certified = certificate(one.certified[0].parent, DESK, GATE, days=7)


def ended(one: Configuration) -> None:
    one.certified = certificate(one.certified[0].parent, DESK, GATE, days=-0.5)


def another_program(one: Configuration) -> None:
    one.pages["GET", "/health"] = (200, b"<h1>It works!</h1>")


def nobody_there(one: Configuration) -> None:
    one.settings["public_url"] = f"https://{DESK}:{free_port()}"


def prefect_without_the_gate(one: Configuration) -> None:
    """The proxy leads to Prefect's server itself."""
    one.pages["GET", "/runs"] = (200, b"<title>Prefect</title>")
    one.pages["POST", "/api/flow_runs/count"] = (200, b"12")


def mail_in_the_clear(one: Configuration) -> None:
    one.settings["smtp_url"] = f"smtp://mail.example.eu:{one.mail_port}"


def wrong_password(one: Configuration) -> None:
    one.settings["smtp_url"] = f"smtp://labels:mistyped@127.0.0.1:{one.mail_port}"


def anybody_sends(one: Configuration) -> None:
    one.texts["example.eu"] = ["v=spf1 +all"]


def two_entries(one: Configuration) -> None:
    one.texts["example.eu"] = ["v=spf1 -all", "v=spf1 a -all"]


def no_policy(one: Configuration) -> None:
    del one.texts["_dmarc.example.eu"]


def no_key_of_mail(one: Configuration) -> None:
    del one.texts["s1._domainkey.example.eu"]


def nobody_takes_mail(one: Configuration) -> None:
    one.settings["mail_sender"] = "labels@elsewhere.eu"
    one.texts |= {name.replace("example", "elsewhere"): text for name, text in TEXTS.items()}


def a_short_secret(one: Configuration) -> None:
    one.settings["secret"] = "summer2026"


def a_short_password(one: Configuration) -> None:
    one.settings["prefect_database_url"] = f"postgresql://prefect:prefect@127.0.0.1:{free_port()}/prefect"


def an_open_home(one: Configuration) -> None:
    one.home.chmod(0o755)


def open_settings(one: Configuration) -> None:
    one.env_file = one.home.parent / ".env"
    one.env_file.write_text("LABELS_SMTP_URL=smtps://labels:geheim@mail.example.eu\n")
    one.env_file.chmod(0o644)


def a_fixed_day(one: Configuration) -> None:
    one.settings["today"] = "2026-03-16"


def an_hour_behind(one: Configuration) -> None:
    one.ahead = 3600.0


def a_newer_record(one: Configuration) -> None:
    with sqlite3.connect(one.home / "record.db") as record:
        record.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        record.execute("INSERT INTO alembic_version VALUES ('9999')")


def no_database(one: Configuration) -> None:
    port = free_port()
    one.settings["database_url"] = f"postgresql://labels:{'aB3' * 2}QwErTy12345678901@127.0.0.1:{port}/record"


def no_signing_key(one: Configuration) -> None:
    one.settings["signing_key"] = str(one.home / "nowhere.p12")


def no_gate(one: Configuration) -> None:
    one.settings["gate"] = "off"


def no_provider(one: Configuration) -> None:
    one.settings |= {"oidc_issuer": f"http://127.0.0.1:{free_port()}"}


WRONG: list[tuple[Callable[[Configuration], None], str]] = [
    (
        without("public_url"),
        "address: LABELS_PUBLIC_URL is not set: .* Set it to the address that people have",
    ),
    (
        no_certificate_of_ours,
        "TLS: browsers refuse the certificate at https://labels.example.eu.* Give the proxy",
    ),
    (ends_next_week, "TLS: the certificate at https://labels.example.eu.* ends at .* Renew it"),
    (
        ended,
        "TLS: browsers refuse the certificate at https://labels.example.eu.*certificate has expired.* that is not expired",
    ),
    (another_program, r"address: what answers at .* is not ours \(status 200\)"),
    (
        nobody_there,
        "address: https://labels.example.eu.* is not reached: .* See that the name leads to the proxy",
    ),
    (
        prefect_without_the_gate,
        "Prefect: strangers reach Prefect's API at https://runs.example.eu.* the gate",
    ),
    (no_gate, "Prefect: the gate is off"),
    (without("smtp_url"), "mail: LABELS_SMTP_URL is not set: mail goes into .* Set it"),
    (mail_in_the_clear, "mail: mail goes to mail.example.eu:.* without TLS, with codes in it"),
    (wrong_password, "mail: the mail server 127.0.0.1:.* does not let us in .* Correct LABELS_SMTP_URL"),
    (anybody_sends, "mail: the SPF entry of example.eu lets everybody send for it"),
    (two_entries, "mail: example.eu has 2 SPF entries, which counts as none"),
    (no_policy, "mail: example.eu has no DMARC entry. A TXT entry for _dmarc.example.eu"),
    (no_key_of_mail, "mail: example.eu has no DKIM key s1"),
    (nobody_takes_mail, "mail: nobody takes mail for elsewhere.eu"),
    (a_short_secret, "secrets: LABELS_SECRET has 29 bits at most; expected at least 128. Make one with"),
    (a_short_password, "secrets: LABELS_PREFECT_DATABASE_URL has .* bits at most; expected at least 64"),
    (an_open_home, "files: others of this machine may enter .* chmod 700"),
    (open_settings, "files: others of this machine may read .*/.env, in which there are secrets. chmod 600"),
    (a_fixed_day, "clock: LABELS_TODAY is set: it is 2026-03-16 for ever. Unset LABELS_TODAY"),
    (an_hour_behind, "clock: this machine's clock and that of labels.example.eu are 3[56].. s apart"),
    (a_newer_record, r"database: the record is of a newer version \(9999\). Install that version"),
    (no_database, "database: .* does not answer: .* Start it, or correct LABELS_DATABASE_URL"),
    (no_signing_key, "nowhere.p12: No such file or directory"),
    (no_provider, "services: LABELS_OIDC_ISSUER: http://127.0.0.1:.* does not answer"),
]


@pytest.mark.sampled
@pytest.mark.parametrize(("change", "told"), WRONG)
def test_what_is_wrong_is_told_with_what_to_do(
    right: Configuration, change: Callable[[Configuration], None], told: str
) -> None:
    change(right)
    faults = "\n".join(right.faults())
    assert re.search(told, faults), faults
    for secret in ("summer2026", "mistyped", "geheim", "QwErTy", ":prefect@"):
        assert secret not in faults, "no password is repeated"


def test_what_is_random_and_long_has_enough_bits_and_what_repeats_itself_has_not() -> None:
    assert bits("Jk3_vR8uWq0ZtN5yLbC7xHd2GfSa9PmE6iOe1TzXrYc") > KEY_BITS
    assert bits("a" * 500) == 0
    assert bits("abc" * 20) < KEY_BITS
    assert bits("") == 0


@pytest.mark.slow
def test_names_that_nobody_answers_are_a_note_and_no_fault(right: Configuration) -> None:
    """Where the doctor runs behind a wall, nothing is claimed of what it does not see."""
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], free_port()
    [found] = check_sender("labels@example.eu", Names(resolver), "s1")
    assert (found.check, found.level) == ("mail", Level.NOTE)
    assert "could not be looked up" in found.what


def test_the_command_ends_with_2_where_something_is_wrong_and_makes_nothing(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = terminal.folder.parent / "not there"
    monkeypatch.setenv("LABELS_HOME", str(home))
    result = terminal.run("doctor", "--json")
    assert result.exit_code == 2
    assert '"LABELS_PUBLIC_URL is not set' in result.stdout
    assert "fault" in result.stderr
    assert not home.exists()
    assert not stat.S_IMODE(terminal.here.settings.home.stat().st_mode) & 0o077


@pytest.mark.parametrize(
    ("why", "renew"),
    [
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:992)",
            True,
        ),
        ("SSL error: certificate verify failed", True),
        ("self-signed certificate", True),
        ("unable to get local issuer certificate", True),
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch, certificate is not valid for "
            "'mail.example.eu'. (_ssl.c:992)",
            False,
        ),
        ("IP address mismatch, certificate is not valid for '10.0.0.5'.", False),
        ("[Errno 111] Connection refused", False),
    ],
)
def test_a_certificate_is_to_be_renewed_or_trusted_and_a_wrong_name_corrected(why: str, renew: bool) -> None:
    told = remedy_for(why, "Correct the setting.")
    assert ("Renew the certificate" in told) == renew
    assert (told == "Correct the setting.") != renew
