"""Checkpoints: a nested state as one safetensors file, tensors as tensors and the rest as JSON in its header."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from xhat.core.errors import ArtifactError, MissingFileError
from xhat.core.files import write_bytes

TENSOR = "$tensor"


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write `state`, a tree of dicts with text keys, lists, tensors and JSON's own types, whole or not at all."""
    tensors: dict[str, torch.Tensor] = {}
    tree = _take(state, "", tensors)
    write_bytes(path, save(tensors, metadata={"state": json.dumps(tree)}))


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read what `write_checkpoint` wrote, on the CPU.

    Raises
    ------
    MissingFileError, ArtifactError
        When it is not there, or is no whole checkpoint.
    """
    if not path.is_file():
        raise MissingFileError(str(path), "is missing, so there is nothing to continue from", hint="fit again")
    try:
        with safe_open(str(path), framework="pt") as file:
            tree = json.loads((file.metadata() or {})["state"])
            state: dict[str, Any] = _give(tree, file)
    except (SafetensorError, KeyError, ValueError) as error:
        raise ArtifactError(str(path), f"is no whole checkpoint ({error})", hint="fit again") from error
    return state


def _take(node: Any, path: str, tensors: dict[str, torch.Tensor]) -> Any:
    if isinstance(node, torch.Tensor):
        tensors[path] = node.detach().to("cpu", copy=True).contiguous()  # a copy: two names may share one memory
        return {TENSOR: path}
    if isinstance(node, dict):
        return {key: _take(value, f"{path}/{key}", tensors) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_take(value, f"{path}/{i}", tensors) for i, value in enumerate(node)]
    return node


def _give(node: Any, file: Any) -> Any:
    if isinstance(node, dict):
        if set(node) == {TENSOR}:
            return file.get_tensor(node[TENSOR])
        return {key: _give(value, file) for key, value in node.items()}
    if isinstance(node, list):
        return [_give(value, file) for value in node]
    return node
