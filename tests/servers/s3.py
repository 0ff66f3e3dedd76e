"""An S3-compatible server for the tests.

The real one is the Versity S3 Gateway (Apache 2.0), if its program ``versitygw`` is on the path:
``go install github.com/versity/versitygw/cmd/versitygw@latest``. Otherwise moto's server stands
in for it, which is a fake, in memory, and speaks the same protocol.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BUCKET = "outcry-tests"
KEY, SECRET = "tester", "for-these-tests-only"


@contextmanager
def serving(folder: Path) -> Iterator[dict[str, Any]]:
    """A server with an empty bucket, and the options by which a client finds it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    real = shutil.which("versitygw")
    if real:
        (folder / BUCKET).mkdir(parents=True)
        who = ("--access", KEY, "--secret", SECRET)
        command = (real, "--quiet", "--port", f"127.0.0.1:{port}", *who, "posix", str(folder))
    else:
        command = (sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", port)
    options = {"key": KEY, "secret": SECRET, "endpoint_url": f"http://127.0.0.1:{port}"}
    with (folder.parent / "s3.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _wait(process, int(port))
            if not real:
                _make_bucket(options)
            yield options
        finally:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the S3 server did not start: {process.args!r}")


def _make_bucket(options: dict[str, Any]) -> None:
    from s3fs import S3FileSystem

    S3FileSystem(**options).mkdir(BUCKET)
