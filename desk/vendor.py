"""The scripts of others that pages and their tests use, as they came, each with its licence.

``python -m desk.vendor`` fetches them anew through npm, from the registry that npm is set up
with; nothing is written whose digest is not the one below.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from desk.errors import DeskError

ROOT = Path(__file__).parent.parent
STATIC = "desk/static/vendor"
TESTS = "tests/desk/vendor"


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """A package of npm, and which of its files go where."""

    name: str
    version: str
    files: Mapping[str, tuple[str, str]]
    """Path in the package to (path in the project, SHA-256)."""


PACKAGES: Sequence[Package] = (
    Package(
        name="htmx.org",
        version="2.0.11",
        files={
            "dist/htmx.min.js": (
                f"{STATIC}/htmx.min.js",
                "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717",
            ),
            "LICENSE": (
                f"{STATIC}/htmx.LICENSE.txt",
                "d3d2456f76414f2456104660ebd65aff1c04cd7966b942bdabd63f3cdb316a38",
            ),
        },
    ),
    Package(
        name="htmx-ext-sse",
        version="2.2.4",
        files={
            "dist/sse.min.js": (
                f"{STATIC}/sse.min.js",
                "98a46496de0c3605fbffdce9167ba427bdd9553184f83f149c261891a92c0136",
            ),
            "LICENSE": (
                f"{STATIC}/sse.LICENSE.txt",
                "a17d224ce9afdc21ec9491b76a2f5d036d19aa641ac4f85ca29c21f9f7e54fdf",
            ),
        },
    ),
    # Mozilla's public licence: judges pages in tests, is no part of the product.
    Package(
        name="axe-core",
        version="4.14.1",
        files={
            "axe.min.js": (
                f"{TESTS}/axe.min.js",
                "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c",
            ),
            "LICENSE": (
                f"{TESTS}/axe.LICENSE.txt",
                "af175b9d96ee93c21a036152e1b905b0b95304d4ae8c2c921c7609100ba8df7e",
            ),
            "LICENSE-3RD-PARTY.txt": (
                f"{TESTS}/axe.LICENSE-3RD-PARTY.txt",
                "4f8563870d0fca38bbc3e00b6f670cb7fa9f380ba9f26a7f7d1184a6b18b1653",
            ),
        },
    ),
)


class NotAsExpected(DeskError):
    """A file is missing or is not the one that was looked at."""


def files_of(package: Package, archive: bytes) -> dict[str, bytes]:
    """The wanted files of a package's archive, by path in the project.

    Raises:
        NotAsExpected: if one is missing or has another digest.
    """
    found = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for path, (place, digest) in package.files.items():
            try:
                file = tar.extractfile(f"package/{path}")
            except KeyError:
                file = None
            content = file.read() if file is not None else b""
            if hashlib.sha256(content).hexdigest() != digest:
                raise NotAsExpected(
                    f"{path} of {package.name} {package.version} is not the file that is known: "
                    "look at what changed before you change its digest"
                )
            found[place] = content
    return found


def fetch(package: Package) -> bytes:
    """The package's archive, as npm packs it."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", f"{package.name}@{package.version}", "--silent"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        (archive,) = Path(folder).glob("*.tgz")
        return archive.read_bytes()


def main(root: Path = ROOT) -> None:
    """Fetch everything, and only then write it."""
    found: dict[str, bytes] = {}
    for package in PACKAGES:
        found |= files_of(package, fetch(package))
    for place, content in found.items():
        file = root / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


if __name__ == "__main__":
    main()
