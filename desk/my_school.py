"""The page of one's own school: may it apply and why, where its application stands, who is invited, its papers."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from adapters.documents.store import as_attachment
from desk.frame import Visit, page
from desk.parts import Mistake, why
from labels.clock import brussels_day
from labels.errors import NotAllowed, NotFound
from labels.record.schema import Outcome, School, Stage
from labels.sessions.accounts import Account
from labels.turn import Door
from labels.views import school as view
from labels.views.school import MySchool, SchoolCase
from labels.words.sentences import Sentence, say
from usecases import answering
from usecases.performing import perform

PATH = "/schools"
STAGES = (
    say("Invited"),
    say("Self-assessment"),
    say("Confirmed by the principal"),
    say("In review"),
    say("Decision"),
    say("Papers"),
)
"""The chain, from the first link to the last."""
CONDITIONS = {
    "registered": say("Registered long enough"),
    "active_teachers": say("Active teachers"),
    "national_label": say("A European project with a National Quality Label"),
}
PAPERS = {
    "invitation": say("Letter of invitation"),
    "receipt": say("Receipt"),
    "certificate": say("Certificate"),
    "letter": say("Letter"),
}


def of_a_school(account: Account) -> bool:
    """Whether somebody teaches at a school, or leads one."""
    return bool(account.schools)


def mine(visit: Visit) -> MySchool:
    """The school that this page's address names.

    Raises:
        NotFound: it is none of theirs.
    """
    with visit.here.record.reading() as session:
        return view.my_school(
            session,
            visit.account.schools,
            visit.named("school"),
            visit.here.now(),
            visit.here.settings.rules,
        )


def schools(visit: Visit) -> Response:
    """The only school of somebody; a list for whoever has several."""
    own = visit.account.schools
    if len(own) == 1:
        return visit.goes_to(f"{PATH}/{own[0]}")
    with visit.here.record.reading() as session:
        rows = [session.get_one(School, one) for one in own]
    return visit.shows("schools/schools.html.j2", schools=rows)


def show(visit: Visit) -> Response:
    """The page of a school."""
    return _shown(visit, mine(visit))


def _shown(visit: Visit, one: MySchool, mistakes: tuple[Mistake, ...] = (), status: int = 200) -> Response:
    case = one.case
    return visit.shows(
        "schools/school.html.j2",
        status,
        one=one,
        case=case,
        stages=STAGES,
        now_at=place_in_chain(case) if case else 0,
        line=standing_line(case) if case else "",
        turn=turn_of(case) if case else "",
        tag_of=tag_of,
        conditions=CONDITIONS,
        paper_names=PAPERS,
        mistakes=list(mistakes),
        leads=one.id in visit.account.leads,
        own=next((i for i in case.invited if i.person == visit.account.person), None) if case else None,
        again="again" in visit.request.query_params,
    )


def place_in_chain(one: SchoolCase) -> int:
    """Which link is in hand; behind the last where all is done."""
    if one.stage is Stage.CLOSED:
        return len(STAGES)
    if one.stage is Stage.SELF_ASSESSMENT:
        return 2 if one.handed_in else 1
    return 5 if one.stage is Stage.DECIDED else 3


def standing_line(one: SchoolCase) -> Sentence:
    """The stage and since when, in a sentence."""
    day = brussels_day(one.since)
    if one.outcome is not None:
        return {
            Outcome.AWARDED: say("The label was awarded on {day}.", day=day),
            Outcome.REFUSED: say("The label was not awarded; decided on {day}.", day=day),
            Outcome.EXPIRED: say("Nothing complete came in time; it ended on {day}.", day=day),
        }.get(one.outcome, say("It ended on {day}.", day=day))
    if one.stage is Stage.SELF_ASSESSMENT:
        if one.handed_in:
            return say("{name} handed in; the principal confirms it.", name=one.handed_in.name)
        return say("Invited on {day}.", day=day)
    if one.asked:
        return say("In review; the reviewers have a question.")
    return say("In review since {day}.", day=day)


def turn_of(one: SchoolCase) -> Sentence:
    """Whose turn it is, by their role."""
    if one.outcome is not None:
        return (
            say("Nothing is left to do.") if one.stage is Stage.CLOSED else say("Your papers are being made.")
        )
    if one.stage is Stage.SELF_ASSESSMENT:
        if one.handed_in:
            return say("It is the principal’s turn.")
        return say("It is the turn of those who were invited: one of them hands in for the school.")
    if one.asked:
        return say("It is the turn of {name}, who handed in.", name=one.asked[0])
    if one.stage is Stage.ASSIGNMENT:
        return say("It is the turn of your organisation, which looks for a reviewer.")
    return say("It is the turn of the reviewers.")


def tag_of(one: SchoolCase) -> tuple[str, Sentence]:
    """The sign of its state, and what the sign is called."""
    match one.outcome:
        case Outcome.AWARDED:
            return "label", say("awarded")
        case Outcome.REFUSED:
            return "refused", say("not awarded")
        case None:
            pass
        case _:
            return "closed", say("ended")
    if one.stage is Stage.SELF_ASSESSMENT:
        return ("waits", say("waits")) if one.handed_in else ("with-you", say("your turn"))
    return ("question", say("question")) if one.asked else ("review", say("in review"))


def act(visit: Visit) -> Response:
    """Has an invitation sent again."""
    one = mine(visit)
    step = visit.sent.line("again", 80)
    if one.case is None or step not in {i.step for i in one.case.invited if i.awaited}:
        raise NotFound("There is nothing here.")
    try:
        act = answering.send_again(step, visit.here.settings.codes_an_hour)
        perform(visit.here, act, by=visit.proof, door=Door.DESK)
    except NotAllowed as error:
        mistake = Mistake(why(visit.texts("schools/school.html.j2"), error), "invited")
        return _shown(visit, one, (mistake,), status=409)
    return visit.goes_to(visit.path, again="1")


def document(visit: Visit) -> Response:
    """A paper of the school or a file that was handed in for it, to be saved."""
    number = visit.named("document")
    if not number.isdecimal() or len(number) > 12:
        raise NotFound("There is nothing here.")
    with visit.here.record.reading() as session:
        row = view.document_for(session, visit.account.schools, visit.named("school"), int(number))
    headers = {
        "Content-Disposition": as_attachment(row.name),
        "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    }
    return Response(visit.here.documents.get(row.key), media_type=row.media_type, headers=headers)


def routes() -> list[Route]:
    """The addresses of these pages."""
    return [
        page(PATH, schools, allowed=of_a_school),
        page(f"{PATH}/{{school}}", show, act, allowed=of_a_school),
        page(f"{PATH}/{{school}}/documents/{{document}}", document, allowed=of_a_school),
    ]
