"""A packed encoder of our own making, in the layout that `models.carrier` reads."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from models.carrier import _EMBEDDINGS, _LAYER, MAGIC

HIDDEN, LAYERS, HEADS, INNER, POSITIONS, TYPES = 32, 2, 2, 64, 160, 2
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]


def blocks(weights: np.ndarray) -> bytes:
    """Weights as blocks of 32 four-bit numbers with a scale."""
    out = b""
    for row in weights.reshape(-1, 32).astype(np.float32):
        scale = np.float16(max(float(np.abs(row).max()) / 7, 1e-4))
        numbers = np.clip(np.round(row / np.float32(scale)) + 8, 0, 15).astype(np.uint8)
        out += scale.tobytes() + (numbers[:16] | (numbers[16:] << 4)).tobytes()
    return out


def write(path: Path, words: list[str]) -> dict[str, np.ndarray]:
    """The file; returns the weights that went into it, by transformers' names."""
    random = np.random.default_rng(4)
    letters = sorted({letter for word in words for letter in word})
    pieces = [*SPECIAL, "\u2581", *letters, *(f"\u2581{word}" for word in words)]
    scores = [0.0] * 4 + [-8.0] * (1 + len(letters)) + [-2.0] * len(words)
    spelt = [piece.encode() for piece in pieces]
    ends = np.cumsum([0, *map(len, spelt)]).astype("<u4")
    head = MAGIC + struct.pack("<I", 1)
    head += struct.pack("<7i", HIDDEN, LAYERS, HEADS, INNER, len(pieces), POSITIONS, TYPES)
    head += struct.pack("<fi", 1e-12, 32)
    head += struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, int(ends[-1]))
    head += ends.tobytes() + np.array(scores, "<f4").tobytes() + b"".join(spelt)
    head += struct.pack("<iI", 1, 9) + struct.pack("<IBI", 0xFF21, 1, 0x21)
    shapes = {"emb.word": (len(pieces), HIDDEN), "emb.pos": (POSITIONS, HIDDEN)}
    shapes["emb.type"] = (TYPES, HIDDEN)
    square = (HIDDEN, HIDDEN)
    own = {"q.w": square, "k.w": square, "v.w": square, "ao.w": square}
    own |= {"fi.w": (INNER, HIDDEN), "fo.w": (HIDDEN, INNER), "fi.b": (INNER,)}
    named = [(name, target, shapes.get(name, (HIDDEN,))) for name, target in _EMBEDDINGS.items()]
    for at in range(LAYERS):
        for name, target in _LAYER.items():
            shape = own.get(name, (HIDDEN,))
            named.append((f"l{at}.{name}", f"encoder.layer.{at}.{target}", shape))
    weights, bodies = {}, []
    for name, target, shape in named:
        value = random.normal(0, 0.05, shape).astype(np.float32)
        if "ln.w" in name:
            value += 1
        packed = len(shape) == 2 and name not in ("emb.pos", "emb.type")
        weights[target] = value
        bodies.append((name, blocks(value) if packed else value.tobytes()))
    size = len(head) + 4 + sum(2 + len(name) + 21 for name, _ in bodies)
    directory, body = struct.pack("<i", len(bodies)), b""
    for name, raw in bodies:
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", 0, len(raw) // 4, size + len(body), len(raw))
        body += raw
    path.write_bytes(head + directory + body)
    return weights
