"""The roles of hosts that share one installation: which processes each has, and what of the settings each needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from labels.errors import Fault, InvalidInput
from labels.settings import Settings


class Role(StrEnum):
    """A part of an installation that a host may have."""

    ALL = "all"
    """Everything, on one machine."""
    API = "api"
    """Prefect's API; several stand behind a proxy."""
    SERVICES = "services"
    """Prefect's background services, and what looks after runs."""
    WORKER = "worker"
    DESK = "desk"
    """The desk, and the gate before Prefect's pages."""


Roles = frozenset[Role]
EVERYTHING: Roles = frozenset({Role.ALL})
API_URL = "PREFECT_API_URL"
"""The one address of all API processes, which is Prefect's own setting."""

_DATA: Roles = frozenset({Role.SERVICES, Role.WORKER, Role.DESK})
"""Those that work with the record."""
_SERVERS: Roles = frozenset({Role.API, Role.SERVICES})
"""Those that are Prefect's server."""
_EVERY: Roles = _DATA | _SERVERS
_DESK: Roles = frozenset({Role.DESK})
_OWN = "Of each host its own."
_COPIED = "Copy what it names to the same place on each host."


@dataclass(frozen=True, slots=True)
class Variable:
    """What a host may need in its environment, and why."""

    name: str
    roles: Roles
    why: str
    needed: bool = False
    """Whether the roles can't do without it."""
    secret: bool = False

    @property
    def field(self) -> str:
        """The setting of ours that it is; empty where it is another's."""
        return self.name.removeprefix("LABELS_").lower() if self.name.startswith("LABELS_") else ""


VARIABLES = (
    Variable(
        API_URL, _EVERY, "Where Prefect's API is reached: of several, the proxy before them; ends in /api."
    ),
    Variable(
        "LABELS_API_LISTEN",
        frozenset({Role.API}),
        f"Where Prefect's API listens, in a private network. {_OWN}",
    ),
    Variable("LABELS_SECRET", _EVERY, "The key of codes and links, the same on every host.", True, True),
    Variable("LABELS_PREFECT_DATABASE_URL", _SERVERS, "Prefect's database, in PostgreSQL.", True, True),
    Variable(
        "LABELS_REDIS_URL", _SERVERS, "What Prefect's servers share: messages, leases, schedules.", True, True
    ),
    Variable("LABELS_DATABASE_URL", _DATA, "The record, in PostgreSQL.", True, True),
    Variable("LABELS_DOCUMENTS", _DATA, "The documents: a bucket, or a folder that all hosts have.", True),
    Variable("LABELS_S3_ENDPOINT_URL", _DATA, "Where the bucket is."),
    Variable("LABELS_S3_PATH_STYLE", _DATA, "How the bucket is addressed."),
    Variable("LABELS_S3_CHECKSUMS", _DATA, "Of older servers."),
    Variable("LABELS_S3_ENCRYPTION", _DATA, "How the bucket encrypts."),
    Variable("AWS_ACCESS_KEY_ID", _DATA, "Who uses the bucket.", secret=True),
    Variable("AWS_SECRET_ACCESS_KEY", _DATA, "Who uses the bucket.", secret=True),
    Variable("AWS_DEFAULT_REGION", _DATA, "Where the bucket is."),
    Variable(
        "LABELS_SMTP_URL",
        _DATA,
        "The mail server; without it, each host would keep mail of its own.",
        True,
        True,
    ),
    Variable("LABELS_MAIL_SENDER", _DATA, "Who mail comes from."),
    Variable("LABELS_PUBLIC_URL", _DATA, "The address that people have, in mail and on certificates.", True),
    Variable("LABELS_SITE_URL", _DATA, "The address of Prefect's pages, in mail.", True),
    Variable("LABELS_DOCUMENTS_URL", _DATA, "Where links to documents are served."),
    Variable("LABELS_VERIFY_URL", _DATA, "The page that checks certificates."),
    Variable("LABELS_RULES", _DATA, f"Rules of your own. {_COPIED}"),
    Variable("LABELS_BRANDING", _DATA, f"Organisations' drawings and words. {_COPIED}"),
    Variable("LABELS_RETENTION", _DATA, f"Periods of your own. {_COPIED}"),
    Variable("LABELS_JOURNAL_HEADS", _DATA, "The journal's heads, on a disk that all hosts have."),
    Variable("LABELS_BOUNCES", _DATA, "Where mail that came back is read, on a disk that the workers have."),
    Variable("LABELS_UNCLAIMED", _DATA, "Whether upkeep deletes documents that nobody claims."),
    Variable("LABELS_WEBHOOKS", _DATA, "Where platforms may be told at."),
    Variable("LABELS_SIGNING_KEY", _DATA, f"The key that papers are signed with. {_COPIED}"),
    Variable("LABELS_SIGNING_PASSWORD", _DATA, "Its password.", secret=True),
    Variable("LABELS_SIGNING_CHAIN", _DATA, f"The certificates above it. {_COPIED}"),
    Variable("LABELS_SIGNING_FORMER", _DATA, f"The certificates before it. {_COPIED}"),
    Variable("LABELS_TIMESTAMP_URL", _DATA, "The time-stamp service."),
    Variable("LABELS_SIGNATURES", _DATA, "Whether papers must be signed."),
    Variable("LABELS_SIGN_PUPILS", _DATA, "Whether pupils' certificates are signed."),
    Variable("LABELS_CODES_AN_HOUR", _DATA, "How often codes can be asked for."),
    Variable("LABELS_OPERATORS", _DATA, "Who runs this installation."),
    Variable("LABELS_PASSKEYS", _DATA, "What passkeys are to the staff."),
    Variable("LABELS_LISTEN", _DESK, f"Where the desk listens for the proxy. {_OWN}"),
    Variable("LABELS_GATE", _DATA, f"Where the gate listens for the proxy. {_OWN}"),
    Variable("LABELS_METRICS", _DESK, f"Where figures are told. {_OWN}"),
    Variable("LABELS_METRICS_TOKEN", _DESK, "What Prometheus shows.", secret=True),
    Variable("LABELS_API_PER_MINUTE", _DESK, "How often a platform may ask by the HTTP API."),
    Variable("LABELS_OIDC_ISSUER", _DESK, "The identity provider."),
    Variable("LABELS_OIDC_CLIENT_ID", _DESK, "Who the desk is to it."),
    Variable("LABELS_OIDC_CLIENT_SECRET", _DESK, "How it knows the desk.", secret=True),
    Variable("LABELS_OIDC_NAME", _DESK, "What people call it."),
    Variable("LABELS_TODAY", _EVERY, "A fixed date, for demonstrations."),
    Variable("LABELS_TODAY_SINCE", _EVERY, "The real day that it stands for."),
    Variable("LABELS_CLOCK_FILE", _EVERY, "For rehearsals."),
    Variable("LABELS_LOG_FORMAT", _EVERY, "How logs are written."),
    Variable("LABELS_PATCHES", _EVERY, "Whether libraries' insides are used."),
)
"""What the hosts of an installation may need; what is not in it is of one machine alone."""


def roles_of(words: Sequence[str]) -> Roles:
    """The roles that somebody typed; without a word, everything.

    Raises:
        InvalidInput: everything is asked for together with a part of it.
    """
    found = frozenset(map(Role, words)) or EVERYTHING
    if Role.ALL in found and len(found) > 1:
        raise InvalidInput(
            "roles", [Fault("--role", "“all” has every role already.", "Leave it out, or the others.")]
        )
    return found


def needs(roles: Roles) -> Iterator[Variable]:
    """What hosts of these roles need or may need, in the order of the table; a host with everything may need all of it."""
    return (one for one in VARIABLES if one.roles & roles or Role.ALL in roles)


def value_of(one: Variable, settings: Settings, environment: Mapping[str, str]) -> str:
    """What a variable is on this machine, as its environment or file of settings says; empty where neither does."""
    if not one.field:
        return environment.get(one.name, "")
    if one.field not in settings.model_fields_set:
        return ""
    return settings.exported().get(one.name, "")


def missing(roles: Roles, settings: Settings, environment: Mapping[str, str]) -> list[Fault]:
    """What hosts of these roles can't do without, and is not set or of the wrong kind."""
    if Role.ALL in roles:
        return []
    faults = []
    for one in needs(roles):
        value = value_of(one, settings, environment)
        if one.field == "secret":
            lacks = not settings.has_key
        elif one.name == API_URL:
            lacks = not value and Role.API not in roles
        elif one.field in ("database_url", "prefect_database_url"):
            lacks = not _is_postgresql(value)
        else:
            lacks = one.needed and not value
        if lacks:
            problem = f"is needed for {' and '.join(sorted(one.roles & roles))}. {one.why}"
            faults.append(Fault(one.name, problem, _examples.get(one.name, "")))
    return faults


_examples = {
    API_URL: "Such as http://10.0.0.10:4200/api.",
    "LABELS_SECRET": "Take that of the first host, or its secret.key into the home of this one.",
    "LABELS_PREFECT_DATABASE_URL": "Such as postgresql://labels:PASSWORD@10.0.0.11/prefect.",
    "LABELS_DATABASE_URL": "Such as postgresql://labels:PASSWORD@10.0.0.11/record.",
    "LABELS_REDIS_URL": "Such as redis://:PASSWORD@10.0.0.12:6379/0.",
    "LABELS_DOCUMENTS": "Such as s3://labels.",
    "LABELS_SMTP_URL": "Such as smtp+starttls://labels:PASSWORD@mail.example.eu:587.",
    "LABELS_PUBLIC_URL": "Such as https://labels.example.eu.",
    "LABELS_SITE_URL": "Such as https://runs.example.eu.",
}


def _is_postgresql(url: str) -> bool:
    try:
        return sa.make_url(url).get_backend_name() in {"postgresql", "postgres"}
    except (sa.exc.ArgumentError, ValueError):
        return False


def is_secret(one: Variable, value: str) -> bool:
    """Whether a value is told as a name only; the address of a service is secret where it has a password."""
    if one.name.endswith("_URL"):
        try:
            return sa.make_url(value).password is not None
        except (sa.exc.ArgumentError, ValueError):
            return "@" in value
    return one.secret
