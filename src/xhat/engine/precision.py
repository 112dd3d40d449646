"""How finely the nets compute: their products may have half the bits, all that judges them has 32."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MethodType
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from xhat.core.errors import ConfigError, require

Precision = Literal["auto", "32", "bf16", "16"]
TYPES = {"bf16": torch.bfloat16, "16": torch.float16}

# Narrower convolutions and layers spend their time on moving numbers and not on products.
WIDE = 16
WIDE_LAYER = 256


@contextmanager
def computing(nets: list[nn.Module], precision: str) -> Iterator[bool]:
    """Let `nets` compute at a precision while the context lasts, and say whether that is less than 32 bits.

    Inside a net, products of matrices and convolutions have 16 bits; its weights, what it gives and whatever is
    made of that (losses, likelihoods, codebooks) stay float32.

    Parameters
    ----------
    nets : list of nn.Module
        An encoder, a decoder; they are told apart from the rest of a model by being listed here.
    precision : str
        See `resolved`.

    Raises
    ------
    ConfigError
        When the device cannot compute so and it was asked for.
    """
    name = resolved(nets, precision)
    if name == "32":
        yield False
        return
    before = [vars(net).get("forward") for net in nets]
    for net, own in zip(nets, before, strict=True):
        # A method of the instance, and not a hook: a compiler sees through it, and copies of the net get their own.
        vars(net)["forward"] = MethodType(_halved(_device(nets).type, TYPES[name], own), net)
    try:
        yield True
    finally:
        for net, own in zip(nets, before, strict=True):
            vars(net).pop("forward") if own is None else vars(net).update(forward=own)


def resolved(nets: list[nn.Module], precision: str, device: torch.device | None = None) -> str:
    """Give the precision that nets will compute at: "32", "bf16" or "16".

    Parameters
    ----------
    nets : list of nn.Module
        An encoder, a decoder.
    precision : str
        "32", "bf16", "16"; or "auto": bf16 where the device has instructions for it and a net has wide convolutions
        or layers.
    device : torch.device, optional
        Where they will compute; by default where they are.

    Raises
    ------
    ConfigError
        When the device cannot.
    """
    device = device or _device(nets)
    if precision == "auto":
        return "bf16" if _gains(nets, device) else "32"
    able = precision != "bf16" or device.type in ("cpu", "cuda")
    require(able, "precision", "bf16 needs a CPU or a CUDA device", str(device.type), "use 32")
    able = precision != "16" or has_float16(device)
    require(able, "precision", "16 needs a device with instructions for float16", str(device.type), "use bf16 or 32")
    return precision


def checked(precision: object) -> str:
    """Give a precision's name, if it is one."""
    name, known = str(precision), get_args(Precision)
    if name not in known:
        raise ConfigError("fit", f"precision must be one of {', '.join(known)}", f"'{name}'", "leave it out for 32")
    return name


def has_bf16(device: torch.device) -> bool:
    """Whether a device has instructions for products of bfloat16; others take several times as long."""
    if device.type == "cpu":
        able = torch.cpu.get_capabilities()
        return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def has_float16(device: torch.device) -> bool:
    """Whether a device has instructions for products of float16."""
    if device.type == "cpu":
        able = torch.cpu.get_capabilities()
        return bool(able.get("avx512_fp16") or able.get("amx_fp16"))
    return device.type == "cuda"


def _gains(nets: list[nn.Module], device: torch.device) -> bool:
    return has_bf16(device) and any(_is_wide(module) for net in nets for module in net.modules())


def _is_wide(module: nn.Module) -> bool:
    if isinstance(module, nn.Linear):
        return min(module.in_features, module.out_features) >= WIDE_LAYER
    convolutions = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d)
    return isinstance(module, convolutions) and min(module.in_channels, module.out_channels) >= WIDE


def _device(nets: list[nn.Module]) -> torch.device:
    return next((p.device for net in nets for p in net.parameters()), torch.device("cpu"))


def _halved(device: str, dtype: torch.dtype, own: Callable[..., Any] | None) -> Any:
    """Make a `forward` that asks the instance's own, or its class's, under autocast, and gives float32."""

    def forward(self: nn.Module, *arguments: Any, **named: Any) -> Any:
        with torch.autocast(device, dtype=dtype):
            answer = own(*arguments, **named) if own else type(self).forward(self, *arguments, **named)
        return answer.float() if isinstance(answer, Tensor) and answer.dtype == dtype else answer

    return forward
