"""What an objective says of a batch: named terms whose sum is minimised."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from xhat.core.errors import ShapeError, require

# Less than any sum of weights, of which zero is one.
LEAST = 1e-30


class Loss:
    r"""Named terms, each per row or of the whole batch.

    .. math:: \mathrm{total} = \sum_t \bar t, \qquad
              \bar t = \frac{\sum_b w_b t_b}{\sum_b w_b} \text{ for a term per row, } t \text{ else}

    The total is derived from the terms, so that a log of them cannot disagree with what is minimised.

    Parameters
    ----------
    **terms : Tensor of shape (B,) or ()
        A term per row, or one that belongs to the batch; in nats unless the objective says otherwise.
    """

    def __init__(self, **terms: Tensor) -> None:
        require(bool(terms), "Loss", "needs at least one term", "none")
        require("total" not in terms, "Loss", "no term may be named 'total'", hint="a log holds their sum by that name")
        for name, term in terms.items():
            if term.ndim > 1:
                raise ShapeError(
                    "Loss",
                    f"term '{name}' must be of shape (B,) or ()",
                    tuple(term.shape),
                    "sum it over all axes but the first",
                )
        self.terms = terms
        self.weight: Tensor | None = None

    def weighted(self, weight: Tensor | None) -> Loss:
        """Give each row its weight, of shape (B,); ``None`` leaves them equal."""
        loss = Loss(**self.terms)
        loss.weight = weight
        return loss

    def means(self) -> dict[str, Tensor]:
        """Reduce every term to a scalar: name -> Tensor of shape ()."""
        return {name: self._mean(term) for name, term in self.terms.items()}

    @property
    def total(self) -> Tensor:
        """What is minimised: the sum of the terms' means, of shape ()."""
        return total(self.means())

    def _mean(self, term: Tensor) -> Tensor:
        if term.ndim == 0:
            return term
        if self.weight is None:
            return term.mean()
        # Where no row has any weight, the sum above is 0, and so is its mean.
        return (self.weight * term).sum() / self.weight.sum().clamp(min=LEAST)


def total(means: Mapping[str, Tensor]) -> Tensor:
    """Add the terms' means up, in their order."""
    first, *rest = means.values()
    for mean in rest:
        first = first + mean
    return first
