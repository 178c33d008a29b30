"""The commands of whoever operates the system: rules, translations, branding, demo, up, deploy, environment."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from adapters.roles import Role, roles_of
from cli.output import out, say
from cli.words import AsJson, plain
from labels.errors import LabelsError
from labels.rules.loading import check_all, overruns
from labels.settings import load_settings

WithAnotherKey = Annotated[
    bool, typer.Option("--with-another-key", help="Where the secret key of the record is lost for ever.")
]

# What a command here does is imported when it is done: the others need none of it.


def rules(
    which: Annotated[
        str,
        typer.Argument(
            metavar="[FOLDER|ORGANISATION]",
            help="A folder of rule files, else those that ship; or whose rules are shown.",
            callback=plain,
        ),
    ] = "",
    folder: Annotated[
        Path | None,
        typer.Option("--folder", metavar="FOLDER", help="The organisation's rules by these files instead."),
    ] = None,
    case: Annotated[
        str, typer.Option(metavar="APPLICATION", help="The rules that one application keeps.", callback=plain)
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Check rule files; name every mistake with file and line.

    Of an organisation: every value in force with its source, file and line, and what its open applications go by instead. With
    --folder, what changed files would say: an application keeps the rules under which it was handed in.
    """
    if case or (which and not Path(which).is_dir() and "/" not in which and _is_organisation(which)):
        from cli.rules import show, show_case

        return show_case(case, as_json=as_json) if case else show(which, folder, as_json=as_json)
    where = Path(which) if which else folder or load_settings().rules
    for version in check_all(where):
        out.print(version)
    for told in overruns(where):
        say(told, "yellow")
    return None


def _is_organisation(typed: str) -> bool:
    """Whether the record, if there is one, has an organisation of that id.

    Raises:
        NotFound: it looks like one's id, and there is none.
    """
    from adapters.workspace import existing_workspace
    from labels.people.staff import known_organisation, means_organisation
    from labels.record.schema import Organisation

    try:
        here = existing_workspace()
    except LabelsError:
        return False
    with here.record.reading() as session:
        if means_organisation(typed):
            known_organisation(session, typed)
        return session.get(Organisation, typed) is not None


def break_glass(
    address: Annotated[str, typer.Argument(help="The mail address of whoever is to sign in.")],
    as_json: AsJson = False,
) -> None:
    """Print a code to sign in at the desk, for somebody whom no mail reaches.

    It works once, for ten minutes. The journal keeps it, and all coordinators are told.
    """
    from adapters.workspace import existing_workspace
    from cli.output import emit, say
    from labels.clock import in_words
    from usecases import signing_in

    here = existing_workspace()
    code, until = signing_in.break_glass(here, address)
    if as_json:
        emit({"address": address, "code": code, "until": until})
        return
    out.print(code)
    say(
        f"Until {in_words(until)}, at {here.settings.desk_url}/sign-in: type the address in, then this code. Every "
        "coordinator is told."
    )


def translations(
    update: Annotated[
        bool, typer.Option("--update", help="Bring every catalogue in step with the code and the rules.")
    ] = False,
    begin: Annotated[
        str, typer.Option(metavar="LANGUAGE", help="Begin a catalogue for this language.", callback=plain)
    ] = "",
    as_json: AsJson = False,
) -> None:
    """How far each language of the papers is.

    Exit code 2 where something is missing or wrong, which is named.
    """
    from cli.translating import report

    report(update=update, begin=begin, as_json=as_json)


def branding(
    organisation: Annotated[
        str, typer.Argument(metavar="[ORGANISATION]", help="Whose papers to print.", callback=plain)
    ] = "",
    specimens: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Print a specimen of each paper into this folder.")
    ] = None,
    language: Annotated[str, typer.Option(help="Of the specimens.", callback=plain)] = "en",
    as_json: AsJson = False,
) -> None:
    """Check organisations' own drawings and words.

    With --specimens, print each certificate and a letter as the organisation's would be.
    """
    from cli.branding import print_specimens, report, see_that_there_is

    if organisation:
        see_that_there_is(organisation)
    report(as_json=as_json)
    if specimens:
        print_specimens(organisation, language, specimens)


def demo(
    auto: Annotated[bool, typer.Option(help="Play the people too, to the last certificate.")] = False,
) -> None:
    """The main job on the sample data, in a folder of its own.

    Server, worker, a dozen applications, and people who decide.
    """
    from cli.demo import run_demo

    run_demo(auto=auto)


def up(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of Prefect's server, instead of LABELS_PORT.")
    ] = 0,
    desk_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the desk, instead of that in LABELS_LISTEN.")
    ] = 0,
    gate_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the gate, instead of that in LABELS_GATE.")
    ] = 0,
    role: Annotated[
        list[Role] | None,
        typer.Option(
            help="A part alone, where several machines share an installation; given again for another."
        ),
    ] = None,
    with_another_key: WithAnotherKey = False,
) -> None:
    """Server, worker and schedules, for real use; --role starts a part of several machines.

    Whatever of it ends is started again; only you end it. `labels status` says how each part is.
    """
    from cli.services import run_services, with_ports

    roles = roles_of(role or [])
    if Role.ALL in roles:
        run_services(port=port, desk_port=desk_port, gate_port=gate_port, another_key=with_another_key)
        return
    from cli.hosting import run_host

    settings = with_ports(load_settings(), api=port, desk=desk_port, gate=gate_port)
    run_host(settings, roles, another_key=with_another_key)


def deploy(with_another_key: WithAnotherKey = False, as_json: AsJson = False) -> None:
    """Register the flows with Prefect's server, once for all machines; wait for it.

    It may be given again at any time, and changes nothing that is there already.
    """
    from dataclasses import asdict

    from cli.hosting import run_deploy
    from cli.output import emit, say, table

    found = run_deploy(another_key=with_another_key)
    if as_json:
        emit([asdict(one) for one in found])
        return
    table(
        "",
        ["deployment", "work pool", "schedule"],
        [(one.name, one.pool, one.schedule or "when it is asked for") for one in found],
    )
    say(f"{len(found)} deployments are registered.", "green")


def environment(
    role: Annotated[list[Role], typer.Argument(help="The roles of that host.")],
    as_json: AsJson = False,
) -> None:
    """Print the settings that another machine needs for its role, by those of this one.

    Secrets are named and not shown. Exit code 2 where this machine lacks what such a host needs.
    """
    from cli.hosting import as_data, as_file, environment_of
    from cli.output import emit

    roles = roles_of(role)
    lines = environment_of(roles, load_settings())
    if as_json:
        emit(as_data(lines))
    else:
        sys.stdout.write(as_file(lines, roles))
