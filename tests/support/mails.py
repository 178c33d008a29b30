"""Messages of the outbox for tests: one of every template, with what each words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from labels.mail.outbox import Template, message_id
from labels.record.schema import Mail

NOW = datetime(2026, 3, 16, 9, 30, tzinfo=UTC)
CODE = "7KQ4-M9XT-2C"
APPLICATION = "NQL-4T8W2K9QXB"
STEP = "STEP-9C3HMZ07RP"

COMMON = {
    "application": APPLICATION,
    "label": "National Quality Label",
    "project_title": "Rivers that join us",
    "holder": "Eleni Papadopoulou",
    "organisation_name": "National Support Service Greece",
}
DUE = {"due": "2026-04-15 23:59 (Brussels)", "step": STEP}

CONTEXTS: dict[Template, dict[str, Any]] = {
    Template.RECEIPT: {
        "decide_by": "2026-05-29 23:59 (Brussels)",
        "round": "spring 2026",
        "documents": ["plan.pdf", "exhibition.png"],
        "warnings": ["The deadline had passed: your application takes part in the next round."],
    },
    Template.REVIEW_ASKED: DUE,
    Template.REVIEW_RETURNED: DUE
    | {
        "question": "How were the mixed teams formed?\nWho led them?",
        "answer": "By drawing lots, across the three schools; each team chose its own lead.",
    },
    Template.REVIEW_VOID: DUE,
    Template.INFORMATION_ASKED: DUE | {"question": "How were the mixed teams formed?"},
    Template.INFORMATION_LAPSED: DUE | {"question": "How were the mixed teams formed?"},
    Template.INFORMATION_RECEIVED: {},
    Template.ASSIGNMENT_ASKED: {
        "reasons": ["Anna Berg: own school", "Petra Lund: was asked before"],
        "step": STEP,
    },
    Template.CODE: {"purpose": "You asked for a new code; the former one is void.", "step": STEP},
    Template.AWARDED: {
        "total": "26.5",
        "maximum": "30",
        "comments": ["A project with a heart.", "Your method could serve as a model for others."],
    },
    Template.REFUSED: {
        "total": "14",
        "maximum": "30",
        "reasons": [
            "14 points; a label is awarded from 18 points.",
            "Collaboration: 1 of 5; at least 2 needed.",
        ],
        "comments": ["Let the pupils of all schools work in mixed teams."],
        "routes": ["You may apply again for this project, with what the comments propose."],
    },
    Template.INELIGIBLE: {
        "conditions": [
            {
                "problem": "The section on results has 264 words; at most 200 are allowed.",
                "remedy": "Shorten it and submit the application again.",
            },
            {"problem": "You are not a member of the project.", "remedy": "Ask its founder to add you."},
        ]
    },
    Template.WITHDRAWN: {},
    Template.APPEAL_RECEIVED: {},
    Template.DEADLINE_MOVED: DUE | {"what": "review", "reason": "The school was closed for a week."},
    Template.SCREENING_ASKED: DUE
    | {
        "year": "2026",
        "number": "2",
        "proposed": ["NQL-AAAABBBBCC · 27.5 points · Rivers", "NQL-AAAABBBBDD · 26 points · Bridges"],
        "again": False,
    },
    Template.SCREENING_LAPSED: {"year": "2026", "number": "2", "kept": False},
    Template.AWARDING_ASKED: DUE | {"year": "2026", "number": "2", "first": "ada@css.example"},
    Template.EUROPEAN_AWARDED: {"year": "2026"},
    Template.EUROPEAN_RESULT: {
        "year": "2026",
        "number": "2",
        "won": "1",
        "results": ["P-1 · Rivers: awarded", "P-2 · Bridges: not awarded. It is an advertisement."],
    },
    Template.REMINDER: DUE
    | {
        "number": 2,
        "first": "2026-04-15 23:59 (Brussels)",
        "items": [
            f"{APPLICATION} · review · Rivers that join us · by 2026-04-15 23:59 (Brussels)",
            "NQL-AAAABBBBCC · review · Bridges · by 2026-04-16 23:59 (Brussels)",
        ],
        "more": 0,
        "overdue": [
            "NQL-AAAABBBBDD · review by anna@nss.example · Lakes · was due 2026-04-07 23:59 (Brussels)"
        ],
        "more_overdue": 0,
    },
    Template.OVERDUE: {
        "number": 1,
        "overdue": [
            f"{APPLICATION} · review by anna@nss.example · Rivers · was due 2026-04-07 23:59 (Brussels)"
        ],
        "more_overdue": 0,
    },
    Template.SCHOOL_INVITED: DUE
    | {
        "holder": "Szkoła Podstawowa nr 7",
        "why": {
            "registered_on": "2020-01-01",
            "active": "2",
            "active_since": "2024-03-16",
            "project_title": "Rivers",
            "awarded_on": "2025-10-01",
        },
    },
    Template.SCHOOL_INVITATION: DUE | {"holder": "Szkoła Podstawowa nr 7"},
    Template.SCHOOL_DECLARATION: DUE
    | {
        "holder": "Szkoła nr 7",
        "by": "ewa@school.example",
        "summary": ["Are there rules? Lived: on our wall."],
    },
    Template.SCHOOL_RETURNED: DUE | {"holder": "Szkoła nr 7", "reason": "The policy is that of last year."},
    Template.SCHOOL_RECEIVED: {
        "holder": "Szkoła nr 7",
        "decide_by": "2026-06-15 23:59 (Brussels)",
        "documents": ["declaration.pdf", "policy.pdf", "safety.pdf"],
    },
    Template.SCHOOL_AWARDED: {
        "holder": "Szkoła nr 7",
        "awarded_on": "2026-06-15",
        "valid_until": "2028-06-14",
        "total": "17",
        "maximum": "20",
        "comments": ["The pupils’ radio is a find."],
    },
    Template.SCHOOL_REFUSED: {
        "holder": "Szkoła nr 7",
        "total": "9",
        "maximum": "20",
        "reasons": ["9 of 20 points; 12 are needed."],
        "comments": ["Say what the staff learned."],
        "routes": ["The next round begins on 2027-01-15."],
    },
    Template.SCHOOL_EXPIRED: DUE
    | {"holder": "Szkoła nr 7", "routes": ["The next round begins on 2027-01-15."]},
    Template.LABEL_REVOKED: {"reason": "The appeal of another member was upheld."},
    Template.PAPER_REISSUED: {
        "reason": "The name was misspelt.",
        "changes": ["Eleni Papadopulu → Eleni Papadopoulou"],
        "certificate_code": "7KQ4-M9XT-2A5B-C8DW",
    },
    Template.CLASS_REVOKED: {
        "reason": "The list was of another class.",
        "award": "NQL-AAAABBBBCC",
        "pupils": 24,
    },
    Template.PUPIL_CODE: {
        "award": APPLICATION,
        "number": "1",
        "until": "2026-03-23 09:30 (Brussels)",
        "purpose": "",
    },
    Template.SIMILARITY_WARNING: {
        "other": "NQL-AAAABBBBCC",
        "share": "64%",
        "sections": ["results", "collaboration"],
    },
}


def mail(template: Template, /, **changed: Any) -> Mail:
    """A row of the outbox that was never in a record; `context` is added to what its template needs."""
    context = {**COMMON, **CONTEXTS[template], **changed.pop("context", {})}
    reason = changed.pop("reason", f"{APPLICATION}/{template.value}")
    values: dict[str, Any] = {
        "reason": reason,
        "application": APPLICATION,
        "step": None,
        "template": template.value,
        "language": "en",
        "to_name": "Eleni Papadopoulou",
        "to_address": "eleni@school.example",
        "context": context,
        "attachment": None,
        "message_id": message_id(reason),
        "queued_at": NOW,
        "next_attempt_at": NOW,
        "attempts": 0,
    }
    return Mail(**(values | changed))
