"""Activation checkpointing: what nets computed inside is forgotten, and computed again on the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MethodType
from typing import Any

from torch import nn
from torch.utils.checkpoint import checkpoint


@contextmanager
def recomputing(nets: list[nn.Module], wanted: bool) -> Iterator[None]:
    """Let `nets` keep only what enters each of their stages while the context lasts.

    Gradients are the same, random draws included. Running means of a batch normalisation move twice a step.

    Parameters
    ----------
    nets : list of nn.Module
        An encoder, a decoder.
    wanted : bool
        If not, nothing is changed.

    References
    ----------
    Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.
    """
    parts = [stage for net in nets for stage in stages(net)] if wanted else []
    before = [vars(part).get("forward") for part in parts]
    for part in parts:
        # A method of the instance: a copy of the net gets its own, and does not run this one's.
        vars(part)["forward"] = MethodType(_forgetful(vars(part).get("forward")), part)
    try:
        yield
    finally:
        for part, forward in zip(parts, before, strict=True):
            if forward is None:
                vars(part).pop("forward")
            else:
                vars(part)["forward"] = forward


def stages(net: nn.Module) -> list[nn.Module]:
    """List the parts of a net that are computed again one by one: its blocks, where it is a list of such.

    A single layer is none: what it keeps is what enters it.
    """
    found: list[nn.Module] = []
    for child in net.children():
        if any(map(_is_list_of_blocks, child.modules())):
            found += stages(child)
        elif _is_block(child):
            found.append(child)
    return found


def _is_list_of_blocks(module: nn.Module) -> bool:
    return isinstance(module, nn.ModuleList) or (isinstance(module, nn.Sequential) and any(map(_is_block, module)))


def _is_block(module: nn.Module) -> bool:
    return any(True for _ in module.children())


def _forgetful(own: Callable[..., Any] | None) -> Callable[..., Any]:
    """Make a `forward` that keeps its arguments alone; `own` is the instance's, where it has one beside its class's."""

    def forward(self: nn.Module, *arguments: Any, **named: Any) -> Any:
        if own is not None:
            return checkpoint(own, *arguments, use_reentrant=False, **named)
        return checkpoint(type(self).forward, self, *arguments, use_reentrant=False, **named)

    return forward
