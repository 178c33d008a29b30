"""The gallery of a year as one static page, and as JSON for a portal of one's own."""

from __future__ import annotations

from adapters.papers.environment import paper_environment
from labels.european_label.gallery import Gallery


def render_gallery(shown: Gallery) -> tuple[bytes, bytes]:
    """The page, which needs nothing from anywhere and has no script, and the JSON; the same each time."""
    page: str = paper_environment().get_template("gallery/gallery.html.j2").render(gallery=shown)
    return page.encode(), (shown.model_dump_json(indent=1) + "\n").encode()
