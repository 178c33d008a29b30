"""The public page: what a stranger learns of a certificate by its code or file, and what nobody learns there."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
from collections.abc import Iterator

import httpx
import pytest

from adapters.languages.desk import language_of_page, languages
from adapters.papers.checking import LARGEST
from adapters.workspace import workspace
from cli.services import free_port
from desk.app import public_app
from labels.record.schema import Award
from tests.cli.conftest import COORDINATOR, Terminal
from tests.cli.test_verify import awarded_application, code_of_paper, paper, served
from tests.support.serving import in_a_thread

__all__ = ["served"]

PAGE = "http://127.0.0.1:4280/verify"


class Stranger:
    """Somebody with a browser, who knows no one."""

    def __init__(self, terminal: Terminal, language: str = "en") -> None:
        self._app = public_app(terminal.here)
        self.language = language
        """Which they chose on the desk; empty where they never did."""

    def ask(self, method: str, url: str, **more: object) -> httpx.Response:
        async def asked() -> httpx.Response:
            reads = {"language": self.language} if self.language else {}
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), cookies=reads) as browser:
                return await browser.request(method, url, **more)  # type: ignore[arg-type]  # httpx's own

        return asyncio.run(asked())

    def opens(self, path: str = "") -> httpx.Response:
        return self.ask("GET", PAGE + path)

    def uploads(self, content: bytes, name: str = "paper") -> httpx.Response:
        return self.ask("POST", PAGE, files={name: ("certificate.pdf", content, "application/pdf")})


def words(answer: httpx.Response) -> str:
    """What a page shows."""
    body = answer.text.partition("<main>")[2].partition('<div class="ways">')[0]
    return " ".join(re.sub(r"<[^>]+>", " ", body).replace("\u2011", "-").split())


def test_a_code_tells_what_is_needed_to_compare_and_no_more(terminal: Terminal) -> None:
    application = awarded_application(terminal)
    stranger, code = Stranger(terminal), code_of_paper(terminal, application)
    typed = stranger.opens(f"?code={code.lower().replace('-', '+')}")
    assert (typed.status_code, typed.headers["location"]) == (303, f"/verify/{code}")
    answer = stranger.opens(f"/{code}")
    assert answer.status_code == 200
    assert words(answer) == (
        "Genuine and valid This certificate of the National Quality Label was issued on 16 March 2026. It is valid. "
        "Compare it with the paper: its code can be copied, what is recorded here can not. Label National Quality "
        "Label Awarded to Zażółć Gęślą School Szkoła Podstawowa nr 7 Project Mosty przez Europę School year 2025/26 "
        f"Awarded on 16 March 2026 Awarded by Narodowe Biuro Number {application} Code {code}"
    )


def test_no_page_is_kept_has_a_script_or_loads_anything(terminal: Terminal) -> None:
    stranger = Stranger(terminal)
    for answer in (stranger.opens(), stranger.opens("/x"), stranger.uploads(b"x")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-robots-tag"] == "noindex"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script" not in policy
        assert "<script" not in answer.text
        assert not re.search(r'(?:src|href)="(?!#|data:|/verify)', answer.text)


def test_of_a_pupil_the_page_tells_no_name_and_no_school(
    served: tuple[Terminal, str, list[bytes]],
) -> None:
    terminal, number, files = served
    stranger = Stranger(terminal)
    code = terminal.here.stamp.pupil(number, 3)
    told = f"Label Pupil Quality Label Certificate 3 of 6 of its class Project Mosty przez Europę School year 2025/26 Code {code}"
    for answer in (stranger.opens(f"/{code}"), stranger.uploads(files[2])):
        assert answer.status_code == 200
        assert words(answer).startswith("Genuine and valid")
        assert words(answer).endswith(told)
        assert "Szkoła" not in answer.text
        assert "Ґанна" not in answer.text


def test_a_file_is_looked_at_wherever_it_comes_from(terminal: Terminal) -> None:
    application = awarded_application(terminal)
    stranger, file = Stranger(terminal), paper(terminal, application)
    assert words(stranger.uploads(file)).startswith("Genuine and valid")
    assert words(stranger.uploads(file[:-20])).startswith("Not as it was issued")
    letter = words(stranger.uploads(paper(terminal, application, "letter")))
    assert "Letter to Zażółć Gęślą" in letter
    assert "points" not in letter
    assert words(stranger.uploads(b"%PDF-1.7\n%%EOF")).startswith("Not known here")
    for answer, status, why in (
        (stranger.uploads(b"\0" * (LARGEST + 20_000)), 413, "larger than 10 MB"),
        (stranger.uploads(file, "other"), 400, "No file arrived"),
        (stranger.uploads(b""), 400, "No file arrived"),
        (stranger.ask("POST", PAGE, content=b"x"), 400, "No file arrived"),
        (stranger.ask("POST", PAGE, content=b"x", headers={"content-type": "multipart/form-data"}), 400, "No file"),
        (stranger.ask("POST", PAGE, content=b"--b", headers={"content-type": "multipart/form-data; boundary=b"}), 400, "No"),
    ):  # fmt: skip
        assert answer.status_code == status
        assert why in words(answer)


@pytest.mark.slow
def test_what_was_taken_back_is_told_to_people_and_machines_but_not_why(terminal: Terminal) -> None:
    application = awarded_application(terminal)
    stranger, code = Stranger(terminal), code_of_paper(terminal, application)
    status = stranger.opens(f"/{code}/status")
    assert status.json()["revokedCredential"] == []
    plan = terminal.json("revoke", application)["plan"]
    done = terminal.run(
        "revoke", code, "--plan", plan, "--as", COORDINATOR, "--reason", "Copied from Jana.",
        "--code", terminal.coordinators_code(application),
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    answer = stranger.opens(f"/{code}")
    assert words(answer).startswith(
        "No longer valid This certificate of the National Quality Label was issued"
    )
    assert "Jana" not in answer.text
    assert stranger.opens(f"/{code}/status").json() == {
        "id": f"{PAGE}/{code}/status",
        "issuer": status.json()["issuer"],
        "revokedCredential": [
            {"id": f"{PAGE}/{code}", "revoked": True, "revocationReason": "The label was taken back."}
        ],
    }


@pytest.mark.parametrize(
    "typed", ["", "x", "7KQ4-M9XT-2A5B-C8DW", "%00", "..%2f..", "<script>", "a" * 5000, "%ff"]
)
def test_anything_typed_gets_a_page_and_is_never_repeated_as_it_is(terminal: Terminal, typed: str) -> None:
    stranger = Stranger(terminal)
    for answer in (
        stranger.opens(f"?code={typed}"),
        stranger.opens(f"/{typed}"),
        stranger.opens(f"/{typed}/status"),
    ):
        assert answer.status_code in (200, 303, 307, 404)
        assert "<script>" not in answer.text
    assert stranger.ask("DELETE", PAGE).status_code == 405


@pytest.mark.slow
def test_the_page_is_in_the_papers_language_unless_its_reader_chose_another(terminal: Terminal) -> None:
    application = awarded_application(terminal)
    code = code_of_paper(terminal, application)
    polish = language_of_page("verify.html.j2", "pl")
    assert Stranger(terminal, "").opens(f"/{code}").headers["content-language"] == polish
    assert Stranger(terminal, "de").opens(f"/{code}").headers["content-language"] == (
        language_of_page("verify.html.j2", "de")
    )
    for language in languages():
        answer = Stranger(terminal, "").opens(f"/{code}?language={language}")
        shown = language_of_page("verify.html.j2", language)
        assert answer.headers["content-language"] == shown
        assert f'<html lang="{shown}" dir="{"rtl" if shown == "ar" else "ltr"}">' in answer.text
        assert f'hreflang="{"pl" if shown != "pl" else "en"}"' in answer.text
    chosen = Stranger(terminal, "").opens(f"?code={code}&language=fr")
    assert chosen.headers["location"] == f"/verify/{code}?language=fr"
    assert Stranger(terminal, "").opens("?language=xx").headers["content-language"] == "en"


@pytest.mark.parametrize("around", ["“{}”", "«{}»", "\u200b{}\u2060", " {} ."])
def test_a_code_is_found_however_it_was_copied(terminal: Terminal, around: str) -> None:
    code = terminal.here.stamp.paper("certificate", "NQL-1")
    cyrillic = code.translate(str.maketrans("ABEKMHPCTYX", "АВЕКМНРСТУХ"))
    wide = "".join(chr(ord(one) + 0xFEE0) for one in code)
    for typed in (code, cyrillic, wide):
        answer = Stranger(terminal).ask("GET", PAGE, params={"code": around.format(typed)})
        assert answer.headers["location"] == f"/verify/{code}"


def test_the_page_lives_where_its_address_says(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    for address, path in (("https://check.example", ""), ("https://labels.example/en/check/", "/en/check")):
        monkeypatch.setenv("LABELS_VERIFY_URL", address)
        workspace.cache_clear()
        terminal.here = workspace()
        stranger, code = Stranger(terminal), terminal.here.stamp.paper("certificate", "NQL-1")
        begin = stranger.ask("GET", f"http://inside.example{path or '/'}?code={code}")
        assert begin.headers["location"] == f"{path}/{code}"
        assert (
            "was issued here has this code" in stranger.ask("GET", f"http://inside.example{path}/{code}").text
        )
        assert f'action="{path or "/"}"' in stranger.ask("GET", f"http://inside.example{path or '/'}").text


def test_a_record_that_is_away_is_told_on_the_page(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labels.errors import OutOfReach
    from labels.record import Record

    @contextlib.contextmanager
    def away(_: Record) -> Iterator[None]:
        raise OutOfReach("The record", "it is away.")
        yield

    stranger = Stranger(terminal)
    monkeypatch.setattr(Record, "reading", away)
    code = terminal.here.stamp.paper("certificate", "NQL-1")
    for answer in (stranger.opens(f"/{code}"), stranger.opens(f"/{code}/status"), stranger.uploads(b"x")):
        assert answer.status_code == 503
        assert "out of reach just now" in words(answer)


@pytest.fixture
def address(terminal: Terminal) -> Iterator[str]:
    """The page, served on loopback as `labels up` does."""
    port = free_port()
    with in_a_thread(public_app(terminal.here), port):
        yield f"http://127.0.0.1:{port}"


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed")
def test_a_person_checks_a_code_and_a_file_with_the_keyboard_alone(terminal: Terminal, address: str) -> None:
    from tests.support.browser import person_at

    application = awarded_application(terminal)
    code, file = code_of_paper(terminal, application), paper(terminal, application)
    (terminal.folder / "certificate.pdf").write_bytes(file)
    with person_at(address, width=360, height=740) as person:
        page = person.page
        page.goto(f"{address}/verify?language=en")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "code"
        page.keyboard.type(code.lower())
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Genuine and valid").wait_for()
        assert page.title() == "Genuine and valid – Check an eTwinning certificate"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            "nothing is cut off on a telephone"
        )
        page.get_by_label("Another file").set_input_files(terminal.folder / "certificate.pdf")
        page.get_by_role("button", name="Check the file").press("Enter")
        page.get_by_text("is valid.", exact=False).first.wait_for()
        assert page.get_by_text("Zażółć Gęślą").is_visible()
        with terminal.here.record.writing() as session:
            session.get_one(Award, application).revoked_at = terminal.here.now()
        page.goto(f"{address}/verify/{code}?language=en")
        page.get_by_role("heading", name="No longer valid").wait_for()
        assert person.strange_requests == []
        assert person.dialogs == []
