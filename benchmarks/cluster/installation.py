"""What runs on which host: PostgreSQL, Redis, S3, mail, nginx, and `labels up --role …`."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import psycopg

from benchmarks.cluster.machine import NET, Machine, found
from labels.record.engine import migrate
from labels.settings import PROJECT
from tests.support.databases import as_postgresql, postgresql_programs
from tests.support.ministack import installed
from tests.support.patience import until
from tests.support.people import TODAY

NUMBERS = {"proxy": 10, "db": 11, "redis": 12, "s3": 13, "mail": 14, "services": 15}
API, WORKER = 20, 40
"""The number of the first host of that kind, less one."""
LABELS = Path(sys.executable).with_name("labels")
_PLAIN = {"PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"}


@dataclass
class Installation:
    """One installation, whose API hosts and workers grow in number."""

    machine: Machine
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    apis: int = 0
    workers: int = 0

    def __post_init__(self) -> None:
        for host, number in NUMBERS.items():
            self.machine.add(host, number)

    def url(self, database: str, driver: str = "postgresql") -> str:
        return f"{driver}://postgres:{self.password}@{self.machine.address('db')}/{database}"

    @property
    def api_url(self) -> str:
        return f"http://{self.machine.address('proxy')}:4200/api"

    @property
    def data(self) -> Mapping[str, str]:
        """What hosts with the record are told, and this process."""
        at = self.machine.address
        return {
            "LABELS_SECRET": self.password,
            "LABELS_TODAY": str(TODAY),
            "PREFECT_API_URL": self.api_url,
            "LABELS_DATABASE_URL": self.url("record", "postgresql+psycopg"),
            "LABELS_DOCUMENTS": "s3://labels",
            "LABELS_S3_ENDPOINT_URL": f"http://{at('s3')}:4566",
            "LABELS_S3_PATH_STYLE": "true",
            "LABELS_SMTP_URL": f"smtp://{at('mail')}:8025",
            "LABELS_PUBLIC_URL": f"http://{at('proxy')}",
            "LABELS_SITE_URL": f"http://{at('proxy')}:4200",
            "LABELS_GATE": "off",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    @property
    def server(self) -> Mapping[str, str]:
        """What hosts of Prefect's server are told besides."""
        return {
            "LABELS_PREFECT_DATABASE_URL": self.url("prefect"),
            "LABELS_REDIS_URL": f"redis://:{self.password}@{self.machine.address('redis')}:6379/0",
        }

    def start(self) -> None:
        """Everything but API hosts and workers."""
        at = self.machine.address
        self._start_database()
        redis = ["--bind", at("redis"), "--requirepass", self.password, "--save", "", "--appendonly", "no"]
        self.machine.start("redis", [found("redis-server") or "", *redis], _PLAIN)
        s3 = _PLAIN | {
            "GATEWAY_PORT": "4566",
            "SERVICES": "s3,iam,sts",
            "HOME": str(self.machine.folder / "s3"),
        }
        s3 |= {"S3_DATA_DIR": f"{s3['HOME']}/objects", "STATE_DIR": f"{s3['HOME']}/state"}
        bucket = ["-m", "hypercorn", "ministack.app:app", "--bind", f"{at('s3')}:4566"]
        self.machine.start("s3", [installed(), *bucket], s3)
        sink = ["-m", "aiosmtpd", "-n", "-l", f"{at('mail')}:8025", "-c", "aiosmtpd.handlers.Sink"]
        self.machine.start("mail", [sys.executable, *sink], _PLAIN)
        for host, port in (("redis", 6379), ("s3", 4566), ("mail", 8025)):
            self._until_open(host, port)
        client = boto3.client(
            "s3",
            endpoint_url=self.data["LABELS_S3_ENDPOINT_URL"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name="us-east-1",
        )
        client.create_bucket(Bucket="labels")

    def _start_database(self) -> None:
        folder = self.machine.folder / "db"
        (folder / "password").write_text(self.password)
        self.machine.folder.chmod(0o755)
        for one in (folder, folder / "password"):
            shutil.chown(one, "postgres")
        made: list[str | Path] = [
            "-D",
            folder / "data",
            "-U",
            "postgres",
            "--auth=scram-sha-256",
            "--pwfile",
            folder / "password",
        ]
        initdb: list[str | Path] = [postgresql_programs() / "initdb", *made]
        subprocess.run(
            [*as_postgresql(), *initdb, "--encoding=UTF8", "--locale=C.UTF-8"],
            check=True,
            cwd=folder,
            env=_PLAIN,
            stdout=subprocess.DEVNULL,
        )
        with (folder / "data" / "pg_hba.conf").open("a") as file:
            file.write(f"host all all {NET}.0/24 scram-sha-256\n")
        options = {"listen_addresses": self.machine.address("db"), "unix_socket_directories": ""}
        options |= {"shared_buffers": "128MB", "max_connections": "300"}
        words = [f"--{name}={value}" for name, value in options.items()]
        self.machine.start(
            "db",
            [*as_postgresql(), postgresql_programs() / "postgres", "-D", folder / "data", *words],
            _PLAIN,
        )
        self._until_open("db", 5432)
        until(self._lets_in, "PostgreSQL lets us in", lambda: self.machine.said("db"))
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            for name in ("record", "prefect"):
                connection.execute(f"CREATE DATABASE {name}")
        migrate(self.data["LABELS_DATABASE_URL"])

    def _lets_in(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _until_open(self, host: str, port: int) -> None:
        def is_open() -> bool:
            try:
                socket.create_connection((self.machine.address(host), port), 5).close()
            except OSError:
                assert self.machine.processes[host].poll() is None, self.machine.said(host)
                return False
            return True

        until(is_open, f"{host} answers", lambda: self.machine.said(host))

    def _environment(self, home: str) -> dict[str, str]:
        own = {"LABELS_HOME": str(self.machine.folder / home / "home"), "LABELS_ENV_FILE": ""}
        others = {
            name: value for name, value in os.environ.items() if not name.startswith(("LABELS_", "PREFECT_"))
        }
        return others | dict(self.data) | own

    def deploy(self) -> None:
        """Registers the flows, from this process's host."""
        subprocess.run(
            [LABELS, "deploy"],
            check=True,
            cwd=PROJECT,
            env=self._environment("deploying"),
            stdout=subprocess.DEVNULL,
        )

    def _up(self, host: str, role: str, more: Mapping[str, str]) -> None:
        self.machine.start(
            host, [LABELS, "up", "--role", role], self._environment(host) | dict(more), PROJECT
        )

    def _until_up(self, host: str) -> None:
        def ready() -> bool:
            assert self.machine.processes[host].poll() is None, self.machine.said(host)
            return "Ready:" in self.machine.said(host)

        until(ready, f"{host} is up", lambda: self.machine.said(host))

    def grow_to(self, count: int) -> None:
        """So many API hosts behind the proxy, and as many workers."""
        new = []
        for n in range(self.apis + 1, count + 1):
            self.machine.add(f"api{n}", API + n)
            listens = {"LABELS_API_LISTEN": f"{self.machine.address(f'api{n}')}:4200"}
            self._up(f"api{n}", "api", {**self.server, **listens})
            new.append(f"api{n}")
        self.apis = count
        self._lead()
        if "services" not in self.machine.processes:
            self._up("services", "services", self.server)
            new.append("services")
        for n in range(self.workers + 1, count + 1):
            self.machine.add(f"worker{n}", WORKER + n)
            self._up(f"worker{n}", "worker", {})
            new.append(f"worker{n}")
        self.workers = count
        for host in new:
            self._until_up(host)

    def _lead(self) -> None:
        """nginx before all API hosts, by the file in `deploy/nginx`."""
        text = (PROJECT / "deploy" / "nginx" / "prefect-api.conf").read_text("utf-8")
        one, other = (f"    server 10.0.0.{n}:4200 max_fails=1 fail_timeout=5s;\n" for n in (21, 22))
        for server in (one, other):
            assert server in text, "the settings do not say where the API hosts are any more"
        hosts = [one.replace("10.0.0.21", self.machine.address(f"api{n}")) for n in range(1, self.apis + 1)]
        text = text.replace(other, "").replace(one, "".join(hosts))
        text = text.replace("10.0.0.10:4200", f"{self.machine.address('proxy')}:4200")
        text = text.replace("10.0.0.0/24", f"{NET}.0/24")
        folder = self.machine.folder / "proxy"
        file = folder / "nginx.conf"
        file.write_text(
            f"user root; daemon off; pid {folder}/pid; error_log {folder}/error; worker_processes 1;\n"
            f"events {{}}\nhttp {{\naccess_log off;\nproxy_temp_path {folder}/t;\nclient_body_temp_path {folder}/b;\n{text}\n}}\n"
        )
        if "proxy" in self.machine.processes:
            os.kill(int((folder / "pid").read_text()), signal.SIGHUP)
        else:
            command: list[str | Path] = [
                found("nginx") or "",
                "-e",
                folder / "error",
                "-p",
                folder,
                "-c",
                file,
            ]
            self.machine.start("proxy", command, _PLAIN)
            self._until_open("proxy", 4200)
