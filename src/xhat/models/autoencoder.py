"""The autoencoder: z = f(x), x̂ = g(z), and what lies between."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.bottleneck import Bottleneck
from xhat.core.code import Code
from xhat.core.component import Component
from xhat.core.data_distribution import DataDistribution
from xhat.core.decoder import Decoder
from xhat.core.encoder import Encoder
from xhat.core.errors import ConfigError, ShapeError, require
from xhat.core.likelihood import Likelihood
from xhat.core.prior import Prior
from xhat.core.shapes import Shape, size
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.priors.normal import Normal


class Autoencoder(Component):
    """Everything that is needed after training.

    Parameters
    ----------
    encoder : Encoder
        f, from rows (B, *X) to encodings (B, *H).
    bottleneck : Bottleneck
        From encodings to a code z (B, *Z).
    decoder : Decoder
        g, from codes to the likelihood's parameters (B, *Θ).
    likelihood : Likelihood
        p(x|z), whose mean is the reconstruction x̂.
    prior : Prior, optional
        p(z); the standard normal by default.

    Raises
    ------
    ShapeError
        When two neighbours do not meet; both shapes are named.
    """

    begun: bool = False
    """Whether an earlier fit goes on: what would start from data before the first step then stays as it is."""

    def __init__(
        self,
        encoder: Encoder,
        bottleneck: Bottleneck,
        decoder: Decoder,
        likelihood: Likelihood,
        prior: Prior | None = None,
    ) -> None:
        super().__init__()
        self.encoder, self.bottleneck, self.decoder, self.likelihood = (
            encoder,
            bottleneck,
            decoder,
            likelihood,
        )
        self.prior = Normal(bottleneck.code_shape) if prior is None else prior
        self.prior.attach(self.encode)
        theta = likelihood.params(encoder.in_shape)
        _meet("the encoder gives", encoder.out_shape, "the bottleneck reads", bottleneck.in_shape)
        _meet("the bottleneck gives", bottleneck.code_shape, "the decoder reads", decoder.in_shape)
        _meet("the decoder gives", decoder.out_shape, "the likelihood reads", theta)
        _meet("the bottleneck gives", bottleneck.code_shape, "the prior is over", self.prior.code_shape)
        if self.ancestral:
            hint = "give the decoder as many parameters as the likelihood has for an element, net.per_element"
            rule = f"the decoder must keep the order of a row's {encoder.ancestral} elements"
            require(encoder.ancestral == decoder.ancestral, "Autoencoder", rule, decoder.ancestral, hint)

    @property
    def x_shape(self) -> Shape:
        """The shape of one row."""
        return self.encoder.in_shape

    @property
    def code_shape(self) -> Shape:
        """The shape of one code."""
        return self.bottleneck.code_shape

    @property
    def ancestral(self) -> bool:
        """Whether what is said of an element depends on the elements before it alone."""
        # Plain: any other bottleneck mixes the numbers of a code, or is drawn to a prior to be sampled from.
        return bool(self.encoder.ancestral and self.decoder.ancestral and type(self.bottleneck) is Plain)

    def encode(self, x: Tensor | Batch) -> Code:
        """q(z|x): the codes of rows x (B, *X), or of what a batch shows the encoder."""
        code: Code = self.bottleneck(self.read(x if isinstance(x, Batch) else Batch(x)))
        return code

    def read(self, batch: Batch) -> Tensor:
        """h: what the encoder says of a batch, (B, *H), before the bottleneck."""
        masks = [batch.present] * self.encoder.reads_mask + [batch.visible] * self.encoder.reads_visible
        told = [batch.y] * self.encoder.reads_labels + [batch.noise] * self.encoder.reads_noise
        h: Tensor = self.encoder(batch.input, *masks, *told)
        return h

    @torch.no_grad()
    def begin(self, batch: Batch) -> None:
        """Let the parts that start from data look at some rows, once, before the first step."""
        h = self.read(batch)
        self.decoder.begin(batch.y)
        self.bottleneck.begin(h)
        self.prior.begin(batch.x, self.bottleneck(h).z)
        self.likelihood.begin(batch.x, batch.mask)

    def decode(self, z: Tensor, batch: Batch | None = None, *, y: Tensor | None = None) -> DataDistribution:
        """p(x|z) of codes z (B, *Z).

        Parameters
        ----------
        z : Tensor of shape (B, *Z)
            Codes; or k draws for each row of `batch`, (k * B, *Z).
        batch : Batch, optional
            The rows that the distribution will be asked about: a decoder that goes step by step then reads each
            row's own steps (teacher forcing). Without it such a decoder reads what it wrote.
        y : int64 Tensor of shape (B,), optional
            Labels, for a decoder that reads them; by default the batch's.
        """
        if y is None and batch is not None:
            y = batch.y
        y = y if y is None else y.repeat(len(z) // len(y), *(1,) * (y.ndim - 1))  # k draws a row stand draw after draw
        read = [batch] * self.decoder.reads_batch + [y] * self.decoder.reads_labels
        data: DataDistribution = self.likelihood(self.decoder(z, *read))
        return data

    def reconstruct(self, x: Tensor | Batch) -> Tensor:
        """x̂ of rows: the mean of p(x|z) at the code's own z, (B, *X); nothing is drawn."""
        return self.decode(self.encode(x).z, y=x.y if isinstance(x, Batch) else None).mean

    @torch.no_grad()
    def sample(self, n: int, y: Tensor | None = None, *, from_prior: bool = False) -> Tensor:
        """Draw new rows: the means of p(x|z) at codes drawn from the prior; element by element where it is `ancestral`.

        Parameters
        ----------
        n : int
            How many.
        y : int64 Tensor of shape (n,), optional
            Their classes, of a model that has `classes`; by default drawn.
        from_prior : bool, default=False
            Whether codes are drawn from the prior of an `ancestral` model as well, as where training shaped that.

        Returns
        -------
        Tensor of shape (n, *X)
            Scaled, as the model sees rows.
        """
        require(n >= 1, "Autoencoder.sample", "n must be >= 1", n, "ask for at least one row")
        if self.ancestral and not from_prior and y is None:
            return self._element_by_element(n)
        return self.draw(n, y).mean

    @torch.no_grad()
    def draw(self, n: int, y: Tensor | None = None) -> DataDistribution:
        """p(x|z) of n codes that are drawn from the prior; see `sample`, which gives its mean."""
        require(n >= 1, "Autoencoder.sample", "n must be >= 1", n, "ask for at least one row")
        if y is not None:
            self._check_classes(y, n)
        if self.decoder.classes is not None:
            return self.decode(self.prior.sample(n), y=self.decoder.draw(n) if y is None else y)
        return self.decode(self.prior.sample(n) if y is None else self.prior.sample_of(y))

    def _element_by_element(self, n: int) -> Tensor:
        some = next(self.parameters())
        rows = some.new_zeros(n, size(self.x_shape))
        for d in range(rows.shape[1]):
            x = rows.unflatten(1, self.x_shape)
            rows[:, d] = self.decode(self.encode(x).z).sample().flatten(1)[:, d]
        return rows.unflatten(1, self.x_shape)

    @property
    def classes(self) -> int | None:
        """How many classes new rows can be asked for by; None where the model knows none."""
        return self.decoder.classes or self.prior.classes

    @property
    def named(self) -> bool:
        """Whether the `classes` are the data's own; if not, its names for classes mean nothing here."""
        return self.decoder.classes is not None or self.prior.named

    @property
    def reads_labels(self) -> bool:
        """Whether rows can only be encoded or reconstructed beside their labels."""
        return self.encoder.reads_labels or self.decoder.reads_labels

    def _check_classes(self, y: Tensor, n: int) -> None:
        who, known = "Autoencoder.sample", self.classes
        if known is None:
            hint = "leave the label out, or train a kind with classes, such as cvae"
            raise ConfigError(who, "this model knows no classes", hint=hint)
        inside = bool(((y >= 0) & (y < known)).all())
        require(inside, who, f"a label must be from 0 to {known - 1}", y.unique().tolist())
        require(y.shape == (n,), who, f"needs a label for each of the {n} rows", tuple(y.shape), error=ShapeError)

    @classmethod
    def example(cls) -> Self:
        """Copy rows of six numbers through three."""
        from xhat.parts.bottlenecks.gaussian import Gaussian
        from xhat.parts.likelihoods.gaussian import Gaussian as GaussianLikelihood
        from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder

        bottleneck = Gaussian((3,))
        encoder = MLPEncoder((6,), bottleneck.in_shape, hidden=(8,))
        return cls(encoder, bottleneck, MLPDecoder.example(), GaussianLikelihood(learned=True))


def _meet(giver: str, given: Shape, reader: str, read: Shape) -> None:
    require(
        tuple(given) == tuple(read),
        "Autoencoder",
        f"neighbours must meet, but {giver} {tuple(given)} and {reader} {tuple(read)}",
        hint="build one of them with the other's shape",
        error=ShapeError,
    )
