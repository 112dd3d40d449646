"""A code most of whose entries are zero."""

from __future__ import annotations

from torch import Tensor

from xhat.core.code import Code


class SparseCode(Code):
    """A code most of whose entries are zero.

    Parameters
    ----------
    z : Tensor of shape (B, *Z)
        The code.
    silent : Tensor of shape (B, *Z), optional
        What units that have long been silent would have said, zero elsewhere: an objective may revive them by it.
        ``None`` where none is silent.
    **terms : Tensor of shape (B,) or ()
        What the bottleneck asks to be minimised beside the objective.
    """

    def __init__(self, z: Tensor, silent: Tensor | None = None, **terms: Tensor) -> None:
        super().__init__(z, **terms)
        self.silent = silent
