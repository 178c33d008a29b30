"""The credential states what the certificate states, in the shape of Open Badges 3.0, and always in the same bytes."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from adapters.papers.credentials import render_credential, worded_credential
from labels.kinds import CERTIFIED, LabelKind
from labels.papers.codes import Stamp
from labels.papers.credential import CONTEXTS, Wording, credential_of, issuer_did, revocation_list
from labels.papers.facts import CertificateFacts
from tests.support.papers import certificate

SCHEMA = json.loads((Path(__file__).parent / "open_badge.schema.json").read_text("utf-8"))
STAMP = Stamp(b"a key for tests", "https://labels.example/verify")


def coded(**changes: Any) -> CertificateFacts:
    facts = certificate(**changes)
    code = STAMP.paper("certificate", facts.application)
    return facts.model_copy(update={"code": code, "check_url": STAMP.check_url})


def rendered(**changes: Any) -> dict[str, Any]:
    content = render_credential(coded(**changes))
    assert content is not None
    found: dict[str, Any] = json.loads(content)
    return found


@pytest.mark.parametrize("label", CERTIFIED)
@pytest.mark.parametrize("language", ["en", "pl", "ar"])
def test_every_credential_has_the_shape_of_an_open_badge(label: LabelKind, language: str) -> None:
    given = rendered(
        label=label, language=language, valid_until=date(2028, 10, 13) if label is LabelKind.SCHOOL else None,
        project="" if label is LabelKind.SCHOOL else "Rivers Without Borders",
    )  # fmt: skip
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(given, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert given["@context"] == json.loads(json.dumps(CONTEXTS))
    assert given["credentialSubject"]["achievement"]["inLanguage"] == language


def test_it_states_what_the_certificate_states() -> None:
    facts = coded(label="school", project="", valid_until=date(2028, 10, 13))
    given = rendered(label="school", project="", valid_until=date(2028, 10, 13))
    subject = given["credentialSubject"]
    assert given["id"] == f"{facts.check_url}/{facts.code}"
    assert given["name"] == "eTwinning School Label"
    assert (given["validFrom"], given["validUntil"]) == ("2026-10-13T22:00:00Z", "2028-10-13T21:59:59Z")
    renewed = rendered(
        label="school", project="", valid_from=date(2026, 11, 1), valid_until=date(2028, 10, 31)
    )
    assert renewed["validFrom"] == "2026-10-31T23:00:00Z"
    assert subject["identifier"] == [
        {"type": "IdentityObject", "hashed": False, "identityHash": facts.holder, "identityType": "name"}
    ]
    assert (subject["licenseNumber"], subject["term"]) == (facts.application, "2025/26")
    assert given["issuer"]["name"] == facts.organisation
    assert "evidence" not in given
    assert given["elm:displayParameter"]["elm:primaryLanguage"]["id"].endswith("/language/ENG")
    [claim] = subject["elm:hasClaim"]
    assert claim["elm:awardedBy"]["elm:awardingBody"] == {"id": given["issuer"]["id"]}
    assert claim["elm:awardedBy"]["elm:awardingDate"]["@value"] == "2026-10-14"


@pytest.mark.parametrize(
    ("page", "organisation", "did"),
    [
        ("https://labels.example/verify", "NSS-PL", "did:web:labels.example:verify:issuers:NSS-PL"),
        ("https://check.example", "NSS-PL", "did:web:check.example:issuers:NSS-PL"),
        ("http://127.0.0.1:4280/verify", "CSS", "did:web:127.0.0.1%3A4280:verify:issuers:CSS"),
        ("https://labels.example/verify", None, "did:web:labels.example"),
    ],
)
def test_an_organisation_is_identified_by_where_the_check_page_publishes_its_keys(
    page: str, organisation: str | None, did: str
) -> None:
    assert issuer_did(page, organisation) == did


@pytest.mark.parametrize("label", CERTIFIED)
def test_the_criteria_are_whole_sentences(label: LabelKind) -> None:
    project = "" if label is LabelKind.SCHOOL else "Rivers Without Borders"
    criteria = rendered(label=label, project=project)["credentialSubject"]["achievement"]["criteria"][
        "narrative"
    ]
    first, *more = criteria.rstrip(".").split(". ")
    assert first.startswith("It is awarded to ")
    assert all(one.startswith("The criteria set was: ") for one in more)
    assert criteria.endswith(".")


def test_what_wallets_get_is_in_the_vocabulary_of_open_badges_alone() -> None:
    credential = worded_credential(coded())
    given = json.dumps(credential.for_wallets())
    assert "elm" not in given
    assert given.count("Zs\\u00f3fia") == json.dumps(credential.stated()).count("Zs\\u00f3fia")


def test_a_project_is_the_evidence_and_stands_in_the_sentence() -> None:
    given = rendered()
    assert given["evidence"] == [{"type": ["Evidence"], "name": "Rivers Without Borders"}]
    assert "“Rivers Without Borders”" in given["description"]


def test_the_same_facts_are_the_same_bytes_with_every_letter_as_it_is() -> None:
    one, two = render_credential(coded()), render_credential(coded())
    assert one == two
    assert one is not None
    assert "Zsófia Kovács-Ștefănescu" in one.decode()
    assert (
        json.dumps(json.loads(one), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode() == one
    )


def test_a_certificate_without_a_code_has_no_credential() -> None:
    assert render_credential(certificate()) is None
    with pytest.raises(ValueError, match="needs a code"):
        credential_of(certificate(), Wording("t", "s", "c"))


def test_the_list_of_one_credential_names_it_only_if_it_was_taken_back() -> None:
    facts = coded()
    assert facts.code is not None
    given = rendered()
    fine = revocation_list(STAMP.check_url, facts.code, facts.issuer, None)
    assert fine == {
        "id": given["credentialStatus"]["id"],
        "issuer": given["issuer"]["id"],
        "revokedCredential": [],
    }
    [one] = revocation_list(STAMP.check_url, facts.code, facts.issuer, "Taken back.")["revokedCredential"]
    assert one == {"id": given["id"], "revoked": True, "revocationReason": "Taken back."}
