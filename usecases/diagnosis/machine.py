"""What is checked on the machine itself: files, secrets, clock, fonts, databases, room on the disk."""

from __future__ import annotations

import math
import os
import shutil
import sqlite3
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import sqlalchemy as sa

from adapters.home import OTHERS
from adapters.papers.signing import signer_of
from labels.errors import LabelsError, OutOfReach
from labels.keyring import FORMER, KEY, key_mark
from labels.record.engine import missing_file, open_engine, place_of
from labels.record.migrating import revision_of, revisions
from labels.record.schema import KeyGeneration, KeyKind
from labels.settings import Settings
from usecases.diagnosis.finding import Finding, fault, note, remedy_for, well

KEY_BITS = 128
"""Of a secret with which others can try codes and links for as long as they like, on machines of their own."""
PASSWORD_BITS = 64
"""Of one that can only be tried at a server that is ours."""
POSTGRESQL = 14
"""Older ones get no security fixes any more."""
SQLITE = (3, 35, 0)
"""The first with `RETURNING`."""
ROOM = 1_000_000_000
"""Bytes."""
RENEWED_BEFORE = timedelta(days=30)
SKEW = timedelta(seconds=30)


def bits(secret: str) -> float:
    """How many bits a secret has at most, by how long it is and how evenly its characters come.

    What a random one has is not seen by looking at it; what is short or repeats itself is.
    """
    counts = Counter(secret)
    return -sum(one * math.log2(one / len(secret)) for one in counts.values())


def check_secrets(settings: Settings) -> Iterator[Finding]:
    """Whether secrets are long enough that nobody tries them all."""
    made = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
    secrets: list[tuple[str, str, int, str]] = []
    if settings.secret:
        secrets.append(("LABELS_SECRET", settings.secret.get_secret_value(), KEY_BITS, made))
    elif (file := settings.home / KEY).is_file():
        text = _text(file)
        secrets.append((str(file), text, KEY_BITS, made))
    if settings.oidc_client_secret:
        given = settings.oidc_client_secret.get_secret_value()
        secrets.append(
            ("LABELS_OIDC_CLIENT_SECRET", given, PASSWORD_BITS, "Ask the provider for another one.")
        )
    if settings.metrics_token:
        given = settings.metrics_token.get_secret_value()
        secrets.append(("LABELS_METRICS_TOKEN", given, PASSWORD_BITS, made))
    for name, url in (
        ("LABELS_DATABASE_URL", settings.database_url),
        ("LABELS_PREFECT_DATABASE_URL", settings.prefect_database_url),
        ("LABELS_REDIS_URL", settings.redis_url),
    ):
        if password := _password(url):
            secrets.append((name, password, PASSWORD_BITS, "Set a longer password there."))
    for name, secret, wanted, remedy in secrets:
        found = bits(secret)
        if found < wanted:
            yield fault(
                "secrets", f"{name} has {found:.0f} bits at most; expected at least {wanted}.", remedy
            )
        else:
            yield well("secrets", f"{name} is long enough")


def check_key_of_record(settings: Settings) -> Iterator[Finding]:
    """Whether the secret key here is the one that the record knows, where there is a record."""
    if missing_file(settings) or not (settings.secret or (settings.home / KEY).is_file()):
        return
    try:
        engine = open_engine(settings.record_url)
        try:
            with engine.connect() as connection:
                known = connection.scalar(_SECRET_IN_FORCE)
        finally:
            engine.dispose()
        ring = settings.keyring
    except (sa.exc.SQLAlchemyError, LabelsError):
        return  # an earlier schema, or away: other checks say so
    if known in (None, key_mark(ring.key)):
        yield well("secrets", "the secret key is the record's")
    elif known in map(key_mark, ring.every):
        yield note(
            "secrets", "the secret key was replaced, which the record has not taken up.", "labels upkeep"
        )
    else:
        yield fault(
            "secrets",
            "the secret key here is another than the record's.",
            "Copy secret.key and secret.former from where it was replaced; where the key is lost for ever: labels up "
            "--with-another-key, then labels keys rotate secret --do",
        )


_SECRET_IN_FORCE = (
    sa.select(KeyGeneration.mark)
    .where(KeyGeneration.kind == KeyKind.SECRET, KeyGeneration.ended_at.is_(None))
    .order_by(KeyGeneration.begun_at.desc())
    .limit(1)
)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace").strip()
    except OSError:
        return ""  # `check_files` says so


def _password(url: str) -> str:
    try:
        return unquote(str(sa.make_url(url).password or "")) if url else ""
    except (sa.exc.ArgumentError, ValueError):
        return ""


def check_files(settings: Settings, env_file: Path | None) -> Iterator[Finding]:
    """Whether what nobody else may read can be read by nobody else."""
    home = settings.home
    if os.geteuid() == 0:
        yield note(
            "files", "This runs as root.", "Run `labels up` as a user of its own; deploy/systemd shows how."
        )
    if home.is_dir():
        found = home.stat()
        if found.st_uid != os.geteuid():
            yield fault(
                "files",
                f"{home} belongs to somebody else.",
                f"Run this as its owner, or: chown -R $USER {home}",
            )
        elif found.st_mode & OTHERS:
            yield fault("files", f"others of this machine may enter {home}.", f"chmod 700 {home}")
        else:
            yield well("files", f"{home} is its owner's alone")
    else:
        yield note("files", f"{home} is not there yet.", "`labels up` or `labels import` makes it.")
    private = [settings.signing_key, env_file, home / KEY, home / FORMER]
    for file in (one for one in private if one is not None):
        try:
            open_to_others = stat.S_IMODE(file.stat().st_mode) & OTHERS
        except OSError as error:
            if file == settings.signing_key:
                yield fault(
                    "files", f"{file}: {error.strerror}.", "Set LABELS_SIGNING_KEY to the key's file."
                )
            continue
        if open_to_others:
            yield fault(
                "files",
                f"others of this machine may read {file}, in which there are secrets.",
                f"chmod 600 {file}",
            )
    yield from _room(home)


def _room(home: Path) -> Iterator[Finding]:
    there = next(one for one in (home, *home.parents) if one.exists())
    free = shutil.disk_usage(there).free
    if free < ROOM:
        yield fault(
            "disk", f"{free / 1e6:.0f} MB are free for {home}.", "Make room: a full disk stops everything."
        )
    else:
        yield well("disk", f"{free / 1e9:.0f} GB are free")


def check_clock(settings: Settings, others: Iterable[tuple[str, datetime]]) -> Iterator[Finding]:
    """Whether the clock is the real one, beside those of other machines."""
    for name, value in (("LABELS_TODAY", settings.today), ("LABELS_CLOCK_FILE", settings.clock_file)):
        if value:
            yield fault(
                "clock", f"{name} is set: it is {value} for ever.", f"Unset {name}; it is for rehearsals."
            )
    seen = []
    for whose, at in others:
        off = abs(datetime.now(UTC) - at)
        if off > SKEW:
            yield fault(
                "clock",
                f"this machine's clock and that of {whose} are {off.total_seconds():.0f} s apart.",
                "Have both set by NTP (timedatectl set-ntp true): deadlines and sign-ins go by the clock.",
            )
        else:
            seen.append(whose)
    if seen:
        yield well("clock", f"as that of {', '.join(seen)}")


def check_fonts() -> Iterator[Finding]:
    """Whether papers can be printed, and come out the same on every machine."""
    try:
        from adapters.press.pdf import subsets_with_harfbuzz  # loads the libraries
    except OutOfReach as error:
        yield fault("fonts", error.detail, "apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0")
        return
    if subsets_with_harfbuzz():
        yield well("fonts", "the bundled ones, and HarfBuzz's subsetter")
    else:
        yield fault(
            "fonts",
            "HarfBuzz's subsetter is missing: PDFs take eight times longer and differ from run to run.",
            "apt install libharfbuzz-subset0",
        )


def check_signing(settings: Settings) -> Iterator[Finding]:
    """Whether papers can be signed, and for how long."""
    try:
        signer = signer_of(settings)
    except LabelsError as error:
        yield fault("signing", str(error), "See docs/verification.md.")
        return
    now = datetime.now(UTC)
    if signer is None:
        yield note("signing", "papers are not signed.", "Set LABELS_SIGNING_KEY where they should be.")
    elif not signer.is_valid(now):
        yield fault("signing", "the certificate of LABELS_SIGNING_KEY has ended, or not begun.", "Renew it.")
    elif not signer.is_valid(now + RENEWED_BEFORE):
        yield fault("signing", "the certificate of LABELS_SIGNING_KEY ends within 30 days.", "Renew it.")
    else:
        yield well("signing", "the key and its certificate can be used")


def check_databases(settings: Settings, clocks: Callable[[str, datetime], None]) -> Iterator[Finding]:
    """Whether the databases answer and are new enough; tells `clocks` what time it is there."""
    if sqlite3.sqlite_version_info < SQLITE:
        yield fault(
            "database", f"SQLite {sqlite3.sqlite_version} is too old.", "Use a Python with 3.35 or later."
        )
    if missing := missing_file(settings):
        yield note(
            "database",
            f"there is no record in {missing.parent} yet.",
            "`labels import` or `labels up` makes it.",
        )
    else:
        yield from _of_database("record", settings.record_url, settings, clocks)
    if settings.prefect_database_url:
        yield from _of_database("Prefect", settings.prefect_database_url, settings, clocks)


def _of_database(
    whose: str, url: str, settings: Settings, clocks: Callable[[str, datetime], None]
) -> Iterator[Finding]:
    named = place_of(settings) if whose == "record" else "LABELS_PREFECT_DATABASE_URL"
    setting = "LABELS_DATABASE_URL" if whose == "record" else "LABELS_PREFECT_DATABASE_URL"
    try:
        engine = open_engine(url)
    except LabelsError as error:
        yield fault("database", str(error), f"Correct {setting}.")
        return
    try:
        with engine.connect() as connection:
            version = connection.dialect.server_version_info or ()
            if connection.dialect.name == "postgresql":
                clocks(f"the database of the {whose}", connection.scalar(sa.text("SELECT clock_timestamp()")))
                if version < (POSTGRESQL,):
                    shown = ".".join(map(str, version))
                    yield fault(
                        "database",
                        f"{named}: PostgreSQL {shown} is too old.",
                        f"Move to PostgreSQL {POSTGRESQL} or later.",
                    )
                    return
            revision = revision_of(connection) if whose == "record" else None
    except sa.exc.DBAPIError as error:
        why = next(iter(str(error.orig).strip().splitlines()), type(error.orig).__name__)
        yield fault(
            "database",
            f"{named} does not answer: {why.rstrip('.')}.",
            remedy_for(str(error.orig), f"Start it, or correct {setting}."),
        )
        return
    finally:
        engine.dispose()
    if revision is not None and revision not in revisions():
        yield fault(
            "database", f"the record is of a newer version ({revision}).", "Install that version, or later."
        )
    else:
        shown = ".".join(map(str, version))
        yield well("database", f"{engine.dialect.name} {shown}, {named}")
