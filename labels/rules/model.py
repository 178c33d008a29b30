"""What a rule file can say: every value a rule knows, each with its source."""

from __future__ import annotations

import functools
import hashlib
import json
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

from labels.kinds import Wish

T = TypeVar("T")

Source = Annotated[str, Field(pattern=r"^(brief|assumption|found: .+)$")]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
CriterionId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
Wording = Annotated[str, Field(min_length=1, max_length=1_000)]
Number = Annotated[int, Field(strict=True, ge=0, le=10_000)]
"""A whole number as a number: neither `"18"` nor `true`, which YAML writes so easily."""
Positive = Annotated[int, Field(strict=True, ge=1, le=10_000)]
Days = Annotated[int, Field(strict=True, ge=1, le=366)]
Weight = Annotated[int, Field(strict=True, ge=0, le=100)]
"""What a drawback costs, beside others."""


class Rule(BaseModel):
    """A part of a rule file: nothing unknown is accepted, and nothing changes once it is loaded."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sourced(Rule, Generic[T]):
    """A value and where it comes from: `brief`, `assumption`, or `found: …` and the place."""

    value: T
    source: Source


def holds(rule: Sourced[bool] | None) -> bool:
    """Whether a rule that came later says yes; it says nothing where it is absent."""
    return rule is not None and rule.value


class Criterion(Rule):
    """One thing that reviewers give points for."""

    id: CriterionId
    name: Wording
    meaning: Wording
    """One sentence by which a reviewer can tell few points from many."""
    maximum: Annotated[int, Field(strict=True, ge=1, le=100)]
    minimum: Number = 0
    """Knock-out: a merged score below it refuses the application, whatever the total. 0: none."""
    part_of: CriterionId | None = None
    """For a sub-criterion, the criterion that it looks at more closely. It has points of its own, which
    count against its minimum and not towards the total, and no section of its own in the form."""


class CriteriaSet(Rule):
    """The criteria of one time and place, and what the points mean."""

    id: Identifier
    name: Wording
    source: Source
    points: dict[int, Wording]
    """What each number of points means, from 0 to the highest maximum."""
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]

    @functools.cached_property
    def counted(self) -> tuple[Criterion, ...]:
        """The criteria whose points make the total, each of which is a section of the form."""
        return tuple(criterion for criterion in self.criteria if criterion.part_of is None)

    @functools.cached_property
    def maximum(self) -> int:
        """The most points that an application can reach."""
        return sum(criterion.maximum for criterion in self.counted)

    def get(self, criterion: str) -> Criterion:
        """The criterion of that id; raises KeyError where the set has none."""
        return {one.id: one for one in self.criteria}[criterion]


class CalendarKind(StrEnum):
    """Whether labels are awarded all year or in rounds."""

    ROLLING = "rolling"
    ROUNDS = "rounds"


class Late(StrEnum):
    """What becomes of an application that arrives when no round is open."""

    REFUSE = "refuse"
    ROLL_OVER = "roll_over"


class Merge(StrEnum):
    """How several reviewers' points become one score."""

    MEAN = "mean"
    MEDIAN = "median"


class ThirdVoice(StrEnum):
    """How the points count once somebody was called beyond those who are always asked."""

    MEAN = "mean"
    MEDIAN = "median"
    NEAREST_TWO = "nearest_two"
    """The mean of the two whose totals are nearest each other; of all where several pairs are equally near."""
    THIRD = "third"
    """Whoever was called last decides alone."""


class Precondition(StrEnum):
    """What an applicant declares with a yes (found in NSS pages)."""

    SHARED_PLAN = "shared_plan"
    FINISHED = "finished"
    CONTRIBUTED = "contributed"
    COLLABORATIVE = "collaborative"
    SAFE = "safe"


class RoundDates(Rule):
    """A round as it comes back each year: `MM-DD` or `MM-DD HH:MM`, in Brussels.

    Without a time it opens at 00:00 and closes, or is decided, at 23:59; a closing minute is included.
    """

    name: Wording
    opens: str
    closes: str
    decided_by: str


class CalendarRules(Rule):
    """When applications are taken and by when they are decided."""

    kind: Sourced[CalendarKind]
    working_days: Sourced[dict[Annotated[int, Field(ge=1, le=12)], Days]] | None = None
    """For rolling calendars: month of submission (1–12) → working days until the decision."""
    rounds: Sourced[tuple[RoundDates, ...]] | None = None
    late: Sourced[Late]


class WishWeights(Rule):
    """What a choice costs by what the reviewer said."""

    yes: Weight
    maybe: Weight
    none: Weight
    rather_not: Weight

    def of(self, wish: Wish) -> int:
        """What this wish costs."""
        cost: int = getattr(self, wish.value)
        return cost


class AssignmentRules(Rule):
    """What counts when reviewers are chosen, once nobody has a conflict of interest and loads are as even as can be.

    Weights are added up, and the least sum is chosen. What the record does not know of a reviewer or an application
    costs nothing.
    """

    together: Sourced[StrictBool]
    """Applications wait until a coordinator assigns reviewers to all that came in; else each is assigned at once."""
    wishes: Sourced[WishWeights]
    language: Sourced[Weight]
    """For a reviewer who does not read the application's language."""
    subject: Sourced[Weight]
    """For a reviewer who shares no subject with the applicant."""
    age: Sourced[Weight]
    """For a reviewer who does not teach pupils of that age."""
    same_school: Sourced[Weight]
    """For each further reviewer of one school at one application."""
    one_sided: Sourced[Weight]
    """Where all reviewers of an application are experienced, or all are new."""
    experienced_from: Sourced[Positive]
    """Reviews that somebody has given before they count as experienced."""
    judged_partner: Sourced[Annotated[int, Field(strict=True, ge=-100, le=100)]]
    """For a reviewer who judged another application of the same project; below 0: that is preferred."""


class LateReviewRules(Rule):
    """What a passed deadline of a review does, besides telling a coordinator once; without these the review stays open."""

    pauses: Sourced[tuple[Days, ...]]
    """Calendar days from the deadline's day to the first reminder of the reviewer, from it to the second, and so on; the
    last pause comes again and again. None: the reviewer is reminded no more."""
    tell_every: Sourced[Annotated[int, Field(strict=True, ge=0, le=366)]]
    """Calendar days after which a coordinator is told again, as long as it is late; 0: once is enough."""
    ends_after: Sourced[Annotated[int, Field(strict=True, ge=0, le=366)]] | None = None
    """Working days after the deadline with which the review ends unanswered; absent: it never does, and a late answer
    counts."""
    others: Sourced[Number] | None = None
    """How many others are asked, one after another, for the seat of a review that ended so; absent: none."""
    enough: Sourced[Positive] | None = None
    """From how many reviews on the application is decided while such a seat stays empty; absent: it is not, and a
    coordinator finds a reviewer."""

    @property
    def most_others(self) -> int:
        """How many others are asked for a seat."""
        return self.others.value if self.others else 0


class Chooser(StrEnum):
    """Who chooses a reviewer."""

    RULES = "rules"
    COORDINATOR = "coordinator"


class AdditionalRules(Rule):
    """Reviewers whom a coordinator calls beyond those whom the rules call."""

    most: Sourced[Annotated[int, Field(strict=True, ge=1, le=50)]]
    """How many of one application, as long as it is not decided."""
    chosen_by: Sourced[Chooser]
    """Who chooses, where the coordinator who calls names nobody."""


class DecidedBy(StrEnum):
    """Who decides on an application once its reviews are in."""

    RULES = "rules"
    COORDINATOR = "coordinator"
    """A coordinator, who may also call one more reviewer where the rules allow it."""


class ReviewRules(Rule):
    """How many people judge, by when, and when one more is called."""

    reviewers: Sourced[Annotated[int, Field(strict=True, ge=1, le=5)]]
    most_reviewers: Sourced[Annotated[int, Field(strict=True, ge=1, le=7)]]
    due_days: Sourced[Days]
    """Working days that a reviewer has."""
    information_days: Sourced[Days]
    """Working days that an applicant has to answer a question."""
    merge: Sourced[Merge]
    third_voice: Sourced[ThirdVoice] | None = None
    """How they become one once one more reviewer was called; as `merge` says where it is absent."""
    disagreement: Sourced[Number]
    """Two totals further apart than this call one more reviewer."""
    border: Sourced[Number]
    """A merged total within so many points of the pass mark calls one more reviewer; 0: never."""
    former_school_years: Sourced[Number] | None = None
    """For how many years a school that somebody left counts as theirs in conflicts of interest; 0: not at all. Absent
    from rules that were stored before there was this one."""
    assignment: AssignmentRules | None = None
    """What counts when reviewers are chosen beside conflicts and loads; absent from rules that were stored before there was
    this."""
    late: LateReviewRules | None = None
    """What a passed deadline of a review does; absent: it stays open, and a coordinator is told once."""
    additional: AdditionalRules | None = None
    """Reviewers by a coordinator's choice; absent: the rules alone call reviewers."""
    decided_by: Sourced[DecidedBy] | None = None
    """Absent: the rules decide by the points."""
    link_days: Sourced[Days]
    """Days for which a reviewer's links to documents work."""
    code_attempts: Sourced[Positive]
    """Wrong codes before a new one is mailed and the old one is void."""

    @property
    def by_a_person(self) -> bool:
        """Whether a coordinator decides."""
        return self.decided_by is not None and self.decided_by.value is DecidedBy.COORDINATOR

    @property
    def fewest(self) -> int:
        """With how many reviews an application can be decided, at least."""
        if self.late is not None and self.late.enough is not None:
            return self.late.enough.value
        return 1 if self.by_a_person else self.reviewers.value


class Limits(Rule):
    """How much, how often, and what is asked for."""

    per_school_year: Sourced[Positive]
    """Applications of one teacher between 1 September and 31 August."""
    european_only: Sourced[StrictBool]
    """Only projects whose founders are from two countries."""
    description_words: Sourced[Positive]
    section_words: Sourced[Positive]
    upload_mib: Sourced[Positive]
    uploads_mib: Sourced[Positive]


class ReapplicationRules(Rule):
    """Whether a teacher may apply again for the same project after a refusal."""

    times: Sourced[Number]
    name_criteria: Sourced[StrictBool]
    """The new application must name the criteria and where the evidence is (found: ES)."""


Share = Annotated[str, Field(pattern=r"^([1-9]\d{0,3}/[1-9]\d{0,3}|[1-9]\d?%|100%)$")]
"""A part of a whole, `1/3` or `30%`; a number such as 0.33 would not say what is meant."""


def share_of(share: str) -> Fraction:
    """A share as a number: `1/3` or `30%`."""
    return Fraction(int(share[:-1]), 100) if share.endswith("%") else Fraction(share)


class LikenessRules(Rule):
    """From when on two applications read alike, section by section; what follows is a notice, never a verdict."""

    share: Sourced[Share]
    """Of the words of the shorter of two sections, how many stand in passages that the other has too."""
    passage: Sourced[Annotated[int, Field(strict=True, ge=16, le=1000)]]
    """So many words in a row are enough by themselves, however long the sections are."""
    everybodys: Sourced[Annotated[int, Field(strict=True, ge=2, le=50)]]
    """A phrase that stands in the applications of so many other projects is everybody's, and counts for nothing."""


LIKENESS = LikenessRules.model_validate(
    {
        "share": {"value": "50%", "source": "assumption"},
        "passage": {"value": 40, "source": "assumption"},
        "everybodys": {"value": 10, "source": "assumption"},
    }
)
"""For applications that keep rules from before there were these."""


class NationalRules(Rule):
    """All rules of the National Quality Label of one organisation."""

    criteria: Sourced[Identifier]
    """The id of the criteria set."""
    preconditions: Sourced[tuple[Precondition, ...]]
    """What must be answered with yes."""
    pass_mark: Sourced[Number]
    criterion_minimum: Sourced[Number]
    """No criterion of the total below this."""
    knock_outs: Sourced[dict[CriterionId, Number]] | None = None
    """Criterion → fewest points, where an organisation asks for more than the criteria set does."""
    calendar: CalendarRules
    review: ReviewRules
    limits: Limits
    reapplication: ReapplicationRules
    likeness: LikenessRules | None = None
    """Absent from rules that were stored before there were these: then `LIKENESS` counts."""
    appeal_days: Sourced[Number]
    """Calendar days after the decision in which an appeal may be lodged; 0: no appeal."""


class Unit(StrEnum):
    """What an organisation ranks: its labels one by one, or the projects that they were given for."""

    AWARDS = "awards"
    PROJECTS = "projects"


class Rounding(StrEnum):
    """What becomes of the fraction when a share of a number is no whole number."""

    UP = "up"
    NEAREST = "nearest"
    """Halves go up."""
    DOWN = "down"


class Ties(StrEnum):
    """What becomes of those with equal points where the share ends between them."""

    TOGETHER = "together"
    """All of them go in."""
    APART = "apart"
    """None of them goes in."""
    CHAIN = "chain"
    """The chain of the rules tells them apart; those that it can't tell apart go in together."""


class Together(StrEnum):
    """What a project needs several of."""

    PARTNERS = "partners"
    """Teachers with a National Quality Label for it."""
    SCHOOLS = "schools"
    """Schools at which a teacher won one: two colleagues of one school are one partner."""
    COUNTRIES = "countries"
    """Countries in which a teacher has one."""


class Average(StrEnum):
    """How the points of a project's labels become one score, where projects are ranked."""

    LABELS = "labels"
    """Every label counts the same."""
    COUNTRIES = "countries"
    """The mean of a country's labels counts the same as that of any other country."""


class Unanswered(StrEnum):
    """What an organisation puts forward that has not screened its proposal by the deadline."""

    NOTHING = "nothing"
    PROPOSAL = "proposal"
    """The proposal as it stands."""


LanguageCode = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
DayOfYear = Annotated[str, Field(pattern=r"^\d\d-\d\d$")]
EARLIER = "earlier"
"""In a chain of ties: who applied earlier goes before."""


class WindowDates(Rule):
    """The labels that a cycle takes: those awarded from one day to another, `MM-DD`, both included.

    The cycle of a year ends in that year; a window that begins later in the year than it ends begins in
    the year before.
    """

    begins: DayOfYear
    ends: DayOfYear


class EuropeanRules(Rule):
    """The rules of the European Quality Label.

    What is ranked, put forward and screened follows the rules of each organisation; the window, what a
    project needs and the award follow those of the Central Support Service.
    """

    window: Sourced[WindowDates]
    unit: Sourced[Unit]
    share: Sourced[Share]
    """Of all its labels (or projects) in the window, how many an organisation puts forward at most."""
    rounding: Sourced[Rounding]
    ties: Sourced[Ties]
    tie_chain: Sourced[tuple[CriterionId, ...]]
    """Criteria whose points tell equals apart, the first before the second; or `earlier`."""
    above: Sourced[Number]
    """Only what has more points than this is put forward; 0: no such mark."""
    together: Sourced[Together]
    at_least: Sourced[Annotated[int, Field(strict=True, ge=1, le=20)]]
    """How many labelled partners, schools or countries a project needs."""
    european_only: Sourced[StrictBool] | None = None
    """Projects whose founders (two at least) are known to be all of one country, as are all labels for them, are neither
    put forward nor qualify. This rule and the next three are absent from rules that were stored before there were
    these: then nothing of it holds."""
    tie_bound: Sourced[Share] | None = None
    """Of all its labels (or projects), how many go in at most where equals go in together; beyond it the chain tells
    them apart, and those that it can't tell apart stay out."""
    average: Sourced[Average] | None = None
    await_others: Sourced[StrictBool] | None = None
    """Where projects are ranked: one for which an application is open elsewhere shows no average and is not put forward."""
    screening_days: Sourced[Days]
    """Working days that an organisation has to screen its proposal."""
    at_deadline: Sourced[Unanswered]
    move_up: Sourced[StrictBool]
    """The next in rank takes the place of one that was struck, and is screened in turn."""
    awarding_days: Sourced[Days]
    """Working days that the Central Support Service has to award; nothing happens by itself after them."""
    four_eyes: Sourced[StrictBool]
    """Two different people must award the same."""


class PupilRules(Rule):
    """The rules of the Pupil Quality Label."""

    most_names: Sourced[Annotated[int, Field(strict=True, ge=1, le=500)]]
    """Names on one list; they are in memory together."""
    code_days: Sourced[Days]
    """Days for which the code works that a teacher asked for."""
    code_attempts: Sourced[Positive]
    """Wrong codes before a new one is mailed and the old one is void."""


class PreselectionRules(Rule):
    """The three conditions of the School Label's automatic check.

    A round counts its years back from the day of the check unless it publishes dates of its own. One
    check looks at all of Europe: it goes by the rules of the Central Support Service.
    """

    registered_years: Sourced[Positive]
    """A school must have been registered for more than so many years."""
    registered_before: Sourced[date] | None = None
    """A published date in place of those years: the first day on which it was too late to register."""
    active_teachers: Sourced[Positive]
    """How many teachers must have been active."""
    active_years: Sourced[Positive]
    active_since: Sourced[date] | None = None
    """A published first day, in place of those years, on which being active counts."""
    label_years: Sourced[Positive]
    labelled_since: Sourced[date] | None = None
    """A published first day, in place of those years, on which a National Quality Label counts."""


class Counted(StrEnum):
    """What of a school's registry rows can meet a requirement by itself."""

    COLLABORATING_TEACHERS = "collaborating_teachers"
    """Teachers who are members of a project with another teacher of the school."""
    PROJECTS = "projects"
    TRAINED_TEACHERS = "trained_teachers"
    """Teachers with a learning event, a seminar or a workshop."""


class SchoolDocument(StrEnum):
    """The documents that a school hands in with its self-assessment; a file's name begins with one of them."""

    SAFETY = "safety"
    """On the responsible use of the Internet."""
    POLICY = "policy"
    """The school's policy or plan that names eTwinning."""
    DECLARATION = "declaration"
    """The application, signed by the principal."""


class SelfQuestion(Rule):
    """One question that a school answers about itself: a level, and the words that show it."""

    id: CriterionId
    pillar: CriterionId
    text: Wording
    weight: Positive


class Requirement(Rule):
    """What a school must show besides its answers."""

    id: Annotated[str, Field(pattern=r"^[A-Z]$")]
    text: Wording
    counts: Counted | None = None
    """What of the confirmed rows meets it by itself, from `at_least` on."""
    at_least: Positive | None = None
    document: SchoolDocument | None = None
    """The document that shows it."""


class SelfAssessmentRules(Rule):
    """The questions of a round's self-assessment, what their levels mean, and what reviewers give points for."""

    id: Identifier
    name: Wording
    source: Source
    levels: Annotated[dict[int, Wording], Field(min_length=2)]
    """What a school can say of itself, from 0 on."""
    threshold: Annotated[int, Field(strict=True, ge=0, le=100)]
    """Per cent of the weighted levels from which a self-assessment can be handed in."""
    pass_mark: Number
    """The reviewers' points from which the label is awarded."""
    points: dict[int, Wording]
    pillars: Annotated[tuple[Criterion, ...], Field(min_length=1)]
    questions: Annotated[tuple[SelfQuestion, ...], Field(min_length=1)]
    requirements: tuple[Requirement, ...]
    plan: Wording | None = None
    """What a school is asked about the time of the label in each pillar; it plans nothing where it is absent."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        pillars = {pillar.id for pillar in self.pillars}
        if sorted(self.levels) != list(range(len(self.levels))):
            raise ValueError("levels are numbered from 0 on, without a gap")
        if strange := {question.pillar for question in self.questions} - pillars:
            raise ValueError(f"no pillar is called {', '.join(sorted(strange))}")
        if bare := pillars - {question.pillar for question in self.questions}:
            raise ValueError(f"no question asks about {', '.join(sorted(bare))}")
        asked = [(question.pillar, question.id) for question in self.questions]
        if len(set(asked)) < len(asked):
            raise ValueError("a question stands twice in its pillar")
        if len({one.id for one in self.requirements}) < len(self.requirements):
            raise ValueError("a requirement stands twice")
        for one in self.requirements:
            if (one.counts is None) != (one.at_least is None):
                raise ValueError(
                    f"requirement {one.id} names what it counts and at least how many, or neither"
                )
        if self.pass_mark > sum(pillar.maximum for pillar in self.pillars):
            raise ValueError("the pass mark is above all points together")
        return self

    @property
    def criteria_set(self) -> CriteriaSet:
        """The pillars as reviewers give points for them."""
        return CriteriaSet(
            id=self.id, name=self.name, source=self.source, points=self.points, criteria=self.pillars
        )


class ValidityBy(StrEnum):
    """From when until when a School Label is valid."""

    AWARD = "award"
    """From the day of its award on, or where it renews one that has not ended, from the day after that one's last."""
    CALENDAR_YEARS = "calendar_years"
    """From 1 January of the round's year on."""
    SCHOOL_YEARS = "school_years"
    """From 1 September of the round's year on."""
    DATES = "dates"
    """From one published day to another."""


class Validity(Rule):
    """How the days of a School Label are counted: the number of years is `certificate_years`, or dates say both days."""

    by: ValidityBy
    begins: date | None = None
    ends: date | None = None

    @model_validator(mode="after")
    def _has_its_dates(self) -> Self:
        dates = [day for day in (self.begins, self.ends) if day is not None]
        if len(dates) != (2 if self.by is ValidityBy.DATES else 0):
            raise ValueError("begins and ends are named together, with “by: dates” alone")
        if dates and dates[0] > dates[1]:
            raise ValueError(f"it ends on {dates[1]}, before it begins on {dates[0]}")
        return self


class SchoolRules(Rule):
    """The rules of the School Label."""

    preselection: PreselectionRules
    opens: Sourced[DayOfYear]
    """The day of the year on which a round begins, as those are informed who missed one (schedule: prefect.yaml)."""
    self_assessment: Sourced[Identifier]
    """The questions, by the name of their file."""
    answer_days: Sourced[Positive]
    """Calendar days that invited schools have for their self-assessment, to the end of the last, in Brussels."""
    answer_by: Sourced[date] | None = None
    """A published last day, in place of those days."""
    national_answer_by: Sourced[date] | None = None
    """An organisation's own last day within the round, in place of the round's; one that was over when the round began is
    of an earlier round. This rule and the next two are absent from rules that were stored before there were these."""
    validity: Sourced[Validity] | None = None
    """How the days of a label are counted; from its award on where it is absent."""
    renewal: Sourced[StrictBool] | None = None
    """Who holds a label that ends before those of the round begin is invited; else nobody who holds one is."""
    decision_days: Sourced[Days]
    """Working days from the receipt of an application until its decision."""
    certificate_years: Sourced[Positive]
    """For how many years a label is valid."""


class ReminderRules(Rule):
    """When people are reminded of what is awaited of them, and coordinators of what is overdue."""

    days_before: Sourced[tuple[Days, ...]]
    """Calendar days before a deadline's day, in Brussels; on each a reminder of its own."""
    overdue_days: Sourced[Days]
    """Calendar days after a deadline's day; then a coordinator is informed, once."""
    from_hour: Sourced[Annotated[int, Field(strict=True, ge=0, le=23)]]
    """The hour of the day, in Brussels, before which nothing of this goes out."""


class PaperRules(Rule):
    """How certificates and letters are written."""

    languages: Sourced[tuple[LanguageCode, ...]]
    """The organisation's own languages: the first that has a catalogue is taken where the applicant's has none."""
    signed: Sourced[bool] | None = None
    """Whether nothing is issued without a signature; absent from rules that were stored before there was this one."""


_LATER = (
    ("national", "review", "third_voice"),
    ("national", "review", "former_school_years"),
    ("national", "review", "assignment"),
    ("national", "review", "late"),
    ("national", "review", "additional"),
    ("national", "review", "decided_by"),
    ("national", "likeness"),
    ("european", "european_only"),
    ("european", "tie_bound"),
    ("european", "average"),
    ("european", "await_others"),
    ("school", "national_answer_by"),
    ("school", "validity"),
    ("school", "renewal"),
    ("self_assessment", "plan"),
    ("papers",),
    ("papers", "signed"),
)
"""Rules that came later, optional: what was stored without them has the digest that it had."""


class RuleEdition(Rule):
    """The rules in force for one organisation: what an application keeps for good."""

    edition: str
    """The folder's name: the campaign year, `2026`."""
    organisation: str
    in_force_from: date
    criteria_set: CriteriaSet
    national: NationalRules
    european: EuropeanRules
    pupil: PupilRules
    school: SchoolRules
    reminders: ReminderRules
    papers: PaperRules | None = None
    """Absent from the rules that were stored before papers had languages: then English is all there is."""
    self_assessment: SelfAssessmentRules | None = None
    """Only in the rules that a school's application keeps: the questions that it answers."""

    @property
    def version(self) -> str:
        """As people name it: `2026/NSS-CZ`."""
        return f"{self.edition}/{self.organisation}"

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 over every value: two editions are the same only if all of it is."""
        return hashlib.sha256(
            json.dumps(self.to_json(), sort_keys=True, ensure_ascii=False).encode()
        ).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The whole edition as a JSON value, to be stored with the applications that it governs."""
        body = self.model_dump(mode="json")
        for *within, name in _LATER:
            part: dict[str, Any] | None = body
            for key in within:
                part = part.get(key) if part else None
            if part and part[name] is None:
                del part[name]
        return body

    @property
    def likeness(self) -> LikenessRules:
        """From when on two applications read alike."""
        return self.national.likeness or LIKENESS

    @property
    def must_be_signed(self) -> bool:
        """Whether certificates and letters are issued with a signature or not at all."""
        return self.papers is not None and self.papers.signed is not None and self.papers.signed.value

    def minimum(self, criterion: Criterion) -> int:
        """The points below which a criterion alone refuses the application; 0: none."""
        rules = self.national
        general = rules.criterion_minimum.value if criterion.part_of is None else 0
        own = rules.knock_outs.value.get(criterion.id, 0) if rules.knock_outs else 0
        return max(criterion.minimum, general, own)

    def for_schools(self, questions: SelfAssessmentRules) -> RuleEdition:
        """The same rules as a school's application is judged by: reviewed like a teacher's, by the pillars."""
        national = self.national.model_dump(mode="json") | {
            "pass_mark": {"value": questions.pass_mark, "source": questions.source},
            "criterion_minimum": {"value": 0, "source": questions.source},
            "knock_outs": None,
        }
        return RuleEdition.model_validate(
            self.to_json()
            | {
                "criteria_set": questions.criteria_set.model_dump(mode="json"),
                "self_assessment": questions.model_dump(mode="json"),
                "national": national,
            }
        )

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> RuleEdition:
        """The edition as it was stored."""
        return cls.model_validate(body)
