"""Words a message of the outbox as an e-mail: one source, read once as text and once as HTML.

A template may use nothing but the project's own mail templates; every value ends as plain text,
and the same row of the outbox gives the same bytes.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import quopri
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from email.errors import MessageError
from email.headerregistry import Address, BaseHeader, HeaderRegistry
from email.message import EmailMessage
from email.message import Message as Part
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import cache
from typing import Any, NamedTuple

from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateError, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from adapters.languages.compiling import OneLanguage, said_in
from adapters.languages.mails import DOORS, MESSAGES, TEMPLATES, MailTexts, isolated, language_of
from adapters.mail.acting import Pages, ways
from labels.errors import Fault, InvalidInput
from labels.mail.context import message_of
from labels.mail.message import About, Message, Values
from labels.record.schema import Mail
from labels.words.addresses import on_the_wire
from labels.words.languages import ENGLISH
from labels.words.sentences import COUNT, PLACE, Sentence
from labels.words.text import cut, one_line


class _Headers(HeaderRegistry):
    """Makes the class of each kind of header once; the standard library's own makes one for every header that is set.

    Headers that nearly every message has with the same words are read once.
    """

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, type[BaseHeader]] = {}
        self._read: dict[tuple[str, str], BaseHeader] = {}

    def __call__(self, name: str, value: str) -> BaseHeader:
        if value not in _SAME:
            return super().__call__(name, value)
        if (name, value) not in self._read:
            self._read[name, value] = super().__call__(name, value)
        return self._read[name, value]

    def __getitem__(self, name: str) -> type[BaseHeader]:
        kind = name.lower()
        if kind not in self._made:
            self._made[kind] = super().__getitem__(name)
        return self._made[kind]


_TYPES = {subtype: f'text/{subtype}; charset="utf-8"' for subtype in ("plain", "html")}
_SAME = frozenset({*_TYPES.values(), "7bit", "quoted-printable", "1.0", "auto-generated"})
"""What stands in headers of nearly every message."""

POLICY = SMTP.clone(header_factory=_Headers())
"""How messages are written: as SMTP has them."""

WIDTH = 72
"""Columns of the text part, so that it reads well in a terminal and when quoted."""

LONGEST_NAME = 100
ENCODED_WORD_BYTES = 42
"""Of the text in one encoded word, which may have 75 characters in all (RFC 2047, section 2)."""

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 '_-]{0,50}")


class Attachment(NamedTuple):
    """A document that goes with a message."""

    name: str
    media_type: str
    content: bytes


def compose(
    mail: Mail,
    code: str | None,
    attachments: Sequence[Attachment],
    sender: str,
    date: datetime,
    site: str = "",
    desk: str = "",
) -> EmailMessage:
    """The e-mail for a message of the outbox.

    Args:
        mail: the row; what it tells is taken for hostile.
        code: the one-time code of its step, if it carries one.
        attachments: the documents that go with it.
        sender: `Name <address>`.
        date: what its Date header says: when it was queued, so that a second sending looks the same.
        site: the address of the page about its application, or of the Prefect UI.
        desk: the public address of the desk; empty where there is none.

    Raises:
        InvalidInput: the address is none, or the row lacks what its template words.
    """
    told = message_of(mail)
    language = language_of(told, mail.language)
    envelope = _envelope(mail, code, len(attachments))
    pages = Pages(site, desk)
    try:
        rendered = _render("text", language, told, envelope, pages)
        subject, _, text = rendered.strip("\n").partition("\n")
        subject = one_line(subject, 180)
        html = _render("html", language, told, envelope | {"subject": subject}, pages)
    except (TemplateError, TypeError) as error:
        fault = Fault(mail.reason, f"can't be worded: {error}.", "Queue it with every value that it words.")
        raise InvalidInput(f"mail {mail.template}", [fault]) from error

    message = EmailMessage(policy=POLICY)
    message.set_raw("From", _mailbox(sender_address(sender)))
    message.set_raw("To", _mailbox(_recipient(mail)))
    message["Subject"] = subject
    message.set_raw("Date", format_datetime(date))
    message.set_raw("Message-ID", one_line(mail.message_id))
    message.set_raw("Keywords", ", ".join(filter(None, [mail.template, mail.application])))
    message.set_raw("Auto-Submitted", "auto-generated")
    if not mail.to_address.isascii():
        message.policy = POLICY.clone(utf8=True)
    message.set_raw("MIME-Version", "1.0")
    readings = [
        _read_as(re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n", "plain"),
        _read_as(f"{html}\n", "html"),
    ]
    message["Content-Type"] = f'multipart/alternative; boundary="{_boundary(mail, readings)}_0"'
    for one in readings:
        message.attach(one)
    for attachment in attachments:
        main, _, sub = attachment.media_type.partition("/")
        name = one_line(attachment.name, 120)
        message.add_attachment(
            attachment.content, maintype=main, subtype=sub or "octet-stream", filename=name
        )
    if attachments:
        _settle_boundaries(mail, message)
    message.set_raw("Content-Language", language)
    return message


def _envelope(mail: Mail, code: str | None, attached: int) -> dict[str, Any]:
    """What a mail can tell besides its message."""
    return {
        "to_name": one_line(mail.to_name) if mail.to_name != mail.to_address else "",
        "email": mail.to_address,
        "code": code or "",
        "attached": attached,
    }


def _render(form: str, language: str, message: Message, envelope: Mapping[str, Any], pages: Pages) -> str:
    texts = MailTexts(language, {}, html=form == "html")
    told = {"application": "", **_each_worded(message, texts), **envelope}
    around = {"language": language, "direction": texts.direction, "ways": ways(message, told, pages)}
    return _environment(form, language).get_template(f"{message.template.value}.j2").render(told | around)


def _each_worded(values: Values, texts: MailTexts) -> dict[str, Any]:
    """The values of a message by name; those about its application stand among the others."""
    worded: dict[str, Any] = {}
    for name, value in values:
        if isinstance(value, About):
            worded |= _each_worded(value, texts) | {"label": texts.label(value.label)}
        else:
            worded[name] = _worded(value, texts)
    return worded


def _worded(value: Any, texts: MailTexts) -> Any:
    """A value as the mail's language writes it; what is somebody's own stays as it is."""
    match value:
        case Sentence():
            return value if texts.language == ENGLISH else texts.said(value)
        case date():
            said = texts.value(value)
            if texts.html and texts.language == ENGLISH:
                return Markup('<bdi style="white-space:nowrap">{}</bdi>').format(said)
            return said
        case Decimal():
            return texts.value(value)
        case Values():
            return _each_worded(value, texts)
        case tuple():
            return [_worded(one, texts) for one in value]
    return value


class _Environment(ImmutableSandboxedEnvironment):
    """The templates of one form in one language."""

    code_generator_class = OneLanguage


@cache
def _environment(form: str, language: str) -> ImmutableSandboxedEnvironment:
    """The closed environment of one form (`text`, `html`) and language."""
    in_html = form == "html"
    folders = (TEMPLATES / form, DOORS, MESSAGES)
    environment = _Environment(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
        autoescape=in_html,
        undefined=StrictUndefined,
        finalize=_isolated if in_html else _present,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.clear()
    texts = MailTexts(language, {}, html=in_html)
    environment.globals |= _saying(texts)
    said_in(environment, lambda text: None if PLACE.search(text) else texts.place(texts.pattern(text)))
    for name in ("safe", "xmlattr", "urlize", "map", "attr", "tojson", "pprint"):
        environment.filters.pop(name, None)  # each of them can make markup or reach past a value
    filters: dict[str, Callable[..., Any]] = {
        "bare": escape,
        "loud": functools.partial(_loud, language=language),
        "flowing": _flowing,
        "paragraphs": _paragraphs,
        "quoted": _quoted,
        "web": _web,
    }
    environment.filters.update(filters)
    return environment


def _saying(texts: MailTexts) -> dict[str, Callable[..., str]]:
    """The functions by which templates say a text: its places are filled from the context, or from what is given."""

    def filled(context: Context, pattern: str, values: Mapping[str, Any]) -> str:
        given = {place: values.get(place, context.resolve(place)) for place in PLACE.findall(pattern)}
        return texts.place(
            pattern,
            **{
                place: _isolated(value) if texts.html else str(_present(value))
                for place, value in given.items()
            },
        )

    @pass_context
    def say(context: Context, text: str, **values: Any) -> str:
        return filled(context, texts.pattern(text), values)

    @pass_context
    def say_counted(context: Context, one: str, many: str, number: int, **values: Any) -> str:
        return filled(context, texts.pattern(one, many, number), values | {COUNT: number})

    return {"say": say, "say_counted": say_counted}


_NO_CAPITALS = frozenset({"ar", "el", "hy", "ka"})
"""Scripts without capitals, or in which a line of them is not read."""


def _loud(title: str, language: str) -> str:
    """A heading of the text part."""
    if language in _NO_CAPITALS:
        return title
    return (title.replace("i", "İ") if language == "tr" else title).upper()


def _present(value: Any) -> Any:
    if value is None:
        raise TypeError("a value is not there")
    return value


def _isolated(value: Any) -> Any:
    """A value on its own: its script's direction stays inside, whatever it says."""
    if isinstance(value, str | int) and not isinstance(value, Markup):
        return isolated(str(value))
    return _present(value)


def _flowing(text: str, first: str = "", rest: str = "") -> str:
    """One paragraph of the text part, broken between words; long addresses stay whole."""
    return textwrap.fill(
        _in_one_line(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _paragraphs(text: str) -> list[str]:
    if isinstance(text, Markup):
        return [text]  # a sentence of ours, on one line
    return [_in_one_line(line) for line in text.split("\n") if line.strip()]


_BREAKS = re.compile(r"[^\S\xa0]+")


def _in_one_line(text: str) -> str:
    """Text with one space between words; where a line must not end, the space stays a non-breaking one."""
    return _BREAKS.sub(" ", text).strip()


def _quoted(text: str) -> str:
    """Somebody else's words in the text part: every line is marked, so that none passes for ours."""
    return "\n>\n".join(_flowing(paragraph, "> ", "> ") for paragraph in _paragraphs(text))


def _web(url: str) -> str:
    """An address that a button may lead to, else nothing."""
    return url if re.fullmatch(r"https?://[^\s<>\"'\\]+", url) else ""


@cache
def sender_address(sender: str) -> Address:
    """The address that mail comes from.

    Raises:
        InvalidInput: `LABELS_MAIL_SENDER` is no mail address.
    """
    name, address = parseaddr(sender)
    try:
        return Address(one_line(name), addr_spec=address)
    except (ValueError, IndexError, MessageError) as error:
        fault = Fault("LABELS_MAIL_SENDER", f"is no mail address: {error}.", "Write `Name <name@host>`.")
        raise InvalidInput("settings", [fault]) from error


def answered_to(message: EmailMessage, address: str) -> None:
    """Says that who answers a message writes to this address; one that is none is left out."""
    with contextlib.suppress(ValueError, IndexError, MessageError):
        message.set_raw("Reply-To", _mailbox(Address(addr_spec=address)))


def _mailbox(address: Address) -> str:
    """An address as it stands in a header, its name as encoded words unless it is plain.

    Written here since the standard library's own folding loses the quotes of a long name, and what
    stood between them then counts as an address.
    """
    name = cut(address.display_name, LONGEST_NAME)
    if not name:
        return address.addr_spec
    if not _PLAIN_NAME.fullmatch(name):
        words, word = [], ""
        for character in name:
            if len((word + character).encode()) > ENCODED_WORD_BYTES:
                words.append(word)
                word = ""
            word += character
        encoded = (base64.b64encode(word.encode()).decode() for word in [*words, word])
        name = "\r\n ".join(f"=?utf-8?b?{word}?=" for word in encoded)
    return f"{name}\r\n <{address.addr_spec}>" if "\n" in name else f"{name} <{address.addr_spec}>"


def _recipient(mail: Mail) -> Address:
    local, at, domain = mail.to_address.rpartition("@")
    try:
        if not (local and at and domain) or any(c.isspace() for c in mail.to_address):
            raise ValueError("expected name@host")
        address = Address(one_line(mail.to_name), addr_spec=on_the_wire(mail.to_address))
    except (ValueError, IndexError, MessageError) as error:
        fault = Fault(mail.to_address, f"is no mail address: {error}.", "Correct it in the registry.")
        raise InvalidInput(f"mail {mail.reason}", [fault]) from error
    return address


def _read_as(text: str, subtype: str) -> EmailMessage:
    """A text as one of the parts between which a mail program chooses."""
    plain = text.isascii() and all(len(line) < 900 for line in text.split("\n"))
    part = EmailMessage(policy=POLICY)
    part.set_raw("Content-Type", _TYPES[subtype])
    part.set_raw("Content-Transfer-Encoding", "7bit" if plain else "quoted-printable")
    part.set_payload(text if plain else quopri.encodestring(text.encode()).decode("ascii"))
    return part


def _settle_boundaries(mail: Mail, message: EmailMessage) -> None:
    """Boundaries made from all that they separate: the same each time, and foretold by no text in it."""
    boundary = _boundary(mail, (part for part in message.walk() if not part.is_multipart()))
    for place, part in enumerate(message.walk()):
        if part.is_multipart():
            part.set_boundary(f"{boundary}_{place}")


def _boundary(mail: Mail, parts: Iterable[Part[Any, Any]]) -> str:
    """What the boundaries of a message begin with."""
    content = hashlib.sha256(mail.message_id.encode())
    for part in parts:
        content.update(str(part.get_payload()).encode("utf-8", "surrogateescape"))
    return f"=_{content.hexdigest()[:32]}"
