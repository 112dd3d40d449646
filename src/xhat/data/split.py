"""Which rows train, and which are held out to validate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from jaxtyping import Bool
from torch import Tensor

from xhat.core.errors import DataError, require


@dataclass(frozen=True, eq=False)
class Split:
    """Two disjoint sets of rows that together are all rows.

    Parameters
    ----------
    train, validation : int64 Tensor of shape (n,)
        Numbers of rows, in order.
    """

    train: Tensor
    validation: Tensor

    @classmethod
    def draw(
        cls,
        n: int,
        validation: float = 0.1,
        *,
        seed: int = 0,
        most: int = 10_000,
        seen: Bool[Tensor, "N D"] | None = None,
    ) -> Self:
        """Draw the rows that validate uniformly, whatever their labels.

        Parameters
        ----------
        n : int
            How many rows there are, at least 2.
        validation : float, default=0.1
            The share that validates, in (0, 1); each side gets at least one row.
        seed : int, default=0
            The same seed draws the same rows; torch's own random state is neither read nor changed.
        most : int, default=10_000
            No more rows than this validate: beyond it, a mean is known well enough.
        seen : bool Tensor of shape (n, D), optional
            Which values are there, of rows with gaps: rows that alone have a value of some column then train, and
            others validate for them.

        Raises
        ------
        ConfigError
            When `validation` or `most` breaks its rule.
        DataError
            When there are fewer than 2 rows.
        """
        require(
            0 < validation < 1, "split", "validation must lie in (0, 1)", validation, "use 0.1 for a tenth of the rows"
        )
        require(most >= 1, "split", "most must be >= 1", most, "leave it out for 10,000")
        require(n >= 2, "split", "needs at least 2 rows", n, "one to train and one to validate", error=DataError)
        held = max(1, min(round(n * validation), most, n - 1))
        order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
        if seen is not None:
            held, order = _with_evidence(order, held, seen)
        return cls(order[held:].sort().values, order[:held].sort().values)


def sparse(n: int, held: int, seed: int) -> Split:
    """Draw a few validation rows out of very many, without a shuffle of all: it would take memory that rows could have.

    Parameters
    ----------
    n : int
        How many rows there are, more than four times `held`.
    held : int
        How many validate.
    seed : int
        Of the draw.
    """
    generator = torch.Generator().manual_seed(seed)
    # Some fall on one row twice; of four times as many enough are left, however few rows there are.
    drawn = torch.randint(n, (4 * held,), generator=generator).unique()
    validation = drawn[torch.randperm(len(drawn), generator=generator)[:held]].sort().values
    train = torch.ones(n, dtype=torch.bool)
    train[validation] = False
    return Split(train.nonzero().squeeze(1), validation)


def _with_evidence(order: Tensor, held: int, seen: Tensor) -> tuple[int, Tensor]:
    """Let rows change places until the training rows have a value of each column that has one."""
    left = seen.sum(0)  # (D,): values of each column that are not held out
    if bool((seen[order[held:]].any(0) | (left == 0)).all()):
        return held, order
    out: list[int] = []
    for row in order.tolist():
        if bool((left > 1)[seen[row]].all()):
            out.append(row)
            left = left - seen[row].long()
        if len(out) == held:
            break
    if not out:  # every row is the only one of something
        return held, order
    rest = order[~torch.isin(order, torch.tensor(out))]
    return len(out), torch.cat([torch.tensor(out), rest])
