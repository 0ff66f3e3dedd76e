from __future__ import annotations

import hashlib
import io
import tarfile

import pytest

from desk.vendor import PACKAGES, ROOT, NotAsExpected, Package, files_of


def packed(**files: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def test_every_script_of_others_is_the_one_that_was_looked_at() -> None:
    for package in PACKAGES:
        for place, digest in package.files.values():
            assert hashlib.sha256((ROOT / place).read_bytes()).hexdigest() == digest, place


def test_every_script_of_others_has_its_licence_beside_it() -> None:
    for package in PACKAGES:
        assert any("LICENSE" in place for place, _ in package.files.values()), package.name


@pytest.mark.parametrize("content", [{"code": b"changed"}, {"other": b"code"}])
def test_a_file_that_is_not_the_known_one_is_refused(content: dict[str, bytes]) -> None:
    digest = hashlib.sha256(b"code").hexdigest()
    package = Package(name="p", version="1", files={"code": ("static/code", digest)})
    assert files_of(package, packed(code=b"code")) == {"static/code": b"code"}
    with pytest.raises(NotAsExpected, match="look at what changed"):
        files_of(package, packed(**content))
