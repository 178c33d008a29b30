"""No field of a paper fetches, includes or runs anything: it is printed as it was written.

Each payload is first shown to leak through an open template and WeasyPrint's own fetcher, so that the
silence of the closed ones means something.
"""

from __future__ import annotations

import http.server
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import pikepdf
import pytest
import weasyprint

from adapters.papers.certificates import render_certificate
from adapters.papers.environment import paper_environment
from adapters.papers.letters import render_letter
from adapters.press.pdf import ART, AssetDoor
from labels.errors import InvalidInput
from labels.papers.facts import CertificateFacts, LetterFacts, LetterKind
from tests.support.papers import certificate, letter, text_of

SECRET = "Quercus-4711"


class World:
    """A local file that must stay closed and a server that must stay unasked."""

    def __init__(self, folder: Path) -> None:
        self.secret = folder / "secret.txt"
        self.secret.write_text(SECRET)
        self.asked: list[str] = []
        asked = self.asked

        class Ear(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"x")

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ear)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def payload(self, name: str) -> str:
        return PAYLOADS[name].replace("URL", self.url).replace("FILE", self.secret.as_uri())

    def leaked(self, pdf: bytes) -> list[str]:
        """What the file gives away, and what was asked of the server."""
        found = [f"asked for {path}" for path in self.asked]
        with pikepdf.open(io.BytesIO(pdf)) as document:
            found += [f"attached {name}" for name in document.attachments]
            for entry in document.objects:
                if isinstance(entry, pikepdf.Stream):
                    try:
                        content = entry.read_bytes()
                    except pikepdf.PdfError:
                        content = entry.read_raw_bytes()
                    if SECRET.encode() in content:
                        found.append("secret in a stream")
            found += ["link" for p in document.pages for _ in p.obj.get("/Annots", [])]
        if SECRET in text_of(pdf):
            found.append("secret in the text")
        if "490007" in text_of(pdf):
            found.append("an expression was worked out")
        return found


PAYLOADS = {
    "attachment": "<link rel=attachment href=FILE>",
    "attached by a link": "<a rel=attachment href=FILE>x</a>",
    "link": "<a href=URL/link>x</a>",
    "picture": "<img src=URL/img>",
    "object": "<object data=URL/object></object>",
    "embedded": "<embed src=URL/embed>",
    "style import": "<style>@import url(URL/import);</style>",
    "style sheet": "<link rel=stylesheet href=URL/css>",
    "style attribute": '<p style="background:url(URL/background)">x</p>',
    "closing the quote": '"><img src=URL/quote>',
    "closing the paragraph": "</p></section><img src=URL/paragraph>",
    "font face": "<style>@font-face{font-family:X;src:url(URL/font)}p{font-family:X}</style>",
    "drawing": '<svg width="9" height="9"><image width="9" height="9" href="URL/svg"/></svg>',
    "base": "<base href=URL/base/><img src=rel.png>",
    "list mark": "<ul><li style='list-style-image:url(URL/li)'>x</ul>",
    "expression": "{{70001*7}}",
    "file by template": "{% include 'secret.txt' %}",
    "statement": "{% for i in [70001*7] %}{{ i }}{% endfor %}",
}

NOT_FETCHED_BY_WEASYPRINT_AT_ALL = {
    "frame": "<iframe src=URL/frame></iframe>",
    "script": "<script src=URL/script></script><script>x</script>",
    "bare address": "url(URL/bare)",
    "named entity": "&lt;img src=URL/entity&gt;",
    "comment": "<!-- x --><!DOCTYPE x [<!ENTITY e SYSTEM 'FILE'>]>&e;",
    "inner class": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "line statement": "{# x #}{%- raw -%}",
}
PAYLOADS |= NOT_FETCHED_BY_WEASYPRINT_AT_ALL


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


@pytest.mark.parametrize("name", sorted(PAYLOADS.keys() - NOT_FETCHED_BY_WEASYPRINT_AT_ALL.keys()))
def test_an_open_template_and_fetcher_would_leak(world: World, name: str) -> None:
    loader = jinja2.FileSystemLoader(world.secret.parent)
    environment = jinja2.Environment(loader=loader, autoescape=False)  # noqa: S701 - the leak to be shown
    page = environment.from_string(
        f"<html lang=en><title>x</title><section><p>{world.payload(name)}</p></section></html>"
    ).render()
    assert world.leaked(weasyprint.HTML(string=page).write_pdf())


CERTIFICATE_FIELDS = (
    "holder", "school", "city", "country", "project", "organisation", "coordinator", "coordinator_role",
    "criteria_set",
)  # fmt: skip


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.slow
@pytest.mark.parametrize("name", PAYLOADS)
def test_a_certificate_prints_hostile_text_in_every_field_as_text(world: World, name: str) -> None:
    payload = world.payload(name)
    pdf = render_certificate(certificate(**dict.fromkeys(CERTIFICATE_FIELDS, payload)))
    assert world.leaked(pdf) == []
    # the role and the organisation share a line, as city and country do
    assert squeezed(text_of(pdf)).count(squeezed(payload)) == len(CERTIFICATE_FIELDS)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [LetterKind.REFUSAL, LetterKind.INELIGIBLE])
@pytest.mark.parametrize("name", PAYLOADS)
def test_a_letter_prints_hostile_text_in_every_field_as_text(
    world: World, name: str, kind: LetterKind
) -> None:
    payload = world.payload(name)
    changes: dict[str, Any] = dict.fromkeys(CERTIFICATE_FIELDS, payload)
    changes |= {"reasons": [payload], "comments": [payload], "route_forward": [payload]}
    if kind is LetterKind.INELIGIBLE:
        changes |= {"failed_conditions": [{"condition": payload, "what_to_do": payload}]}
        changes.pop("criteria_set")  # not told where nothing was scored
        expected = 8 + 2 + 3 + 2
    else:
        score = {"criterion": payload, "points": 1, "maximum": 5, "comments": [payload, payload]}
        changes |= {"scores": [score]}
        expected = 9 + 2 + 3 + 4
    pdf = render_letter(letter(kind, **changes))
    assert world.leaked(pdf) == []
    printed = squeezed(text_of(pdf).replace("NQL-7KQ4M9XT2A 1 / 2", "").replace("NQL-7KQ4M9XT2A 2 / 2", ""))
    assert printed.count(squeezed(payload)) >= expected  # holder, project and organisation come twice


@pytest.mark.slow
def test_the_door_is_closed_even_where_a_template_forgets_to_escape(world: World) -> None:
    for name in sorted(PAYLOADS.keys() - {"link", "expression", "statement", "file by template"}):
        door = AssetDoor(ART)
        page = f"<html lang=en><title>x</title><p>{world.payload(name)}</p></html>"
        pdf = weasyprint.HTML(string=page, base_url="asset:", url_fetcher=door).write_pdf()
        assert world.leaked(pdf) in ([], ["link"]), name


def test_the_templates_cannot_mark_a_value_as_safe_or_reach_other_folders() -> None:
    environment = paper_environment()
    for source in ("{{ x | safe }}", "{{ x | tojson }}", "{{ x | xmlattr }}"):
        with pytest.raises(jinja2.TemplateAssertionError):
            environment.from_string(source)
    for name in ("../pyproject.toml", "certificates/../../pyproject.toml", "/etc/passwd", "mail/x.html.j2"):
        with pytest.raises(jinja2.TemplateNotFound):
            environment.get_template(name)
    with pytest.raises(jinja2.UndefinedError):
        environment.from_string("{{ forgotten }}").render()
    with pytest.raises(jinja2.exceptions.SecurityError):
        environment.from_string("{{ x.__class__.__mro__ }}").render(x="x")


@pytest.mark.parametrize("field", CERTIFICATE_FIELDS)
def test_ten_megabytes_in_a_field_are_refused_with_the_field_and_the_limit(field: str) -> None:
    with pytest.raises(InvalidInput, match=rf"{field}: has 10,000,000 characters"):
        certificate(**{field: "x" * 10_000_000})


def test_ten_megabytes_of_comment_are_refused_too() -> None:
    with pytest.raises(InvalidInput, match=r"comments\.0: has 10,000,000 characters"):
        letter(comments=["x" * 10_000_000])
    with pytest.raises(InvalidInput, match=r"comments"):
        letter(comments=["x"] * 10_000)


def test_invisible_characters_are_taken_away_before_they_can_mislead() -> None:
    facts = certificate(holder="Ana\u202egnp.exe\u2066 \x00\x1b[31mBo\u200b\ufeff")
    assert facts.holder == "Anagnp.exe [31mBo"
    assert isinstance(facts, CertificateFacts)
    with pytest.raises(InvalidInput, match="empty once invisible characters are taken away"):
        certificate(holder="\u202e\u200b \t")


def test_a_letter_keeps_line_breaks_and_nothing_else_invisible() -> None:
    facts = letter(comments=["One.\r\n\r\n\r\n\r\nTwo\u2028three\x07 \u202efour"])
    assert isinstance(facts, LetterFacts)
    assert facts.comments == ("One.\n\nTwo\nthree four",)
