"""Letters: what was decided on an application, why, and what the applicant can do now."""

from __future__ import annotations

from pathlib import Path

from adapters.fonts import missing_characters, unprintable, with_placeholders
from adapters.papers.environment import TEMPLATES, Texts, paper_environment, texts
from labels.errors import Fault, InvalidInput
from labels.papers.branding import Brand, brand_of
from labels.papers.facts import FailedCondition, LetterFacts, LetterKind
from labels.words.languages import ENGLISH
from labels.words.sentences import Sentence

SHEET = TEMPLATES / "letters" / "letter.css"

_NAMES = ("holder", "school", "city", "country", "organisation", "coordinator", "coordinator_role")


_AT_THE_BEGINNING = frozenset({LetterKind.RECEIPT, LetterKind.INVITATION})


def render_letter(facts: LetterFacts, branding: Path | None = None) -> bytes:
    """The letter as PDF/A-3a and PDF/UA-1; the same facts give the same bytes.

    `branding` is the folder of what organisations have of their own.
    Names are refused when a character cannot be printed; in free text (titles, reasons, comments, names of
    files) such a character is replaced visibly and the letter says so, because no one's feedback may wait for a
    font. Nor may an application: a receipt and an invitation have their names replaced, too.

    Raises:
        InvalidInput: a name has a letter that no bundled font can print, each is named; or something in
            `branding` can't be used.
    """
    faults: list[Fault] = []
    for field in () if facts.kind in _AT_THE_BEGINNING else _NAMES:
        faults += unprintable(field, getattr(facts, field))
    if faults:
        raise InvalidInput(f"letter {facts.application}", faults)

    from adapters.press.pdf import instant_of, press_of

    shown = printable(facts)
    brand = brand_of(branding, facts.issuer)
    words = _words(shown, brand)
    html = (
        paper_environment()
        .get_template("letters/letter.html.j2")
        .render(
            facts=shown,
            words=words,
            say=words.words,
            names={line.criterion: words.named("criterion", line.criterion) for line in shown.scores},
            shares=[round(float(line.points / line.maximum) * 100, 1) for line in shown.scores],
            commented=[line for line in shown.scores if line.comments],
            replaced=shown != facts,
            instant=instant_of(facts.written_on),
        )
    )
    return press_of(brand).print(html, SHEET)


def _words(facts: LetterFacts, brand: Brand) -> Texts:
    """The letter's words in its language; in English where that lacks any sentence in it."""
    words = texts("letters", facts.section, facts.language, brand)
    said = [*facts.reasons, *facts.route_forward]
    for failed in facts.failed_conditions:
        said += [failed.condition, failed.what_to_do]
    if words.can_say(said):
        return words
    return texts("letters", facts.section, ENGLISH, brand)


def printable(facts: LetterFacts) -> LetterFacts:
    """The facts with every character of free text that cannot be printed replaced visibly."""
    if not missing_characters(facts.model_dump_json(ensure_ascii=False)):
        return facts

    def shown(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(_shown, texts))

    return facts.model_copy(
        update={
            **{field: with_placeholders(getattr(facts, field)) for field in _NAMES},
            "project": with_placeholders(facts.project),
            "criteria_set": with_placeholders(facts.criteria_set),
            "scores": tuple(
                line.model_copy(
                    update={"criterion": with_placeholders(line.criterion), "comments": shown(line.comments)}
                )
                for line in facts.scores
            ),
            "reasons": shown(facts.reasons),
            "comments": shown(facts.comments),
            "files": tuple(
                one.model_copy(update={"name": with_placeholders(one.name)}) for one in facts.files
            ),
            "route_forward": shown(facts.route_forward),
            "failed_conditions": tuple(
                FailedCondition(condition=_shown(failed.condition), what_to_do=_shown(failed.what_to_do))
                for failed in facts.failed_conditions
            ),
        }
    )


def _shown(text: str) -> str:
    return text.changed(with_placeholders) if isinstance(text, Sentence) else with_placeholders(text)
