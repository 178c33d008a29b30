"""A comment that names a reviewer is warned of before it is sent, and who reviews is not told by that."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from labels.record.schema import Application, Staff
from labels.reviews.naming import Named, Person, named, named_in
from tests.support.case import Case

PEOPLE = [
    Person("Geneviève Tréguier", "g.treguier@agence.example"),
    Person("Łucja Kowalska-Maj", "lucja@frse.example"),
    Person("Jean Luc", "jl@agence.example"),
    Person("Rose", "rose@agence.example"),
    Person("أمينة العياري", "amina@psa.example"),
    Person("Rocío Domínguez Vega", "rocio@sna.example"),
    Person("María José Ruiz Blanco", "mj@sna.example"),
]


@pytest.mark.parametrize(
    ("text", "who", "words"),
    [
        ("I agree with Geneviève Tréguier.", "Geneviève Tréguier", "Geneviève Tréguier"),
        ("as TREGUIER Genevieve wrote", "Geneviève Tréguier", "TREGUIER Genevieve"),
        ("G. Tréguier also thinks so", "Geneviève Tréguier", "G Tréguier"),
        ("Mme Tréguier préfère l'autre carte.", "Geneviève Tréguier", "Tréguier"),
        ("Write to G.Treguier@agence.example", "Geneviève Tréguier", "g.treguier@agence.example"),
        ("Pani Kowalska-Maj", "Łucja Kowalska-Maj", "Kowalska-Maj"),
        ("كما كتبت أمينة العياري", "أمينة العياري", "أمينة العياري"),
        ("Jean Luc a raison", "Jean Luc", "Jean Luc"),
        ("Un saludo, Rocío Domínguez", "Rocío Domínguez Vega", "Rocío Domínguez"),
        ("DOMINGUEZ VEGA, ROCIO", "Rocío Domínguez Vega", "VEGA ROCIO"),
        ("R. Domínguez lo ha leído", "Rocío Domínguez Vega", "R Domínguez"),
        ("Rocío Vega", "Rocío Domínguez Vega", "Rocío Vega"),
        ("María José lo ve igual", "María José Ruiz Blanco", "María José"),
    ],
)
def test_a_comment_that_names_a_reviewer_is_recognised(text: str, who: str, words: str) -> None:
    assert named(text, PEOPLE) == (Named(who, words),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The rose garden, and Rose helped.",
        "Luc drew the map.",
        "The treguier dialect",
        "La calle Domínguez, y Rocío la dibujó; a ruiz señor.",
        "A calm and clear project; the pupils of both schools wrote it.",
    ],
)
def test_a_comment_that_names_nobody_is_let_alone(text: str) -> None:
    assert named(text, PEOPLE) == ()


def test_every_reviewer_of_the_organisation_is_looked_for_not_only_who_reviews_it(case: Case) -> None:
    case.ask()
    with case.record.writing() as session:
        for n in range(1, 6):
            staff = session.get_one(Staff, (f"r{n}@nss.example", "reviewer"))
            staff.name = f"Anna Nowakow{n * 'a'}"
        session.execute(sa.update(Staff).where(Staff.role == "coordinator").values(name="Ewa Wolna"))
    with case.record.reading() as session:
        application = session.get_one(Application, case.id)
        for n in range(1, 6):
            assert named_in(session, application, f"See Nowakow{n * 'a'}."), "asked or not"
        assert not named_in(session, application, "See Ewa Wolna.")
