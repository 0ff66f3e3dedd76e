"""A trained encoder as an ONNX file.

The graph gives each text's scores, what each word piece adds to the complaint's, and the mean
of the hidden states. Weights become eight-bit integers (`models.quantise`). Word pieces that the
texts of the sets hardly have are left out of the vocabulary: such words are then spelt by shorter
pieces.
"""

from __future__ import annotations

import json
import random
import warnings
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn

from models.encoders import LONGEST
from models.errors import ModelUnfit
from models.items import pieces
from models.net import Net, load_net
from models.quantise import quantise
from models.recipe import SEED
from nlp.heads import COMPLAINT
from nlp.session import MODEL_FILE, TOKENIZER_FILE
from nlp.wording import words

_OPSET = 17
_MARKS = {"WordPiece": "##", "Unigram": "\u2581"}
"""What a piece carries that does not, or does, begin a word."""
_TYPICAL = 400
"""Texts that the scales are fixed by."""


class Served(nn.Module):  # type: ignore[misc]  # torch has no types here
    """A net as it is served: scores, what each piece adds to the complaint's, and the mean."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = net

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        net = self.net
        hidden = net.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weight = attention_mask.unsqueeze(-1).to(hidden.dtype)
        weight = weight / weight.sum(1, keepdim=True)
        mean = (hidden * weight).sum(1)
        pulls = (hidden * net.heads.weight[COMPLAINT]).sum(-1) * weight.squeeze(-1)
        return net.heads(mean), pulls, mean


def export(checkpoint: Path, out: Path, texts: list[str], most_pieces: int | None) -> int:
    """Writes the graph and the tokenizer of a trained encoder; returns their size in bytes.

    Args:
        checkpoint: a folder of `models.train`.
        out: where the two files go.
        texts: texts whose word pieces are kept, and by which the scales are fixed; none leaves
            the scales dynamic.
        most_pieces: how many pieces to keep, the commonest; None keeps all.
    """
    net, tokenizer = load_net(str(checkpoint))
    out.mkdir(parents=True, exist_ok=True)
    if most_pieces is not None:
        tokenizer = _prune(net, tokenizer, texts, most_pieces)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(out / TOKENIZER_FILE), pretty=False)
    with TemporaryDirectory() as scratch:
        plain = Path(scratch) / "plain.onnx"
        _write_graph(net, plain)
        some = random.Random(SEED).sample(texts, min(len(texts), _TYPICAL))
        quantise(_fused(plain, net), out / MODEL_FILE, pieces(some, tokenizer, LONGEST))
    return sum((out / name).stat().st_size for name in (MODEL_FILE, TOKENIZER_FILE))


def _write_graph(net: Net, path: Path) -> None:
    ids = torch.ones((2, 9), dtype=torch.long)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of shapes that are left open on purpose.
        torch.onnx.export(
            Served(net).eval(),
            (ids, torch.ones_like(ids)),
            str(path),
            input_names=["input_ids", "attention_mask"],
            output_names=["scores", "pulls", "mean"],
            dynamic_axes={
                "input_ids": {0: "texts", 1: "pieces"},
                "attention_mask": {0: "texts", 1: "pieces"},
                "scores": {0: "texts"},
                "pulls": {0: "texts", 1: "pieces"},
                "mean": {0: "texts"},
            },
            opset_version=_OPSET,
            dynamo=False,
        )


def _fused(plain: Path, net: Net) -> Path:
    """The graph with attention and normalisation as single steps, where they are BERT's."""
    config = net.encoder.config
    if config.model_type != "bert":
        return plain
    from onnxruntime.transformers import optimizer

    fused = plain.with_name("fused.onnx")
    model = optimizer.optimize_model(
        str(plain),
        model_type="bert",
        num_heads=config.num_attention_heads,
        hidden_size=config.hidden_size,
    )
    model.save_model_to_file(str(fused))
    return fused


def _prune(net: Net, tokenizer: Tokenizer, texts: list[str], most: int) -> Tokenizer:
    """Keeps special pieces, single characters and the commonest pieces of the texts.

    Raises:
        ModelUnfit: if the vocabulary is neither WordPiece's nor Unigram's.
    """
    raw: dict[str, Any] = json.loads(tokenizer.to_str())
    model = raw["model"]
    if model["type"] not in _MARKS:
        raise ModelUnfit(f"a vocabulary of {model['type']} cannot be cut; take another base")
    mark = _MARKS[model["type"]]
    listed = isinstance(model["vocab"], list)  # Unigram's: pieces with their scores
    vocabulary: dict[str, int] = (
        {piece: at for at, (piece, _) in enumerate(model["vocab"])} if listed else model["vocab"]
    )
    tokenizer.no_padding()
    found = tokenizer.encode_batch([words(text)[1] for text in texts], is_pretokenized=True)
    counts = Counter(piece for one in found for piece in one.ids)
    special = {token["id"] for token in raw["added_tokens"]}
    always = {
        number
        for piece, number in vocabulary.items()
        if number in special or len(piece.removeprefix(mark)) <= 1
    }
    # A vocabulary is in order of how common a piece is; it fills what the texts leave free.
    ranked = sorted(
        (n for n in vocabulary.values() if n not in always), key=lambda n: (-counts[n], n)
    )
    named = {number for piece, number in vocabulary.items() if piece.startswith("[unused")}
    fill = [number for number in ranked if number not in named][: max(0, most - len(always))]
    kept = sorted(always | set(fill))
    place = {number: at for at, number in enumerate(kept)}
    if listed:
        model["vocab"] = [model["vocab"][number] for number in kept]
        model["unk_id"] = place[model["unk_id"]]
    else:
        model["vocab"] = {
            piece: place[number] for piece, number in vocabulary.items() if number in place
        }
    for token in raw["added_tokens"]:
        token["id"] = place[token["id"]]
    for token in (raw["post_processor"] or {}).get("special_tokens", {}).values():
        token["ids"] = [place[number] for number in token["ids"]]
    embeddings = net.encoder.embeddings
    rows = embeddings.word_embeddings.weight.data[kept]
    pad = place.get(int(net.encoder.config.pad_token_id or 0), 0)
    embeddings.word_embeddings = nn.Embedding.from_pretrained(rows, padding_idx=pad)
    net.encoder.config.vocab_size = len(kept)
    positions = embeddings.position_embeddings.weight.data[:LONGEST]
    embeddings.position_embeddings = nn.Embedding.from_pretrained(positions)
    for name in ("position_ids", "token_type_ids"):
        setattr(embeddings, name, getattr(embeddings, name)[:, :LONGEST])
    return Tokenizer.from_str(json.dumps(raw, ensure_ascii=False))
