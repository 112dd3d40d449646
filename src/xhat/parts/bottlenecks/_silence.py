"""How long each unit of a sparse code has been silent, and what the silent ones would say."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import relu

from xhat.core.errors import require
from xhat.core.shapes import Shape, size

# Of many units at most so many are revived at once, as in Gao et al.; of few at most an eighth.
MOST, SHARE = 512, 8


class Silence(nn.Module):
    """Rows since each unit last fired; a unit is silent once there are `after` of them.

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code.
    after : int
        In rows of training.
    revived : int, optional
        How many silent units of a row may speak; an eighth of all, at most 512, by default.
    who : str
        For errors.
    """

    rows: Tensor

    def __init__(self, code_shape: Shape, after: int, revived: int | None, who: str) -> None:
        super().__init__()
        units = size(code_shape)
        require(after >= 1, who, "silent_after must be >= 1", after, "10000 rows suit most data")
        rule = f"revived must be between 1 and the code's {units} units"
        require(revived is None or 1 <= revived <= units, who, rule, revived, "leave it out for an eighth of them")
        self.after = after
        self.revived = min(MOST, max(1, units // SHARE)) if revived is None else revived
        self.register_buffer("rows", torch.zeros(code_shape, dtype=torch.int64))

    @property
    def dead(self) -> Tensor:
        """True for units that are silent, of shape (*Z,)."""
        return self.rows >= self.after

    @torch.no_grad()
    def watch(self, z: Float[Tensor, "B *Z"]) -> None:
        """Count the rows of a training batch; call it where a step will follow."""
        self.rows = torch.where((z != 0).any(0), 0, self.rows + len(z))

    def heard(self, h: Float[Tensor, "B *Z"]) -> Tensor | None:
        """Give the largest pre-activations of silent units, (B, *Z) and zero elsewhere; None where none is silent."""
        dead = self.dead
        count = int(dead.sum())
        if not self.training or count == 0:
            return None
        said = relu(h) * dead  # (B, *Z)
        return said if count <= self.revived else largest(said, self.revived)


def largest(z: Float[Tensor, "B *Z"], k: int) -> Float[Tensor, "B *Z"]:
    """Keep the `k` largest entries of each row, and put zero elsewhere."""
    flat = z.flatten(1)
    values, places = flat.topk(k, dim=1, sorted=False)  # (B, k)
    return torch.zeros_like(flat).scatter(1, places, values).view_as(z)
