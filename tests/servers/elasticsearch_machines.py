"""How a node is run: as a container, or as a process group of our own.

Both keep a state file, readable by its owner only, from which any process can find the
node again; both can be killed without warning and started again on the same data.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.servers.elasticsearch_java import VERSION, NodeUnavailable, java_home, program

IMAGE = f"docker.elastic.co/elasticsearch/elasticsearch:{VERSION}"
JAVA = os.environ.get(
    "OUTCRY_TEST_ELASTICSEARCH_JAVA", "-Xms512m -Xmx512m -XX:TieredStopAtLevel=1"
).split()
"""Quick to start rather than quick in the long run, unless whoever measures wants it otherwise."""
START_S = 180
"""The longest a start may take; on two idle cores it takes 15."""


def healthy(url: str, user: str, password: str, timeout: float = 5) -> bool:
    """Whether a node answers there to these credentials, with every primary shard at hand."""
    request = urllib.request.Request(f"{url}/_cluster/health?wait_for_status=yellow&timeout=4s")
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    request.add_header("Authorization", f"Basic {token}")
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return json.load(answer)["status"] in ("yellow", "green")
    except (OSError, ValueError, KeyError):
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Machine:
    """One node that we run ourselves; ``folder`` is its own, with a state file beside it."""

    kind = ""

    def __init__(self, folder: Path, state: Mapping[str, Any] | None = None) -> None:
        self.folder = folder
        self.state: dict[str, Any] = dict(state or {})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.state['port']}"

    def healthy(self) -> bool:
        return healthy(self.url, "elastic", self.state["password"])

    def prepare(self, password: str) -> None:
        """Lay out a fresh node."""
        self.state = {"kind": self.kind, "port": free_port(), "password": password}

    def start(self) -> None:
        """Start it on the data that it has; returns when it is ready."""
        raise NodeUnavailable(f"a node of kind {self.kind!r} cannot be started")

    def kill(self) -> None:
        """Stop it without warning; what it acknowledged is on disk."""

    def remove(self) -> None:
        """Kill it and leave nothing behind."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        state_file(self.folder).unlink(missing_ok=True)

    def remember(self) -> None:
        path = state_file(self.folder)
        draft = path.with_suffix(".draft")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(self.state, file)
        draft.replace(path)

    def wait_until_ready(self) -> None:
        end = time.monotonic() + START_S
        while not self.healthy():
            reason = self.ended()
            if reason is None and time.monotonic() > end:
                reason = f"not ready after {START_S} s"
            if reason is not None:
                self.kill()
                raise NodeUnavailable(f"Elasticsearch does not start: {reason}")
            time.sleep(0.25)

    def ended(self) -> str | None:
        """Why it is no longer running; None while it is."""
        return None


class Container(Machine):
    """The official image. (Written from the image's documentation.)"""

    kind = "docker"

    @staticmethod
    def possible() -> bool:
        """Whether a Docker engine answers."""
        if shutil.which("docker") is None:
            return False
        command = ["docker", "version", "--format", "{{.Server.Version}}"]
        try:
            return subprocess.run(command, capture_output=True, timeout=10).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    @property
    def _name(self) -> str:
        return f"outcry-elasticsearch-{self.folder.name}"

    def _docker(self, *words: str, check: bool = True) -> str:
        secret = {"ELASTIC_PASSWORD": self.state["password"]}
        done = subprocess.run(
            ["docker", *words], capture_output=True, text=True, env=os.environ | secret, check=False
        )
        if check and done.returncode != 0:
            lines = done.stderr.strip().splitlines() or ["no reason given"]
            raise NodeUnavailable(f"docker {words[0]}: {lines[-1]}")
        return done.stdout.strip()

    def prepare(self, password: str) -> None:
        super().prepare(password)
        settings = {
            "discovery.type": "single-node",
            "xpack.security.enabled": "true",
            "xpack.security.http.ssl.enabled": "false",
            "cluster.routing.allocation.disk.threshold_enabled": "false",
            "path.repo": "/tmp/repositories",
            "ES_JAVA_OPTS": " ".join(JAVA),
        }
        options = [word for name in settings for word in ("-e", f"{name}={settings[name]}")]
        port = f"127.0.0.1:{self.state['port']}:9200"
        self._docker(
            "create", "--name", self._name, "-p", port, "-e", "ELASTIC_PASSWORD", *options, IMAGE
        )

    def start(self) -> None:
        self._docker("start", self._name)
        self.remember()
        self.wait_until_ready()

    def kill(self) -> None:
        self._docker("kill", self._name, check=False)

    def remove(self) -> None:
        self._docker("rm", "--force", "--volumes", self._name, check=False)
        super().remove()

    def ended(self) -> str | None:
        state = self._docker("inspect", "--format", "{{.State.Status}}", self._name, check=False)
        return None if state in ("created", "running") else f"container is {state or 'gone'}"


class Process(Machine):
    """Elastic's test distribution on a Java of this machine, as a process group of its own."""

    kind = "process"

    def prepare(self, password: str) -> None:
        super().prepare(password)
        self.folder.mkdir(parents=True, mode=0o700)
        for name in ("config", "data", "logs", "repositories", "tmp"):
            (self.folder / name).mkdir()
        config = self.folder / "config"
        shutil.copytree(program() / "config", config, dirs_exist_ok=True)
        (config / "elasticsearch.yml").write_text(
            f"cluster.name: outcry-tests-{self.folder.name}\n"
            "discovery.type: single-node\nnetwork.host: 127.0.0.1\n"
            f"http.port: {self.state['port']}\ntransport.port: {free_port()}\n"
            f"path.data: {self.folder / 'data'}\npath.logs: {self.folder / 'logs'}\n"
            f"path.repo: {self.folder / 'repositories'}\n"
            "xpack.security.enabled: true\nxpack.security.http.ssl.enabled: false\n"
            "xpack.security.transport.ssl.enabled: false\n"
            "cluster.routing.allocation.disk.threshold_enabled: false\n"
        )
        options = config / "jvm.options.d"
        options.mkdir(exist_ok=True)
        # Its own garbage log would lie in the shared program folder.
        log = "-Xlog:disable\n-Xlog:all=warning:stderr:utctime,level,tags\n"
        (options / "tests.options").write_text("\n".join([*JAVA, log]))
        self._give_away()
        self._tool("create")
        self._tool("add", "-x", "bootstrap.password", given=password)

    def start(self) -> None:
        with (self.folder / "logs" / "start.log").open("wb") as output:
            # It goes into the background, its launcher ends: nobody has to wait for a child.
            launcher = subprocess.Popen(
                [program() / "bin" / "elasticsearch", "--daemonize"],
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                **self._account(),
            )
        self.state["group"] = launcher.pid
        self.remember()
        try:
            launcher.wait(START_S)
        except BaseException:
            os.killpg(launcher.pid, signal.SIGKILL)
            launcher.wait()
            raise
        self.wait_until_ready()

    def kill(self) -> None:
        if not self._runs():
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.state["group"], signal.SIGKILL)
        end = time.monotonic() + 30
        while self._runs() and time.monotonic() < end:
            time.sleep(0.05)

    def ended(self) -> str | None:
        if self._runs():
            return None
        lines = (self.folder / "logs" / "start.log").read_text(errors="replace").splitlines()
        return next((line for line in reversed(lines) if "ERROR" in line or "ception" in line), "?")

    def _runs(self) -> bool:
        """Whether the group that we noted is this node's still: ids of processes come again."""
        if "group" not in self.state:
            return False
        command = ["ps", "-A", "-ww", "-o", "pgid=,args="]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        group = str(self.state["group"])
        return any(
            line.split(None, 1)[0] == group and str(self.folder) in line
            for line in lines.splitlines()
        )

    def _account(self) -> dict[str, Any]:
        """The server refuses to run as root: root lends it an account without rights."""
        if os.geteuid() != 0:
            return {}
        account = _nobody()
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    def _give_away(self) -> None:
        if os.geteuid() == 0:
            account = _nobody()
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, account.pw_uid, account.pw_gid)

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return kept | {
            "ES_JAVA_HOME": str(java_home()),
            "ES_PATH_CONF": str(self.folder / "config"),
            "ES_TMPDIR": str(self.folder / "tmp"),
            "CLI_JAVA_OPTS": f"-Djava.io.tmpdir={self.folder / 'tmp'}",
            "HOME": str(self.folder),
        }

    def _tool(self, *words: str, given: str = "") -> None:
        done = subprocess.run(
            [program() / "bin" / "elasticsearch-keystore", *words],
            cwd=self.folder,
            env=self._environment(),
            input=given.encode(),
            capture_output=True,
            check=False,
            **self._account(),
        )
        if done.returncode != 0:
            lines = done.stderr.decode(errors="replace").strip().splitlines() or ["?"]
            raise NodeUnavailable(f"Elasticsearch's keystore cannot be made: {lines[-1]}")


def _nobody() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise NodeUnavailable(
            "Elasticsearch refuses to run as root and there is no account named nobody: "
            "run the tests as an ordinary user"
        ) from None


def state_file(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.json")


def find(folder: Path) -> Machine | None:
    """The node that was started in this folder, running or not."""
    try:
        state = json.loads(state_file(folder).read_text())
    except FileNotFoundError:
        return None
    return (Container if state["kind"] == Container.kind else Process)(folder, state)
