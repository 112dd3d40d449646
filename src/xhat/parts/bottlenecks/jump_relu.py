"""The code keeps what exceeds each unit's own threshold; the thresholds are learned to reach a given sparsity."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from xhat.core.bottleneck import Bottleneck
from xhat.core.errors import require
from xhat.core.shapes import Shape, as_shape, size
from xhat.core.sparse_code import SparseCode
from xhat.parts.bottlenecks._silence import Silence

# Of a batch's worth in the running one.
NEW = 0.05
# How far all thresholds move together, in logarithms, for an L0 that is twice its target.
PACE = 0.05
# Thresholds begin no lower than this share of the encodings' spread: they are learned as logarithms.
LOWEST = 0.01


class JumpReLU(Bottleneck):
    r"""Keep what exceeds θ, a threshold for each unit.

    .. math:: z = h\, H(h - \theta), \qquad \mathrm{sparsity} = \lambda\, \delta, \qquad
              \delta = \|z\|_0 / K - 1

    with H the step function and K the target. The step has no useful derivative in θ; in its place stands that of
    its mean under a kernel of relative width ε,

    .. math:: \frac{\partial z}{\partial \log\theta} = -\frac{\theta}{\epsilon} R, \quad
              \frac{\partial \|z\|_0}{\partial \log\theta} = -\frac{1}{\epsilon} R, \quad
              R = \left[\left|\frac{h}{\theta} - 1\right| < \frac{\epsilon}{2}\right].

    Like the paper's, the penalty moves the thresholds and not the encoder. No weight has to be tuned to the size of
    the data or of the likelihood, for training finds the price λ at which the target is met, a Lagrange multiplier.
    A unit at its threshold saves :math:`v = -B\, \theta\, \partial L / \partial z` nats a row by firing, and

    .. math:: \lambda = K\, E[v \,|\, R = 1], \qquad \log \theta = t + s, \qquad s \leftarrow s + 0.05\, \delta .

    t is learned: at this price a unit that is worth more than others fires more often, and another one less, and on
    the whole they stay where they are. s moves all of them together, until L0 is at its target.

    In evaluation the term is 0: λ moves, and epochs of different prices would not compare.

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code.
    target : float, default=16.0
        K, active units a row on average.
    bandwidth : float, default=0.25
        ε, relative to θ; in (0, 2].
    silent_after : int, default=10000
        Training rows without firing after which a unit counts as silent.
    revived : int, optional
        Silent units a row that are given for revival; an eighth of all, at most 512, by default.

    References
    ----------
    Rajamanoharan et al., "Jumping Ahead: Improving Reconstruction Fidelity with JumpReLU Sparse Autoencoders", 2024,
    eqs. 9 to 12, where λ is fixed. Gallego-Posada et al., "Controlled Sparsity via Constrained
    Optimization", NeurIPS 2022, for a target met by a multiplier.
    """

    emits = SparseCode
    worth: Tensor
    shift: Tensor

    def __init__(
        self,
        code_shape: Shape,
        target: float = 16.0,
        *,
        bandwidth: float = 0.25,
        silent_after: int = 10_000,
        revived: int | None = None,
    ) -> None:
        super().__init__()
        self.code_shape = as_shape(code_shape, "JumpReLU")
        units = size(self.code_shape)
        rule = f"target must be above 0 and below the code's {units} units"
        require(0 < target < units, "JumpReLU", rule, target, "give the code more units, or ask for fewer")
        require(0 < bandwidth <= 2, "JumpReLU", "bandwidth must be in (0, 2]", bandwidth, "0.25 suits most data")
        self.target, self.bandwidth = target, bandwidth
        self.silent_after, self.revived = silent_after, revived
        self.silence = Silence(self.code_shape, silent_after, revived, "JumpReLU")
        self.log_threshold = nn.Parameter(torch.full(self.code_shape, -2.0))  # t
        self.register_buffer("shift", torch.zeros(()))  # s
        self.register_buffer("worth", torch.zeros(()))  # E[v]

    @property
    def price(self) -> Tensor:
        """λ in nats, of shape ()."""
        return self.target * self.worth

    @property
    def threshold(self) -> Tensor:
        """θ, of shape (*Z,); no gradient passes."""
        return (self.log_threshold.detach() + self.shift).exp()

    @torch.no_grad()
    def begin(self, h: Float[Tensor, "N *Z"]) -> None:
        """Let every unit fire on its largest encodings, as often as the target asks."""
        often = max(1, round(len(h) * self.target / size(self.code_shape)))
        threshold = h.topk(often, dim=0).values[-1]  # (*Z,)
        self.log_threshold.copy_(threshold.clamp(min=LOWEST * float(h.std()) + 1e-6).log())

    def forward(self, h: Float[Tensor, "B *Z"]) -> SparseCode:
        """Keep what exceeds the thresholds; say what that costs."""
        threshold = self.threshold  # (*Z,)
        fires = h > threshold  # (B, *Z)
        near = (h.detach() / threshold - 1).abs() < self.bandwidth / 2  # R
        # Zero in value; its derivative in log θ is -R/ε, that of the step.
        step = near * (self.log_threshold.detach() - self.log_threshold) / self.bandwidth
        z = torch.where(fires, h, 0) + threshold * step
        surplus = (fires + step).flatten(1).sum(1).mean() / self.target - 1  # ()
        price, silent = self.price, self.silence.heard(h)
        if self.training and torch.is_grad_enabled():
            self.silence.watch(fires.to(z.dtype))
            self.shift = self.shift + PACE * surplus.detach().clamp(-1, 1)
            if z.requires_grad:
                z.register_hook(lambda gradient: self._appraise(-len(h) * threshold * gradient, near))
        return SparseCode(z, silent, sparsity=price * surplus if self.training else torch.zeros_like(surplus))

    @torch.no_grad()
    def _appraise(self, v: Float[Tensor, "B *Z"], near: Bool[Tensor, "B *Z"]) -> None:
        """Take what units at their thresholds save into the running means."""
        worth = (v * near).sum() / near.sum().clamp(min=1)
        self.worth = torch.lerp(self.worth, worth, NEW)

    @classmethod
    def example(cls) -> Self:
        """Let two units of eight fire."""
        return cls((8,), 2.0)
