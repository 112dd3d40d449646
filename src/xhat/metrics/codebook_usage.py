"""How much of a codebook is in use."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor


@dataclass(frozen=True)
class CodebookUsage:
    """What is used of a codebook.

    Parameters
    ----------
    share : float
        The share of entries that are used at all, 0 to 1; of as many as there are indices, where those are fewer.
    perplexity : float
        How many entries, all equally frequent, would say as much as these do.
    """

    share: float
    perplexity: float


def codebook_usage(indices: Int[Tensor, "N ..."], entries: int, codebooks: int = 1) -> CodebookUsage:
    r"""Count the entries that codes are made of.

    .. math:: \mathrm{perplexity} = \exp\Big(-\sum_k f_k \log f_k\Big)

    with :math:`f_k` the relative frequency of entry k over all rows and places. Of several codebooks, the means.

    Parameters
    ----------
    indices : int Tensor of shape (N, ...)
        Of many rows, as a `QuantisedCode` holds them; -1, no entry, is passed over.
    entries : int
        How many entries a codebook has.
    codebooks : int, default=1
        How many there are; where more than one, the last axis of `indices` counts them.

    References
    ----------
    Van den Oord et al., "Neural Discrete Representation Learning", NeurIPS 2017, for the perplexity.
    """
    apart = indices.reshape(-1, codebooks)
    each = [_usage(column[column >= 0], entries) for column in apart.unbind(1)]
    return CodebookUsage(
        sum(usage.share for usage in each) / codebooks, sum(usage.perplexity for usage in each) / codebooks
    )


def _usage(indices: Int[Tensor, "M"], entries: int) -> CodebookUsage:
    # By the indices that occur: a codebook that is not stored may have more entries than fit into memory.
    _, counts = indices.unique(return_counts=True)
    f = counts.double() / counts.sum()
    return CodebookUsage(len(counts) / max(min(entries, len(indices)), 1), float(torch.exp(-(f * f.log()).sum())))
