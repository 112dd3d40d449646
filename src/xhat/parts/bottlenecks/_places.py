"""Where a code's vectors stand: at the places of its grid, and in the groups of its first axis."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from jaxtyping import Float
from torch import Tensor

from xhat.core.errors import ShapeError, require
from xhat.core.shapes import Shape


@dataclass(frozen=True)
class Places:
    """A code (G * d, *S) read as G vectors of d numbers at each place of S.

    Parameters
    ----------
    code_shape : tuple of int
        Of one code: (G * d,), or (G * d, *S).
    groups : int
        G.
    who : str
        For errors.
    """

    code_shape: Shape
    groups: int
    who: str

    def __post_init__(self) -> None:
        channels, hint = self.code_shape[0], "choose a number of groups that divides it"
        whole = isinstance(self.groups, int) and self.groups >= 1 and channels % self.groups == 0
        rule = f"groups must divide the code's {channels} numbers"
        require(whole, self.who, rule, self.groups, hint, error=ShapeError)

    @property
    def width(self) -> int:
        """d, the numbers of a vector."""
        return self.code_shape[0] // self.groups

    @property
    def shape(self) -> Shape:
        """How a row's vectors are counted: (G,) where codes are flat, S, or (*S, G) where a place has several."""
        grid = self.code_shape[1:]
        return grid if grid and self.groups == 1 else (*grid, self.groups)

    def split(self, h: Float[Tensor, "B *Z"]) -> Float[Tensor, "B P d"]:
        """Take a code apart into its P vectors."""
        return h.unflatten(1, (self.groups, self.width)).movedim((1, 2), (-2, -1)).flatten(1, -2)

    def join(self, v: Float[Tensor, "B P d"]) -> Float[Tensor, "B *Z"]:
        """Put P vectors together to a code."""
        grid = self.code_shape[1:]
        return v.reshape(-1, *grid, self.groups, self.width).movedim((-2, -1), (1, 2)).flatten(1, 2)

    def counted(self, indices: Tensor) -> Tensor:
        """Read indices (B, *shape) as (B, P), and refuse others."""
        rule = f"indices must be of shape (B, {', '.join(map(str, self.shape))})"
        require(tuple(indices.shape[1:]) == self.shape, self.who, rule, tuple(indices.shape), error=ShapeError)
        return indices.reshape(-1, prod(self.shape))
