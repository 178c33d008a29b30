"""A process may die at any moment of an application's life: it ends once, and the same, all the same.

Every lasting effect is a moment: a transaction of the record, a document stored, a message sent, a call
that changes something in Prefect. Each story is lived once to count its moments, and then once more for
each of them, from there on: the process dies just then, a while passes, and everybody begins again.
`docs/kill-points.md` has what remained after each; write it anew with

    KILL_POINTS=write pytest tests/flows/test_kill_points.py -k page
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labels.record import Record
from labels.record.engine import open_engine
from labels.record.journal import Event
from labels.record.schema import Outcome, Stage, Step, StepKind
from labels.settings import PROJECT
from tests.support.databases import Cluster
from tests.support.killing import AFTER, BEFORE, Disk, Fate, Point
from tests.support.people import populate
from tests.support.small_world import COMMAND, FORM, Act, Moment, Story, World, review

pytestmark = pytest.mark.xdist_group("kill points")  # they share the lives that were lived

PAGE = PROJECT / "docs" / "kill-points.md"


def _question_first(step: Step) -> Act:
    if step.kind is StepKind.INFORMATION:
        return COMMAND, {"text": "They voted in mixed teams."}
    if step.seat == 1:
        asks = step.code_number == 1
        return (FORM, {"question": "How did pupils decide?"}) if asks else (COMMAND, review(4))
    return FORM, review(4)


def _one_declines_and_two_disagree(step: Step) -> Act:
    if step.number == 1:
        return COMMAND, {"decline": "No time before summer."}
    return (COMMAND if step.seat == 2 else FORM), review({1: 5, 2: 1, 3: 5}[step.seat])


def _poor_and_then_good(step: Step) -> Act:
    return (FORM if step.seat == 1 else COMMAND), review(1 if step.instance == 1 else 3)


AWARDED = Story("a question, two reviews, an award", Outcome.AWARDED, _question_first)
STORIES = [
    AWARDED,
    Story("one declines, two disagree, a third decides", Outcome.AWARDED, _one_declines_and_two_disagree),
    Story(
        "a refusal, an appeal, an award", Outcome.AWARDED, _poor_and_then_good,
        organisation="NSS-RS", country="RS", appeals=True,
    ),
    Story("withdrawn after the first review", Outcome.WITHDRAWN, lambda _: (FORM, review(4)), withdraws_with=1),
    Story(
        "conditions that are not met", Outcome.INELIGIBLE, _question_first,
        changes={"project": "P-2", "description": ""},
    ),
]  # fmt: skip

each_story = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name.replace(" ", "-"))


class Lives:
    """Lives on SQLite, one after the other in the same folder and on the same engine.

    Up to its first death a life is the usual one: it begins there, with what there was at that moment.
    """

    def __init__(self, folder: Path, template: Path) -> None:
        self._populated = folder / "populated"
        self._populated.mkdir()
        self._home = folder / "life"
        self._template = template
        self._engine = open_engine(f"sqlite:///{self._record}")
        self._disk = Disk(self._home)
        self._worlds: dict[str, tuple[World, list[Moment]]] = {}
        self._usual: dict[str, tuple[list[Point], dict[str, Any]]] = {}
        self._ended: dict[tuple[str, int], tuple[Point, str, list[str]]] = {}

    @property
    def _record(self) -> Path:
        return self._home / "record.db"

    def usual(self, story: Story) -> tuple[list[Point], dict[str, Any]]:
        """The moments and the facts of the life in which nobody dies."""
        if story.name not in self._usual:
            self._begin_with(self._people_of(story))
            fate = Fate()
            world, moments = World(story, self._home, Record(self._engine), fate), []
            fate.seen = lambda: moments.append(world.moment(self._disk))
            world.live()
            assert all(times == 1 for times in world.handed_over.values())
            self._worlds[story.name] = world, moments
            self._usual[story.name] = fate.passed, world.facts()
        return self._usual[story.name]

    def dying_at(self, story: Story, death: int) -> tuple[Point, str, list[str]]:
        """A life that is interrupted at one moment, and ends as usual: that moment, what remained, what brought it on."""
        if (story.name, death) not in self._ended:
            world = self.dying(story, {death})
            [(point, remained)] = world.deaths
            self._ended[story.name, death] = point, remained, world.since_death
        return self._ended[story.name, death]

    def dying(self, story: Story, deaths: set[int], *, prefect_is_lost: bool = False) -> World:
        """A life that is interrupted at those moments, and ends as usual."""
        passed, facts = self.usual(story)
        world, moments = self._worlds[story.name]
        first = min(deaths)
        world.go_back(self._disk, moments[first - 1], Fate(deaths, passed[:first]))
        world.live(prefect_is_lost)
        assert_as_usual(world, facts, prefect_was_lost=prefect_is_lost)
        return world

    def close(self) -> None:
        self._engine.dispose()

    def _begin_with(self, record: Path) -> None:
        self._engine.dispose()
        shutil.rmtree(self._home, ignore_errors=True)
        self._home.mkdir()
        shutil.copyfile(record, self._record)

    def _people_of(self, story: Story) -> Path:
        path = self._populated / f"{story.organisation}.db"
        if not path.exists():
            self._begin_with(self._template)
            with Record(self._engine).writing() as session:
                populate(session, story.organisation, story.country)
            self._engine.dispose()
            shutil.copyfile(self._record, path)
        return path


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Lives]:
    opened = Lives(tmp_path_factory.mktemp("lives"), sqlite_template)
    yield opened
    opened.close()


def assert_as_usual(world: World, usual: dict[str, Any], *, prefect_was_lost: bool = False) -> None:
    """One end, one decision, one certificate, one mail of each kind, a whole journal, and nothing left over."""
    facts = world.facts()
    if prefect_was_lost:
        facts["tags"] = usual["tags"]  # the run that bore them went with it
    assert facts == usual, f"died {[str(point) for point, _ in world.deaths]}"
    # A message that was handed over but not yet marked goes out again, under the same Message-ID; in the
    # folder that is the same file. Where its step was answered meanwhile, it need not.
    twice = [message for message, times in world.handed_over.items() if times > 1]
    unmarked = [point for point, _ in world.deaths if _between_sent_and_marked(point)]
    not_needed = world.not_needed()
    assert len(twice) + len(not_needed) <= len(unmarked)
    assert all(noted.startswith("Not sent again: ") for _, noted in not_needed)
    assert set(world.handed_over) == set(usual["letters"])


def _between_sent_and_marked(point: Point) -> bool:
    sent = point.when == AFTER and point.what.startswith("a message is sent")
    return sent or (point.when == BEFORE and point.what.endswith("(adapters.mail.delivery.deliver_due)"))


@pytest.mark.slow
def test_nothing_is_left_to_do_in_a_life_without_deaths(lives: Lives) -> None:
    for story in STORIES:
        _, facts = lives.usual(story)
        stage, outcome, _ = facts["end"]
        assert (stage, outcome) == (Stage.CLOSED, story.ends)
        assert len(facts["decisions"]) == 1 + story.appeals
        assert len(facts["awards"]) == (story.ends is Outcome.AWARDED)
        assert len([kind for kind, _, _ in facts["documents"] if kind == "certificate"]) == len(
            facts["awards"]
        )
        assert facts["revision"] == 0
        about_it = [paper for paper, _, _ in facts["issued"] if not paper.startswith("receipt/")]
        ended = Event.ISSUED if about_it else story.ends.value
        assert facts["first and last"] == [Event.SUBMITTED, ended, Event.CLOSED]
        papers = [
            name for kind, name, _ in facts["documents"] if kind in ("receipt", "certificate", "letter")
        ]
        assert len(facts["issued"]) == len(papers)
        assert facts["tags"] == {"stage:closed"}


def test_a_sample_of_deaths_changes_nothing(lives: Lives) -> None:
    for death in range(5, len(lives.usual(AWARDED)[0]) + 1, 40):
        lives.dying_at(AWARDED, death)


@pytest.mark.slow
@each_story
def test_dying_at_any_moment_changes_nothing(lives: Lives, story: Story) -> None:
    moments, _ = lives.usual(story)
    assert len(moments) > 40
    # Right after one step and right before the next, the same remains: the first story tries both.
    for death in range(1, len(moments) + 1, 1 if story is AWARDED else 2):
        lives.dying_at(story, death)


@pytest.mark.slow
@each_story
def test_nor_does_it_where_prefect_loses_its_whole_database_with_it(lives: Lives, story: Story) -> None:
    for death in range(1, len(lives.usual(story)[0]) + 1, 11):
        lives.dying(story, {death}, prefect_is_lost=True)


@pytest.mark.slow
@each_story
def test_nor_does_dying_again_and_again(lives: Lives, story: Story) -> None:
    moments = range(1, len(lives.usual(story)[0]) + 1)
    chance = random.Random(story.name)
    for _ in range(5):
        lives.dying(story, set(chance.sample(moments, 4)))


@pytest.mark.slow
def test_nor_on_postgresql(
    tmp_path: Path, postgresql_cluster: Cluster, postgresql_template: str, lives: Lives
) -> None:
    story = STORIES[2]
    moments, facts = lives.usual(story)
    for death in range(1, len(moments) + 1, 29):
        name = postgresql_cluster.create(postgresql_template)
        record = Record(open_engine(postgresql_cluster.url(name)))
        with record.writing() as session:
            populate(session, story.organisation, story.country)
        (tmp_path / str(death)).mkdir()
        world = World(story, tmp_path / str(death), record, Fate({death}))
        world.live()
        assert_as_usual(world, facts)
        record.engine.dispose()
        postgresql_cluster.drop(name)


@pytest.mark.slow
def test_the_page_says_what_remained_after_each(lives: Lives) -> None:
    page = _page(lives)
    if os.environ.get("KILL_POINTS") == "write":
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page, "write it anew: see the top of this file"


# The page ---------------------------------------------------------------------------------------

WORDS = {
    "usecases.applying.<listcomp>": "a file of evidence is stored",
    "a document is stored (usecases.applying.submit_file)": "the application file is stored",
    "the record is written (usecases.applying.submit_file)": "the application enters the record",
    "adapters.mail.delivery._claim": "a message is claimed",
    "adapters.mail.delivery.deliver_due": "the message is noted as sent",
    "adapters.prefect.runs.start_one": "the run is noted in the record",
    "usecases.running.replace": "the lost run is given up",
    "tasks.process.register": "the run takes the application up",
    "tasks.national.conditions_met": "the conditions are checked",
    "usecases.likeness.look_for_likeness": "it is looked for what the application reads like",
    "tasks.process.asked": "the next people are asked",
    "usecases.resuming.take_answer": "the form's answer is taken",
    "usecases.resuming._note_forgotten": "the deletion is noted in the record",
    "usecases.performing.perform": "`labels answer` is taken",
    "tasks.national.decide": "the decision is made",
    "a document is stored (adapters.papers.issuing.store)": "a paper is stored",
    "the record is written (adapters.papers.issuing.issue)": "the paper is noted in the record",
    "tasks.process.close": "the application is closed",
}
"""What a moment is called on the page; one that has no words is called by its function."""

INTRODUCTION = """\
# What remains when a process is killed, and what brings it on

Everything that lasts happens in steps that take effect at once or not at all: a transaction of the record, a
document stored, a message sent, a call that changes something in Prefect. This page is written by
`tests/flows/test_kill_points.py`, which lives an application's life once for each gap between two such steps,
ends the process in the gap, lets five minutes pass, and lets everybody begin again: the person with the same
command, the worker with what is scheduled, upkeep with `recover` and the mail. A form is filled in, a command
is given, codes are read in the mail. Afterwards the record, the documents, the mail folder and Prefect must
hold exactly what they hold after a life without a kill: one end, one decision, one certificate, one mail of
each kind, a journal without a gap or a repetition, no run left over. The test compares this page with what it
saw.

"""

AFTERWARDS = """
Every one of these {rows} gaps ended like the life without a kill. So did, on every run of the tests:

{others}

Where a message was sent and not yet noted as sent, it is sent once more under the same Message-ID: in a folder
that is the same file, over SMTP the recipient's mailbox can tell. Where its step has been answered meanwhile it
is not sent again, and the journal says so.

`tests/e2e/test_kills.py` kills the processes of a real server and a real worker.
"""


def _page(lives: Lives) -> str:
    rows = _rows(lives)
    table = [
        "| | killed after … | … and before | what remained | what brought it on |",
        "|--:|---|---|---|---|",
    ]
    table += [f"| {number} | {' | '.join(row)} |" for number, row in enumerate(rows, 1)]
    others = [
        f"- *{story.name}*, before each of its {len(lives.usual(story)[0]) // 2} steps"
        + (", and after each" if story is AWARDED else "")
        + "; and with Prefect's whole database lost as well, at every eleventh of these moments;"
        for story in STORIES
    ]
    others.append("- each of them with four kills at moments chosen by lot, five times;")
    others.append(f"- on PostgreSQL, *{STORIES[2].name}* at every 29th moment.")
    return (
        INTRODUCTION
        + f"The story: *{AWARDED.name}*. “Mail 1 of 2” means that one of two messages is noted as sent.\n\n"
        + "\n".join(table)
        + "\n"
        + AFTERWARDS.format(rows=len(rows), others="\n".join(others))
    )


def _rows(lives: Lives) -> list[list[str]]:
    """The gaps between two steps: which two, what remained of a death there, and what brought it on."""
    moments, _ = lives.usual(AWARDED)
    rows: list[list[str]] = []
    for death in range(1, len(moments) + 1):
        point, remained, brought_on = lives.dying_at(AWARDED, death)
        seen = [remained, ", ".join(brought_on) or "it went on by itself"]
        if point.when == BEFORE and rows and rows[-1][2:] == seen:
            rows[-1][1] = _words(point.what)
        elif point.when == BEFORE:
            rows.append(["–", _words(point.what), *seen])
        else:
            rows.append([_words(point.what), "–", *seen])
    return rows


def _words(what: str) -> str:
    asker = what.partition("(")[2].rstrip(")")
    return WORDS.get(what) or WORDS.get(asker) or what
