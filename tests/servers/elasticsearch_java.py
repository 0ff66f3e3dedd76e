"""The server's program, without a container: Elastic's test distribution and a Java for it.

Elastic publishes its integration-test distribution under Maven coordinates: the real
server with security, under Elastic's licence. It is fetched once into a cache.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

VERSION = "9.5.0"
_ARTIFACT = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{VERSION}:zip"
_REPOSITORY = Path(__file__).resolve().parents[2]


class NodeUnavailable(Exception):
    """There is no Elasticsearch for the tests; the message says what to install."""


def open_to_all(path: Path) -> bool:
    """Whether any account of this machine can reach ``path``."""
    return all(
        folder.stat().st_mode & 0o001 for folder in (path.resolve(), *path.resolve().parents)
    )


def cache() -> Path:
    """The folder of the program and of the nodes' data.

    It is the checkout's own cache; for root, whose node runs as another account, a folder
    of root's that the other account can reach, if the checkout is none.
    """
    here = _REPOSITORY / ".cache" / "elasticsearch"
    if os.geteuid() == 0 and not open_to_all(_REPOSITORY):
        here = Path("/var/tmp/outcry-elasticsearch-0")
    here.mkdir(parents=True, exist_ok=True)
    if here.stat().st_uid != os.geteuid():
        raise NodeUnavailable(f"{here} belongs to somebody else: remove it and try again")
    for folder in (here, here.parent) if os.geteuid() == 0 and here.parent.name == ".cache" else ():
        folder.chmod(0o755)
    return here


def java_home(homes: Iterable[Path] | None = None, root: bool | None = None) -> Path:
    """The first Java that the server can run on: 21 or newer, with the vector module.

    For root it must be one that the node's own, unprivileged account can reach.
    """
    root = os.geteuid() == 0 if root is None else root
    for home in _java_homes() if homes is None else homes:
        release = home / "release"
        if not release.is_file() or not (home / "bin" / "java").exists():
            continue
        words = release.read_text(errors="replace")
        version = re.search(r'JAVA_VERSION="(\d+)', words)
        new_enough = version and int(version[1]) >= 21 and "jdk.incubator.vector" in words
        if new_enough and (not root or open_to_all(home.resolve())):
            return home
    raise NodeUnavailable(
        "no Java for Elasticsearch: install a JDK 21 or newer (with jdk.incubator.vector) "
        "and set ES_JAVA_HOME to it"
    )


def _java_homes() -> Iterator[Path]:
    for name in ("ES_JAVA_HOME", "JAVA_HOME"):
        if os.environ.get(name):
            yield Path(os.environ[name])
    for folder in (Path("/usr/lib/jvm"), Path("/Library/Java/JavaVirtualMachines")):
        if folder.is_dir():
            for home in sorted(folder.iterdir()):
                yield home / "Contents" / "Home" if (home / "Contents").is_dir() else home


def program() -> Path:
    """The unpacked distribution, fetched by Maven if it is not in the cache yet."""
    home = cache() / f"elasticsearch-{VERSION}"
    if home.is_dir():
        return home
    if shutil.which("mvn") is None:
        raise NodeUnavailable(
            "no Elasticsearch for the tests: start a Docker engine, or install Maven and a JDK "
            "21 or newer, or set OUTCRY_TEST_ELASTICSEARCH=http://user:password@host:9200"
        )
    with tempfile.TemporaryDirectory(dir=cache(), prefix="unpacking-") as name:
        scratch = Path(name)
        _fetch(scratch)
        _unpack(scratch / f"elasticsearch-{VERSION}.zip", scratch)
        unpacked = scratch / f"elasticsearch-{VERSION}"
        try:
            unpacked.rename(home)
        except OSError:
            if not home.is_dir():  # else another run was faster, with the same files
                raise
    return home


def _fetch(folder: Path) -> None:
    command = [
        "mvn", "-q", "-B", "dependency:copy", f"-Dartifact={_ARTIFACT}",
        "-Dtransitive=false", f"-DoutputDirectory={folder}",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = [line for line in done.stdout.splitlines() if line.strip()]
        raise NodeUnavailable(
            f"Maven could not fetch {_ARTIFACT}: {words[0] if words else done.returncode}"
        )


def _unpack(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as contents:
        for entry in contents.infolist():
            path = Path(contents.extract(entry, folder))
            mode = entry.external_attr >> 16 & 0o777
            # Another account than the one that unpacks may run it.
            path.chmod(0o755 if path.is_dir() or mode & 0o100 else 0o644)
    (folder / f"elasticsearch-{VERSION}" / "plugins").mkdir(mode=0o755, exist_ok=True)
