"""What recurrent nets are made of: layers over steps, and readers of steps that are numbers or symbols."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from xhat.core.errors import DataError, require
from xhat.core.shapes import spread

CELLS: dict[str, type[nn.LSTM] | type[nn.GRU]] = {"lstm": nn.LSTM, "gru": nn.GRU}


class Numbers(nn.Module):
    """Steps of real numbers, read as they are; a missing one is a blank: zero, or learned.

    Parameters
    ----------
    features : int
        D, numbers a step.
    learned : bool
        Whether the blank is a parameter.
    """

    def __init__(self, features: int, *, learned: bool) -> None:
        super().__init__()
        self.width = features
        self.value: nn.Parameter | None = nn.Parameter(torch.zeros(features)) if learned else None

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Read rows (B, T, D) with a mask (B, T) or (B, T, D)."""
        if mask is None:
            return x
        mask = spread(mask, x)
        return torch.where(mask, x, 0.0 if self.value is None else self.value)

    def blank(self, n: int) -> Tensor:
        """Give what is read before the first step, (n, 1, D)."""
        assert self.value is not None
        return self.value.expand(n, 1, -1)

    def again(self, theta: Tensor) -> Tensor:
        """Read parameters (B, 1, D) that were written, as the step they stand for."""
        return theta


class Symbols(nn.Module):
    """Steps that are symbols, read from a table whose last row is the blank.

    Parameters
    ----------
    vocabulary : int
        The number of symbols.
    width : int
        Numbers a symbol is read as.
    """

    def __init__(self, vocabulary: int, width: int, who: str) -> None:
        super().__init__()
        self.vocabulary, self.width, self.who = vocabulary, width, who
        self.table = nn.Embedding(vocabulary + 1, width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Read rows (B, T) of whole numbers with a mask of the same shape.

        Raises
        ------
        DataError
            When a valid symbol lies outside the vocabulary. It is looked for on the CPU alone: elsewhere the look
            would hold up the device.
        """
        known = (x >= 0) & (x < self.vocabulary)  # False for NaN too
        if x.device.type == "cpu" and not torch.compiler.is_compiling():
            strange = ~known if mask is None else ~known & mask
            if strange.any():
                raise DataError(
                    self.who,
                    f"symbols must be whole numbers from 0 to {self.vocabulary - 1}, for vocabulary={self.vocabulary}",
                    f"{x[strange][0].item():g}",
                    "count the data's symbols, or mask what is padding",
                )
        known = known if mask is None else known & mask
        return self.table(torch.where(known, x, self.vocabulary).long())

    def blank(self, n: int) -> Tensor:
        """Give what is read before the first step, (n, 1, width)."""
        return self.table.weight[-1].expand(n, 1, -1)

    def again(self, theta: Tensor) -> Tensor:
        """Read logits (B, 1, V) that were written, as the most probable symbol."""
        return self.table(theta.argmax(-1))


def recurrent(cell: str, n_in: int, hidden: int, layers: int, who: str) -> nn.LSTM | nn.GRU:
    """Stack recurrent layers that read (B, T, n_in).

    Raises
    ------
    ConfigError
        When the cell is unknown or a size is below 1.
    """
    require(cell in CELLS, who, f"cell must be one of {', '.join(CELLS)}", f"'{cell}'", "use 'lstm' where in doubt")
    require(hidden >= 1 and layers >= 1, who, "hidden and layers must be >= 1", (hidden, layers), "as 128 and 1")
    net = CELLS[cell](n_in, hidden, layers, batch_first=True)
    if cell == "lstm":
        # A forget gate that starts half closed loses a step's trace within ten steps (Jozefowicz et al., ICML 2015).
        for k in range(layers):
            getattr(net, f"bias_ih_l{k}").data[hidden : 2 * hidden] += 1.0
    return net
