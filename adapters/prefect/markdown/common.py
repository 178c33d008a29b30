"""Parts of several texts: the application, its documents, what was asked and answered."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.prefect.markdown.links import Links
from labels.views.about import About, Documents, Exchange, ProjectFacts, SchoolFacts
from labels.words.countries import country_name
from labels.words.text import markdown_link, markdown_paragraphs, markdown_plain


def listed(items: Iterable[str]) -> str:
    """A list, an item a line."""
    return "\n".join(f"- {item}" for item in items)


def joined(parts: Iterable[str]) -> str:
    """Parts of a page, one below the other; an empty one leaves no gap."""
    return "\n\n".join(filter(None, parts))


def about_it(about: About) -> str:
    """Who applies, where and with what."""
    rows = [
        *(_of_project(about.project, about.school) if about.project else _of_school(about.school)),
        ("Applied to", about.organisation),
        ("Application", f"{about.application}, under the rules {about.rules}"),
    ]
    # A list, since the dialog is too narrow for a table and cuts off what does not fit.
    facts = listed(f"**{name}:** {markdown_plain(value)}" for name, value in rows)
    return "\n".join(filter(None, (facts, linked(about.project.links if about.project else ()))))


def linked(links: Iterable[str]) -> str:
    """Addresses that an applicant named, to be followed and copied; empty where there are none."""
    return listed(f"**Link:** {markdown_link(link)}" for link in links)


def _of_project(project: ProjectFacts, school: SchoolFacts) -> list[tuple[str, str]]:
    return [
        ("Applicant", project.teacher),
        ("School", _place(school)),
        ("Pupils", f"{project.pupils}, {project.average_age:g} years old on average"),
        ("Project ran", f"{project.started_on} to {project.ended_on or 'today'}"),
    ]


def _of_school(school: SchoolFacts) -> list[tuple[str, str]]:
    return [("School", _place(school)), ("Registered since", school.registered_on.isoformat())]


def _place(school: SchoolFacts) -> str:
    return f"{school.name}, {school.city}, {country_name(school.country)}"


def exchange(one: Exchange) -> str:
    """A question to the applicant, with the answer."""
    asked = f"**The applicant was asked:** “{markdown_plain(one.question)}”"
    if one.answer is None:
        return f"{asked}\n\n**and did not answer in time.**"
    return joined([asked, "**and answered:**", markdown_paragraphs(one.answer), linked(one.links)])


def documents(shown: Documents, links: Links) -> str:
    """The documents as links that work for a while; empty where there are none."""
    if not shown.files:
        return ""
    # The name stands outside the link, since Prefect's UI shows escapes within one as they are typed.
    lines = listed(
        f"{one.kind.capitalize()}: {markdown_plain(one.name)} – [open]({links(one, shown.link_days)})"
        for one in shown.files
    )
    until = "while this is awaited of you" if shown.link_days is None else f"for {shown.link_days} days"
    return f"### Documents\n\nThe links work {until}.\n\n{lines}"
