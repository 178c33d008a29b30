"""Where files, databases and services are, from the environment (`LABELS_…`) or a `.env` file."""

from __future__ import annotations

import contextlib
import errno
import functools
import ipaddress
import os
import re
import secrets
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, TypeAlias, get_args
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from labels.clock import Clock, clock_in, clock_on, wall_clock
from labels.errors import Fault, InvalidInput
from labels.files import contents
from labels.keyring import FORMER, KEY, Keyring, keyring_of, read_key

StaffRole = Literal["reviewers", "coordinators", "css", "operators"]
PasskeyRules: TypeAlias = Mapping[StaffRole, Literal["off", "offered"] | date]
"""What passkeys are to each role: nothing, offered, or needed from a day on."""

SIGNING_FORMER = "signing-former.pem"
"""The file in the home with the certificates that `labels keys rotate signing` replaced."""

PROJECT = Path(__file__).resolve().parent.parent
"""The folder of the checkout: templates, examples and rule files are found below it."""


class Settings(BaseSettings):
    """All settings. Prefect's own settings keep Prefect's names and are not repeated here."""

    model_config = SettingsConfigDict(env_prefix="LABELS_", env_file=".env", extra="ignore", frozen=True)

    home: Path = Path(".labels")
    """Folder of the embedded default: record, documents, outgoing mail, the secret key."""
    database_url: str = ""
    """SQLAlchemy URL of the record; by default a SQLite file in `home`."""
    documents: str = ""
    """`file:///…` or `s3://bucket/prefix`; by default a folder in `home`."""
    s3_endpoint_url: str = ""
    s3_path_style: bool = False
    s3_checksums: str = "when_supported"
    """`when_supported`, or `when_required` for older servers (Ceph 16)."""
    s3_encryption: str = ""
    """Server-side encryption asked for on every put: empty, `AES256` or `aws:kms`."""
    public_url: str = ""
    """The one address at which people reach the desk, the page that checks certificates and the documents, such as
    `https://labels.example.eu`; by default that of this machine alone, `http://127.0.0.1:4280`."""
    listen: str = "127.0.0.1:4280"
    """Where `labels up` listens for the desk: a host and a port. Behind a proxy, its own; without one, `0.0.0.0:443`."""
    port: Annotated[int, Field(ge=1, le=65535)] = 4200
    """Where `labels up` has Prefect's server listen, on loopback alone; a second installation needs another one."""
    api_listen: str = ""
    """Where Prefect's server listens for other hosts of this installation, in the place of `port`: the host and port of a
    private network, `10.0.0.21:4200`. It asks nobody who they are."""
    metrics: str = "off"
    """Where the desk's process tells figures for Prometheus: a host and a port that people do not reach, or `off`."""
    metrics_token: SecretStr | None = None
    """What Prometheus shows to be told them (`Authorization: Bearer …`); needed at an address that others reach."""
    documents_url: str = ""
    """Where links to documents are served, if not at the public address."""
    verify_url: str = ""
    """The public page that checks certificates; printed on each. By default the public address + `/verify`."""
    smtp_url: str = ""
    """`smtp://user:password@host:25`, `smtps://…` or `smtp+starttls://…`; by default mail goes
    into a folder of `.eml` files in `home`."""
    mail_sender: str = ""
    """`Name <address>` that mail comes from; by default `labels@` at the host of the public address."""
    bounces: Path | None = None
    """A Maildir, or another folder, in which mail that came back arrives (RFC 3464); upkeep reads what is new."""
    prefect_database_url: str = ""
    """`postgresql://user:password@host/database` of Prefect's server; by default a SQLite file in `home`."""
    redis_url: str = ""
    """`redis://:password@host:6379/0` (`rediss://` with TLS), by which several servers of Prefect share messages, leases
    and schedules; by default one server has them to itself."""
    site_url: str = "http://127.0.0.1:4200"
    """Where people reach the Prefect UI; used in mail. Behind the gate, its public address: another port of `public_url`'s
    host, or a host name of its own."""
    gate: str = "127.0.0.1:4201"
    """Where `labels up` listens for Prefect's pages behind the desk's sign-in: a host and a port, or `off`."""
    oidc_issuer: str = ""
    """The identity provider with which people may sign in (OpenID Connect), such as EU Login; by default none."""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr | None = None
    oidc_name: str = "EU Login"
    """What people call it."""
    operators: str = ""
    """The mail addresses, with commas between them, of those who run this installation: staff of the registry who see and
    change everything in Prefect. A deployment is a program, so that whoever may make one has this machine."""
    passkeys: str = ""
    """What passkeys are to the staff, role by role: `reviewers=offered, coordinators=2027-03-01, css=2027-01-15,
    operators=2027-01-15`, where a day is that from which on a passkey is needed besides the code; `off` is none. By
    default they are offered to all."""
    journal_heads: Path | None = None
    """The file in which the heads of the journal's chain are noted, outside the record; by default
    `journal-heads.txt` in `home`. On another machine's disk it also outlives whoever rewrites this one."""
    unclaimed: Literal["kept", "nightly"] = "kept"
    """`nightly`: upkeep deletes documents that nobody claims from the store, as `labels gc` does."""
    retention: Path | None = None
    """A file with a controller's own periods, in the place of those that ship (`labels/privacy/periods.yaml`)."""
    rules: Path | None = None
    """A folder of rule files used instead of the ones that ship (`labels/rules/editions`)."""
    branding: Path | None = None
    """A folder with organisations' own drawings and words for their papers."""
    today: date | None = None
    """A fixed date for demonstrations and tests."""
    today_since: date | None = None
    """The real day that `today` stands for, set by whoever starts the services: their clock goes on past midnight."""
    clock_file: Path | None = None
    """A file that holds the instant that it is, for rehearsals of a year whose clock jumps."""
    codes_an_hour: Annotated[int, Field(ge=1, le=1_000)] = 5
    """How often within an hour one person's codes can be asked for."""
    secret: SecretStr | None = None
    """Key of review codes, expiring links and the codes of papers; by default made once in `home/secret.key`."""
    signing_key: Path | None = None
    """PKCS#12 or PEM file with the key that papers are signed with, and its certificate."""
    signing_password: SecretStr | None = None
    signing_chain: Path | None = None
    """PEM file with the certificates above it, up to the root; also those of the time-stamp service."""
    signing_former: Path | None = None
    """PEM file with the certificates that papers were signed with before, beside those that `labels keys rotate signing`
    keeps in `home`: credentials in wallets are checked by their keys."""
    timestamp_url: str = ""
    """Where a time-stamp service (RFC 3161) answers; signatures then stay verifiable when the certificate has ended."""
    signatures: Literal["if_configured", "required"] = "if_configured"
    """`required`: nothing is issued while no key is configured."""
    sign_pupils: bool = True
    """Whether pupils' certificates are signed, too; their code and mark prove them in any case."""

    api_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    """Requests to the HTTP API that each token may make, in each process that serves the desk."""
    webhooks: Literal["public", "private", "off"] = "public"
    """Where platforms are told: at https and hosts of the public Internet alone; `private`, also at addresses of one's own
    network and without TLS; `off`, nowhere, as in a copy of an installation that is only looked at."""
    log_format: Literal["text", "json"] = "text"
    """`json`: logs have one JSON object a line, for programs that gather them."""
    patches: Literal["on", "off"] = "on"
    """`off`: nothing leans on the inside of Prefect and WeasyPrint (`docs/patches.md`), and all takes longer."""

    @field_validator(
        "signing_key",
        "signing_chain",
        "signing_former",
        "clock_file",
        "journal_heads",
        "retention",
        "bounces",
        mode="before",
    )
    @classmethod
    def _none_if_empty(cls, value: object) -> object:
        return value or None

    @field_validator(
        "home",
        "rules",
        "signing_key",
        "signing_chain",
        "signing_former",
        "clock_file",
        "journal_heads",
        "retention",
        "bounces",
    )
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value else value

    @field_validator("documents")
    @classmethod
    def _known_store(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"file", "s3"}:
            raise ValueError("expected file:///folder or s3://bucket/prefix")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _known_transport(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"smtp", "smtps", "smtp+starttls"}:
            raise ValueError("expected smtp://, smtps:// or smtp+starttls://host:port")
        return value

    @field_validator("timestamp_url", "oidc_issuer")
    @classmethod
    def _known_service(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"http", "https"}:
            raise ValueError("expected http:// or https://")
        return value

    @field_validator("public_url")
    @classmethod
    def _an_origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/")):
            raise ValueError("expected https://host or https://host:port, without a path")
        return value

    @field_validator("passkeys")
    @classmethod
    def _rules_of_passkeys(cls, value: str) -> str:
        _passkey_rules(value)
        return value

    @field_validator("redis_url")
    @classmethod
    def _known_redis(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"redis", "rediss"}:
            raise ValueError("expected redis://:password@host:6379/0, or rediss://… with TLS")
        return value

    @field_validator("listen", "gate", "metrics", "api_listen")
    @classmethod
    def _a_host_and_a_port(cls, value: str, info: ValidationInfo) -> str:
        if info.field_name in ("gate", "metrics") and value == "off":
            return value
        if info.field_name == "api_listen" and not value:
            return value
        host, _, port = value.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError("expected HOST:PORT, such as 127.0.0.1:4280")
        return value

    @property
    def record_url(self) -> str:
        """The record's URL, the embedded SQLite file unless configured."""
        return self.database_url or f"sqlite:///{self.home / 'record.db'}"

    @property
    def documents_uri(self) -> str:
        """The document store's URI, a folder in `home` unless configured."""
        return self.documents or (self.home / "documents").as_uri()

    @property
    def desk_url(self) -> str:
        """The public address of everything that people open, without a slash at its end."""
        return (self.public_url or f"http://{self.listen}").rstrip("/")

    @property
    def sender(self) -> str:
        """`Name <address>` that mail comes from. Who answers one writes to the organisation (`Reply-To`)."""
        host = urlsplit(self.public_url).hostname or ""
        named = host and ":" not in host and not host.replace(".", "").isdigit()
        return self.mail_sender or f"eTwinning labels <labels@{host if named else 'localhost'}>"

    @property
    def gate_is_elsewhere(self) -> bool:
        """Whether the gate has a host name of its own, to which browsers do not send the desk's cookie."""
        desk, gate = urlsplit(self.desk_url).hostname, urlsplit(self.site_url).hostname
        return self.gate != "off" and desk != gate

    @property
    def operator_addresses(self) -> frozenset[str]:
        """Those who run this installation."""
        return frozenset(one.strip().lower() for one in self.operators.split(",") if one.strip())

    @property
    def passkey_rules(self) -> PasskeyRules:
        """What passkeys are to each role of the staff."""
        return _passkey_rules(self.passkeys)

    @property
    def has_key(self) -> bool:
        """Whether there is a secret key already; asking for it would make one."""
        return self.secret is not None or (self.home / KEY).is_file()

    @property
    def api_address(self) -> str:
        """Where Prefect's server of this machine listens: a host and a port."""
        return self.api_listen or f"127.0.0.1:{self.port}"

    @property
    def links_url(self) -> str:
        """Where the directory store's links lead, without a slash at its end."""
        return (self.documents_url or self.desk_url).rstrip("/")

    @property
    def check_url(self) -> str:
        """The page that knows the codes of certificates, without a slash at its end."""
        return (self.verify_url or f"{self.links_url}/verify").rstrip("/")

    @property
    def heads_file(self) -> Path:
        """Where the heads of the journal's chain are noted."""
        return self.journal_heads or self.home / "journal-heads.txt"

    @property
    def erasures_file(self) -> Path:
        """Where erasures are noted, beside the heads of the journal's chain."""
        return self.heads_file.with_name("erasures.txt")

    @property
    def mail_folder(self) -> Path:
        """Where mail goes as `.eml` files when no SMTP server is configured."""
        return self.home / "mail"

    @property
    def clock(self) -> Clock:
        """The clock that commands and tasks ask."""
        if self.clock_file:
            return clock_in(self.clock_file)
        return clock_on(self.today, self.today_since) if self.today else wall_clock

    @property
    def keyring(self) -> Keyring:
        """The secret key and those before it, as they are now: `labels keys rotate secret` may replace them while a
        process runs.

        Raises:
            InvalidInput: the file of the former keys can't be read.
        """
        return keyring_of(self.key, self.home / FORMER)

    @property
    def key(self) -> bytes:
        """The secret key in force; made on first use, readable by its owner only.

        Whoever loses it loses no facts, but links that were given out are dead, and pupils' certificates can't be
        checked any more. Machines that share a record need the same one.
        """
        if self.secret:
            return self.secret.get_secret_value().encode()
        path = self.home / KEY
        with contextlib.suppress(FileNotFoundError):
            return read_key(path)
        self.home.mkdir(parents=True, exist_ok=True)
        draft = self.home / f".secret-{os.getpid()}-{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32))
        try:
            os.link(draft, path)  # of two processes that start at once, one key wins
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return path.read_bytes()

    def exported(self) -> dict[str, str]:
        """The environment from which another process reads these settings and no others."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        texts = {
            name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in values.items()
            if value not in (None, "")
        }
        return {f"LABELS_{name.upper()}": text for name, text in texts.items()} | {"LABELS_ENV_FILE": ""}


def is_this_machine(host: str) -> bool:
    """Whether a host is this machine, whatever its addresses are."""
    name = host.strip("[]")
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(name).is_loopback
    return name == "localhost"


def reached_at(listen: str) -> str:
    """Where what listens there (`HOST:PORT`) is reached from this machine."""
    host, _, port = listen.rpartition(":")
    return f"{'127.0.0.1' if host in ('0.0.0.0', '[::]') else host}:{port}"


def _passkey_rules(text: str) -> PasskeyRules:
    rules: dict[StaffRole, Literal["off", "offered"] | date] = dict.fromkeys(get_args(StaffRole), "offered")
    for part in filter(None, re.split(r"[,\s]+", text)):
        role, _, rule = part.partition("=")
        known = next((one for one in rules if one == role), None)
        given = _passkey_rule(rule)
        if known is None or given is None:
            raise ValueError(
                "expected roles with “off”, “offered” or the day from which on a passkey is needed, such as "
                f"coordinators=2027-03-01; the roles are {', '.join(rules)}"
            )
        rules[known] = given
    return MappingProxyType(rules)


def _passkey_rule(text: str) -> Literal["off", "offered"] | date | None:
    if text == "off":
        return "off"
    if text == "offered":
        return "offered"
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


_LARGEST = 1_000_000
"""Bytes of a file of settings."""


def load_settings() -> Settings:
    """The settings of this process: its environment, and `.env` or the file that `LABELS_ENV_FILE` names.

    Read again only where any of that has changed: it is asked for often, and takes milliseconds to read.

    Raises:
        InvalidInput: a `LABELS_` variable has a value that is not understood.
    """
    file = os.environ.get("LABELS_ENV_FILE", ".env")
    try:
        text = contents(Path(file), _LARGEST) if file else b""
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise InvalidInput("settings", [Fault("LABELS_ENV_FILE", f"{file}: {error.strerror}.")]) from None
        text = b""
    if len(text) > _LARGEST:
        raise InvalidInput("settings", [Fault("LABELS_ENV_FILE", f"{file} is larger than any settings are.")])
    own = tuple(sorted(pair for pair in os.environ.items() if pair[0].upper().startswith("LABELS_")))
    return _loaded(file, text, own, Path.cwd())


@functools.lru_cache(maxsize=8)
def _loaded(file: str, text: bytes, own: tuple[tuple[str, str], ...], folder: Path) -> Settings:
    """The settings by all that they depend on: relative paths count from `folder`."""
    try:
        return Settings(_env_file=file or None)
    except ValidationError as error:
        faults = [
            Fault(f"LABELS_{'_'.join(map(str, e['loc'])).upper()}", e["msg"] + ".") for e in error.errors()
        ]
        raise InvalidInput("settings", faults) from None
