"""The commands of the European Quality Label's year: where it stands, its gallery, and what is taken back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from adapters.workspace import existing_workspace
from cli.output import emit, fail, say, say_plainly, table
from cli.words import AsJson, OneApplication, SeenAs, WithoutAs, WithoutCode, WithoutReason, plain, proofs
from labels.errors import Fault, InvalidInput
from labels.european_label.freezing import repeat
from labels.european_label.gallery import gallery as shown_in
from labels.people.staff import known_organisation
from labels.record.schema import Cause, Issued
from labels.reviews.scoring import in_points
from labels.revoking import correcting, redeciding, reopening
from labels.steps import proof
from labels.turn import Door
from labels.views.cycle import PREVIEW, CycleView, OrganisationView, PlaceView, ProjectView, inspect
from labels.views.looker import reach_of
from usecases import correcting as taking_back
from usecases import cycles
from usecases.performing import perform

Year = Annotated[int, typer.Argument(metavar="YEAR", help="The year in which its labels' window ends.")]


def cycle(
    year: Year,
    organisation: Annotated[
        str,
        typer.Option(metavar="ID", help="The ranking of one organisation, with its reasons.", callback=plain),
    ] = "",
    projects: Annotated[
        bool, typer.Option(help="Every project, and which half of the rule it fails.")
    ] = False,
    fairness: Annotated[
        bool, typer.Option(help="How severe each organisation is, and which nominations that makes.")
    ] = False,
    check: Annotated[bool, typer.Option(help="Make the ranking again from the record and compare.")] = False,
    email: SeenAs = "",
    as_json: AsJson = False,
) -> None:
    """Where a year of the European Quality Label stands.

    Before it has begun, what it would be.
    """
    if check and email:
        raise InvalidInput("cycle", [Fault("--check", "is the operator's; leave out --as.")])
    here = existing_workspace()
    rules = cycles.rules_of_year(here, year)
    with here.record.reading() as session:
        reach = reach_of(session, email) if email else None
        if check:
            again = repeat(session, year)
            if as_json:
                emit({"same": again.same, "same_list": again.same_list, "differing": list(again.differing)})
            elif again.same:
                say("The frozen list and every ranking are what they were.", "green")
            if not again.same:
                wrong = [Fault("list", "is not the one that was frozen.")] * (not again.same_list)
                wrong += [Fault(name, "ranks otherwise than was recorded.") for name in again.differing]
                raise InvalidInput(f"cycle {year}", wrong)
            return
        if organisation:
            known_organisation(session, organisation)
        view = inspect(session, year, rules, reach)
    if organisation:
        view.organisations = [one for one in view.organisations if one.organisation == organisation]
        if not view.organisations:
            raise InvalidInput(
                "cycle", [Fault("--organisation", f"“{organisation}” has no labels in {year}.")]
            )
    if as_json:
        emit(view)
    elif organisation:
        _tell_ranking(view.organisations[0])
    elif projects:
        _tell_projects(view.projects)
    elif fairness:
        _tell_fairness(view)
    else:
        _tell_year(view)


def _tell_year(view: CycleView) -> None:
    if view.stage == PREVIEW:
        stands = "has not begun; this is what it would be"
    else:
        stands = f"stands at {view.stage}" + (f" ({view.outcome})" if view.outcome else "")
    say_plainly(f"European Quality Label {view.year}: {stands}. Labels from {view.begins} to {view.ends}.")
    columns = [
        "organisation",
        "labels",
        "proposed",
        "screened",
        "nominated",
        "awarded",
        "stands at",
        "by",
        "awaits",
    ]
    table(
        "",
        columns,
        [
            (
                one.organisation, one.labels, one.proposed, one.screened, one.nominated, one.awarded,
                one.stage, one.deadline if one.awaiting else None, ", ".join(one.awaiting) or None,
            )
            for one in view.organisations
        ],
    )  # fmt: skip
    for one in view.organisations:
        for warning in one.warnings:
            say(f"{one.organisation}: {warning}", "yellow")
    qualifying = sum(one.qualifies for one in view.projects)
    awarded = sum(one.awarded == "awarded" for one in view.projects)
    say_plainly(f"Projects: {len(view.projects)}; {qualifying} qualify; {awarded} awarded.")
    if view.awaiting:
        say_plainly(f"The award awaits {', '.join(view.awaiting)}.")
    if view.journal:
        say_plainly(f"The journal stands at {view.journal}.")
    say("More: --organisation ID, --projects, --fairness, --check, --json")


def _tell_ranking(one: OrganisationView) -> None:
    table(
        f"{one.organisation}: {one.labels} ranked, {one.proposed} proposed",
        ["place", "label or project", "points", "screening", "why"],
        [
            (row.place, row.candidate, in_points(row.score), _screening(row), row.why)
            for row in one.ranking
        ],
    )  # fmt: skip
    for warning in one.warnings:
        say(warning, "yellow")


def _screening(row: PlaceView) -> str | None:
    if row.screened:
        return f"{row.screened}: {row.reason}" if row.reason else row.screened
    return "moved up" if row.moved_up else "proposed" if row.proposed else None


def _tell_projects(projects: Iterable[ProjectView]) -> None:
    rows = [
        (one.project, one.awarded or ("qualifies" if one.qualifies else "–"), one.reason or one.why)
        for one in projects
    ]
    table("", ["project", "stands at", "why"], rows)


def _tell_fairness(view: CycleView) -> None:
    say_plainly("Shown and never applied: every organisation's own ranking decides.")
    table(
        "",
        ["organisation", "labels", "mean", "deviation", "beside all", "as far as to be believed"],
        [
            (
                one.organisation, one.labels, f"{one.severity.mean:.2f}", f"{one.severity.deviation:.2f}",
                f"{one.severity.shift:+z.2f}", f"{one.severity.shrunken_shift:+z.2f}",
            )
            for one in view.organisations
            if one.severity
        ],
    )  # fmt: skip
    table(
        "\nWhere the country decides: in or out if the points of all countries were compared",
        ["organisation", "label or project", "proposed", "raw points", "standardised", "shrunken"],
        [
            (
                one.organisation, one.candidate, "yes" if one.proposed else "no",
                *(
                    f"{number:g} {'in' if inside else 'out'}"
                    for number, inside in (
                        (one.score, one.by_raw), (one.standardised, one.by_standardised), (one.shrunken, one.by_shrunken)
                    )
                ),
            )
            for one in view.would_change
        ],
    )  # fmt: skip


def gallery(
    year: Year,
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Where to put it; else the folder of galleries.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make the gallery of a year's awarded projects again.

    One page, and the same as JSON.
    """
    from adapters.papers.gallery import render_gallery

    here = existing_workspace()
    if folder is None:
        cycles.publish(here, year)
        folder = cycles.folder_of(here, year)
    with here.record.reading() as session:
        shown = shown_in(session, year)
    cycles.write_gallery(here, shown, folder, *render_gallery(shown))
    if as_json:
        emit(shown)
    else:
        say_plainly(str(folder / "index.html"))


# Taking back ------------------------------------------------------------------------------------

Plan = Annotated[
    str,
    typer.Option(
        "--plan",
        metavar="DIGEST",
        help="What was shown, by its digest: all of it is done, or nothing.",
        callback=plain,
    ),
]


def revoke(
    award: Annotated[
        str,
        typer.Argument(
            metavar="NUMBER|CODE", help="A label, NQL-…, EQL-… or SL-…; or a class, PQL-….", callback=plain
        ),
    ],
    email: WithoutAs = "",
    code: WithoutCode = "",
    reason: WithoutReason = "",
    plan: Plan = "",
    as_json: AsJson = False,
) -> None:
    """Take a label back, or the certificates of a class.

    Shows first what hangs on it; with --plan, --as and --code does all of it or nothing. Every paper falls with
    its label.
    """
    with existing_workspace().record.reading() as session:
        named = correcting.class_named(session, award)
        award = award if named else correcting.award_of(session, award)
    if named:
        _revoke_class(named, email, code, reason, as_json)
    else:
        _reopen(reopening.Revoked(award), email, code, reason, plan, as_json)


def _revoke_class(named: Issued, email: str, code: str, reason: str, as_json: bool) -> None:
    here = existing_workspace()
    assert named.award is not None
    with here.record.reading() as session:
        by = correcting.authority(session, named.award)
    what = f"The {named.pupils} certificates of the class are no longer valid; the label {named.award} stays."
    if done := proofs(email, code, reason):
        act = taking_back.revoke_class(named.paper, named.award, reason)
        perform(here, act, by=proof.Code(code, email), door=Door.COMMAND_LINE)
    if as_json:
        emit({"done": done, "consequences": [{"kind": "pupils", "subject": named.subject, "what": what}]})
        return
    rows = [("pupils", named.subject, what)]
    table("Done" if done else "What hangs on it", ["what", "which", "what becomes of it"], rows)
    if not done:
        say(f"To do this: labels code {by} --as EMAIL, then the same command with --as, --code and --reason")


def reopen(
    application: OneApplication,
    cause: Annotated[
        Cause,
        typer.Option(
            "--cause",
            help="conflict: somebody judged who should not have; registry: what it rested on was wrong; appeal: one was "
            "granted.",
        ),
    ],
    email: WithoutAs = "",
    code: WithoutCode = "",
    reason: WithoutReason = "",
    plan: Plan = "",
    as_json: AsJson = False,
) -> None:
    """Have a decision made again.

    Shows first what hangs on it; with --plan, --as and --code does all of it or nothing. The former decision stays in the
    record. A conflict of interest: another person takes that seat. A wrong registry: the conditions are checked anew.
    An appeal: other people judge.
    """
    _reopen(redeciding.Reopened(application, cause), email, code, reason, plan, as_json)


def strike_(
    nomination: OneApplication,
    candidate: Annotated[
        str, typer.Argument(metavar="LABEL|PROJECT", help="What was put forward.", callback=plain)
    ],
    email: WithoutAs = "",
    code: WithoutCode = "",
    reason: WithoutReason = "",
    plan: Plan = "",
    as_json: AsJson = False,
) -> None:
    """Strike a nomination after its screening.

    Shows first what hangs on it, like revoke.
    """
    _reopen(reopening.Struck(nomination, candidate), email, code, reason, plan, as_json)


def _reopen(
    subject: reopening.Subject | redeciding.Reopened,
    email: str,
    code: str,
    reason: str,
    plan: str,
    as_json: bool,
) -> None:
    here = existing_workspace()
    if not plan and (email or code or reason.strip()):
        remedy = "Nothing was done. Give the command without --as, --code and --reason: it shows the plan and its digest."
        raise InvalidInput("reopening", [Fault("--plan", "is needed, too.", remedy)])
    if not plan:
        with here.record.writing() as session:  # what is tried out in it is thrown away
            if isinstance(subject, redeciding.Reopened):
                found, by = redeciding.consequences(here.turn(session), subject), subject.application
            else:
                found = reopening.consequences(here.turn(session), subject)
                by = reopening.authority(session, subject)
        _tell_consequences(found, as_json, done=False)
        if not as_json:
            say(
                f"To do all of this: labels code {by} --as EMAIL, then the same command with --as, --code, --reason"
            )
            say(f"and --plan {found.plan}")
        return
    missing = [
        name for name, given in (("--as", email), ("--code", code), ("--reason", reason.strip())) if not given
    ]
    if missing:
        raise InvalidInput("reopening", [Fault(name, "is needed together with --plan.") for name in missing])
    by_code = proof.Code(code, email)
    if isinstance(subject, redeciding.Reopened):
        found, done = taking_back.reopen_decision(
            here, subject, plan, reason, by=by_code, door=Door.COMMAND_LINE
        )
    else:
        found, done = taking_back.reopen(here, subject, plan, reason, by=by_code, door=Door.COMMAND_LINE)
    _tell_consequences(found, as_json, done=True)
    if done.outage:
        fail(done.outage)


def _tell_consequences(found: reopening.Consequences, as_json: bool, *, done: bool) -> None:
    rows = [(one.kind, one.subject, one.what) for one in found.found]
    if as_json:
        names = ("kind", "subject", "what")
        listed = [dict(zip(names, row, strict=True)) for row in rows]
        emit({"plan": found.plan, "done": done, "consequences": listed})
        return
    table("Done" if done else "What hangs on it", ["what", "which", "what becomes of it"], rows)
