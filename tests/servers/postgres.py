"""A real PostgreSQL for the tests, from the distribution's package (``postgresql``).

It runs on loopback in a scratch folder, as the account ``postgres`` where we are root, which it
refuses to run as, and is gone with its data at the end.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NoPostgres(Exception):
    """There is none here; the line says what to install."""


@contextmanager
def serving() -> Iterator[str]:
    """A server with an empty database ``airflow``; its address without the scheme, as
    ``user:password@host:port/airflow``.

    Raises:
        NoPostgres: if its programs are not there.
    """
    programs = _programs()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    password = secrets.token_hex(8)
    folder = Path(tempfile.mkdtemp(prefix="outcry-postgres-"))
    try:
        (folder / "password").write_text(password)
        if os.getuid() == 0:
            for path in (folder, folder / "password"):
                shutil.chown(path, "postgres")
        data, log = folder / "data", folder / "log"
        access = (f"--pwfile={folder / 'password'}", "--auth=scram-sha-256", "--username=airflow")
        _run(folder, programs / "initdb", "--pgdata", data, "--no-sync", *access)
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' "
        start = ("start", "--wait", "--log", log, "-o", options + "-c fsync=off")
        _run(folder, programs / "pg_ctl", "--pgdata", data, *start)
        try:
            address = f"airflow:{password}@127.0.0.1:{port}"
            create = ("-c", "CREATE DATABASE airflow")
            _run(folder, programs / "psql", f"postgresql://{address}/postgres", *create)
            yield f"{address}/airflow"
        finally:
            _run(folder, programs / "pg_ctl", "--pgdata", data, "stop", "--mode=immediate")
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    found = shutil.which("pg_ctl")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        if (place / "initdb").is_file():
            return place
    raise NoPostgres("there is no PostgreSQL: apt-get install postgresql")


def _run(folder: Path, *command: object) -> None:
    words = [str(word) for word in command]
    if os.getuid() == 0:
        words = ["runuser", "-u", "postgres", "--", *words]
    # What it starts keeps what it is given: a pipe would be waited for until the server ends.
    with (folder / "said").open("ab") as said:
        done = subprocess.run(words, cwd=folder, stdout=said, stderr=said, timeout=60, check=False)
    if done.returncode:
        words_said = (folder / "said").read_text(errors="replace")
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {words_said}")
