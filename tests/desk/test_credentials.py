"""A certificate's credential is held and checked by others: by three programs that are not ours, from what the page publishes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openbadgeslib.ob3 import OB3VerificationError, OB3Verifier
from openbadgeslib.ob3.contexts import bundled_contexts

from adapters.workspace import workspace
from labels.clock import brussels_day
from labels.papers.statuses import PLACES, not_counting
from labels.record.chain import ERASED
from labels.record.schema import Award, Document, Issued
from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.cli.test_verify import awarded_application, code_of_paper
from tests.desk.conftest import Browser
from tests.desk.test_check import PAGE, Stranger
from tests.support.authority import Authority, authority
from tests.support.wallets import NotThere, checked_by_a_wallet, official_schema

HOST = PAGE.removesuffix("/verify")


class Holder(Stranger):
    """Somebody with a wallet, and whoever checks what they show."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(terminal)
        self.code = code_of_paper(terminal, awarded_application(terminal))

    def credential(self) -> str:
        """The signed JWT."""
        return self.opens(f"/{self.code}/credential").text

    def fetches(self, address: str, *_: Any, **__: Any) -> bytes:
        """What is at a public address of ours; a verifier insists on https."""
        path = address.partition("//")[2].partition("/")[2]
        answer = self.ask("GET", f"{HOST}/{path}")
        assert answer.status_code == 200, address
        return answer.content

    def checks(self, token: str) -> Any:
        """What openbadgeslib says of a credential, from our own published keys and lists alone."""
        issuer = json.loads(self.ask("GET", f"{PAGE}/issuers/NSS-PL/did.json").content)["id"]
        verifier = OB3Verifier.for_issuer_did(issuer, download=self.fetches)
        return verifier.verify(token, check_status=True, download=self.fetches)


@pytest.fixture(params=["ec", "rsa"])
def signed(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Authority]:
    """An authority with a key in the settings. It is the real day: others' programs ask the machine's clock."""
    monkeypatch.setenv("LABELS_TODAY", brussels_day(datetime.now(UTC)).isoformat())
    with authority(datetime.now(UTC)) as made:
        monkeypatch.setenv("LABELS_SIGNING_KEY", str(made.pkcs12(tmp_path / "key.p12", kind=request.param)))
        monkeypatch.setenv("LABELS_SIGNING_PASSWORD", "a password")
        workspace.cache_clear()
        terminal.here = workspace()
        yield made


only_ec = pytest.mark.parametrize("signed", ["ec"], indirect=True)


@pytest.mark.slow
def test_a_credential_is_accepted_by_openbadgeslib_from_the_published_keys(
    terminal: Terminal, signed: Authority
) -> None:
    holder = Holder(terminal)
    found = holder.checks(holder.credential())
    assert found.id == f"{PAGE}/{holder.code}"
    assert found.issuer.name == "Narodowe Biuro"
    assert [one.identity_hash for one in found.identifiers] == ["Zażółć Gęślą"]
    answer = holder.opens(f"/{holder.code}/credential")
    assert answer.headers["content-type"] == "application/vc+jwt"
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.slow
def test_an_altered_or_forged_credential_is_refused_by_openbadgeslib(
    terminal: Terminal, signed: Authority, tmp_path: Path
) -> None:
    import base64

    holder = Holder(terminal)
    token = holder.credential()
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    claims["credentialSubject"]["identifier"][0]["identityHash"] = "Somebody Else"
    other = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    with pytest.raises(OB3VerificationError, match="Invalid signature"):
        holder.checks(f"{head}.{other}.{signature}")
    signed.pkcs12(tmp_path / "key.p12")
    workspace.cache_clear()
    with pytest.raises(OB3VerificationError):  # signed with a key that is not published any more
        holder.checks(token)


@pytest.mark.slow
def test_a_credential_stays_good_when_the_key_is_renewed(
    terminal: Terminal, signed: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

    holder = Holder(terminal)
    token = holder.credential()
    _, former, _ = pkcs12.load_key_and_certificates((tmp_path / "key.p12").read_bytes(), b"a password")
    assert former is not None
    (tmp_path / "former.pem").write_bytes(former.public_bytes(Encoding.PEM))
    monkeypatch.setenv("LABELS_SIGNING_FORMER", str(tmp_path / "former.pem"))
    signed.pkcs12(tmp_path / "key.p12")
    workspace.cache_clear()
    terminal.here = workspace()
    renewed = Holder.__new__(Holder)
    Stranger.__init__(renewed, terminal)
    issuer = json.loads(renewed.ask("GET", f"{PAGE}/issuers/NSS-PL/did.json").content)["id"]
    verifier = OB3Verifier.for_issuer_did(issuer, download=renewed.fetches)
    assert verifier.verify(token).id == f"{PAGE}/{holder.code}"


@pytest.mark.slow
def test_a_credential_has_the_shape_that_1edtech_publishes(terminal: Terminal, signed: Authority) -> None:
    try:
        schema = official_schema()
    except NotThere as error:
        pytest.skip(str(error))
    holder = Holder(terminal)
    import jwt

    claims = jwt.decode(holder.credential(), options={"verify_signature": False})
    jsonschema.Draft201909Validator(schema).validate(claims)
    proved = holder.opens(f"/{holder.code}/credential.json")
    if proved.status_code == 200:
        jsonschema.Draft201909Validator(schema).validate(proved.json())
    assert list(jsonschema.Draft201909Validator(schema).iter_errors(claims | {"issuer": []}))


@pytest.mark.slow
@only_ec
def test_a_wallets_library_accepts_the_proof_refuses_what_was_altered_and_tells_what_was_taken_back(
    terminal: Terminal, signed: Authority, tmp_path: Path
) -> None:
    holder = Holder(terminal)
    credential = holder.opens(f"/{holder.code}/credential.json").json()
    published = credential["credentialStatus"]["statusListCredential"]

    def checked(given: dict[str, Any]) -> dict[str, Any]:
        did = given["issuer"]["id"]
        documents = bundled_contexts() | {
            did: json.loads(holder.fetches(f"{PAGE}/issuers/NSS-PL/did.json")),
            published: json.loads(holder.fetches(published)),
        }
        try:
            return checked_by_a_wallet({"credential": given, "documents": documents}, tmp_path)
        except NotThere as error:
            pytest.skip(str(error))

    assert checked(credential) == {"verified": True, "errors": [], "revoked": False}
    altered = json.loads(json.dumps(credential).replace("Mosty", "Most"))
    assert checked(altered) == {"verified": False, "errors": ["Invalid signature."], "revoked": None}
    revoke(terminal, holder.code)
    assert checked(credential) == {"verified": True, "errors": [], "revoked": True}


def revoke(terminal: Terminal, code: str) -> None:
    """A coordinator takes the label back."""
    with terminal.here.record.reading() as session:
        application = session.query(Issued).filter_by(code=code).one().subject
    plan = terminal.json("revoke", application)["plan"]
    done = terminal.run(
        "revoke", code, "--plan", plan, "--as", COORDINATOR, "--reason", "Copied from Jana.",
        "--code", terminal.coordinators_code(application),
    )  # fmt: skip
    assert done.exit_code == 0, done.output


@pytest.mark.slow
def test_a_revoked_label_is_told_by_the_published_list_and_its_credential_is_handed_out_no_more(
    terminal: Terminal, signed: Authority
) -> None:
    holder = Holder(terminal)
    token = holder.credential()
    revoke(terminal, holder.code)
    with pytest.raises(OB3VerificationError, match="status 'revocation' is set"):
        holder.checks(token)
    assert holder.opens(f"/{holder.code}/credential").status_code == 404


@pytest.mark.slow
def test_the_lists_have_no_name_and_only_what_does_not_count(terminal: Terminal, signed: Authority) -> None:
    holder = Holder(terminal)
    with terminal.here.record.reading() as session:
        number = session.query(Document.id).filter_by(kind="certificate").scalar()
        assert not_counting(session, "NSS-PL", 0) == []
    with terminal.here.record.writing() as session:
        session.query(Award).one().revoked_at = terminal.here.now()
    with terminal.here.record.reading() as session:
        assert not_counting(session, "NSS-PL", 0) == [number % PLACES]
        assert not_counting(session, "NSS-DE", 0) == []
    listed = holder.opens("/lists/NSS-PL/0").text
    assert holder.code not in listed
    for nothing in ("lists/NSS-PL/1", "lists/NSS-PL/x", "lists/NSS-XX/0", "lists/NSS-PL/99999999"):
        assert holder.opens(f"/{nothing}").status_code == 404


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        lambda issued: setattr(issued, "facts", issued.facts | {"holder": ERASED}),
        lambda issued: setattr(issued, "valid_until", datetime(2020, 1, 1, tzinfo=UTC).date()),
    ],
    ids=["erased", "ended"],
)
def test_no_credential_is_made_of_an_erased_holder_or_a_label_that_ended(
    terminal: Terminal, signed: Authority, change: Callable[[Issued], None]
) -> None:
    holder = Holder(terminal)
    with terminal.here.record.writing() as session:
        change(session.query(Issued).filter_by(code=holder.code).one())
    assert holder.opens(f"/{holder.code}/credential").status_code == 404
    assert "wallet" not in holder.opens(f"/{holder.code}").text.partition("<main>")[2]
    assert holder.opens("/lists/NSS-PL/0").status_code == 200


@pytest.mark.slow
def test_the_page_leads_a_wallet_to_the_credential(terminal: Terminal, signed: Authority) -> None:
    holder = Holder(terminal)
    page = holder.opens(f"/{holder.code}").text
    assert f"{PAGE}/{holder.code}/credential" in page
    has_proof = holder.opens(f"/{holder.code}/credential.json").status_code == 200
    assert (f"/{holder.code}/credential.json" in page) is has_proof


@pytest.mark.slow
@only_ec
def test_the_applicants_page_leads_to_it_while_the_label_is_theirs(
    terminal: Terminal, signed: Authority
) -> None:
    holder = Holder(terminal)
    with terminal.here.record.reading() as session:
        application = session.query(Issued).filter_by(code=holder.code).one().subject
    teacher = Browser(terminal.here).signs_in(TEACHER)
    link = f'href="{PAGE}/{holder.code}#wallet"'
    assert link in teacher.opens(f"/applications/{application}").text
    revoke(terminal, holder.code)
    assert "#wallet" not in teacher.opens(f"/applications/{application}").text


def test_keys_are_published_at_the_root_of_the_host_and_for_each_organisation(
    terminal: Terminal, signed: Authority
) -> None:
    holder = Holder(terminal)
    host = json.loads(holder.ask("GET", f"{HOST}/.well-known/did.json").content)
    assert host["id"] == "did:web:127.0.0.1%3A4280"
    issuer = json.loads(holder.ask("GET", f"{PAGE}/issuers/NSS-PL/did.json").content)
    assert issuer["id"] == "did:web:127.0.0.1%3A4280:verify:issuers:NSS-PL"
    keys = json.loads(holder.ask("GET", f"{PAGE}/issuers/NSS-PL/jwks.json").content)["keys"]
    assert [one["kid"] for one in keys] == [
        one["id"] for one in issuer["verificationMethod"] if one["type"] == "JsonWebKey"
    ]
    for key in (*keys, *json.loads(holder.ask("GET", f"{HOST}/.well-known/jwks.json").content)["keys"]):
        assert not {"d", "p", "q", "dp", "dq", "qi"} & set(key)
    assert holder.ask("GET", f"{PAGE}/issuers/NSS-XX/did.json").status_code == 404


def test_without_a_key_there_is_neither_a_credential_nor_a_document_of_keys(terminal: Terminal) -> None:
    holder = Holder(terminal)
    assert 'id="wallet"' not in holder.opens(f"/{holder.code}").text
    for address in (
        f"{PAGE}/{holder.code}/credential", f"{HOST}/.well-known/did.json", f"{HOST}/.well-known/jwks.json",
        f"{PAGE}/issuers/NSS-PL/did.json", f"{PAGE}/lists/NSS-PL/0",
    ):  # fmt: skip
        assert holder.ask("GET", address).status_code == 404
