from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from nlp.artefact import HEADS, pack, unpack
from nlp.errors import ModelCorrupt, ModelMissing, NlpError
from nlp.loading import load
from tests.nlp import small_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small_model.write(tmp_path / "small", broken=1.0)


def refusal(folder: Path, kind: type[NlpError]) -> str:
    with pytest.raises(kind) as caught:
        load(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder) in message
    return message


def test_a_folder_is_loaded_as_the_kind_it_names(folder: Path) -> None:
    reader = load(folder)
    assert reader.model == "small/1"
    assert reader.languages == {"en"}


def test_an_empty_folder_holds_no_model(tmp_path: Path) -> None:
    assert "metadata.json is missing" in refusal(tmp_path, ModelMissing)


def test_a_model_without_weights_is_refused(folder: Path) -> None:
    (folder / "weights.npz").unlink()
    assert "git checkout -- models" in refusal(folder, ModelMissing)


@pytest.mark.parametrize("at", [0, 100, -1])
def test_one_changed_byte_of_the_weights_is_noticed(folder: Path, at: int) -> None:
    path = folder / "weights.npz"
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)
    refusal(folder, ModelCorrupt)


def test_weights_cut_short_are_noticed(folder: Path) -> None:
    path = folder / "weights.npz"
    path.write_bytes(path.read_bytes()[:-50])
    refusal(folder, ModelCorrupt)


def test_weights_that_match_their_hash_but_are_no_archive_are_refused(folder: Path) -> None:
    (folder / "weights.npz").write_bytes(b"not an archive")
    description = small_model.metadata(b"not an archive")
    (folder / "metadata.json").write_bytes(msgspec.json.encode(description))
    refusal(folder, ModelCorrupt)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"kind": "hashed-linear"}', b"\xff"])
def test_a_damaged_description_is_refused(folder: Path, content: bytes) -> None:
    (folder / "metadata.json").write_bytes(content)
    assert "git checkout -- models" in refusal(folder, ModelCorrupt)


def test_a_kind_from_the_future_is_refused(folder: Path) -> None:
    (folder / "metadata.json").write_bytes(b'{"kind": "oracle", "name": "delphi", "version": 1}')
    assert "oracle" in refusal(folder, ModelCorrupt)


def test_packing_gives_the_same_bytes_and_loses_only_precision() -> None:
    weights = small_model.weights(broken=1.0)
    raw = pack(weights)
    assert pack(small_model.weights(broken=1.0)) == raw
    back = unpack(raw, 1 << small_model.SETTINGS.bits, HEADS)
    np.testing.assert_allclose(back.heads, weights.heads, atol=1e-3)
    assert pack(back) == raw


def test_a_pickle_inside_the_archive_is_not_opened(folder: Path) -> None:
    path = folder / "weights.npz"
    with path.open("wb") as file:
        np.savez(file, counting=np.array([object()], dtype=object))
    description = small_model.metadata(path.read_bytes())
    (folder / "metadata.json").write_bytes(msgspec.json.encode(description))
    refusal(folder, ModelCorrupt)
