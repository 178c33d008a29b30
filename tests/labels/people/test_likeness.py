"""Whether two names are one person's: what is certain, what may be, and what is not."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.registry_generator import made_up_names
from labels.people.likeness import Likeness, index_keys, likeness, same

SAME = """
Łukasz Źdźbło = Lukasz Zdzblo
Søren Ørsted = Soren Orsted
Søren Ørsted = Soeren Oersted
Øystein Ås = Oystein Aas
Işıl Çağlar = Isil Caglar
IŞIL ÇAĞLAR = Işıl Çağlar
İsmail Ünal = ismail unal
Əli Əliyev = Ali Aliyev
Đorđe Đorđević = Djordje Djordjevic
Đorđe Đorđević = Dorde Dordevic
Ħaġar Żabbar = Hagar Zabbar
Ævar Þórsson = Aevar Thorsson
Guðrún Óladóttir = Gudrun Oladottir
Anna Müller = Anna Mueller
Anna Müller = Anna Muller
Jörg Strauß = JOERG STRAUSS
Ștefan Țurcanu = Ştefan Ţurcanu
João Conceição = Joao Conceicao
Ruairí O’Donnell = Ruairi ODonnell
Ruairí O'Donnell = O’Donnell, Ruairí
Ruairí O Donnell = ODonnell Ruairi
D’Angelo Rossi = Rossi D Angelo
Мар’яна Коваль = Мар'яна Коваль
Anna Nowak = Nowak, Anna
Anna Nowak-Kowalska = Kowalska-Nowak Anna
Anne-Marie Dubois = DUBOIS Anne Marie
Anne-Marie Dubois = Annemarie Dubois
Jan van der Berg = Jan Vanderberg
Ann MacDonald = Mac Donald Ann
LIS Ada = Ada Lis
Dr. Anna Nowak = Anna Nowak
Mgr. inż. Anna Nowak, PhD = Nowak Anna
𝐀𝐧𝐧𝐚 𝐍𝐨𝐰𝐚𝐤 = Anna Nowak
An\u00adna Now\u200bak = Anna Nowak
Zoë = Zoe\u0308
Γιώργος Παπαδόπουλος = Giorgos Papadopoulos
Ελένη Παπαδοπούλου = ελενη παπαδοπουλου
Ευάγγελος Οικονόμου = Evangelos Oikonomou
Ντίνα Μπάρκου = Dina Barkou
Χρήστος Χατζής = Christos Chatzis
Χρήστος Χατζής = Hristos Hatzis
Олена Гончаренко = Olena Honcharenko
Елена Гончаренко = Elena Goncharenko
Юлія Йорданова = Yuliia Yordanova
Юлия Йорданова = Julia Jordanova
Юлия Йорданова = Iuliia Iordanova
Цветелина Щилянов = Tsvetelina Shtilyanov
Иван Първанов = Ivan Parvanov
Љиљана Ђорђевић = Ljiljana Đorđević
Љиљана Ђорђевић = Ljiljana Djordjevic
Ѓорѓи Ќосев = Gjorgji Kjosev
Иван Шаров = Ivan Šarov
Никита Хрущёв = Никита Хрущев
Никита Хрущёв = Nikita Khrushchev
Олег Васильев = Oleg Vasilyev
Анна Ковальська = Anna Kowalska
თამარ ჯავახიშვილი = Tamar Javakhishvili
ნინო კაპანაძე = KAPANADZE Nino
Անահիտ Սարգսյան = Anahit Sargsyan
Հարություն Մկրտչյան = Harutyun Mkrtchyan
أحمد حدّاد = أحمد حداد
"""

MAYBE = """
Anna Nowak = Anna Nowak-Kowalska
Anna Nowak = Anna Maria Nowak
Anna M. Nowak = Anna Maria Nowak
A. Kowalska = Anna Kowalska
А. Ковальська = Anna Kowalska
Yu. Ivanova = Yulia Ivanova
Jean-Pierre Martin = J.-P. Martin
Jean-Pierre Martin = JP Martin
Jean-Pierre Martin = Jean Martin
María José García López = María García
Maria da Silva = Maria Silva
Иван Петрович Сидоров = Ivan Sidorov
Anna Muller = Anna Mueller
Julia Jordanova = Yulia Yordanova
ليلى الخطيب = Layla Al-Khatib
يوسف بن صالح = Youssef Ben Saleh
"""

OTHER = """
Maria Silva = Mario Silva
Ada Kowalska = Ada Kowalski
Иван Иванов = Иванова Иванка
Ada = Ada Kowalska
A. Kowalska = B. Kowalska
A. Kowalska = A. Nowak
Anna Nowak = Anna Kowalska
Adam Nowak = Anna Nowak
Li Wei = Li Na
Teacher 1 = Teacher 2
"""


def _pairs(table: str) -> list[tuple[str, ...]]:
    return [tuple(line.split(" = ")) for line in table.strip().splitlines()]


@pytest.mark.parametrize(("one", "other"), _pairs(SAME))
def test_spellings_of_one_name_are_one_person_s(one: str, other: str) -> None:
    assert likeness(one, other) is likeness(other, one) is Likeness.SAME
    assert same(one, other)
    assert index_keys(one) & index_keys(other)


@pytest.mark.parametrize(("one", "other"), _pairs(MAYBE))
def test_a_name_with_less_of_it_or_turned_otherwise_may_be_the_same_person_s(one: str, other: str) -> None:
    assert likeness(one, other) is likeness(other, one) is Likeness.MAYBE


@pytest.mark.parametrize(("one", "other"), _pairs(OTHER))
def test_other_names_are_other_people_s(one: str, other: str) -> None:
    assert likeness(one, other) is likeness(other, one) is Likeness.OTHER


@pytest.mark.parametrize(("one", "other"), [("", ""), (" ", " "), ("–", "…"), ("7", "7"), ("’", "’")])
def test_two_names_without_any_letter_are_nobody_s(one: str, other: str) -> None:
    assert likeness(one, other) is Likeness.OTHER


def test_among_the_registry_s_made_up_names_no_two_different_ones_are_taken_for_one() -> None:
    chance = random.Random(14)
    names = made_up_names()
    drawn = [(chance.choice(names), chance.choice(names)) for _ in range(10_000)]
    different = [(one, other) for one, other in drawn if one != other]
    found = [pair for pair in different if likeness(*pair) is Likeness.SAME]
    assert len(different) > 9_000
    assert len(found) <= 1, found


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_two_texts_are_compared_alike_from_both_sides(one: str, other: str) -> None:
    assert likeness(one, other) is likeness(other, one)
    assert same(one, other) is (likeness(one, other) is Likeness.SAME)
    if likeness(one, other) is Likeness.SAME:
        assert index_keys(one) & index_keys(other)
