"""In the demo alone: the mail that went out, since nobody there has a mailbox. It shows everybody's codes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import Route

from adapters.mail.folder import MailFolder, plain_text
from desk.frame import Visit, page
from labels.words.text import clean, one_line

SHOWN = 40
"""The newest messages."""
_CODE = re.compile(r"^\s*([0-9A-Z]{4}-[0-9A-Z]{4}(?:-[0-9A-Z]{2})?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as the page shows it."""

    to: str
    subject: str
    code: str
    text: str


def mail(visit: Visit) -> Response:
    """The newest messages, the last first; those to one address where it is asked for."""
    folder = MailFolder(visit.here.settings.mail_folder)
    wanted = one_line(visit.request.query_params.get("to", ""), 320).lower()
    found = []
    for message in reversed(folder.messages()):
        to, text = one_line(str(message["To"]), 400), clean(plain_text(message))
        if wanted and wanted not in to.lower():
            continue
        code = _CODE.search(text)
        found.append(Shown(to, one_line(str(message["Subject"])), code[1] if code else "", text[:6000]))
        if len(found) == SHOWN:
            break
    return visit.shows("demo-mail.html.j2", messages=found, wanted=wanted)


def routes() -> list[Route]:
    """The page's address."""
    return [page("/mail", mail, allowed=None)]
