"""A small sound registry as files, and changes to them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from labels.errors import InvalidInput
from labels.record.engine import Record
from labels.record.schema import Base
from labels.registry.files import registry_files
from labels.registry.importing import import_registry

TODAY = date(2026, 3, 16)

SOUND = {
    "organisations.csv": """\
organisation,country,kind,name,email,language
CSS,EU,CSS,Central Support,css@x.example,en
NSS-PL,PL,NSS,"Narodowe Biuro, Polska",nss@pl.example,pl
""",
    "schools.csv": """\
school,name,country,organisation,city,registered_on,principal_name,principal_email
S-1,Szkoła nr 1,PL,NSS-PL,Łódź,2015-01-08,Ewa Nowak,ewa@s1.example
S-2,Szkoła nr 2,PL,NSS-PL,Żary,2016-01-08,Jan Kos,jan@s2.example
""",
    "teachers.csv": """\
teacher,name,email,school,registered_on,language
T-1,Ελένη Ζέρβα,eleni@s1.example,S-1,2020-09-01,el
T-2,Олена Шевченко,olena@s2.example,S-2,2021-09-01,uk
""",
    "projects.csv": """\
project,title,started_on,ended_on
P-1,Rivers,2024-09-01,2025-06-30
P-2,Bridges,2025-09-01,
""",
    "members.csv": """\
project,teacher,role,joined_on
P-1,T-1,founder,2024-09-01
P-1,T-2,founder,2024-09-02
P-2,T-1,partner,2025-10-01
""",
    "activities.csv": """\
activity,teacher,kind,title,on,confirmed
A-1,T-1,workshop,Podcasts,2025-01-15,true
A-2,T-2,group,Rural schools,2025-02-15,false
""",
    "staff.csv": """\
email,name,organisation,role,language,school
ada@x.example,Ada Lis,NSS-PL,reviewer,pl,S-2
ada@x.example,Ada Lis,NSS-PL,coordinator,pl,
""",
    "awards.csv": """\
label,teacher,project,school,organisation,awarded_on,score
national,T-1,P-1,S-1,NSS-PL,2025-09-10,21.5
school,,,S-2,CSS,2025-02-01,
""",
}

ROWS = 17


def write(folder: Path, **files: str | bytes | None) -> Path:
    """Writes the sound files, with others in the place of those named (`None` for no file)."""
    folder.mkdir(exist_ok=True)
    for name, text in {**SOUND, **{f"{name}.csv": text for name, text in files.items()}}.items():
        if text is None:
            (folder / name).unlink(missing_ok=True)
        else:
            (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def changed(file: str, old: str, new: str) -> str:
    """The text of a sound file with one piece of it changed."""
    text = SOUND[f"{file}.csv"]
    assert text.count(old) == 1, f"{old!r} is in {file}.csv {text.count(old)} times"
    return text.replace(old, new)


def faults_of(record: Record, folder: Path) -> dict[str, str]:
    """What an import objects to, by where; fails where it objects to nothing or changes anything."""
    before = everything(record)
    with pytest.raises(InvalidInput) as refused:
        import_registry(record, folder, TODAY)
    assert everything(record) == before, "something was changed"
    faults = refused.value.faults
    found = {fault.where: fault.problem for fault in faults}
    assert len(found) == len(faults), "one thing is told twice"
    assert all(fault.remedy for fault in faults)
    return found


def everything(record: Record) -> dict[str, list[tuple[object, ...]]]:
    """All rows of the registry's tables."""
    with record.reading() as session:
        return {
            file.table: sorted(
                (tuple(row) for row in session.execute(sa.select(Base.metadata.tables[file.table]))), key=repr
            )
            for file in registry_files(TODAY)
        }
