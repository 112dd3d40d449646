"""What encoders of images share that go down in stages."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, ClassVar, Self

from jaxtyping import Float
from torch import Tensor, nn

from xhat.core.encoder import Encoder
from xhat.core.shapes import Shape, as_shape
from xhat.parts.nets._blocks import halve, last_layer
from xhat.parts.nets._grids import grids, head, image, stages


class StagedEncoder(Encoder):
    """An encoder whose stages each halve an image; its ``head`` reads the last grid."""

    who: ClassVar[str]
    """The net's kind, for errors."""

    head: nn.Module

    @property
    def last(self) -> nn.Module:
        """The last layer with weights."""
        return last_layer(self.head)

    @classmethod
    def grid(cls, in_shape: Shape, *, widths: tuple[int, ...] | None = None, **_: Any) -> Shape:
        """Give the last stage's grid."""
        return grids(image(in_shape, cls.who), len(stages(in_shape, widths, cls.who)))[-1]

    @classmethod
    def example(cls) -> Self:
        """Encode two-channel images of an odd size."""
        return cls((2, 9, 7), (3,), widths=(4, 8))


class HalvingEncoder(StagedEncoder):
    """Convolutions of stride 2 with an activation after each, then a linear map."""

    def __init__(
        self,
        in_shape: Shape,
        out_shape: Shape,
        *,
        widths: tuple[int, ...] | None = None,
        activation: str = "silu",
    ) -> None:
        super().__init__()
        self.in_shape, self.out_shape = image(in_shape, self.who), as_shape(out_shape, self.who)
        self.widths, self.activation = widths, activation
        channels = [self.in_shape[0], *stages(self.in_shape, widths, self.who)]
        grid = grids(self.in_shape, len(channels) - 1)[-1]
        self.stages = nn.Sequential(*(halve(n, m, activation, self.who) for n, m in pairwise(channels)))
        self.head = head(channels[-1], grid, self.out_shape, self.who)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B *H"]:
        """Encode images."""
        return self.head(self.stages(x))
