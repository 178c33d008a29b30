"""The models of the messages: one for each template, which the record keeps and gives back as it was."""

from __future__ import annotations

import json

import pytest

from labels.mail.context import message_of
from labels.mail.message import Template
from labels.mail.messages import models
from labels.words.sentences import Sentence
from tests.support.mails import EXAMPLES, FORMER, TEXTS, mail, migrated


def test_every_template_has_one_model() -> None:
    assert sorted(model.template for model in models()) == sorted(Template)


def test_there_is_an_example_of_every_message() -> None:
    assert {type(one) for one in EXAMPLES.values()} == set(models())


@pytest.mark.parametrize("template", Template)
def test_a_message_comes_back_from_the_record_as_it_was(template: Template) -> None:
    row = mail(template)
    row.context = json.loads(json.dumps(row.context))
    assert message_of(row) == EXAMPLES[template]


def test_values_stay_values() -> None:
    kept = mail(Template.REFUSED).context["message"]
    assert kept["total"] == "14.5"
    assert kept["routes"][1]["values"]["sentence_b"]["values"] == {
        "closes": {"instant": "2026-04-15T21:59:00+00:00"}
    }


@pytest.mark.parametrize("template", [Template(name) for name in FORMER])
def test_a_former_row_gives_the_values_that_its_text_told(template: Template) -> None:
    read = message_of(mail(template, context=FORMER[template]))
    told_otherwise = {"nomination", "paper", "about"}  # a reason has them, or it was not told
    for name, value in read:
        if name not in told_otherwise:
            assert value == getattr(EXAMPLES[template], name)


def test_a_former_sentence_whose_making_is_not_known_stays_english_text() -> None:
    former = migrated("code", {**TEXTS["code"], "purpose": "Some {older} text."})
    purpose = dict(message_of(mail(Template.CODE, context=former)))["purpose"]
    assert isinstance(purpose, Sentence)
    assert purpose == "Some {older} text."
