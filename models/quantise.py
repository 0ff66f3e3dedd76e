"""Makes an encoder's weights small integers, and fixes the scales of what flows through it.

The weights have seven of the eight bits. With all eight, a processor without VNNI (before 2019,
about) cuts sums of two products off at sixteen bits, and the same text gets other scores there:
half a logit was seen. With seven no sum can be so large, and every machine says the same.

Dynamic quantisation scales each call by its largest number, so that in a batch one text changes
another's scores. Here the scales are those of typical texts: what lies outside is cut off. A row
then comes out as the same bits in any batch of its length, and batches are what makes it fast.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

Floats = npt.NDArray[np.float64]

BATCH: Final = 16
"""Rows that a file with fixed scales is run with."""
_LEAST, _MOST = 1.0, 99.0
"""Percentiles of the texts' smallest and largest numbers that the scales reach to."""
_STEPS = 255
_MICROSOFT = "com.microsoft"


def quantise(graph: Path, out: Path, rows: Sequence[Sequence[int]] = ()) -> None:
    """Writes the eight-bit file of a graph, a scale a column of each weight.

    Args:
        graph: with weights of full precision.
        out: where to write.
        rows: word pieces of typical texts, by which the scales are fixed; none leaves them
            dynamic.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # The heads stay as they are: they are small, and `models.reasons` writes into one of them.
    heads = [node.name for node in onnx.load(str(graph)).graph.node if "heads" in node.name]
    quantize_dynamic(
        str(graph),
        str(out),
        nodes_to_exclude=[own for name in heads for own in (name, f"{name}_MatMul")],
        per_channel=True,
        weight_type=QuantType.QInt8,
        reduce_range=True,
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )
    if rows:
        model = onnx.load(str(out))
        _fix(model.graph, *_ranges(model, rows))
        _join(model.graph)
        onnx.save(model, str(out))


def _ranges(model: Any, rows: Sequence[Sequence[int]]) -> tuple[Floats, Floats]:
    """The least and the largest number to be kept at each place where numbers are rounded."""
    import onnxruntime

    asked = onnx.ModelProto()
    asked.CopyFrom(model)
    names = [name for node in _roundings(model.graph) for name in node.output[1:]]
    kinds = (onnx.TensorProto.FLOAT, onnx.TensorProto.UINT8)
    for at, name in enumerate(names):
        asked.graph.output.append(helper.make_tensor_value_info(name, kinds[at % 2], None))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        asked.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    seen = []
    for row in rows:
        ids = np.array([row], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        seen.append([float(value) for value in session.run(names, feed)])
    scales, zeros = np.array(seen)[:, 0::2], np.array(seen)[:, 1::2]
    least = np.percentile(-zeros * scales, _LEAST, axis=0)
    most = np.percentile((_STEPS - zeros) * scales, _MOST, axis=0)
    return least, most


def _roundings(graph: Any) -> list[Any]:
    return [node for node in graph.node if node.op_type == "DynamicQuantizeLinear"]


def _fix(graph: Any, least: Floats, most: Floats) -> None:
    """Constants in the place of scales that are worked out at every call."""
    for node, low, high in zip(_roundings(graph), least.tolist(), most.tolist(), strict=True):
        rounded, scale, zero = node.output
        step = max(high - low, 1e-6) / _STEPS
        constants = {
            scale: np.array(step, dtype=np.float32),
            zero: np.array(min(_STEPS, max(0, round(-low / step))), dtype=np.uint8),
        }
        graph.initializer.extend(
            numpy_helper.from_array(value, name) for name, value in constants.items()
        )
        fixed = helper.make_node("QuantizeLinear", [node.input[0], scale, zero], [rounded])
        _replace(graph, [node], fixed)


def _join(graph: Any) -> None:
    """One step for a product of integers and its scaling, which the runtime only finds for
    scales that are not constant.
    """
    makers = {name: node for node in graph.node for name in node.output}
    users: dict[str, list[Any]] = defaultdict(list)
    for node in graph.node:
        for name in node.input:
            users[name].append(node)
    for product in [node for node in graph.node if node.op_type == "MatMulInteger"]:
        (cast,) = users[product.output[0]]
        (scaled,) = users[cast.output[0]]
        (both,) = (makers[name] for name in scaled.input if name != cast.output[0])
        left, right, left_zero, right_zero = product.input
        joined = helper.make_node(
            "MatMulIntegerToFloat",
            [left, right, *both.input, left_zero, right_zero],
            list(scaled.output),
            domain=_MICROSOFT,
        )
        _replace(graph, [product, cast, scaled], joined)
    used = {name for node in graph.node for name in node.input}
    used |= {result.name for result in graph.output}
    for node in [node for node in graph.node if node.op_type == "Mul"]:
        if not used.intersection(node.output):
            graph.node.remove(node)


def _replace(graph: Any, old: Sequence[Any], new: Any) -> None:
    place = list(graph.node).index(old[-1])
    graph.node.insert(place, new)
    for node in old:
        graph.node.remove(node)
