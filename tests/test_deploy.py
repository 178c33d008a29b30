"""What is in `deploy/` is what the programs that read it take, and as closed as it says."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from adapters.prefect.environment import FRUGAL
from adapters.prefect.redis import shared_environment
from adapters.roles import Role
from cli.services import free_port
from labels.keyring import FORMER, KEY
from labels.settings import PROJECT, SIGNING_FORMER, Settings
from tests.support.nginx import DEPLOYED, NGINX, certificate, nginx, on_loopback
from tests.support.patience import PATIENCE

DEPLOY = PROJECT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("labels*.*"))
SERVICES = [one for one in UNITS if one.suffix == ".service"]
MOST_EXPOSED = 2.0
"""Of ten, as `systemd-analyze security` counts."""


def tool(name: str) -> str:
    """A program, without which the test is skipped."""
    found = shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def run(*command: str, **more: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout + done.stderr)


REHEARSALS = "location ^~ /rehearsals { proxy_pass http://10.0.0.41:4280; }"
"""What nginx is told where there are several desk hosts: a rehearsal lies on the one that plays it."""


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
@pytest.mark.parametrize("several", [False, True])
def test_nginx_takes_its_file(tmp_path: Path, several: bool) -> None:
    text = DEPLOYED.read_text("utf-8")
    assert f"# {REHEARSALS}" in text
    if several:
        text = text.replace(f"# {REHEARSALS}", REHEARSALS)
    for old, new in on_loopback(free_port(), free_port(), certificate(tmp_path, "labels.example.eu")).items():
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / "nginx.conf"
    file.write_text(f"pid {tmp_path}/pid; error_log {tmp_path}/log; events {{}}\nhttp {{\n{text}\n}}\n")
    told = run(str(NGINX), "-t", "-e", str(tmp_path / "log"), "-p", str(tmp_path), "-c", str(file))
    assert "syntax is ok" in told


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_the_authority_that_renews_the_certificate_finds_its_challenge_and_everybody_else_tls(
    tmp_path: Path,
) -> None:
    port = free_port()
    replaced = on_loopback(free_port(), port, certificate(tmp_path, "labels.example.eu"))
    challenge = tmp_path / "html" / ".well-known" / "acme-challenge" / "token"
    challenge.parent.mkdir(parents=True)
    challenge.write_text("answer")
    with nginx(tmp_path, DEPLOYED.read_text("utf-8"), replaced | {"/var/www/html": str(tmp_path / "html")}):
        for name in ("labels.example.eu", "runs.example.eu"):
            client = httpx.Client(
                base_url=f"http://127.0.0.1:{port}", headers={"Host": name}, timeout=PATIENCE
            )
            there = client.get("/.well-known/acme-challenge/token")
            assert (there.status_code, there.text) == (200, "answer")
            elsewhere = client.get("/cases")
            assert elsewhere.status_code == 301
            assert elsewhere.headers["location"] == f"https://{name}/cases"


@pytest.mark.parametrize("file", ["caddy/Caddyfile", "container/Caddyfile"])
def test_caddy_takes_its_file(file: str) -> None:
    caddy = tool("caddy")
    run(caddy, "validate", "--adapter", "caddyfile", "--config", str(DEPLOY / file))


def test_caddy_in_containers_differs_in_where_the_desk_and_the_gate_are_alone() -> None:
    own, contained = ((DEPLOY / one / "Caddyfile").read_text("utf-8") for one in ("caddy", "container"))

    def told(text: str) -> list[str]:
        return [line for line in text.splitlines() if not line.startswith("#")]

    moved = own.replace("127.0.0.1:4280", "labels:4280").replace("127.0.0.1:4201", "labels:4201")
    assert told(moved) == told(contained)


@pytest.mark.parametrize("unit", SERVICES, ids=lambda one: one.name)
def test_a_service_of_systemd_is_closed(unit: Path) -> None:
    told = run(tool("systemd-analyze"), "security", "--offline=yes", "--no-pager", str(unit))
    exposed = re.search(r"exposure level for .*: ([\d.]+)", told)
    assert exposed, told
    assert float(exposed[1]) <= MOST_EXPOSED


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """With programs that are there, in the place of those of an installation."""
    analyze = tool("systemd-analyze")
    for one in UNITS:
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", one.read_text("utf-8"), flags=re.MULTILINE)
        text = re.sub(r"^(Documentation|WorkingDirectory|User|Group)=.*\n", "", text, flags=re.MULTILINE)
        (tmp_path / one.name).write_text(text)
    names = [str(tmp_path / one.name) for one in UNITS if one.suffix in (".service", ".socket", ".timer")]
    done = subprocess.run(
        [analyze, "verify", "--man=no", *names], capture_output=True, text=True, timeout=PATIENCE
    )
    ours = [line for line in done.stderr.splitlines() if "labels" in line]
    assert ours == []


def test_systemd_hands_over_the_sockets_that_the_services_take_at_the_addresses_of_the_settings() -> None:
    defaults = Settings(_env_file=None)
    for name, address in {"desk": defaults.listen, "gate": defaults.gate}.items():
        unit = configparser.ConfigParser()
        unit.optionxform = str  # type: ignore[assignment,method-assign]  # its documented use
        unit.read_string((DEPLOY / "systemd" / f"labels-{name}.socket").read_text("utf-8"))
        assert unit["Socket"]["FileDescriptorName"] == name
        assert unit["Socket"]["ListenStream"] == address
        assert unit["Socket"]["Service"] == "labels.service"


def test_a_part_of_several_machines_is_as_closed_as_everything_of_one() -> None:
    """What differs is its role, its home, and that systemd hands it no sockets."""
    whole, part = (
        (DEPLOY / "systemd" / name).read_text("utf-8").splitlines()
        for name in ("labels.service", "labels@.service")
    )
    differs = {line.partition("=")[0] for line in {*whole} ^ {*part} if line and not line.startswith("#")}
    assert differs == {
        "Description", "Documentation", "After", "Requires", "Conflicts", "Environment", "Sockets", "ExecStart",
        "StateDirectory", "CacheDirectory",
    }  # fmt: skip
    assert "ExecStart=/opt/labels/.venv/bin/labels up --role %i" in part


def test_the_containers_of_roles_are_as_closed_as_those_of_one_machine() -> None:
    file = (DEPLOY / "container" / "roles.yaml").read_text("utf-8")
    for key in (KEY, FORMER, SIGNING_FORMER):
        assert key in file, "it says where keys go"
    parts = yaml.safe_load(file)["services"]
    whole = yaml.safe_load((DEPLOY / "container" / "compose.yaml").read_text("utf-8"))["services"]["labels"]
    assert set(parts) == {*Role} - {Role.ALL}
    for role, one in parts.items():
        assert one["command"] == ["up", "--role", role]
        assert one["env_file"] == [f"{role}.env"]
        for bound in ("read_only", "cap_drop", "security_opt", "user", "mem_limit", "pids_limit", "tmpfs"):
            assert one[bound] == whole[bound], bound
        assert all(port.startswith("${ADDRESS:-127.0.0.1}:") for port in one.get("ports", []))


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_nginx_takes_the_file_of_several_api_hosts_and_lets_in_nobody_but_them(tmp_path: Path) -> None:
    text = (DEPLOY / "nginx" / "prefect-api.conf").read_text("utf-8")
    assert "allow 10.0.0.0/24;\n    deny all;" in text
    text = text.replace("listen 10.0.0.10:4200", f"listen 127.0.0.1:{free_port()}")
    file = tmp_path / "nginx.conf"
    file.write_text(f"pid {tmp_path}/pid; error_log {tmp_path}/log; events {{}}\nhttp {{\n{text}\n}}\n")
    told = run(str(NGINX), "-t", "-e", str(tmp_path / "log"), "-p", str(tmp_path), "-c", str(file))
    assert "syntax is ok" in told


@pytest.mark.parametrize("file", ["systemd/labels.env", "container/labels.env.example"])
def test_every_setting_in_the_example_is_one_that_there_is(file: str) -> None:
    lines = (DEPLOY / file).read_text("utf-8").splitlines()
    named = [line.partition("=")[0] for line in lines if line and not line.startswith("#")]
    assert named
    known = {f"LABELS_{one.upper()}" for one in Settings.model_fields}
    assert set(named) <= known


def test_the_containers_have_a_root_that_nobody_writes_to_and_run_as_nobody_of_note() -> None:
    compose = yaml.safe_load((DEPLOY / "container" / "compose.yaml").read_text("utf-8"))
    for name, one in compose["services"].items():
        assert one["read_only"] is True, name
        assert one["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in one["security_opt"], name
        assert one["healthcheck"]["test"], name
        assert one["mem_limit"], name
        assert one["pids_limit"], name
    assert [name for name, one in compose["services"].items() if "ports" in one] == ["proxy"]
    assert compose["networks"]["inside"]["internal"] is True
    named = {name for name in compose["services"]["labels"]["environment"] if name.startswith("LABELS_")}
    assert named <= {f"LABELS_{one.upper()}" for one in Settings.model_fields}


def test_the_image_is_made_from_the_locks_and_runs_as_a_user_of_its_own() -> None:
    text = (DEPLOY / "container" / "Containerfile").read_text("utf-8")
    stages = re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]
    assert "--require-hashes" in text
    assert re.search(r"^USER 10001:10001$", stages[-1], re.MULTILINE)
    assert "HEALTHCHECK" in stages[-1]
    builds = re.findall(r"podman build\b.*", text)
    assert builds
    assert all(" --format docker " in one for one in builds), "an OCI image has no health check"
    assert "latest" not in text
    for source in re.findall(r"^COPY (?!--from)(\S+) ", text, re.MULTILINE):
        assert (PROJECT / source).exists()


def test_the_image_s_file_is_as_its_linter_wants_it() -> None:
    run(tool("hadolint"), str(DEPLOY / "container" / "Containerfile"))


def test_no_secret_gets_into_the_image_whichever_program_makes_it() -> None:
    """Docker reads `.dockerignore` alone; podman too, unless there is a `.containerignore`."""
    assert not (PROJECT / ".containerignore").exists()
    ignored = (PROJECT / ".dockerignore").read_text("utf-8").split()
    secret = {"deploy/container/labels.env", "deploy/container/secrets"}
    secret |= {f"deploy/container/{role}.env" for role in Role if role is not Role.ALL}
    assert {".git", ".env", ".labels"} | secret <= set(ignored)


def test_backups_are_made_by_programs_of_the_servers_version_and_older_ones_go() -> None:
    """`pg_dump` refuses a server that is newer."""
    image = (DEPLOY / "container" / "Containerfile").read_text("utf-8")
    compose = yaml.safe_load((DEPLOY / "container" / "compose.yaml").read_text("utf-8"))
    client = re.search(r"\bpostgresql-client-(\d+)\b", image)
    assert client
    assert compose["services"]["database"]["image"] == f"docker.io/library/postgres:{client[1]}"
    volumes = dict(one.split(":") for one in compose["services"]["labels"]["volumes"])
    assert set(volumes) <= set(compose["volumes"])
    told = (DEPLOY / "container" / "compose.yaml").read_text("utf-8")
    told += (DEPLOY / "systemd" / "labels-backup.service").read_text("utf-8")
    backups = re.findall(r"bin/labels backup (\S+)(.*)", told)
    assert len(backups) == 2
    for place, more in backups:
        assert place == volumes["backups"]
        assert more == " --keep 31"


def test_the_containers_file_is_one_that_docker_compose_takes(tmp_path: Path) -> None:
    compose = tool("docker-compose")
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    shutil.copy(DEPLOY / "container" / "labels.env.example", tmp_path / "deploy" / "container" / "labels.env")
    run(compose, "-f", str(tmp_path / "deploy" / "container" / "compose.yaml"), "config", "--quiet")


SET_BY_THE_CHART = {
    "HOME",
    "PREFECT_API_DATABASE_CONNECTION_URL",
    "PREFECT_DEBUG_MODE",
    "PREFECT_LOGGING_SERVER_LEVEL",
    "PREFECT_MESSAGING_BROKER",
    "PREFECT_MESSAGING_CACHE",
    "PREFECT_REDIS_MESSAGING_DB",
    "PREFECT_REDIS_MESSAGING_HOST",
    "PREFECT_REDIS_MESSAGING_PORT",
    "PREFECT_SERVER_API_BASE_PATH",
    "PREFECT_SERVER_API_HOST",
    "PREFECT_SERVER_API_PORT",
    "PREFECT_SERVER_EVENTS_CAUSAL_ORDERING",
    "PREFECT_UI_API_URL",
    "PREFECT_UI_ENABLED",
    "PREFECT_UI_STATIC_DIRECTORY",
}
"""Variables of the containers of `prefect-server`, whose templates `deployment.yaml` and `background-services/` name them."""


@pytest.mark.parametrize("file", ["values.yaml", "values-several.yaml"])
def test_no_variable_of_prefect_s_chart_is_set_twice(file: str) -> None:
    """Kubernetes refuses such a pod where it is applied at the server, and else says which one hides the other."""
    values = yaml.safe_load((DEPLOY / "prefect-helm" / file).read_text("utf-8"))
    named = [one["name"] for one in values["global"]["prefect"]["env"]]
    assert len(named) == len(set(named))
    assert SET_BY_THE_CHART & {*named} == set()


def test_prefect_in_kubernetes_is_set_as_labels_up_sets_it_and_reached_by_nobody_else() -> None:
    values = yaml.safe_load((DEPLOY / "prefect-helm" / "values.yaml").read_text("utf-8"))
    named = {one["name"]: one["value"] for one in values["global"]["prefect"]["env"]}
    assert {name: named.get(name) for name in FRUGAL} == FRUGAL
    assert values["ingress"]["enabled"] is False
    assert values["service"]["type"] == "ClusterIP"
    assert values["postgresql"]["enabled"] is False, "the chart's own keeps nothing"
    assert values["secret"] == {"create": False, "name": "prefect-database"}
    comment = (DEPLOY / "prefect-helm" / "values.yaml").read_text("utf-8")
    assert "prefect-database  connection-string=postgresql+asyncpg://" in comment
    version = re.search(r'"prefect==([\d.]+)"', (PROJECT / "pyproject.toml").read_text("utf-8"))
    assert version
    assert values["global"]["prefect"]["image"]["prefectTag"].startswith(f"{version[1]}-")
    policy = yaml.safe_load((DEPLOY / "prefect-helm" / "network-policy.yaml").read_text("utf-8"))
    assert policy["kind"] == "NetworkPolicy"
    assert policy["spec"]["policyTypes"] == ["Ingress"]


def test_several_pods_of_prefect_s_chart_share_what_hosts_of_the_same_roles_do(tmp_path: Path) -> None:
    one, several = (
        yaml.safe_load((DEPLOY / "prefect-helm" / name).read_text("utf-8"))
        for name in ("values.yaml", "values-several.yaml")
    )
    env = {each["name"]: each["value"] for each in several["global"]["prefect"]["env"]}
    alone = {each["name"]: each["value"] for each in one["global"]["prefect"]["env"]}
    address = "redis://:password@redis.example:6379/0"
    shared = shared_environment(Settings(_env_file=None, home=tmp_path, redis_url=address))
    messaging = several["backgroundServices"]["messaging"]
    env |= {
        "PREFECT_MESSAGING_BROKER": messaging["broker"],
        "PREFECT_MESSAGING_CACHE": messaging["cache"],
        # The chart's, where the broker is Redis.
        "PREFECT_SERVER_EVENTS_CAUSAL_ORDERING": "prefect_redis.ordering",
    }
    assert env == alone | {name: value for name, value in shared.items() if value != address}
    comment = (DEPLOY / "prefect-helm" / "values-several.yaml").read_text("utf-8")
    assert {name for name, value in shared.items() if value == address} == set(
        re.findall(r"PREFECT_\w+_URL", comment)
    ), "those with a password are of the secret"
    assert several["server"]["replicaCount"] > 1
    assert several["backgroundServices"]["runAsSeparateDeployment"] is True
    assert {several[role]["extraEnvVarsSecret"] for role in ("server", "backgroundServices")} == {
        "prefect-redis"
    }


def test_the_alarms_are_ones_that_prometheus_takes() -> None:
    promtool = tool("promtool")
    run(promtool, "check", "rules", str(DEPLOY / "monitoring" / "alerts.yaml"))
