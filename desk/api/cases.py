"""What the API tells of applications: a list of them, one of them, and what happened to them."""

from __future__ import annotations

from desk.api.frame import Call, Operation
from desk.api.problems import ProblemFault, Refused, wrong
from desk.api.shapes import (
    CaseAwaits,
    CaseDecision,
    CaseDocument,
    CaseReview,
    Cases,
    CasesAsked,
    CaseShown,
    CaseStep,
    CaseSummary,
    ChangesAsked,
    ChangesTold,
    ChangeTold,
)
from desk.lists import place, place_in
from labels.errors import NotFound
from labels.kinds import LabelKind
from labels.platform.tokens import TokenScope
from labels.record.schema import Outcome, Stage, StepKind
from labels.views.applications import Filters, Key, Row
from labels.views.case import Case
from usecases import platform

NEWEST = "newest"
"""In the place of a key: what is still to come."""


def listed(call: Call) -> Cases:
    """A page of applications."""
    asked = call.asked(CasesAsked)
    after = None
    if asked.after:
        found = place_in({"after": asked.after})
        if found is None:
            raise wrong([ProblemFault(where="after", problem="is no place that a page here ended with.")])
        after = Key(*found)
    filters = Filters(
        part=asked.part,
        urgent=asked.urgent,
        labels=(asked.label,) if asked.label else (),
        stage=asked.stage,
        outcome=asked.outcome,
        organisation=asked.organisation,
        year=asked.year,
        about=asked.about,
        order=asked.order,
    )
    page = platform.cases(call.here, call.caller, filters, after, asked.limit)
    following = place(page.next.at, page.next.application) if page.next else None
    return Cases(cases=[_summary(row) for row in page.rows], matching=page.matching, next=following)


def _summary(row: Row) -> CaseSummary:
    return CaseSummary(
        number=row.application,
        label=row.label,
        organisation=row.organisation,
        country=row.country,
        language=row.language,
        teacher=row.teacher_number,
        project=row.project_number,
        school=row.school_number,
        title=row.title,
        attempt=row.attempt,
        school_year=row.year,
        stage=row.stage,
        since=row.since,
        outcome=row.outcome,
        submitted_at=row.submitted_at,
        decide_by=row.decide_by,
        decided_at=row.decided_at,
        points=row.points,
        maximum=row.maximum,
        days=row.days,
        awaits=[CaseAwaits(what=one.kind, due_at=one.due_at, late=one.late) for one in row.waits],
    )


def shown(call: Call) -> CaseShown:
    """One application."""
    return _shown(platform.case(call.here, call.caller, call.places["number"]))


def _shown(case: Case) -> CaseShown:
    return CaseShown(
        number=case.application,
        label=LabelKind(case.label),
        organisation=case.organisation,
        country=case.country,
        teacher=case.teacher,
        project=case.project,
        project_title=case.project_title,
        school=case.school,
        school_name=case.school_name,
        stage=Stage(case.stage),
        since=case.since,
        outcome=Outcome(case.outcome) if case.outcome else None,
        revoked_at=case.revoked_at,
        submitted_at=case.submitted_at,
        round=case.round,
        round_opens=case.round_opens,
        school_year=case.school_year,
        decide_by=case.decide_by,
        rules=case.rules,
        awaits=[
            CaseStep(step=one.step, what=StepKind(one.what), due_at=one.by, ends_at=one.ends)
            for one in case.awaiting
        ],
        reviews=[
            CaseReview(
                seat=one.seat,
                given_at=one.given_at,
                counts=one.void_because is None,
                points=one.scores,
                total=one.total,
                comment=one.comment,
            )
            for one in case.reviews
        ],
        decisions=[
            CaseDecision(
                instance=one.instance,
                outcome=Outcome(one.outcome),
                points=one.score,
                maximum=one.maximum,
                pass_mark=one.pass_mark,
                decided_at=one.decided_at,
                reopened=one.reopened,
                reasons=one.reasons,
                routes=one.routes,
            )
            for one in case.decisions
        ],
        documents=[
            CaseDocument(kind=one.kind, media_type=one.media_type, size=one.size) for one in case.documents
        ],
    )


def changed(call: Call) -> ChangesTold:
    """What happened after a key."""
    asked = call.asked(ChangesAsked)
    if asked.after == NEWEST:
        return ChangesTold(changes=[], next=platform.newest(call.here, call.caller), more=False)
    try:
        found = platform.changes_after(call.here, call.caller, asked.after, asked.limit)
    except NotFound:
        raise Refused(
            410, "key-gone", "This key is not known, or no more: begin anew without one; what you have already has the "
            "same numbers, kinds and instants.",
        ) from None  # fmt: skip
    return ChangesTold(
        changes=[
            ChangeTold(
                key=key,
                at=one.at,
                what=one.what,
                case=one.application,
                organisation=one.organisation,
                label=one.label,
            )
            for key, one in found.told
        ],
        next=found.next,
        more=found.more,
    )


OPERATIONS = (
    Operation(
        "GET",
        "/cases",
        TokenScope.CASES_READ,
        "Applications of the organisation, filtered and page by page.",
        listed,
        Cases,
        CasesAsked,
    ),
    Operation(
        "GET",
        "/cases/{number}",
        TokenScope.CASES_READ,
        "Where one application stands.",
        shown,
        CaseShown,
        refuses=(404,),
    ),
    Operation(
        "GET",
        "/changes",
        TokenScope.CHANGES_READ,
        "What happened to the organisation's applications, in order, after a key.",
        changed,
        ChangesTold,
        ChangesAsked,
        refuses=(410,),
    ),
)
