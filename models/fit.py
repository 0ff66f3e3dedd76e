"""Fits an encoder with heads: one pass after the other, gold labels and a teacher's together.

Distillation after Hinton et al. (2015): the teacher's softened probabilities are a target beside
the labels, head by head. The same code runs on a processor and on a GPU.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from models.items import Items, batches
from models.net import Net
from models.plan import Plan
from nlp.heads import COMPLAINT, REASON, SENTIMENT, SEVERITY

_HEADS = ("sentiment", "complaint", "severity", "reason")
_LOG_EVERY = 20


def fit(net: Net, taught: Items, plan: Plan, curve: Path) -> None:
    """Fits in place; writes the loss as it falls, a line of JSON every few steps."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(plan.seed)
    net.to(device).train()
    net.freeze(plan.frozen_layers, plan.dropout)
    lengths = [len(ids) for ids in taught.pieces]
    steps = plan.passes * -(-len(taught) // plan.batch)
    optimizer, schedule = _optimizer(net, plan, steps)
    balance = {name: _balance(getattr(taught, name)).to(device) for name in ("severity", "reason")}
    pad = int(net.encoder.config.pad_token_id or 0)
    begin, step, running = time.monotonic(), 0, 0.0
    with curve.open("a", encoding="utf-8") as log:
        for number in range(plan.passes):
            for rows in batches(lengths, plan.batch, plan.seed + number):
                ids, mask = padded([taught.pieces[at] for at in rows], pad)
                with torch.autocast(device.type, torch.bfloat16, enabled=_bf16(device)):
                    scores, _ = net(ids.to(device), mask.to(device))
                loss = _loss(scores.float(), taught, rows, plan, balance)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
                step, running = step + 1, running + float(loss.detach())
                if step % _LOG_EVERY == 0 or step == steps:
                    line = {
                        "step": step,
                        "of": steps,
                        "loss": round(running / _LOG_EVERY, 4),
                        "seconds": round(time.monotonic() - begin),
                    }
                    log.write(json.dumps(line) + "\n")
                    log.flush()
                    running = 0.0
    net.eval().to("cpu")


def padded(pieces: list[list[int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask of texts, padded to the longest."""
    width = max(map(len, pieces))
    ids = torch.full((len(pieces), width), pad, dtype=torch.long)
    mask = torch.zeros((len(pieces), width), dtype=torch.long)
    for at, own in enumerate(pieces):
        ids[at, : len(own)] = torch.tensor(own)
        mask[at, : len(own)] = 1
    return ids, mask


def _bf16(device: torch.device) -> bool:
    # Without instructions for it, bf16 on a processor is slower than fp32.
    able = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return device.type == "cuda" or any(getattr(torch.cpu, name, bool)() for name in able)


def _optimizer(net: Net, plan: Plan, steps: int) -> tuple[Any, Any]:
    encoder = [one for one in net.encoder.parameters() if one.requires_grad]
    groups = [
        {"params": encoder, "lr": plan.rate},
        {"params": list(net.heads.parameters()), "lr": plan.head_rate},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    warm = max(1, round(plan.warm_up * steps))

    def share(step: int) -> float:
        return min((step + 1) / warm, max(0.02, (steps - step) / max(1, steps - warm)))

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, share)


def _balance(labels: Any) -> torch.Tensor:
    """Class weights by the square root of how rare a class is; their mean over rows is one."""
    known = labels[labels >= 0]
    counts = np.maximum(np.bincount(known, minlength=int(known.max(initial=0)) + 1), 1)
    weights = 1 / np.sqrt(counts)
    return torch.tensor(weights * counts.sum() / (weights * counts).sum(), dtype=torch.float32)


def _loss(
    scores: torch.Tensor, taught: Items, rows: list[int], plan: Plan, balance: dict[str, Any]
) -> torch.Tensor:
    device = scores.device
    gold = {name: torch.tensor(getattr(taught, name)[rows], device=device) for name in _HEADS}
    parts = [scores.sum() * 0]
    for name, place in (("sentiment", SENTIMENT), ("severity", SEVERITY), ("reason", REASON)):
        known = gold[name] >= 0
        if plan.gold.get(name) and bool(known.any()):
            weight = balance.get(name)
            full = None
            if weight is not None:
                full = torch.ones(place.stop - place.start, device=device)
                full[: len(weight)] = weight
            loss = functional.cross_entropy(
                scores[known, place], gold[name][known], weight=full, reduction="sum"
            )
            parts.append(plan.gold[name] * loss)
    known = gold["complaint"] >= 0
    if plan.gold.get("complaint") and bool(known.any()):
        loss = functional.binary_cross_entropy_with_logits(
            scores[known, COMPLAINT], gold["complaint"][known].float(), reduction="sum"
        )
        parts.append(plan.gold["complaint"] * loss)
    if taught.teacher is not None:
        teacher = torch.tensor(taught.teacher[rows], device=device)
        told = ~torch.isnan(teacher[:, 0])
        parts.append(_distilled(scores[told], teacher[told], plan))
    return torch.stack(parts).sum() / len(rows)


def _distilled(scores: torch.Tensor, teacher: torch.Tensor, plan: Plan) -> torch.Tensor:
    heat = plan.temperature
    total = scores.sum() * 0
    for name, place in (("sentiment", SENTIMENT), ("severity", SEVERITY), ("reason", REASON)):
        total = total + plan.distilled.get(name, 0.0) * heat**2 * functional.kl_div(
            functional.log_softmax(scores[:, place] / heat, -1),
            functional.log_softmax(teacher[:, place] / heat, -1),
            reduction="sum",
            log_target=True,
        )
    target = torch.sigmoid(teacher[:, COMPLAINT] / heat)
    return total + plan.distilled.get("complaint", 0.0) * heat**2 * (
        functional.binary_cross_entropy_with_logits(
            scores[:, COMPLAINT] / heat, target, reduction="sum"
        )
    )
