"""The papers' own words in English: what every catalogue translates.

A certificate has the words that all have and those of its label, a letter those of its kind. A new kind of
letter is a section here, and `labels translations --update` puts its words into the catalogues.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """An English text, and what tells it apart from the same text elsewhere."""

    context: str
    text: str


def word(context: str, text: str) -> Word:
    """One text of the papers: the form that the catalogues' template is collected by."""
    return Word(context, text)


COMMON = "common"

CERTIFICATES: Mapping[str, Mapping[str, Word]] = {
    COMMON: {
        "programme": word("certificate", "eTwinning Quality Labels"),
        "organisation": word("certificate", "Awarding organisation"),
        "awarded_on": word("certificate", "Date of award"),
        "number": word("certificate", "Certificate number"),
        "criteria": word("certificate", "Criteria set: {criteria_set}"),
        "valid": word("certificate", "valid until {valid_until}"),
        "code": word("certificate", "Verification code"),
        "check": word("certificate", "Check it at {address}"),
    },
    "national": {
        "title": word("national certificate", "National Quality Label"),
        "lead": word("national certificate", "is awarded to"),
        "before_project": word("national certificate", "for excellent work in the eTwinning project"),
        "after_project": word(
            "national certificate",
            "which meets the national quality standard for school collaboration in Europe",
        ),
    },
    "european": {
        "title": word("european certificate", "European Quality Label"),
        "lead": word("european certificate", "is awarded to"),
        "before_project": word("european certificate", "for outstanding work in the eTwinning project"),
        "after_project": word(
            "european certificate", "which is among the best of Europe’s school collaboration projects"
        ),
    },
    "pupil": {
        "title": word("pupil certificate", "Pupil Quality Label"),
        "lead": word("pupil certificate", "is awarded to"),
        "before_project": word("pupil certificate", "for taking part in the eTwinning project"),
        "after_project": word("pupil certificate", "which was awarded a Quality Label"),
    },
    "school": {
        "title": word("school certificate", "eTwinning School Label"),
        "lead": word("school certificate", "is awarded to"),
        "before_project": word("school certificate", "for its commitment to eSafety, to shared leadership,"),
        "after_project": word(
            "school certificate", "and to learning and teaching together with schools across Europe"
        ),
    },
}
"""The School Label's two phrases stand one below the other, with no project between them."""

CREDENTIALS: Mapping[str, Mapping[str, Word]] = {
    COMMON: {
        "judged": word("credential", "The criteria set was: {criteria_set}."),
    },
    "national": {
        "earned": word(
            "credential",
            "It is awarded to a teacher for an eTwinning project in which schools worked together, and to which reviewers of "
            "the awarding organisation gave at least the points that are needed.",
        ),
    },
    "european": {
        "earned": word(
            "credential",
            "It is awarded to teachers with a National Quality Label for a project that was proposed by their national "
            "organisations and is among the best of its year in Europe.",
        ),
    },
    "pupil": {
        "earned": word(
            "credential",
            "It is awarded to pupils who took part in an eTwinning project for which their teacher holds a Quality Label.",
        ),
    },
    "school": {
        "earned": word(
            "credential",
            "It is awarded to a school whose work for eSafety, for shared leadership, and for learning and teaching together "
            "with schools across Europe was given at least the points that are needed by reviewers of the awarding "
            "organisation.",
        ),
    },
}
"""What a credential says that a label is awarded for, in whole sentences."""

_SCHOOL = {
    "programme": word("school certificate", "eTwinning School Label"),
    "scores": word("school letter", "How your school’s application was scored"),
    "criterion": word("school letter", "Pillar"),
}
"""What stands on a school's letters in the place of what all have."""

_RECEIPT = {
    "arrived": word("letter", "Arrived: {arrived}"),
    "file": word("letter", "File"),
    "size": word("letter", "Size"),
    "digest": word("letter", "SHA-256 (its beginning)"),
    "digest_note": word(
        "letter",
        "SHA-256 is computed from the content of a file: a copy that differs in a single byte has another.",
    ),
    "route_forward": word("letter", "What happens next"),
}

LETTERS: Mapping[str, Mapping[str, Word]] = {
    COMMON: {
        "programme": word("letter", "eTwinning Quality Labels"),
        "reference": word("letter", "Reference"),
        "date": word("letter", "Date"),
        "journal": word("letter", "State of the journal"),
        "salutation": word("letter", "Dear {holder},"),
        "salutation_without_name": word("letter", "Dear Sir or Madam,"),
        "scores": word("letter", "How your application was scored"),
        "criterion": word("letter", "Criterion"),
        "points": word("letter", "Points"),
        "out_of": word("letter", "{points} of {maximum}"),
        "least": word("letter", "at least {minimum} needed"),
        "total": word("letter", "Total"),
        "pass_mark": word("letter", "Points needed for a label: {pass_mark}."),
        "criteria_set": word("letter", "Criteria set: {criteria_set}"),
        "reviewers_say": word("letter", "What the reviewers say"),
        "failed_conditions": word("letter", "Conditions that are not met"),
        "what_to_do": word("letter", "What to do"),
        "closing": word("letter", "With kind regards,"),
        "placeholder_note": word(
            "letter",
            "□ stands for a character that cannot be printed in this letter; the original text is kept with "
            "your application.",
        ),
    },
    "award": {
        "subject": word("letter", "Your National Quality Label"),
        "opening": word(
            "letter",
            "Congratulations! We are delighted to tell you that your work in the eTwinning project “{project}” has been "
            "awarded the National Quality Label.",
        ),
        "continuation": word(
            "letter",
            "The label recognises the quality of what you, your pupils and your partners have done together. Your "
            "certificate comes with this letter.",
        ),
        "reasons": word("letter", "Why the label was awarded"),
        "comments": word("letter", "Feedback for your further work"),
        "route_forward": word("letter", "What comes next"),
        "thanks": word(
            "letter",
            "Thank you for the time, the ideas and the care that you have put into this project.",
        ),
    },
    "refusal": {
        "subject": word("letter", "Your application for the National Quality Label"),
        "opening": word(
            "letter",
            "Thank you for applying for the National Quality Label with the eTwinning project “{project}”. Your "
            "application was read and scored with care. We are sorry to tell you that the label could not be awarded "
            "this time.",
        ),
        "continuation": word(
            "letter",
            "Below you find how each criterion was scored, what the reviewers say, the reasons for the decision, and "
            "what you can do now.",
        ),
        "reasons": word("letter", "Reasons for the decision"),
        "comments": word("letter", "Proposals for improvement"),
        "route_forward": word("letter", "What you can do now"),
        "thanks": word(
            "letter",
            "We hope that this feedback helps you and your pupils, and that we shall hear of your projects again.",
        ),
    },
    "ineligible": {
        "subject": word("letter", "Your application for the National Quality Label"),
        "opening": word(
            "letter",
            "Thank you for applying for the National Quality Label with the eTwinning project “{project}”. We could not "
            "pass your application on to the reviewers, because it does not yet meet every condition.",
        ),
        "continuation": word(
            "letter",
            "Each condition that is not met is named below, with what you can do about it. The quality of your project "
            "has not been judged.",
        ),
        "reasons": word("letter", "Reasons for the decision"),
        "comments": word("letter", "Please note"),
        "route_forward": word("letter", "What you can do now"),
        "thanks": word(
            "letter",
            "If anything is unclear, please write to us and give the reference of this letter: we are glad to help.",
        ),
    },
    "receipt": {
        "subject": word("letter", "Receipt of your application"),
        "opening": word(
            "letter",
            "We confirm that your application for the National Quality Label with the eTwinning project “{project}” has "
            "arrived and is safely kept.",
        ),
        "continuation": word("letter", "This letter is your proof of what was handed in, and when."),
        "handed_in": word("letter", "What you handed in"),
        "thanks": word("letter", "Thank you for sharing with us what you and your pupils have done."),
        **_RECEIPT,
    },
    "school receipt": {
        "subject": word("school letter", "Receipt of your school’s application"),
        "opening": word(
            "school letter",
            "We confirm that the self-assessment of your school for the eTwinning School Label has arrived, confirmed by "
            "its principal, and is safely kept.",
        ),
        "continuation": word("letter", "This letter is your proof of what was handed in, and when."),
        "handed_in": word("school letter", "Documents that your school handed in"),
        "thanks": word(
            "school letter", "Thank you for the work that you and your colleagues have put into it."
        ),
        **_RECEIPT,
        **_SCHOOL,
    },
    "invitation": {
        "subject": word("school letter", "Your school is invited to apply for the eTwinning School Label"),
        "opening": word(
            "school letter",
            "Congratulations! Your school meets the conditions of the eTwinning School Label. We invite you and your "
            "colleagues to hand in its self-assessment.",
        ),
        "continuation": word(
            "school letter", "Below you find why your school is invited, and what is asked of it."
        ),
        "deadline": word("school letter", "The self-assessment is due by: {deadline}"),
        "reasons": word("school letter", "Why your school is invited"),
        "route_forward": word("school letter", "What is asked of your school"),
        "thanks": word("school letter", "We look forward to reading about your school."),
        **_SCHOOL,
    },
    "school award": {
        "subject": word("school letter", "The eTwinning School Label for your school"),
        "opening": word(
            "school letter",
            "Congratulations! We are delighted to tell you that your school has been awarded the eTwinning School Label.",
        ),
        "continuation": word(
            "school letter",
            "The label recognises what your school does for safety online, for learning in projects, for the development "
            "of its staff and for cooperation with schools across Europe. Its certificate comes with this letter.",
        ),
        "reasons": word("letter", "Why the label was awarded"),
        "comments": word("letter", "Feedback for your further work"),
        "route_forward": word("letter", "What comes next"),
        "thanks": word(
            "school letter",
            "Thank you for the time, the ideas and the care that all of your school have put into this.",
        ),
        **_SCHOOL,
    },
    "school refusal": {
        "subject": word("school letter", "Your school’s application for the eTwinning School Label"),
        "opening": word(
            "school letter",
            "Thank you for the work that went into the self-assessment of your school. It was read and scored with care. "
            "We are sorry to tell you that the eTwinning School Label could not be awarded this time.",
        ),
        "continuation": word(
            "school letter",
            "Below you find how each pillar was scored, what the reviewers say, the reasons for the decision, and what "
            "your school can do now.",
        ),
        "reasons": word("letter", "Reasons for the decision"),
        "comments": word("letter", "Proposals for improvement"),
        "route_forward": word("letter", "What you can do now"),
        "thanks": word(
            "school letter",
            "We hope that this feedback helps your school, and that we shall hear from you again.",
        ),
        **_SCHOOL,
    },
}
"""A section for each kind of letter, and for those that a school gets instead of a teacher."""

MOMENT = word("moment", "{day}, {hour}:{minute} (Brussels time)")
"""How an instant is written."""

PAPERS: Mapping[str, Mapping[str, Mapping[str, Word]]] = {
    "certificates": CERTIFICATES,
    "credentials": CREDENTIALS,
    "letters": LETTERS,
}


def words_of(folder: str, section: str) -> dict[str, Word]:
    """The words of one kind of paper, by their names in its template."""
    return {**PAPERS[folder][COMMON], **PAPERS[folder][section]}
