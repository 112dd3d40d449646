"""Mixed tables: every column by its own kind, numbers of several modes and categories."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from xhat.core.data_distribution import DataDistribution
from xhat.core.errors import ShapeError, require
from xhat.core.likelihood import Likelihood
from xhat.core.shapes import Shape, size, spread
from xhat.parts.likelihoods._modes import Modes

WHO = "likelihoods/mixed"

# log σ, in standard deviations: beyond it nothing is left to say, and the exponential would overflow.
WIDEST = 5.0
# The least δ: a mode as narrow as a tenth of it is still ten times wider than 32-bit floats near 1 lie apart.
FINEST = 1e-5


class Mixed(Likelihood):
    r"""Columns are independent given z: a number is a mixture of logistics, a category a softmax.

    .. math:: \log p(x|z) = \sum_{n} \log \sum_{k=1}^K w_{nk}\, f\Big(\frac{x_n - \mu_{nk}}{\sigma_{nk}}\Big)
              + \sum_{c} \log \mathrm{softmax}(\theta_c)_{v(c)}

    with v(c) the category that x has in column c, written as a block of zeros and a one. Of a continuous number f is
    the logistic density over σ. Of a whole number, whose values lie a step δ apart, it is the mass of its cell,

    .. math:: f = \mathrm{sigmoid}\Big(\frac{x - \mu + \delta/2}{\sigma}\Big)
                - \mathrm{sigmoid}\Big(\frac{x - \mu - \delta/2}{\sigma}\Big) \le 1 :

    a value that most rows share, such as no gain at all, is then learned to its probability; under a density it would
    be worth the more nats the narrower σ is, and nothing else would be learned. Samples of whole numbers are as they
    are before rounding.

    θ holds w, μ and s of all numbers, K each, then the categories' scores; :math:`\sigma = \mathrm{smallest} + e^s`, of
    whole numbers with a twentieth of a step in the place of `smallest`. They are added to a base that is set to
    each column's own distribution before the first step and then stays: the code says how a row differs from it.
    Modes that are one common value stay where they are and as narrow: of them the code says only how likely they are.

    Of a block that a mask hides in part the visible zeros still tell: the probability is that of the categories that
    they leave open. Hidden as a whole it counts nothing.

    Parameters
    ----------
    categories : sequence of int
        For each column of the table how many categories there are, 0 for a number.
    steps : sequence of float, optional
        For each column δ in the scaled data's units, 0 for what is continuous or a category. By default all 0. Numbers
        that lie closer than 1e-5 are taken as continuous: 32-bit floats would miss the cells of such a column.
    components : int, default=5
        K. Must be >= 1.
    smallest : float, default=0.01
        The lowest σ of continuous numbers, in the scaled data's units. Must be > 0.

    References
    ----------
    Salimans et al., "PixelCNN++", ICLR 2017, section 2.1, for the mixture of logistics over cells. Xu et al.,
    "Modeling Tabular Data using Conditional GAN", NeurIPS 2019, for modes of columns.
    """

    numbers: Tensor
    symbols: Tensor
    column: Tensor
    deltas: Tensor
    base: Tensor
    scores: Tensor
    free: Tensor

    def __init__(
        self,
        categories: Sequence[int],
        steps: Sequence[float] | None = None,
        *,
        components: int = 5,
        smallest: float = 0.01,
    ) -> None:
        super().__init__()
        categories = tuple(categories)
        steps = (0.0,) * len(categories) if steps is None else tuple(steps)
        hint = "as (0, 3) for a number and three categories"
        counts = bool(categories) and min(categories) >= 0
        require(counts, WHO, "categories must be >= 0, one a column", categories, hint)
        fits = len(steps) == len(categories) and all(step >= 0 for step in steps)
        require(fits, WHO, "steps must be >= 0, one a column", steps, "give 0 for continuous numbers and categories")
        require(components >= 1, WHO, "components must be >= 1", components, "5 suit most columns")
        require(smallest > 0, WHO, "smallest must be > 0", smallest, "0.01 of the data's spread suits most")
        self.categories, self.steps, self.components, self.smallest = categories, steps, components, smallest
        self.x_shape = (sum(max(count, 1) for count in categories),)
        numbers: list[int] = []  # places of numbers and of categories in a row, and the latter's columns
        symbols: list[int] = []
        column: list[int] = []
        for count in categories:
            place = len(numbers) + len(symbols)
            (symbols if count else numbers).extend(range(place, place + max(count, 1)))
            column += [max(column, default=-1) + 1] * count
        deltas = [step if step >= FINEST else 0.0 for count, step in zip(categories, steps, strict=True) if not count]
        for name, value in (("numbers", numbers), ("symbols", symbols), ("column", column)):
            self.register_buffer(name, torch.tensor(value, dtype=torch.int64), persistent=False)
        self.register_buffer("deltas", torch.tensor(deltas), persistent=False)
        # Buffers: a decay of weights would pull narrow modes away from their values.
        base = torch.zeros(len(numbers), 3, components)
        if components > 1:  # modes that all begin alike would stay alike
            base[:, 1] = torch.linspace(-1, 1, components)
        self.register_buffer("base", base)
        self.register_buffer("free", torch.ones(len(numbers), components))
        self.register_buffer("scores", torch.zeros(len(symbols)))

    @property
    def whole(self) -> Bool[Tensor, "D"]:
        """Tell which elements are whole numbers: of them p is a mass and not a density."""
        found = torch.zeros(self.x_shape, dtype=torch.bool, device=self.deltas.device)
        return found.index_put((self.numbers,), self.deltas > 0)

    def params(self, x_shape: Shape) -> Shape:
        """Give three times K numbers for a number, and a score for each category."""
        rule = f"these columns make rows of {self.x_shape}"
        hint = "open the table by its frame or file, which knows them"
        require(tuple(x_shape) == self.x_shape, WHO, rule, tuple(x_shape), hint, error=ShapeError)
        return (size(self.base.shape) + len(self.symbols),)

    def forward(self, theta: Float[Tensor, "B T"]) -> DataDistribution:
        """Read θ as mixtures and scores."""
        rule = f"θ must be (B, {self.params(self.x_shape)[0]})"
        hint = "give the decoder the out_shape that params(x_shape) says"
        fits = theta.shape[1:] == self.params(self.x_shape)
        require(fits, WHO, rule, tuple(theta.shape), hint, error=ShapeError)
        count = size(self.base.shape)
        a, b, c = theta[:, :count].unflatten(1, self.base.shape).unbind(2)  # (B, n, K) each
        logit, place, s = self.base.unbind(1)  # (n, K) each
        floor, b, c = self._floor()[:, None], self.free * b, self.free * c
        # A mode moves in its own widths: what moves a broad one a little would throw a narrow one far off.
        mu = place + (floor + s.exp()) * b
        sigma = floor + (s + c).clamp(max=WIDEST).exp()
        numbers = _Numbers((logit + a).log_softmax(-1), mu, sigma, self.deltas[:, None])
        symbols = _Symbols(self.scores + theta[:, count:], self.column)
        return _Row(_Columns(numbers, symbols, self.numbers, self.symbols))

    @torch.no_grad()
    def begin(self, x: Float[Tensor, "B D"], mask: Tensor | None = None) -> None:
        """Set each column's base to its own distribution in these rows."""
        seen = torch.ones_like(x, dtype=torch.bool) if mask is None else mask.expand_as(x)
        for place, (column, floor) in enumerate(zip(self.numbers.tolist(), self._floor().tolist(), strict=True)):
            known = x[seen[:, column], column].double().cpu().numpy()
            modes = Modes.of(known, self.components, 2 * floor)
            if modes is not None:
                start = [np.log(modes.weights), modes.places, np.log(modes.scales - floor)]
                self.base[place] = torch.from_numpy(np.stack(start)).to(self.base)
                self.free[place] = torch.from_numpy(~modes.common).to(self.free)
        hot = seen[:, self.symbols] & (x[:, self.symbols] > 0.5)
        self.scores.copy_((hot.sum(0) + 1.0).log())  # one more: what did not come may yet

    def _floor(self) -> Float[Tensor, "n"]:
        return torch.where(self.deltas > 0, 0.05 * self.deltas, self.smallest)

    @classmethod
    def example(cls) -> Self:
        """Judge a number, a choice of three, a whole number and a choice of two."""
        return cls((0, 3, 0, 2), (0.0, 0.0, 0.5, 0.0), components=2, smallest=0.1)


@dataclass(frozen=True, eq=False)
class _Numbers:
    """Mixtures: log w, μ and σ, (B, n, K), and δ, (n, 1)."""

    log_w: Tensor
    mu: Tensor
    sigma: Tensor
    delta: Tensor

    @property
    def mean(self) -> Float[Tensor, "B n"]:
        return (self.log_w.exp() * self.mu).sum(-1)

    def log_prob(self, x: Float[Tensor, "B n"]) -> Float[Tensor, "B n"]:
        u = (x.unsqueeze(-1) - self.mu) / self.sigma
        half = 0.5 * self.delta / self.sigma
        density = -u - 2 * softplus(-u) - self.sigma.log()
        # sigmoid(a) - sigmoid(b) = sigmoid(a) sigmoid(-b) (1 - e^(b - a)), which loses nothing far out.
        width = torch.where(self.delta > 0, 2 * half, 1.0)
        mass = logsigmoid(u + half) + logsigmoid(half - u) + torch.log(-torch.expm1(-width))
        return torch.logsumexp(self.log_w + torch.where(self.delta > 0, mass, density), -1)

    def sample(self) -> Float[Tensor, "B n"]:
        k = torch.multinomial(self.log_w.exp().flatten(0, 1), 1).view(*self.mu.shape[:2], 1)
        uniform = torch.rand_like(self.mu[..., 0]).clamp(1e-6, 1 - 1e-6)
        return self.mu.gather(-1, k).squeeze(-1) + self.sigma.gather(-1, k).squeeze(-1) * torch.logit(uniform)


class _Symbols:
    """Softmaxes side by side: scores (B, S), of which `column` (S,) tells the column."""

    def __init__(self, scores: Tensor, column: Tensor) -> None:
        self.column = column
        self.columns = int(column.max()) + 1 if len(column) else 0
        top = scores.new_full((len(scores), self.columns), -math.inf)
        top = top.scatter_reduce(1, column.expand_as(scores), scores.detach(), "amax")
        scores = scores - top[:, column]
        self.logs = scores - self.sum(scores.exp()).log()[:, column]  # (B, S)

    def sum(self, values: Tensor) -> Float[Tensor, "B C"]:
        """Sum over each column's categories."""
        return values.new_zeros(len(values), self.columns).index_add(1, self.column, values)

    def log_prob(self, x: Float[Tensor, "B S"], seen: Bool[Tensor, "B S"]) -> Float[Tensor, "B C"]:
        """Give the log-probability of what is seen of each column."""
        hot = seen & (x > 0.5)
        told = self.sum(hot.to(x.dtype)) > 0  # (B, C)
        exact = self.sum(torch.where(hot, self.logs, 0.0))
        # Without the one among what is seen it is a hidden category: any of them.
        left = self.sum(torch.where(seen, 0.0, self.logs.exp()))
        tiny = torch.finfo(x.dtype).tiny
        rest = torch.where(left > 0, left.clamp(min=tiny).log(), -math.inf)
        rest = torch.where(self.sum(seen.to(x.dtype)) == 0, 0.0, rest)  # exactly: all of them
        return torch.where(told, exact, rest)

    def sample(self) -> Float[Tensor, "B S"]:
        drawn = torch.zeros_like(self.logs)
        for column in range(self.columns):
            block = torch.nonzero(self.column == column).squeeze(1)
            place = torch.multinomial(self.logs[:, block].exp(), 1)  # (B, 1)
            drawn[:, block] = torch.zeros_like(drawn[:, block]).scatter(1, place, 1.0)
        return drawn


@dataclass(frozen=True, eq=False)
class _Columns:
    """Numbers and symbols, at their places in a row."""

    n: _Numbers
    s: _Symbols
    numbers: Tensor
    symbols: Tensor

    @property
    def mean(self) -> Float[Tensor, "B D"]:
        return self._laid(self.n.mean, self.s.logs.exp())

    def sample(self) -> Float[Tensor, "B D"]:
        return self._laid(self.n.sample(), self.s.sample())

    def log_prob(self, value: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        """Give each element's share: of a block all at the category that it has."""
        symbols = torch.where(value[:, self.symbols] > 0.5, self.s.logs, 0.0)
        return self._laid(self.n.log_prob(value[:, self.numbers]), symbols)

    def _laid(self, numbers: Tensor, symbols: Tensor) -> Tensor:
        order = torch.argsort(torch.cat([self.numbers, self.symbols]))
        return torch.cat([numbers, symbols], 1)[:, order]


class _Row(DataDistribution):
    """Rows of which parts may be hidden, of blocks as well."""

    law: _Columns

    def log_prob(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        law = self.law
        seen = torch.ones_like(x, dtype=torch.bool) if mask is None else spread(mask, x).expand_as(x)
        x = torch.where(seen, x, 0.0)  # what is hidden may be NaN
        numbers = torch.where(seen[:, law.numbers], law.n.log_prob(x[:, law.numbers]), 0.0)
        return numbers.sum(1) + law.s.log_prob(x[:, law.symbols], seen[:, law.symbols]).sum(1)
