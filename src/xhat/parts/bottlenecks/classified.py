"""The code is a class beside a style."""

from __future__ import annotations

from typing import Self

from jaxtyping import Float
from torch import Tensor

from xhat.core.bottleneck import Bottleneck
from xhat.core.classified_code import ClassifiedCode
from xhat.core.errors import ShapeError, require
from xhat.core.shapes import Shape
from xhat.parts.bottlenecks.gaussian import Gaussian


class Classified(Bottleneck):
    r""":math:`z = [\mathrm{softmax}(a), s]`, with :math:`h = [a, h']` and s what `style` makes of h'.

    Parameters
    ----------
    classes : int
        K, how many classes there are; >= 2.
    style : Bottleneck
        What the class leaves to say: of a flat code, as bottlenecks/plain or bottlenecks/gaussian.

    References
    ----------
    Makhzani et al., "Adversarial Autoencoders", 2015, section 5: the categorical variable and the style.
    """

    emits = ClassifiedCode

    def __init__(self, classes: int, style: Bottleneck) -> None:
        super().__init__()
        require(classes >= 2, "bottlenecks/classified", "classes must be >= 2", classes, "use the style alone for one")
        rule = "the style must be a flat code"
        hint = "as bottlenecks/plain of shape (8,)"
        flat = len(style.code_shape) == 1
        require(flat, "bottlenecks/classified", rule, style.code_shape, hint, error=ShapeError)
        self.classes, self.style = classes, style
        self.code_shape = (classes + style.code_shape[0],)

    @property
    def in_shape(self) -> Shape:
        """A logit a class, then what the style reads."""
        return (self.classes + self.style.in_shape[0],)

    def begin(self, h: Float[Tensor, "N H"]) -> None:
        """Let the style look."""
        self.style.begin(h[:, self.classes :])

    def forward(self, h: Float[Tensor, "B H"]) -> ClassifiedCode:
        """Part h into the classes' logits and the style."""
        return ClassifiedCode(h[:, : self.classes], self.style(h[:, self.classes :]))

    @classmethod
    def example(cls) -> Self:
        """Two classes beside one number."""
        return cls(2, Gaussian((1,)))
