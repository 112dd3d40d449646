"""Graph net: graph convolutions give each node a code, and codes that agree make an edge (GAE, VGAE)."""

from __future__ import annotations

import warnings
from typing import Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from xhat.core.batch import Batch
from xhat.core.decoder import Decoder
from xhat.core.encoder import Encoder
from xhat.core.errors import ConfigError, ShapeError, require
from xhat.core.shapes import Shape, as_shape
from xhat.parts.nets._masks import check_rows

WHO = "nets/graph"


class GraphEncoder(Encoder):
    r"""Two graph convolutions, from an adjacency matrix to a code for each node.

    .. math:: h = \hat A\, \mathrm{relu}(\hat A F W_1) W_2, \qquad \hat A = D^{-1/2} (A + I) D^{-1/2}

    One row is one undirected graph: its adjacency matrix A, (n, n), of 0 and 1 or of weights in [0, 1]. To embed the
    nodes of one graph, give one row. The mask (B, n, n) is True for pairs that were observed; a pair is known if
    either of its two entries is, so that the mask of the upper triangle counts every pair once in the loss and
    leaves the diagonal out: ``torch.ones(n, n, dtype=torch.bool).triu(1)``. Pairs held out for link prediction, and
    those with the padding of a smaller graph, are False.

    Parameters
    ----------
    in_shape : tuple of int
        (n, n).
    out_shape : tuple of int
        (H, n): H numbers a node. The channels come first, as an image's, so that a Gaussian's mean and variance part
        on them.
    hidden : int, default=32
        Width between the two convolutions.
    features : {"identity", "degree"}
        F, what is known of a node: which one it is, where rows are graphs over the same nodes; or no more than how
        many edges it has, which codes a graph alike in whatever order its nodes come.

    Raises
    ------
    ConfigError
        When PyTorch Geometric is not installed.

    References
    ----------
    Kipf and Welling, "Variational Graph Auto-Encoders", 2016; "Semi-Supervised Classification with Graph
    Convolutional Networks", ICLR 2017.
    """

    reads_mask = True

    def __init__(self, in_shape: Shape, out_shape: Shape, *, hidden: int = 32, features: str = "identity") -> None:
        super().__init__()
        self.in_shape, self.out_shape = _graph(in_shape), _nodes(out_shape, in_shape[0])
        require(hidden >= 1, WHO, "hidden must be >= 1", hidden, "use 32 where in doubt")
        known = ("identity", "degree")
        require(features in known, WHO, "features must be 'identity' or 'degree'", f"'{features}'", "use 'identity'")
        self.hidden, self.features = hidden, features
        self.first = _convolution(self.in_shape[0] if features == "identity" else 2, hidden)
        self.second = _convolution(hidden, self.out_shape[0])

    def forward(self, x: Float[Tensor, "B n n"], mask: Bool[Tensor, "B *M"] | None = None) -> Float[Tensor, "B H n"]:
        """Encode graphs; `mask` is True where a pair is known."""
        check_rows(x, self.in_shape, WHO)
        if mask is not None:
            hint = "make it mask[:, :, None] & mask[:, None, :] of a mask of nodes"
            rule = f"a mask must be of pairs, of shape {tuple(x.shape)}"
            require(mask.shape == x.shape, WHO, rule, tuple(mask.shape), hint, error=ShapeError)
            x = torch.where(mask, x, 0.0)
        adjacency = torch.maximum(x, x.transpose(1, 2))
        hidden = self.first(self._features(adjacency), adjacency).relu()  # (B, n, hidden)
        return self.second(hidden, adjacency).transpose(1, 2)

    def _features(self, adjacency: Tensor) -> Tensor:
        if self.features == "identity":
            return torch.eye(self.in_shape[0], dtype=adjacency.dtype, device=adjacency.device).expand_as(adjacency)
        degree = adjacency.sum(2)
        return torch.stack([torch.ones_like(degree), degree.log1p()], 2)  # (B, n, 2)

    def example_batch(self, n: int) -> Batch:
        """Make `n` random graphs, each of whose pairs counts once."""
        pairs = torch.ones(self.in_shape, dtype=torch.bool).triu(1)
        edges = (torch.rand(n, *self.in_shape) < 0.4) & pairs
        return Batch((edges | edges.transpose(1, 2)).float(), mask=pairs.expand(n, -1, -1))

    @classmethod
    def grid(cls, in_shape: Shape) -> Shape:
        """Give each node a place."""
        return _graph(in_shape)[:1]

    @classmethod
    def example(cls) -> Self:
        """Encode graphs of five nodes."""
        return cls((5, 5), (3, 5), hidden=8)


class GraphDecoder(Decoder):
    r"""The inner product of two nodes' codes is the logit of their edge, for likelihoods/bernoulli.

    .. math:: \theta_{ij} = z_i^T z_j + b, \qquad \theta_{ii} = c

    with learned b and c. Without b no pair of nodes whose codes do not oppose could be less likely than even to have
    an edge, in a graph most of whose pairs have none; c is for the diagonal, where an inner product is never negative
    and most graphs have nothing.

    Parameters
    ----------
    in_shape : tuple of int
        (Z, n).
    out_shape : tuple of int
        (n, n).

    References
    ----------
    Kipf and Welling, "Variational Graph Auto-Encoders", 2016, there without b and c.
    """

    judged_by = "likelihoods/bernoulli"

    def __init__(self, in_shape: Shape, out_shape: Shape) -> None:
        super().__init__()
        self.out_shape = _graph(out_shape)
        self.in_shape = _nodes(in_shape, self.out_shape[0])
        self.bias, self.loop = nn.Parameter(torch.zeros(())), nn.Parameter(torch.zeros(()))

    def forward(self, z: Float[Tensor, "B Z n"]) -> Float[Tensor, "B n n"]:
        """Decode nodes' codes to the logits of edges."""
        theta = z.transpose(1, 2) @ z + self.bias
        diagonal = torch.eye(self.out_shape[0], dtype=torch.bool, device=z.device)
        return torch.where(diagonal, self.loop, theta)

    @classmethod
    def example(cls) -> Self:
        """Decode to graphs of five nodes."""
        return cls((3, 5), (5, 5))


def _convolution(n_in: int, n_out: int) -> nn.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # its own, of what it asks torch for
            from torch_geometric.nn import DenseGCNConv
    except ImportError as error:
        raise ConfigError(WHO, "needs PyTorch Geometric", hint="run: pip install 'xhat[graph]'") from error
    layer: nn.Module = DenseGCNConv(n_in, n_out)
    return layer


def _graph(shape: Shape) -> Shape:
    shape = as_shape(shape, WHO)
    hint = "give each graph as its adjacency matrix"
    square = len(shape) == 2 and shape[0] == shape[1]
    require(square, WHO, "graphs need rows of shape (n, n)", shape, hint, error=ShapeError)
    return shape


def _nodes(shape: Shape, n: int) -> Shape:
    shape = as_shape(shape, WHO)
    hint = f"give (16, {n}) for 16 numbers a node"
    fits = len(shape) == 2 and shape[1] == n
    require(fits, WHO, f"codes must have a column for each node, (Z, {n})", shape, hint, error=ShapeError)
    return shape
