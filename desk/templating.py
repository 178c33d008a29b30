"""How the desk's templates become HTML: compiled once for each language, with all that they say in any case put in.

What a template says with values (`say("… {place} …", place=…)`) is found when a page is made. Nothing of anybody is kept.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from adapters.languages.compiling import OneLanguage, said_in
from adapters.languages.desk import TEMPLATES, DeskTexts
from labels.words.sentences import Sentence


class _Environment(Environment):
    """The templates in one language."""

    code_generator_class = OneLanguage


@cache
def environment(language: str) -> Environment:
    """The desk's templates in a language: values are escaped, and one that is not given is an error."""
    texts = DeskTexts(language, {})

    def finished(value: Any) -> Any:
        """What is printed: a sentence of the domain in this language; never something that is not there."""
        if value is None:
            raise TypeError("a template printed a value that is not there")
        return texts.told(value) if isinstance(value, Sentence) else value

    def tag(state: str, text: str) -> Markup:
        """The tag that says in which state something is."""
        css, icon = _LOOKS[state]
        return Markup(f'<span class="tag {css}">{drawn(icon)}{escape(finished(text))}</span>')

    made = _Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finished,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    said_in(made, texts.say)
    made.filters["bare"] = lambda text: made.filters["striptags"](str(finished(text)))
    made.globals |= {
        "say": texts.say,
        "say_counted": texts.say_counted,
        "lang": texts.language,
        "direction": texts.direction,
        "drawn_icon": drawn,
        "drawn_tag": tag,
    }
    return made


def rendered(template: str, texts: DeskTexts, **values: Any) -> str:
    """What a template makes of these values, in the language of the texts."""
    return environment(texts.language).get_template(template).render({"texts": texts} | values)


# Small parts that a page has many of ----------------------------------------------------------------

_PATHS = {
    "check": "M5 12.5l4.5 4.5L19 7.5",
    "cross": "M6 6l12 12M18 6L6 18",
    "clock": "M12 7v5l3 2M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18",
    "alert": "M12 8v5M12 16.5v.1M10.6 3.9L2.8 17.6a1.6 1.6 0 0 0 1.4 2.4h15.6a1.6 1.6 0 0 0 1.4-2.4L13.4 3.9a1.6 1.6 0 0 0-2.8 0",
    "file": "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
    "picture": "M4 5h16v14H4zM4 16l4.5-4.5 4 4 2.5-2.5 5 5M15.5 9.5v.1",
    "link": "M9.5 14.5l5-5M11 7l1.5-1.5a4 4 0 0 1 6 6L17 13M13 17l-1.5 1.5a4 4 0 0 1-6-6L7 11",
    "upload": "M12 16V5M7.5 9L12 4.5 16.5 9M4 19h16",
    "download": "M12 4v11M7.5 11.5L12 16l4.5-4.5M4 20h16",
    "person": "M12 4a4 4 0 1 0 0 8a4 4 0 0 0 0-8M4.5 20c.8-4 3.8-5.5 7.5-5.5s6.7 1.5 7.5 5.5",
    "people": "M9 5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 0 0 0-7M2.5 19c.7-3.400 3-5 6.500-5s5.800 1.600 6.500 5M16 5.500a3.500 3.500 0 0 1 0 6.500M18 14.500c2 .6 3.100 2.200 3.500 4.500",
    "mail": "M3 6h18v12H3zM3 7l9 6.500L21 7",
    "question": "M9 9.500a3 3 0 1 1 4.500 2.600c-1 .6-1.500 1.100-1.500 2.200M12 17.400v.1M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18",
    "ring": "M12 6a6 6 0 1 0 0 12a6 6 0 0 0 0-12",
    "half": "M12 5a7 7 0 1 0 0 14a7 7 0 0 0 0-14M12 5v14M9.5 6.5v11M7 8v8",
    "links": "M9 7.500a4.500 4.500 0 1 0 0 9a4.500 4.500 0 0 0 0-9M15 7.500a4.500 4.500 0 1 0 0 9a4.500 4.500 0 0 0 0-9",
    "back": "M14.500 6l-6 6 6 6",
    "next": "M9.500 6l6 6-6 6",
    "seal": "M12 3a6 6 0 1 0 0 12a6 6 0 0 0 0-12M8.500 14l-1.500 7 5-2.500 5 2.500-1.500-7",
    "lock": "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
    "pause": "M9 7v10M15 7v10",
}


@cache
def drawn(name: str, turns: bool = False) -> Markup:
    """An icon by its name; `turns`: it points the other way where one reads from right to left."""
    css = "icon turns" if turns else "icon"
    return Markup('<svg class="{}" viewBox="0 0 24 24" aria-hidden="true"><path d="{}"/></svg>').format(
        css, _PATHS[name]
    )


_LOOKS = {
    "done": ("good", "check"),
    "with-you": ("care", "person"),
    "begun": ("", "half"),
    "waits": ("plain", "clock"),
    "not-yet": ("plain", "ring"),
    "late": ("bad", "alert"),
    "missing": ("bad", "alert"),
    "question": ("care", "question"),
    "refused": ("bad", "cross"),
    "label": ("", "seal"),
    "review": ("", "links"),
    "closed": ("plain", "lock"),
}
