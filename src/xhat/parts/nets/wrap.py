"""Any function as encoder or decoder: a module, a frozen backbone, a plain callable, a differentiable simulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from xhat.core.decoder import Decoder
from xhat.core.encoder import Encoder
from xhat.core.errors import ShapeError, require
from xhat.core.shapes import Shape, as_shape, size

WHO = "nets/wrap"


class WrapEncoder(Encoder):
    """h = P m(x): the user's m, and a projection P where its output is not what the bottleneck reads.

    Parameters
    ----------
    module : nn.Module or callable
        m, from a batch of rows (B, *in_shape) to a tensor (B, ...). A callable that is no module has no weights to
        train or to save.
    in_shape, out_shape : tuple of int
        Shapes of a row and of its encoding.
    frozen : bool, default=False
        Leave m as it is: its weights are not trained, and it stays in evaluation mode.
    project : bool, default=True
        Whether to add P where m's output has another shape; without it that is an error.
    """

    def __init__(
        self,
        module: Callable[..., Any],
        in_shape: Shape,
        out_shape: Shape,
        *,
        frozen: bool = False,
        project: bool = True,
    ) -> None:
        super().__init__()
        self.module, self.frozen, self.project = module, frozen, project
        self.in_shape, self.out_shape = as_shape(in_shape, WHO), as_shape(out_shape, WHO)
        _freeze(module, frozen)
        gives = _dry(module, self.in_shape, frozen)
        self.last = _projection(gives, self.out_shape, project, f"the encoder gives {gives}")

    def train(self, mode: bool = True) -> Self:
        """Set the mode of all but a frozen module."""
        super().train(mode)
        _freeze(self.module, self.frozen)
        return self

    def forward(self, x: Float[Tensor, "B *X"]) -> Float[Tensor, "B *H"]:
        """Encode rows."""
        h: Tensor = self.module(x)
        return h if self.last is None else self.last(h.flatten(1)).unflatten(1, self.out_shape)

    @classmethod
    def example(cls) -> Self:
        """Wrap a function that only looks at sums."""
        return cls(nn.Linear(6, 4), (6,), (3,))


class WrapDecoder(Decoder):
    """θ = P m(Q z): the user's m, with projections where its shapes do not meet the code's and the data's.

    Parameters
    ----------
    module : nn.Module or callable
        m, from a tensor (B, *takes) to a tensor (B, ...); a simulator must be differentiable.
    in_shape, out_shape : tuple of int
        Shapes of a code and of a row's parameters.
    takes : tuple of int, optional
        What m reads; the code itself by default. Where it is another shape, Q is added.
    frozen : bool, default=False
        Leave m as it is.
    project : bool, default=True
        Whether to add P and Q; without it shapes that do not meet are an error.
    """

    def __init__(
        self,
        module: Callable[..., Any],
        in_shape: Shape,
        out_shape: Shape,
        *,
        takes: Shape | None = None,
        frozen: bool = False,
        project: bool = True,
    ) -> None:
        super().__init__()
        self.module, self.takes, self.frozen, self.project = module, takes, frozen, project
        self.in_shape, self.out_shape = as_shape(in_shape, WHO), as_shape(out_shape, WHO)
        self._takes = self.in_shape if takes is None else as_shape(takes, WHO)
        _freeze(module, frozen)
        gives = _dry(module, self._takes, frozen)
        self.first = _projection(self.in_shape, self._takes, project, f"the code is {self.in_shape}")
        self.last = _projection(gives, self.out_shape, project, f"the decoder gives {gives}")

    def train(self, mode: bool = True) -> Self:
        """Set the mode of all but a frozen module."""
        super().train(mode)
        _freeze(self.module, self.frozen)
        return self

    def forward(self, z: Float[Tensor, "B *Z"]) -> Float[Tensor, "B *Θ"]:
        """Decode codes."""
        read = z if self.first is None else self.first(z.flatten(1)).unflatten(1, self._takes)
        theta: Tensor = self.module(read)
        return theta if self.last is None else self.last(theta.flatten(1)).unflatten(1, self.out_shape)

    @classmethod
    def example(cls) -> Self:
        """Wrap a linear map of two numbers."""
        return cls(nn.Linear(2, 6), (3,), (6,), takes=(2,))


def _freeze(module: Callable[..., Any], frozen: bool) -> None:
    if frozen and isinstance(module, nn.Module):
        module.requires_grad_(False).eval()


@torch.no_grad()
def _dry(module: Callable[..., Any], shape: Shape, frozen: bool) -> Shape:
    """Call `module` once, on two rows of zeros, to see what it gives."""
    training = isinstance(module, nn.Module) and module.training
    if isinstance(module, nn.Module):
        module.eval()  # a dry pass must not move running statistics
    try:
        out = module(torch.zeros(2, *shape))
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise ShapeError(WHO, f"the wrapped object cannot read rows of {shape} ({reason})", hint=_READS) from error
    finally:
        if isinstance(module, nn.Module) and not frozen:
            module.train(training)
    hint = "wrap the part that you mean, as lambda x: module(x)[0]"
    require(isinstance(out, Tensor), WHO, "the wrapped object must return a tensor", type(out).__name__, hint)
    hint = "return one encoding for each row, in their order"
    good = out.ndim >= 1 and len(out) == 2
    require(good, WHO, "the first axis must stay the batch's, 2", tuple(out.shape), hint, error=ShapeError)
    return tuple(out.shape[1:]) or (1,)


def _projection(gives: Shape, wanted: Shape, project: bool, who: str) -> nn.Linear | None:
    if tuple(gives) == tuple(wanted):
        return None
    hint = "project=True fits them with a linear map"
    require(project, WHO, f"shapes must meet, but {who} and {tuple(wanted)} is wanted", None, hint, error=ShapeError)
    return nn.Linear(size(gives), size(wanted))


_READS = "give the shape that it reads, as takes=(…), or wrap a function that reshapes first"
