"""A code of entries of a codebook."""

from __future__ import annotations

from torch import Tensor

from xhat.core.code import Code


class QuantisedCode(Code):
    """A code whose vectors are entries of a codebook.

    Parameters
    ----------
    z : Tensor of shape (B, *Z)
        The entries, with a gradient to the encoding by whatever estimator the bottleneck uses.
    indices : int64 Tensor of shape (B, ...)
        Which entry stands at each place; with several codebooks the last axis counts them. -1 stands for none.
    entries : int
        How many entries a codebook has.
    codebooks : int, default=1
        How many codebooks there are.
    **terms : Tensor of shape (B,) or ()
        What the bottleneck asks to be minimised beside the objective, as its commitment.
    """

    def __init__(self, z: Tensor, indices: Tensor, entries: int, *, codebooks: int = 1, **terms: Tensor) -> None:
        super().__init__(z, **terms)
        self.indices, self.entries, self.codebooks = indices, entries, codebooks
