"""An encoder with heads, as it is trained.

The heads are one linear layer over the mean of the last hidden states. A head's score is
therefore a mean over word pieces, which is what makes the evidence of `nlp.encoder` free.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerFast

from nlp.heads import WIDTH

_HEADS = "heads.safetensors"


class Net(nn.Module):  # type: ignore[misc]  # torch has no types here
    """``(ids, mask)`` to the heads' scores ``[texts, WIDTH]`` and the mean ``[texts, hidden]``."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder = encoder
        if getattr(encoder, "pooler", None) is not None:
            encoder.pooler = None
        self.heads = nn.Linear(encoder.config.hidden_size, WIDTH)
        nn.init.normal_(self.heads.weight, std=0.02)
        nn.init.zeros_(self.heads.bias)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        weight = mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * weight).sum(1) / weight.sum(1)
        return self.heads(pooled), pooled

    def freeze(self, layers: int, dropout: float = 0.0) -> None:
        """Leaves the word embeddings and the lowest layers as they are; drops out that share."""
        for parameter in self.encoder.embeddings.parameters():
            parameter.requires_grad = False
        for layer in self.encoder.encoder.layer[:layers]:
            for parameter in layer.parameters():
                parameter.requires_grad = False
        for module in self.encoder.modules():
            if isinstance(module, nn.Dropout):
                module.p = dropout


def load_net(base: str) -> tuple[Net, Tokenizer]:
    """A net over a base model, with fresh heads, or one that was saved before.

    Args:
        base: a name on the hub, or a folder with the files of one, or a folder of `save_net`.
    """
    # The fused attention's backward pass is many times slower on a CPU.
    net = Net(AutoModel.from_pretrained(base, attn_implementation="eager"))
    heads = Path(base) / _HEADS
    if heads.is_file():
        net.heads.load_state_dict(load_file(heads))
    return net, AutoTokenizer.from_pretrained(base).backend_tokenizer


def save_net(net: Net, tokenizer: Tokenizer, folder: Path) -> None:
    """Writes a folder that `load_net` takes."""
    folder.mkdir(parents=True, exist_ok=True)
    net.encoder.save_pretrained(folder)
    save_file(net.heads.state_dict(), folder / _HEADS)
    pad = tokenizer.id_to_token(int(net.encoder.config.pad_token_id or 0))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=pad).save_pretrained(folder)
