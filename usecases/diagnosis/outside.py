"""What is checked from outside: addresses, TLS, who answers there, Prefect open to strangers, and mail."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from urllib.parse import urlsplit

from adapters.documents.opening import open_store
from adapters.documents.store import key_of
from adapters.network import Answer, Names, ask, log_in_to_mail_server
from adapters.prefect.redis import see_that_redis_answers
from labels.clock import in_words
from labels.errors import LabelsError, OutOfReach
from labels.settings import Settings, is_this_machine
from usecases.diagnosis.finding import Finding, fault, note, remedy_for, well

Clocks = Callable[[str, datetime], None]
"""Is told what time it is elsewhere."""

RENEWED_BEFORE = timedelta(days=21)
_COUNT = b"{}"


def check_addresses(settings: Settings, clocks: Clocks) -> Iterator[Finding]:
    """Whether people reach the desk and the gate at the addresses that mails name, by TLS."""
    if not settings.public_url:
        yield fault(
            "address",
            f"LABELS_PUBLIC_URL is not set: mails and certificates lead to {settings.desk_url}.",
            "Set it to the address that people have, https://…, before real ones go out.",
        )
    else:
        yield from _reached(
            "LABELS_PUBLIC_URL", settings.desk_url, f"{settings.desk_url}/health", clocks, _is_desk
        )
    if settings.gate != "off" and "site_url" in settings.model_fields_set:
        yield from _reached(
            "LABELS_SITE_URL", settings.site_url, f"{settings.site_url}/runs", clocks, _is_gate
        )
    host, _, _ = settings.listen.rpartition(":")
    if not is_this_machine(host) and settings.desk_url.startswith("https://"):
        yield note(
            "address",
            f"the desk listens at {settings.listen}, without TLS.",
            "Behind a proxy on this machine, listen on 127.0.0.1: nobody comes past the proxy then.",
        )


def _is_desk(answer: Answer) -> bool:
    with contextlib.suppress(ValueError, AttributeError):
        return answer.status == 200 and json.loads(answer.content).get("status") == "ok"
    return False


def _is_gate(answer: Answer) -> bool:
    """Whoever has not signed in is led to the sign-in."""
    return answer.status in (302, 303, 307) or (answer.status == 200 and b"sign-in" in answer.content)


def _reached(
    setting: str, address: str, page: str, clocks: Clocks, is_ours: Callable[[Answer], bool]
) -> Iterator[Finding]:
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.scheme != "https" and not is_this_machine(host):
        yield fault(
            "TLS",
            f"{setting} is {address}: everybody on the way reads codes and names.",
            "Publish it by https://….",
        )
    try:
        answer = ask(page)
    except ssl.SSLError as error:
        why = getattr(error, "verify_message", "") or error.reason or str(error)
        yield fault(
            "TLS",
            f"browsers refuse the certificate at {address}: {why}.",
            f"Give the proxy a certificate for {host} that is not expired, with its chain.",
        )
        return
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        yield fault(
            "address",
            f"{address} is not reached: {why}.",
            "See that the name leads to the proxy, that it runs, and that the firewall lets the port in.",
        )
        return
    if not is_ours(answer):
        yield fault(
            "address",
            f"what answers at {address} is not ours (status {answer.status}).",
            f"See that `labels up` runs, and that the proxy hands {host} on to it.",
        )
    else:
        yield well("address", f"{address} is reached")
    if answer.at:
        clocks(host, answer.at)
    if until := answer.certified_until:
        if until < datetime.now(UTC) + RENEWED_BEFORE:
            yield fault("TLS", f"the certificate at {address} ends at {in_words(until)}.", "Renew it.")
        else:
            yield well("TLS", f"the certificate at {host} is good until {in_words(until)}")


def check_prefect_is_closed(settings: Settings) -> Iterator[Finding]:
    """Whether strangers reach Prefect's API: whoever does has this machine."""
    hosts = {urlsplit(url).hostname or "" for url in (settings.desk_url, settings.site_url)}
    # On loopback everybody on this machine reaches it, which is what `labels up` sets up.
    addresses = {f"http://{host}:{settings.port}" for host in hosts if not is_this_machine(host)}
    if "site_url" in settings.model_fields_set and settings.site_url:
        addresses.add(settings.site_url.rstrip("/"))
    is_open = [one for one in sorted(addresses) if _answers_strangers(f"{one}/api/flow_runs/count")]
    for address in is_open:
        yield fault(
            "Prefect",
            f"strangers reach Prefect's API at {address}, read every run, and may run programs on this machine.",
            "Let the proxy lead to the gate (LABELS_GATE) only, and the firewall let nobody in to LABELS_PORT.",
        )
    if settings.api_listen and not is_this_machine(settings.api_listen.rpartition(":")[0]):
        yield note(
            "Prefect",
            f"its API listens at {settings.api_listen} for other machines, and asks nobody who they are.",
            "Let the firewall let in the hosts of this installation alone.",
        )
    if settings.gate == "off":
        yield fault(
            "Prefect",
            "the gate is off (LABELS_GATE): whoever reaches Prefect's server needs no sign-in.",
            "Set LABELS_GATE=127.0.0.1:4201, unless another sign-in stands before it.",
        )
    elif not settings.operator_addresses:
        yield note(
            "Prefect",
            "nobody is an operator: nobody sees all runs in Prefect's pages.",
            "Set LABELS_OPERATORS to addresses of the staff who run this installation.",
        )
    if not is_open and settings.gate != "off":
        yield well("Prefect", "closed to strangers")


def _answers_strangers(url: str) -> bool:
    try:
        answer = ask(url, method="POST", body=_COUNT)
    except (OSError, http.client.HTTPException):
        return False
    return answer.status == 200 and answer.content.strip().isdigit()


def check_services(settings: Settings, clocks: Clocks) -> Iterator[Finding]:
    """Whether the other services that the settings name answer."""
    try:
        store = open_store(settings)
        store.exists(key_of(b""))
    except LabelsError as error:
        remedy = remedy_for(str(error), "Correct LABELS_DOCUMENTS, or what gives access to it.")
        yield fault("documents", str(error), remedy)
    else:
        yield well("documents", str(store))
    if settings.redis_url:
        try:
            see_that_redis_answers(settings)
        except OutOfReach as error:
            yield fault("Redis", error.detail, "Start it, or correct LABELS_REDIS_URL.")
        else:
            yield well("Redis", "it answers")
    for setting, url in (
        ("LABELS_OIDC_ISSUER", settings.oidc_issuer),
        ("LABELS_TIMESTAMP_URL", settings.timestamp_url),
        ("LABELS_S3_ENDPOINT_URL", settings.s3_endpoint_url),
    ):
        if not url:
            continue
        host = urlsplit(url).hostname or ""
        if not url.startswith("https://") and not is_this_machine(host):
            yield fault("TLS", f"{setting} is {url}: what goes there is read on the way.", "Use https://….")
        path = "/.well-known/openid-configuration" if setting == "LABELS_OIDC_ISSUER" else ""
        try:
            answer = ask(url.rstrip("/") + path)
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            yield fault(
                "services",
                f"{setting}: {url} does not answer: {why}.",
                remedy_for(str(error), f"Correct {setting}, or start it."),
            )
            continue
        if path and answer.status != 200:
            yield fault(
                "services",
                f"{setting}: {url} is no provider (status {answer.status}).",
                f"Correct {setting}.",
            )
            continue
        yield well("services", f"{url} answers")
        if answer.at:
            clocks(host, answer.at)


def check_mail(settings: Settings, names: Names, selector: str = "") -> Iterator[Finding]:
    """Whether mail leaves by a server, and whether other servers will believe where it comes from."""
    if not settings.smtp_url:
        yield fault(
            "mail",
            f"LABELS_SMTP_URL is not set: mail goes into {settings.mail_folder}.",
            "Set it to your mail server.",
        )
        return
    parts = urlsplit(settings.smtp_url)
    server = f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    if parts.scheme == "smtp" and not is_this_machine(parts.hostname or ""):
        yield fault(
            "mail",
            f"mail goes to {server} without TLS, with codes in it.",
            "Use smtp+starttls:// or smtps://.",
        )
    try:
        log_in_to_mail_server(settings.smtp_url)
    except OSError as error:  # what it says may repeat the password: of a certificate alone it is told
        why = getattr(error, "verify_message", "") or type(error).__name__
        yield fault(
            "mail",
            f"the mail server {server} does not let us in ({why}).",
            remedy_for(why, "Correct LABELS_SMTP_URL: host, port, user, password."),
        )
    else:
        yield well("mail", f"{server} takes mail")
    yield from check_sender(settings.sender, names, selector)


def check_sender(sender: str, names: Names, selector: str) -> Iterator[Finding]:
    """Whether the sender's domain says who may send for it (SPF, DMARC), how mail is signed (DKIM), and takes mail."""
    domain = parseaddr(sender)[1].rpartition("@")[2].lower()
    if domain in ("", "localhost"):
        yield fault(
            "mail", f"mail comes from {sender}.", "Set LABELS_MAIL_SENDER to an address of your domain."
        )
        return
    try:
        yield from _of_domain(domain, names, selector)
    except OSError as error:
        yield note("mail", f"{domain} could not be looked up: {error}", "Run this where names are answered.")


def _of_domain(domain: str, names: Names, selector: str) -> Iterator[Finding]:
    spf = [one for one in names.texts(domain) if one.lower().split(" ")[0] == "v=spf1"]
    if len(spf) != 1:
        found = "no SPF entry" if not spf else f"{len(spf)} SPF entries, which counts as none"
        yield fault(
            "mail", f"{domain} has {found}.", f'One TXT entry for {domain}: "v=spf1 a:YOUR-MAIL-SERVER -all"'
        )
    elif any(one in ("+all", "all", "?all") for one in spf[0].lower().split()):
        yield fault(
            "mail", f"the SPF entry of {domain} lets everybody send for it.", "End it with -all or ~all."
        )
    else:
        yield well("mail", f"{domain} has SPF")
    dmarc = [one for one in names.texts(f"_dmarc.{domain}") if one.lower().startswith("v=dmarc1")]
    if not dmarc:
        yield fault(
            "mail",
            f"{domain} has no DMARC entry.",
            f'A TXT entry for _dmarc.{domain}: "v=DMARC1; p=quarantine"',
        )
    elif "p=none" in dmarc[0].lower().replace(" ", ""):
        yield note(
            "mail", f"the DMARC entry of {domain} asks for nothing (p=none).", "Then p=quarantine, later."
        )
    else:
        yield well("mail", f"{domain} has DMARC")
    if not selector:
        yield note(
            "mail", "DKIM was not looked at.", "Give the selector of your mail server's key: --dkim SELECTOR"
        )
    elif any("p=" in one for one in names.texts(f"{selector}._domainkey.{domain}")):
        yield well("mail", f"{domain} has the DKIM key {selector}")
    else:
        yield fault(
            "mail",
            f"{domain} has no DKIM key {selector}.",
            f"A TXT entry for {selector}._domainkey.{domain} with your mail server's public key.",
        )
    if not names.takes_mail(domain):
        yield fault(
            "mail", f"nobody takes mail for {domain}: what comes back is lost.", "Give it an MX entry."
        )
