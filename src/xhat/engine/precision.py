"""How finely the nets compute: their products may have half the bits, all that judges them has 32."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from xhat.core.errors import ConfigError, require

Precision = Literal["auto", "32", "bf16"]
# Narrower convolutions spend their time on moving numbers and not on products.
WIDE = 16


@contextmanager
def computing(nets: list[nn.Module], precision: str) -> Iterator[bool]:
    """Let `nets` compute at a precision while the context lasts, and say whether that is less than 32 bits.

    Inside a net, products of matrices and convolutions are of bfloat16; its weights, what it gives and whatever is
    made of that (losses, likelihoods, codebooks) stay float32.

    Parameters
    ----------
    nets : list of nn.Module
        An encoder, a decoder; they are told apart from the rest of a model by being listed here.
    precision : str
        "32", "bf16", or "auto": bf16 where the device has instructions for it and a net has wide convolutions.

    Raises
    ------
    ConfigError
        When the device cannot compute with bfloat16 and it was asked for.
    """
    device = next((p.device for net in nets for p in net.parameters()), torch.device("cpu"))
    half = precision == "bf16" or (precision == "auto" and _gains(nets, device))
    require(
        not half or device.type in ("cpu", "cuda"),
        "precision",
        "bf16 needs a CPU or a CUDA device",
        str(device.type),
        "use 32",
    )
    handles = [handle for net in nets for handle in _halved(net, device)] if half else []
    try:
        yield half
    finally:
        for handle in handles:
            handle.remove()


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


def _gains(nets: list[nn.Module], device: torch.device) -> bool:
    convolutions = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d)
    wide = (
        m
        for net in nets
        for m in net.modules()
        if isinstance(m, convolutions) and min(m.in_channels, m.out_channels) >= WIDE
    )
    return has_bf16(device) and next(wide, None) is not None


def _halved(net: nn.Module, device: torch.device) -> list[Any]:
    """Hook a net: what happens between its call and its answer happens under autocast."""
    open_: list[AbstractContextManager[Any]] = []  # a stack: a net may call itself

    def enter(_module: nn.Module, _arguments: Any) -> None:
        context = torch.autocast(device.type, dtype=torch.bfloat16)
        context.__enter__()
        open_.append(context)

    def leave(_module: nn.Module, _arguments: Any, answer: Any) -> Any:
        open_.pop().__exit__(None, None, None)
        return answer.float() if isinstance(answer, Tensor) and answer.dtype == torch.bfloat16 else answer

    return [net.register_forward_pre_hook(enter), net.register_forward_hook(leave, always_call=True)]
