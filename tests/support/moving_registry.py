"""A registry of two countries as files that are imported again and again, and what the record makes of them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from labels.applications.conditions import NOTHING, Arrival, unmet
from labels.clock import end_of_day
from labels.record.engine import Record
from labels.registry.importing import ImportReport, import_registry
from labels.rules.loading import load_rules
from labels.school_label.preselection import CutOffs, SchoolCheck, check_schools

LABELLED = date(2025, 9, 10)
MOVED = date(2026, 3, 16)
RULES = load_rules("NSS-PL", MOVED)

FILES = {
    "organisations": """\
organisation,country,kind,name,email,language
CSS,EU,CSS,Central Support,css@x.example,en
NSS-PL,PL,NSS,Biuro,nss@pl.example,pl
NSS-PT,PT,NSS,Agência,nss@pt.example,pt
""",
    "schools": """\
school,name,country,organisation,city,registered_on,principal_name,principal_email
PL-1,Szkoła 1,PL,NSS-PL,Łódź,2015-01-08,Ewa Nowak,ewa@s1.example
PL-2,Szkoła 2,PL,NSS-PL,Żary,2015-01-08,Jan Kos,jan@s2.example
PT-1,Escola 1,PT,NSS-PT,Porto,2015-01-08,Rui Sá,rui@s3.example
""",
    "teachers": """\
teacher,name,email,school,registered_on,language
T-1,Anna Lis,anna@x.example,PL-1,2016-09-01,pl
T-2,Berta Sá,berta@x.example,PT-1,2016-09-01,pt
T-3,Celina Maj,celina@x.example,PL-2,2016-09-01,pl
""",
    "projects": """\
project,title,started_on,ended_on
P-1,Rivers,2024-09-01,2025-06-30
""",
    "members": """\
project,teacher,role,joined_on
P-1,T-1,founder,2024-09-01
P-1,T-2,founder,2024-09-01
""",
    "awards": """\
label,teacher,project,school,organisation,awarded_on,score
national,T-1,P-1,,NSS-PL,2025-09-10,24
""",
}


class Registry:
    """Files that are imported again and again, each time with what has changed."""

    def __init__(self, record: Record, folder: Path) -> None:
        self.record, self.folder, self.files = record, folder, dict(FILES)
        folder.mkdir()

    def change(self, file: str, old: str, new: str) -> None:
        """One piece of a file becomes another."""
        assert self.files[file].count(old) == 1, f"{old!r} in {file}"
        self.files[file] = self.files[file].replace(old, new)

    def imported(self, on: date = LABELLED) -> ImportReport:
        """What an import of all files says on that day."""
        for name, text in self.files.items():
            (self.folder / f"{name}.csv").write_text(text, encoding="utf-8")
        return import_registry(self.record, self.folder, on)

    def credited(self) -> set[str]:
        """The schools that a label for a European project counts for."""
        dates = CutOffs.by_rules(MOVED, RULES.school)
        with self.record.reading() as session:
            every = {
                one.school: one.conditions["national_label"].met for one in check_schools(session, dates)
            }
            for school, met in every.items():
                [alone] = check_schools(session, dates, school)
                assert alone.conditions["national_label"].met is met, "one school is told as all of them are"
        return {school for school, met in every.items() if met}

    def checked(self, school: str) -> list[SchoolCheck]:
        """What the check says of a school."""
        with self.record.reading() as session:
            return list(check_schools(session, CutOffs.by_rules(MOVED, RULES.school), school))

    def unmet(self, teacher: str = "T-1", on: date = MOVED) -> set[str]:
        """The conditions that stand between a teacher and the label for the project."""
        with self.record.reading() as session:
            arrival = Arrival(teacher, "P-1", "PL", NOTHING, end_of_day(on))
            return {one.code for one in unmet(session, arrival, RULES)}
