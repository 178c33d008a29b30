"""The gallery: one page that needs nothing from anywhere, for everybody, and whatever titles say."""

from __future__ import annotations

import json
from datetime import date
from html.parser import HTMLParser

from adapters.papers.gallery import render_gallery
from labels.european_label.gallery import (
    Gallery,
    GalleryCountry,
    GalleryPicture,
    GalleryProject,
    GallerySchool,
)

HOSTILE = "<script>alert(1)</script><img src=//x onerror=1> {{ 7*7 }} \"'"


class Page(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: set[str] = set()
        self.fetched: list[str] = []
        self.anchors: list[str] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            if name == "id":
                self.ids.add(value or "")
            elif name == "href" and tag == "a":
                self.anchors.append(value or "")
            elif name in ("src", "href", "action", "background"):
                self.fetched.append(value or "")

    def handle_data(self, data: str) -> None:
        self.words += data


def shown(projects: int = 2) -> Gallery:
    own = [
        GalleryProject(
            project=f"P-{n}", title=HOSTILE, schools=[GallerySchool(school=HOSTILE, city="Łódź")], partners=["Portugal"]
        )
        for n in range(projects)
    ]  # fmt: skip
    countries = [GalleryCountry(country="PL", name="Poland", projects=own)] if projects else []
    return Gallery(year=2026, awarded_on=date(2026, 10, 20), projects=projects, countries=countries)


def test_the_page_fetches_nothing_runs_nothing_and_shows_every_text_as_text() -> None:
    page = Page(render_gallery(shown())[0].decode())
    assert page.fetched == ["data:,"]
    assert "script" not in page.tags
    assert "img" not in page.tags
    assert page.words.count("<script>alert(1)</script><img src=//x onerror=1> {{ 7*7 }}") == 4


def test_what_a_project_gave_is_shown_as_text_with_its_picture_from_beside_the_page() -> None:
    year = shown(1)
    project = year.countries[0].projects[0]
    project.words = HOSTILE
    project.picture = GalleryPicture(file=f"pictures/{'0' * 64}.webp", shows=HOSTILE, credit=HOSTILE)
    text, body = render_gallery(year)
    page = Page(text.decode())
    assert page.fetched == ["data:,", project.picture.file]
    assert page.tags.count("img") == 1
    assert page.words.count("<script>alert(1)</script><img src=//x onerror=1> {{ 7*7 }}") == 4
    assert Gallery.model_validate(json.loads(body)) == year


def test_every_country_can_be_reached_and_headings_stand_in_order() -> None:
    page = Page(render_gallery(shown())[0].decode())
    assert {"#PL", "#projects", "gallery.json"} == set(page.anchors)
    assert {"PL", "projects"} <= page.ids
    assert [tag for tag in page.tags if tag in ("h1", "h2", "h3")] == ["h1", "h2", "h3", "h3"]
    assert "2 projects from 1 country" in page.words


def test_a_year_without_awards_says_so() -> None:
    page = Page(render_gallery(shown(0))[0].decode())
    assert "No project has been awarded the label this year." in page.words
    assert "nav" not in page.tags


def test_the_same_awards_give_the_same_bytes_and_the_data_beside_them() -> None:
    page, body = render_gallery(shown())
    assert render_gallery(shown()) == (page, body)
    assert Gallery.model_validate(json.loads(body)) == shown()
    assert shown(1).digest != shown(2).digest
