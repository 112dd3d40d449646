"""A codebook that follows what it quantises by running means."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from xhat.core.errors import require

# Distances that are held at once: 64 MiB of them.
AT_ONCE = 2**24
# How much an entry counts as one of its own vectors, as a part of the mean share.
EPSILON = 1e-5
# Vectors for each entry that k-means looks at, and how often it goes over them: training goes on from there.
LOOKED_AT, PASSES = 32, 10


class Codebook(nn.Module):
    r"""K entries, each the running mean of the vectors that it is nearest to.

    .. math::
        n_k \leftarrow \gamma n_k + (1 - \gamma) \frac{1}{N} \sum_i [k_i = k], \qquad
        m_k \leftarrow \gamma m_k + (1 - \gamma) \frac{1}{N} \sum_i [k_i = k]\, e_i, \qquad
        c_k \leftarrow \frac{m_k + c_k\, \epsilon / K}{n_k + \epsilon / K}

    An entry that stands for nothing stays where it is: smoothing that counts vectors at the origin would take it
    there. n counts shares of a batch and not its vectors, so that neither the first look nor a smaller last batch
    weighs otherwise than the rest.

    Parameters
    ----------
    entries : int
        K.
    width : int
        d.
    decay : float
        γ.
    revive : float
        An entry whose share falls below this part of the mean share, 1/K, becomes a vector of the batch, the likelier
        the further that is from its own entry, and its running means begin anew from there. 0 for never.
    who : str
        For errors.
    """

    vectors: Tensor
    shares: Tensor
    sums: Tensor

    def __init__(self, entries: int, width: int, decay: float, revive: float, who: str) -> None:
        super().__init__()
        whole = isinstance(entries, int) and not isinstance(entries, bool) and entries >= 2
        require(whole, who, "entries must be a whole number >= 2", entries, "512 is usual")
        require(0 <= decay < 1, who, "decay must be >= 0 and < 1", decay, "0.99 averages over a hundred steps")
        require(0 <= revive < 1, who, "revive must be >= 0 and < 1", revive, "use 0 for never")
        self.entries, self.decay, self.revive = entries, decay, revive
        self.register_buffer("vectors", torch.randn(entries, width))  # c
        self.register_buffer("shares", torch.full((entries,), 1 / entries))  # n
        self.register_buffer("sums", self.vectors / entries)  # m

    @torch.no_grad()
    def begin(self, v: Float[Tensor, "N d"]) -> None:
        """Start at the centres of k-means."""
        v = v.to(self.vectors)
        some = v[torch.randperm(len(v), device=v.device)[: LOOKED_AT * self.entries]]
        self.vectors.copy_(_centres(some, self.entries))
        self.shares.copy_(torch.bincount(self.nearest(v), minlength=self.entries) / len(v))
        self.sums.copy_(self.shares[:, None] * self.vectors)

    @torch.no_grad()
    def nearest(self, v: Float[Tensor, "N d"]) -> Int64[Tensor, "N"]:
        """Find the nearest entry of each vector."""
        lengths = (self.vectors**2).sum(1)  # (K,)
        parts = v.split(max(1, AT_ONCE // self.entries))
        # |v|² is the same for all entries.
        return torch.cat([torch.addmm(lengths, part, self.vectors.T, alpha=-2).argmin(1) for part in parts])

    @torch.no_grad()
    def learn(self, v: Float[Tensor, "N d"], indices: Int64[Tensor, "N"]) -> None:
        """Take the vectors of a step into the running means, and move entries that are hardly used."""
        own = EPSILON / self.entries  # ε/K
        missed = ((v - self.vectors[indices]) ** 2).sum(1)  # (N,)
        count = torch.bincount(indices, minlength=self.entries).to(v)  # (K,)
        total = torch.zeros_like(self.sums).index_add_(0, indices, v)  # (K, d)
        self.shares.lerp_(count / len(v), 1 - self.decay)
        self.sums.lerp_(total / len(v), 1 - self.decay)
        self.vectors.copy_((self.sums + own * self.vectors) / (self.shares + own)[:, None])
        dead = (self.shares < self.revive / self.entries).nonzero().flatten()
        if len(dead):
            self._move(dead, v, missed)

    def _move(self, dead: Int64[Tensor, "M"], v: Float[Tensor, "N d"], missed: Float[Tensor, "N"]) -> None:
        # To vectors that their entries are far from, as k-means++ draws its centres: most vectors may be the same one.
        odds = missed.nan_to_num(0, 0, 0)
        count = min(len(dead), int((odds > 0).sum()))
        if count == 0:
            return
        dead, chosen = dead[:count], v[torch.multinomial(odds, count)]
        # The running means, too: with its old ones an entry would be back where it was, or die again, a step later.
        self.vectors[dead] = chosen
        self.shares[dead] = 1 / self.entries
        self.sums[dead] = chosen / self.entries


def _centres(v: Float[Tensor, "N d"], count: int) -> Float[Tensor, "count d"]:
    """Find centres by k-means; vectors that are fewer than these are centres themselves, and some of them twice."""
    # Imported here: scikit-learn takes as long to import as all else of a small fit to begin.
    from sklearn.cluster import MiniBatchKMeans

    distinct = v.unique(dim=0)
    if len(distinct) <= count:
        again = distinct[torch.randint(len(distinct), (count - len(distinct),), device=v.device)]
        # Moved by a little, or it could never be the nearest one.
        return torch.cat([distinct, again + 0.01 * v.std(correction=0) * torch.randn_like(again)])
    seed = int(torch.randint(2**31 - 1, ()))
    # Of distinct vectors: what most places of an image have in common, as its empty ones do, is one entry and not many.
    means = MiniBatchKMeans(count, n_init=1, max_iter=PASSES, batch_size=max(1024, 4 * count), random_state=seed)
    return torch.as_tensor(means.fit(distinct.double().cpu().numpy()).cluster_centers_).to(v)
