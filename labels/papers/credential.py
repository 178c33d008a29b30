"""The credential that a certificate carries inside: the same award for machines, as an Open Badge.

The shape is that of `OpenBadgeCredential` in Open Badges 3.0 (1EdTech), a credential of the W3C's Verifiable
Credentials Data Model 2.0. What the European Learning Model asks for beyond it stands under names of its own
(`elm:…`), so that neither vocabulary is bent. The one in a certificate's file is covered by the file's signature; the
one that the check page hands out for wallets has a signature of its own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from labels.clock import end_of_day, start_of_day
from labels.papers.facts import CertificateFacts

CONTEXTS: tuple[str | dict[str, str], ...] = (
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
    {"elm": "http://data.europa.eu/snb/model/elm/"},
)
"""What the names mean, in the order that the specification asks for; none of them is fetched here."""

_AUTHORITY = "http://publications.europa.eu/resource/authority/language/"
_LANGUAGES = {
    "ar": "ARA", "az": "AZE", "bg": "BUL", "bs": "BOS", "ca": "CAT", "cs": "CES", "da": "DAN", "de": "DEU",
    "el": "ELL", "en": "ENG", "es": "SPA", "et": "EST", "fi": "FIN", "fr": "FRA", "ga": "GLE", "hr": "HRV",
    "hu": "HUN", "hy": "HYE", "is": "ISL", "it": "ITA", "ka": "KAT", "lb": "LTZ", "lt": "LIT", "lv": "LAV",
    "mk": "MKD", "mt": "MLT", "nb": "NOB", "nl": "NLD", "nn": "NNO", "no": "NOR", "pl": "POL", "pt": "POR",
    "ro": "RON", "ru": "RUS", "sk": "SLK", "sl": "SLV", "sq": "SQI", "sr": "SRP", "sv": "SWE", "tr": "TUR",
    "uk": "UKR",
}  # fmt: skip
"""Languages by the names of the European Union's table."""


@dataclass(frozen=True, slots=True)
class Wording:
    """How the label is spoken of in the paper's language."""

    title: str
    """Of the label."""
    sentence: str
    """What the holder is awarded it for."""
    criteria: str
    """What it is awarded for, in whole sentences."""


class _Node(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True
    )


class Profile(_Node):
    """The organisation that awards."""

    id: str
    type: tuple[Literal["Profile"]] = ("Profile",)
    name: str
    url: str
    legal_name: dict[str, str] = Field(alias="elm:legalName")


class Criteria(_Node):
    """What it was awarded for."""

    narrative: str


class Achievement(_Node):
    """The label itself."""

    id: str
    type: tuple[Literal["Achievement"]] = ("Achievement",)
    achievement_type: Literal["Award"] = "Award"
    name: str
    description: str
    criteria: Criteria
    in_language: str


class IdentityObject(_Node):
    """Whose it is: the name as it stands on the certificate, in clear."""

    type: Literal["IdentityObject"] = "IdentityObject"
    hashed: Literal[False] = False
    identity_hash: str
    identity_type: Literal["name"] = "name"


class Claim(_Node):
    """The same as the European Learning Model has it: an achievement, who awarded it and when."""

    type: Literal["elm:LearningAchievement"] = "elm:LearningAchievement"
    title: dict[str, str] = Field(alias="elm:title")
    awarded_by: dict[str, Any] = Field(alias="elm:awardedBy")


class Subject(_Node):
    """Whom the label was awarded to, and which."""

    type: tuple[Literal["AchievementSubject"]] = ("AchievementSubject",)
    identifier: tuple[IdentityObject]
    achievement: Achievement
    license_number: str
    """The number of the certificate."""
    narrative: str
    term: str
    """The school year."""
    has_claim: tuple[Claim] = Field(alias="elm:hasClaim")


class Status(_Node):
    """Where a machine asks whether it was taken back."""

    id: str
    type: Literal["1EdTechRevocationList"] = "1EdTechRevocationList"


class StatusEntry(_Node):
    """Where a machine finds whether it counts in a list of many, so that nobody learns which one was looked for."""

    id: str
    type: Literal["BitstringStatusListEntry"] = "BitstringStatusListEntry"
    status_purpose: Literal["revocation"] = "revocation"
    status_list_index: str
    status_list_credential: str


class Schema(_Node):
    """By which its shape can be checked."""

    id: Literal[
        "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"
    ] = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"
    type: Literal["1EdTechJsonSchemaValidator2019"] = "1EdTechJsonSchemaValidator2019"


class Evidence(_Node):
    """The project that it was awarded for."""

    type: tuple[Literal["Evidence"]] = ("Evidence",)
    name: str


class Credential(_Node):
    """The whole of it, with the names that the specifications give."""

    context: tuple[str | dict[str, str], ...] = Field(CONTEXTS, alias="@context")
    id: str
    type: tuple[Literal["VerifiableCredential"], Literal["OpenBadgeCredential"]] = (
        "VerifiableCredential",
        "OpenBadgeCredential",
    )
    name: str
    description: str
    issuer: Profile
    valid_from: str
    valid_until: str | None = None
    credential_subject: Subject
    credential_status: Status | StatusEntry
    credential_schema: tuple[Schema] = (Schema(),)
    evidence: tuple[Evidence] | None = None
    display_parameter: dict[str, Any] = Field(alias="elm:displayParameter")

    def canonical(self) -> bytes:
        """The same bytes for the same award: keys in order, no spaces, nothing escaped without need (RFC 8785)."""
        return canonical(self.stated())

    def stated(self) -> dict[str, Any]:
        """The same as a JSON value."""
        return self.model_dump(mode="json", exclude_none=True)

    def for_wallets(self) -> dict[str, Any]:
        """The same in the vocabulary of Open Badges alone: proofs and wallets take no other."""
        plain: dict[str, Any] = _plainly(self.stated())
        return plain


def _plainly(value: Any) -> Any:
    """A JSON value without what is not of Open Badges' own vocabulary."""
    if isinstance(value, dict):
        return {name: _plainly(one) for name, one in value.items() if not name.startswith("elm")}
    return [_plainly(one) for one in value if one != CONTEXTS[-1]] if isinstance(value, list) else value


def canonical(stated: dict[str, Any]) -> bytes:
    """One spelling of a JSON object."""
    return json.dumps(stated, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def status_address(check_url: str, code: str) -> str:
    """Where the status of a credential is asked for."""
    return f"{check_url}/{code}/status"


def issuer_did(check_url: str, organisation: str | None) -> str:
    """By what an organisation is identified (`did:web`): who asks for that name gets its keys from the check page.

    Without an organisation, by what the page itself is.
    """
    parts = urlsplit(check_url)
    host = quote(parts.netloc, safe=".-_")
    if organisation is None:
        return f"did:web:{host}"
    path = [
        quote(part, safe=".-_")
        for part in (*parts.path.strip("/").split("/"), "issuers", organisation)
        if part
    ]
    return ":".join(("did", "web", host, *path))


def credential_of(facts: CertificateFacts, wording: Wording, listed: StatusEntry | None = None) -> Credential:
    """What a certificate states, as a credential in its language.

    `listed` says where its status is in a published list; else it has a list of its own.

    Raises:
        ValueError: the certificate has no code, by which its credential differs from others.
    """
    if facts.code is None or facts.check_url is None:
        raise ValueError("a credential needs a code and the page that knows it")
    language, page = facts.language, facts.check_url
    issuer = Profile(
        id=issuer_did(page, facts.issuer),
        name=facts.organisation,
        url=page,
        legal_name=_in(language, facts.organisation),
    )
    return Credential(
        id=f"{page}/{facts.code}",
        name=wording.title,
        description=wording.sentence,
        issuer=issuer,
        valid_from=_instant(start_of_day(facts.valid_from or facts.awarded_on)),
        valid_until=_instant(end_of_day(facts.valid_until)) if facts.valid_until else None,
        credential_subject=Subject(
            identifier=(IdentityObject(identity_hash=facts.holder),),
            achievement=Achievement(
                id=f"{page}#{facts.label.value}",
                name=wording.title,
                description=wording.sentence,
                criteria=Criteria(narrative=wording.criteria),
                in_language=language,
            ),
            license_number=facts.application,
            narrative=wording.sentence,
            term=facts.school_year,
            has_claim=(
                Claim(
                    title=_in(language, wording.title),
                    awarded_by={
                        "type": "elm:AwardingProcess",
                        "elm:awardingBody": {"id": issuer.id},
                        "elm:awardingDate": {
                            "@type": "http://www.w3.org/2001/XMLSchema#date",
                            "@value": facts.awarded_on.isoformat(),
                        },
                    },
                ),
            ),
        ),
        credential_status=listed or Status(id=status_address(page, facts.code)),
        evidence=(Evidence(name=facts.project),) if facts.project else None,
        display_parameter={
            "type": "elm:DisplayParameter",
            "elm:title": _in(language, wording.title),
            "elm:description": _in(language, wording.sentence),
        }
        | _primary(language),
    )


def _in(language: str, text: str) -> dict[str, str]:
    return {"@language": language, "@value": text}


def _primary(language: str) -> dict[str, Any]:
    """The language by the Union's own table, where it is in it."""
    known = _LANGUAGES.get(language.partition("-")[0])
    return {"elm:primaryLanguage": {"id": _AUTHORITY + known}} if known else {}


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


# Revocation --------------------------------------------------------------------------------------


def revocation_list(
    check_url: str, code: str, organisation: str | None, revoked: str | None
) -> dict[str, Any]:
    """What the address of a credential's status answers: a list with this credential, or with none.

    One list for each, so that nobody learns of others. `revoked` says why it no longer counts.
    """
    one = {"id": f"{check_url}/{code}", "revoked": True, "revocationReason": revoked}
    return {
        "id": status_address(check_url, code),
        "issuer": issuer_did(check_url, organisation),
        "revokedCredential": [one] if revoked else [],
    }
