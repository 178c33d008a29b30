"""Pictures and words that teachers of awarded projects give for the gallery: agreed to, looked at, struck, taken back, erased."""

from __future__ import annotations

import io
import os
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import sqlalchemy as sa
from PIL import Image, ImageCms

import adapters.papers.gallery
from adapters.workspace import Workspace
from labels.errors import NotFound
from labels.identifiers import european_award_id
from labels.keyring import FormerKey, Keyring
from labels.record import Record
from labels.record.journal import Event
from labels.record.schema import (
    Awarded,
    Cycle,
    CycleProject,
    Document,
    GalleryContribution,
    Journal,
    Mail,
    Teacher,
)
from labels.settings import Settings
from tests.desk.conftest import Browser, words
from tests.support import european
from tests.support.european import YEAR, at_the_beginning, populate_year
from usecases import cycles, privacy

ADA, HOLDER, COLLEAGUE = "ada@css.example", "t-a1@school.example", "t-a2@school.example"
MINE = f"/my-gallery/{european_award_id(YEAR, 'T-A1', 'P-A')}"
COLLEAGUES = f"/my-gallery/{european_award_id(YEAR, 'T-A2', 'P-A')}"
PREVIEW, PAGE, DATA = f"/year/{YEAR}/gallery", f"/gallery/{YEAR}/index.html", f"/gallery/{YEAR}/gallery.json"
SAYS, SHOWS, CREDIT = (
    "We measured two rivers for a year.",
    "A bridge over a river.",
    "The school’s own picture",
)
GIVES = {"words": SAYS, "shows": SHOWS, "credit": CREDIT, "agreed": "1"}


@pytest.fixture
def here(settings: Settings, record: Record) -> Workspace:
    """A year whose projects are awarded."""
    with record.writing() as session:
        populate_year(session)
        european.awarded(session)
    return at_the_beginning(settings, record)


def picture(width: int = 1600, height: int = 800, kind: str = "JPEG", colour: str = "teal") -> bytes:
    """A picture that says where and with what it was taken."""
    made, exif = Image.new("RGB", (width, height), colour), Image.Exif()
    exif[0x010F], exif[0x013B] = "A camera of Nobody Else", "Nobody Else"
    exif.get_ifd(0x8825)[1] = "N"
    made.putpixel((0, 0), (0, 0, 0))
    packed = io.BytesIO()
    colours = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    made.save(packed, kind, exif=exif, icc_profile=colours, comment=b"Nobody Else")
    return packed.getvalue()


def with_picture(content: bytes | None = None) -> dict[str, Any]:
    return {"files": {"picture": ("Nobody Else.jpg", content or picture(), "image/jpeg")}}


def seen(answer: Any) -> str:
    found = re.search(r'name="seen" value="(\w+)"', answer.text)
    assert found, words(answer)
    return found[1]


def publishes(css: Browser) -> Any:
    return css.sends(PREVIEW, {"seen": seen(css.opens(PREVIEW))})


def project_in(answer: Any) -> dict[str, Any]:
    """What the published data say of the project."""
    every = [one for country in answer.json()["countries"] for one in country["projects"]]
    return next(one for one in every if one["project"] == "P-A")


def given(here: Workspace) -> GalleryContribution | None:
    with here.record.reading() as session:
        return session.scalar(sa.select(GalleryContribution))


def signed_in(here: Workspace, who: str) -> Browser:
    return Browser(here).signs_in(who)


@pytest.mark.slow
def test_a_picture_and_words_are_looked_at_then_published_for_everybody(here: Workspace) -> None:
    holder, css, stranger = signed_in(here, HOLDER), signed_in(here, ADA), Browser(here)
    assert publishes(css).status_code == 303
    assert MINE in holder.opens("/projects").text
    done = holder.sends(MINE, GIVES, **with_picture())
    assert done.status_code == 303, words(done)
    assert "waits to be looked at" in words(holder.opens(MINE))
    cycles.publish_stale(here)
    assert project_in(stranger.opens(DATA))["words"] == "", "what nobody looked at is in no gallery"
    preview = css.opens(PREVIEW)
    assert SAYS in words(preview)
    assert css.opens(f"{PREVIEW}/P-A/picture").status_code == 200
    assert publishes(css).status_code == 303
    shown = project_in(stranger.opens(DATA))
    assert shown["words"] == SAYS
    assert (shown["picture"]["shows"], shown["picture"]["credit"]) == (SHOWS, CREDIT)
    page = stranger.opens(PAGE)
    assert f'src="{shown["picture"]["file"]}" alt="{SHOWS}"' in page.text
    assert "img-src 'self'" in page.headers["content-security-policy"]
    file = stranger.opens(f"/gallery/{YEAR}/{shown['picture']['file']}")
    assert file.headers["content-type"] == "image/webp"
    assert "published" in words(holder.opens(MINE))


@pytest.mark.slow
def test_a_published_picture_has_one_size_and_nothing_else_of_its_file(here: Workspace) -> None:
    holder = signed_in(here, HOLDER)
    for kind, size, expected in (
        ("JPEG", (3000, 1500), (1200, 600)),
        ("PNG", (900, 1800), (450, 900)),
        ("JPEG", (300, 200), (300, 200)),
    ):
        assert holder.sends(MINE, GIVES, **with_picture(picture(*size, kind=kind))).status_code == 303
        content = holder.opens(f"{MINE}/picture").content
        opened = Image.open(io.BytesIO(content))
        assert (opened.format, opened.size) == ("WEBP", expected)
        assert not {"exif", "xmp", "icc_profile", "comment"} & opened.info.keys()
        assert b"Nobody" not in content


@pytest.mark.slow
def test_without_the_statement_nothing_is_taken_and_nothing_typed_is_lost(here: Workspace) -> None:
    holder = signed_in(here, HOLDER)
    answer = holder.sends(MINE, {**GIVES, "agreed": "", "shows": ""} | {}, **with_picture())
    assert answer.status_code == 422
    assert "Say what the picture shows" in words(answer)
    del (unsaid := dict(GIVES))["agreed"]
    answer = holder.sends(MINE, unsaid, **with_picture())
    assert answer.status_code == 422
    assert "nothing is published without it" in words(answer)
    assert SAYS in answer.text
    assert given(here) is None
    kept = re.search(r'name="kept" value="([^"]+)"', answer.text)
    assert kept
    assert holder.sends(MINE, {**GIVES, "kept": kept[1]}).status_code == 303
    assert holder.opens(f"{MINE}/picture").status_code == 200
    stolen = signed_in(here, COLLEAGUE).sends(COLLEAGUES, {**GIVES, "kept": kept[1]})
    assert stolen.status_code == 409


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [b"%PDF-1.7\n%%EOF\n", b"<svg onload=alert(1)>", picture()[:900]],
    ids=["pdf", "svg", "cut off"],
)
def test_what_is_no_picture_is_not_taken(here: Workspace, content: bytes) -> None:
    answer = signed_in(here, HOLDER).sends(MINE, GIVES, **with_picture(content))
    assert answer.status_code == 422
    assert 'href="#picture"' in answer.text
    assert given(here) is None


@pytest.mark.slow
def test_words_have_a_bound_and_something_is_to_be_given(here: Workspace) -> None:
    holder = signed_in(here, HOLDER)
    long = holder.sends(MINE, {**GIVES, "words": "river " * 101})
    assert long.status_code == 422
    assert "There are 101 words; at most 100 are shown." in words(long)
    nothing = holder.sends(MINE, {"agreed": "1", "words": " "})
    assert nothing.status_code == 422
    assert "Give some words, a picture, or both." in words(nothing)


@pytest.mark.slow
def test_what_came_after_the_preview_is_not_published_with_it(here: Workspace) -> None:
    css = signed_in(here, ADA)
    before = seen(css.opens(PREVIEW))
    assert signed_in(here, HOLDER).sends(MINE, GIVES).status_code == 303
    late = css.sends(PREVIEW, {"seen": before})
    assert late.status_code == 409
    assert "Something has changed since you saw this" in words(late)
    row = given(here)
    assert row
    assert row.released_at is None


@pytest.mark.slow
def test_what_a_project_gave_that_is_not_awarded_now_is_released_with_no_other(here: Workspace) -> None:
    holder, css, stranger = signed_in(here, HOLDER), signed_in(here, ADA), Browser(here)
    assert holder.sends(MINE, GIVES, **with_picture()).status_code == 303
    with here.record.writing() as session:
        session.get_one(CycleProject, (YEAR, "P-A")).awarded = None
    preview = css.opens(PREVIEW)
    assert SAYS not in words(preview)
    assert css.sends(PREVIEW, {"seen": seen(preview)}).status_code == 303
    row = given(here)
    assert row
    assert row.released_at is None
    with here.record.writing() as session:
        session.get_one(CycleProject, (YEAR, "P-A")).awarded = Awarded.AWARDED
        session.get_one(Cycle, YEAR).published = None
    assert cycles.publish_stale(here) == [YEAR]
    assert project_in(stranger.opens(DATA))["words"] == "", "nobody has looked at it"
    publishes(css)
    assert project_in(stranger.opens(DATA))["words"] == SAYS


def kept_picture(holder: Browser) -> str:
    """The word of a picture that came along with a form that was not whole."""
    del (unsaid := dict(GIVES))["agreed"]
    found = re.search(r'name="kept" value="([^"]+)"', holder.sends(MINE, unsaid, **with_picture()).text)
    assert found
    return found[1]


@pytest.mark.slow
def test_a_picture_that_came_before_is_known_after_the_key_was_replaced(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = signed_in(here, HOLDER)
    kept = kept_picture(holder)
    former = FormerKey(here.keyring.key, now := here.now(), now + timedelta(days=1))
    keyring = Keyring(b"another key, as good as the former", (former,))
    monkeypatch.setattr(Workspace, "keyring", keyring)
    monkeypatch.setattr(Workspace, "key", keyring.key)
    assert holder.sends(MINE, {**GIVES, "kept": kept}).status_code == 303
    assert holder.opens(f"{MINE}/picture").status_code == 200


@pytest.mark.slow
def test_a_picture_that_came_before_and_is_gone_is_asked_for_again(here: Workspace) -> None:
    holder = signed_in(here, HOLDER)
    kept = kept_picture(holder)
    for path in (here.settings.home / "documents" / "sha256").rglob("*"):
        if path.is_file() and path.read_bytes()[:4] == b"RIFF":
            path.unlink()
    answer = holder.sends(MINE, {**GIVES, "kept": kept})
    assert answer.status_code == 422
    assert "Choose it again." in words(answer)
    assert SAYS in answer.text
    assert given(here) is None


@pytest.mark.slow
def test_a_picture_that_the_store_has_lost_stops_neither_its_gallery_nor_upkeep(
    here: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    holder, css, stranger = signed_in(here, HOLDER), signed_in(here, ADA), Browser(here)
    holder.sends(MINE, GIVES, **with_picture())
    row = given(here)
    assert row
    assert row.key
    here.documents.erase(row.key)
    cycles.publish(here, YEAR)
    assert publishes(css).status_code == 303
    assert project_in(stranger.opens(DATA))["words"] == SAYS
    (here.settings.home / "galleries").rename(here.settings.home / "elsewhere")
    (here.settings.home / "galleries").write_text("no folder")
    with here.record.writing() as session:
        session.get_one(Cycle, YEAR).published = None
    assert cycles.publish_stale(here) == []
    assert f"the gallery of {YEAR} could not be made again" in caplog.text


@pytest.mark.slow
def test_what_was_taken_back_counts_where_the_gallery_cannot_be_made_again_yet(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder, css = signed_in(here, HOLDER), signed_in(here, ADA)
    holder.sends(MINE, GIVES, **with_picture())
    publishes(css)

    for failure in (NotFound("There is no document."), OSError(28, "No space left on device")):
        holder.sends(MINE, GIVES)
        with monkeypatch.context() as changed:
            changed.setattr(cycles, "publish", Mock(side_effect=failure))
            assert holder.sends(MINE, {"back": "1"}).status_code == 303
        assert given(here) is None


@pytest.mark.slow
def test_two_who_publish_at_once_take_no_file_of_each_other_s(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    cycles.publish(here, YEAR)
    css, replaces, met = signed_in(here, ADA), Path.replace, []  # type: tuple[Browser, Any, list[Path]]

    def replaced(draft: Path, target: Path) -> Path:
        """Another process writes the same file when the draft is ready."""
        if draft.suffix == ".new" and not met:
            met.append(draft)
            cycles.publish(here, YEAR)
        return replaces(draft, target)  # type: ignore[no-any-return]

    monkeypatch.setattr(Path, "replace", replaced)
    assert publishes(css).status_code == 303
    assert met
    folder = here.settings.home / "galleries" / str(YEAR)
    assert sorted(path.name for path in folder.iterdir()) == ["gallery.json", "index.html", "pictures"]


def test_what_a_publisher_that_was_killed_left_is_removed(here: Workspace) -> None:
    folder = here.settings.home / "galleries" / str(YEAR)
    cycles.publish(here, YEAR)
    (left := folder / ".index.html.0.new").write_text(SAYS)
    os.utime(left, (0, 0))
    cycles.publish(here, YEAR)
    assert not left.exists()


def on_another_host(here: Workspace, home: Path) -> Workspace:
    """The same record and documents, with a home of its own."""
    home.mkdir()
    return replace(here, settings=here.settings.model_copy(update={"home": home}))


@pytest.mark.slow
def test_what_one_host_publishes_every_host_shows(here: Workspace, tmp_path: Path) -> None:
    there = on_another_host(here, tmp_path / "there")
    assert cycles.publish_stale(here) == [YEAR]
    assert Browser(there).opens(PAGE).text == Browser(here).opens(PAGE).text
    assert project_in(Browser(there).opens(DATA))["words"] == ""
    assert cycles.publish_stale(there) == [YEAR], "its folder is behind"
    assert cycles.publish_stale(there) == []
    assert cycles.publish_stale(here) == []


@pytest.mark.slow
def test_what_is_taken_back_at_one_host_is_shown_by_none(here: Workspace, tmp_path: Path) -> None:
    there = on_another_host(here, tmp_path / "there")
    holder, css, stranger = signed_in(there, HOLDER), signed_in(here, ADA), Browser(here)
    cycles.publish(here, YEAR)
    holder.sends(MINE, GIVES, **with_picture())
    publishes(css)
    file = f"/gallery/{YEAR}/{project_in(stranger.opens(DATA))['picture']['file']}"
    assert stranger.opens(file).status_code == Browser(there).opens(file).status_code == 200
    assert holder.sends(MINE, {"back": "1"}).status_code == 303
    for browser in (stranger, Browser(there)):
        assert SAYS not in browser.opens(PAGE).text
        assert project_in(browser.opens(DATA))["picture"] is None
        assert browser.opens(file).status_code == 404
    assert cycles.publish_stale(here) == [YEAR]
    assert SAYS not in (here.settings.home / "galleries" / str(YEAR) / "gallery.json").read_text()
    assert not list((here.settings.home / "galleries").rglob("*.webp"))


@pytest.mark.slow
def test_what_was_taken_back_is_shown_no_more_before_the_gallery_is_made_again(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder, css, stranger = signed_in(here, HOLDER), signed_in(here, ADA), Browser(here)
    holder.sends(MINE, GIVES, **with_picture())
    publishes(css)
    file = f"/gallery/{YEAR}/{project_in(stranger.opens(DATA))['picture']['file']}"
    monkeypatch.setattr(cycles, "publish", Mock(side_effect=OSError(28, "No space left on device")))
    assert holder.sends(MINE, {"back": "1"}).status_code == 303
    assert SAYS not in stranger.opens(PAGE).text
    assert project_in(stranger.opens(DATA))["words"] == ""
    assert stranger.opens(file).status_code == 404


def test_a_gallery_that_looks_another_way_in_another_version_is_shown_so(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    cycles.publish(here, YEAR)
    render = adapters.papers.gallery.render_gallery
    monkeypatch.setattr(
        adapters.papers.gallery, "render_gallery", lambda shown: (b"another page", render(shown)[1])
    )
    cycles.publish(here, YEAR)
    assert Browser(here).opens(PAGE).content == b"another page"
    assert cycles.publish_stale(here) == []


@pytest.mark.slow
def test_what_is_changed_is_looked_at_again(here: Workspace) -> None:
    holder, css, stranger = signed_in(here, HOLDER), signed_in(here, ADA), Browser(here)
    holder.sends(MINE, GIVES, **with_picture())
    publishes(css)
    file = project_in(stranger.opens(DATA))["picture"]["file"]
    assert holder.sends(MINE, {**GIVES, "without": "1", "words": "Other words."}).status_code == 303
    assert project_in(stranger.opens(DATA))["words"] == ""
    assert stranger.opens(f"/gallery/{YEAR}/{file}").status_code == 404
    publishes(css)
    shown = project_in(stranger.opens(DATA))
    assert (shown["words"], shown["picture"]) == ("Other words.", None)


@pytest.mark.slow
def test_what_is_struck_goes_with_a_reason_that_its_giver_is_told(here: Workspace) -> None:
    holder, css, stranger = signed_in(here, HOLDER), signed_in(here, ADA), Browser(here)
    holder.sends(MINE, GIVES, **with_picture())
    publishes(css)
    unsaid = css.sends(PREVIEW, {"strike": "picture:P-A", "reason": " "})
    assert unsaid.status_code == 422
    assert "Say why" in words(unsaid)
    struck = css.sends(PREVIEW, {"strike": "picture:P-A", "reason": "A pupil can be recognised."})
    assert struck.status_code == 303
    row = given(here)
    assert row
    assert (row.key, row.words) == (None, SAYS)
    with here.record.reading() as session:
        [mail] = session.scalars(sa.select(Mail).where(Mail.template == "struck_from_gallery"))
        [noted] = session.scalars(sa.select(Journal).where(Journal.what == Event.STRUCK_FROM_THE_GALLERY))
    assert mail.to_address == HOLDER
    assert noted.who == ADA
    assert project_in(stranger.opens(DATA))["picture"] is None
    assert project_in(stranger.opens(DATA))["words"] == SAYS
    assert "A pupil can be recognised." in words(holder.opens(MINE))
    assert css.sends(PREVIEW, {"strike": "picture:P-A", "reason": "Again."}).status_code == 404
    assert holder.sends(MINE, GIVES, **with_picture(picture(colour="olive"))).status_code == 303
    assert "A pupil can be recognised." not in words(holder.opens(MINE))


@pytest.mark.slow
def test_what_is_taken_back_is_gone_from_gallery_record_and_store(here: Workspace) -> None:
    holder, css, stranger = signed_in(here, HOLDER), signed_in(here, ADA), Browser(here)
    holder.sends(MINE, GIVES, **with_picture())
    publishes(css)
    row = given(here)
    assert row
    assert row.key
    file = project_in(stranger.opens(DATA))["picture"]["file"]
    assert holder.sends(MINE, {"back": "1"}).status_code == 303
    assert given(here) is None
    assert SAYS not in stranger.opens(PAGE).text
    assert stranger.opens(f"/gallery/{YEAR}/{file}").status_code == 404
    privacy.delete_outside(here)
    assert not here.documents.exists(row.key)
    nowhere(here, SAYS)


@pytest.mark.slow
def test_an_erasure_takes_it_out_at_once(here: Workspace) -> None:
    holder, css, stranger = signed_in(here, HOLDER), signed_in(here, ADA), Browser(here)
    holder.sends(MINE, GIVES, **with_picture())
    publishes(css)
    row = given(here)
    assert row
    assert row.key
    told = here.settings.home / "told.zip"
    assert privacy.tell_person(here, HOLDER, told) >= 1
    plan = privacy.plan_erasure(here, HOLDER)
    assert plan.erased.counts["words and pictures for a gallery"] == 1
    privacy.erase_person(here, HOLDER, plan.word, "they asked for it")
    assert given(here) is None
    assert SAYS not in stranger.opens(PAGE).text
    assert not here.documents.exists(row.key)
    nowhere(here, SAYS)


def nowhere(here: Workspace, said: str) -> None:
    """Nothing that was published before is in the record or store with these words."""
    with here.record.reading() as session:
        keys = session.scalars(sa.select(Document.key).where(Document.kind == "gallery")).all()
        assert session.scalar(sa.select(Cycle.published).where(Cycle.year == YEAR))
    assert len(keys) == 2
    for path in (here.settings.home).rglob("*"):
        if path.is_file() and path.suffix not in (".zip", ".db", ".db-wal", ".sqlite", ".sqlite-wal"):
            assert said.encode() not in path.read_bytes(), path


@pytest.mark.slow
def test_an_erased_colleague_is_not_named_in_what_others_gave(here: Workspace) -> None:
    holder, css, stranger = signed_in(here, HOLDER), signed_in(here, ADA), Browser(here)
    assert holder.sends(MINE, {**GIVES, "words": "By Teacher T-A2 and us."}).status_code == 303
    publishes(css)
    plan = privacy.plan_erasure(here, COLLEAGUE)
    privacy.erase_person(here, COLLEAGUE, plan.word, "they asked for it")
    assert "T-A2" not in project_in(stranger.opens(DATA))["words"]


@pytest.mark.slow
def test_of_two_colleagues_the_first_gives_and_alone_changes_it(here: Workspace) -> None:
    holder, colleague = signed_in(here, HOLDER), signed_in(here, COLLEAGUE)
    assert holder.sends(MINE, GIVES, **with_picture()).status_code == 303
    page = colleague.opens(COLLEAGUES)
    assert "A colleague of your project" in words(page)
    assert "<textarea" not in page.text
    assert colleague.sends(COLLEAGUES, GIVES).status_code == 409
    assert colleague.sends(COLLEAGUES, {"back": "1"}).status_code == 409
    assert colleague.opens(f"{COLLEAGUES}/picture").status_code == 404


@pytest.mark.slow
def test_for_others_there_is_nothing(here: Workspace) -> None:
    with here.record.reading() as session:
        other = session.get_one(Teacher, "T-B1").email
    somebody, coordinator = signed_in(here, other), signed_in(here, "coordinator@nss.example")
    for path in (MINE, f"{MINE}/picture", "/my-gallery/EQL-0"):
        assert somebody.opens(path).status_code == 404
    assert somebody.sends(MINE, GIVES).status_code == 404
    for path in (PREVIEW, f"{PREVIEW}/P-A/picture"):
        assert coordinator.opens(path).status_code == 404
    assert coordinator.sends(PREVIEW, {"strike": "words:P-A", "reason": "Not mine."}).status_code == 404
    for path in (f"/gallery/{YEAR}/pictures/..%2Fgallery.json", f"/gallery/{YEAR}/pictures/{'0' * 64}.webp"):
        assert Browser(here).opens(path).status_code == 404
