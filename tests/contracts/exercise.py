"""How the contract suites find parts, feed them and hold them still.

A part is adopted by lying in its room. What it may say of itself, where the usual input does not fit it:
an encoder's `example_batch(n)`; `x_shape` of a likelihood or a corruption whose rows need one shape; an objective's
`example_prior()`, over codes of three numbers.
"""

import json
from copy import deepcopy
from dataclasses import fields, replace

import pytest
import torch
from torch import Tensor

from xhat.core import Batch, Component, Loss, build, catalogue, config
from xhat.core.component import GIVEN
from xhat.models.autoencoder import Autoencoder
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.nets.unet import UNet


def kinds(*rooms: str, side: str = "") -> list[str]:
    """Name every class of the rooms, as `nets/conv.encoder`."""
    return [
        kind for room in rooms for cls in catalogue.classes(room) if (kind := catalogue.kind_of(cls)).endswith(side)
    ]


def example(kind: str) -> Component:
    return catalogue.find(kind).example()


def rebuilt(part: Component) -> Component:
    """Build the part from what it says of itself in JSON; an object of the user's own is given again."""
    description = json.loads(json.dumps(config(part)))
    own = [name for name, value in description.items() if isinstance(value, dict) and GIVEN in value]
    twin = build(description | {name: deepcopy(getattr(part, name)) for name in own})
    if hasattr(part, "attach") and getattr(part, "encode", None):  # a prior that borrows an encoder
        twin.attach(part.encode)
    return twin


def copy(part: Component) -> Component:
    """Build the part again with its weights."""
    twin = rebuilt(part)
    twin.load_state_dict(part.state_dict())
    return twin.train(part.training)


# Inputs


def batch_for(part: Component, n: int) -> Batch:
    """Rows for an encoder; a mask where it reads one."""
    batch = part.example_batch(n)
    if part.reads_mask and batch.mask is None:
        return replace(batch, mask=torch.ones(batch.x.shape, dtype=torch.bool))
    return batch


def rows(batch: Batch, chosen: slice) -> Batch:
    return Batch(**{f.name: v[chosen] for f in fields(batch) if (v := getattr(batch, f.name)) is not None})


def x_shape_of(part: Component, usual: tuple[int, ...]) -> tuple[int, ...]:
    return getattr(part, "x_shape", usual)


def theta_for(likelihood: Component, n: int, usual: tuple[int, ...] = (6,)) -> Tensor:
    return torch.randn(n, *likelihood.params(x_shape_of(likelihood, usual)))


def model_for(objective: Component) -> Autoencoder:
    """The smallest autoencoder whose code is what the objective reads."""
    bottleneck = next(
        made
        for cls in catalogue.classes("bottlenecks")
        if issubclass((made := cls.example()).emits, objective.reads)
        and made.code_shape == (3,)
        and (objective.reads.__name__ != "Code" or made.emits is objective.reads)
    )
    encoder = MLPEncoder((6,), bottleneck.in_shape, hidden=(8,))
    prior = objective.example_prior() if hasattr(objective, "example_prior") else None
    return Autoencoder(encoder, bottleneck, MLPDecoder((3,), (6,), hidden=(8,)), Gaussian(learned=True), prior)


def batch_of(n: int) -> Batch:
    """Rows of six numbers, of two classes."""
    return Batch(torch.randn(n, 6), y=torch.arange(n) % 2)


# What a part does, whatever its room


def outputs(part: Component) -> list[Tensor]:
    """Put the part through its room's paces from a fixed seed; what comes out depends on its weights and arguments."""
    torch.manual_seed(1)
    room = catalogue.kind_of(type(part)).partition("/")[0]
    if isinstance(part, UNet):  # a denoiser beside the pair of its file
        return [part(torch.rand(2, part.channels, 9, 7), torch.tensor([0.1, 0.2]))]
    if room == "nets":
        return [encode(part, batch_for(part, 3)) if hasattr(part, "reads_mask") else decode(part, code_for(part, 3))]
    if room == "bottlenecks":
        code = part(torch.randn(4, *part.in_shape))
        return [code.z, code.rsample(2)]
    if room == "likelihoods":
        data = part(theta_for(part, 4))
        x = data.sample()
        return [data.mean, x, data.log_prob(x)]
    if room == "priors":
        z = part.sample(4)
        return [z, part.log_prob(z)]
    if room == "corruptions":
        return [part(torch.rand(4, *x_shape_of(part, (2, 8, 8))))]
    if room == "schedules":
        return [torch.tensor([part.value(t) for t in (0.0, 0.3 * part.epochs, 2 * part.epochs)])]
    if room == "objectives":
        return list(part(model_for(part), batch_of(5)).means().values())
    raise NotImplementedError(f"room {room}: say here how its parts are run")


def encode(encoder: Component, batch: Batch) -> Tensor:
    return encoder(*seen(encoder, batch))


def seen(encoder: Component, batch: Batch) -> tuple[Tensor | None, ...]:
    """What an autoencoder hands to its encoder: rows, and the masks and the labels that it reads."""
    masks = *[batch.present] * encoder.reads_mask, *[batch.visible] * encoder.reads_visible
    told = *[batch.y] * encoder.reads_labels, *[batch.noise] * encoder.reads_noise
    return (batch.input, *masks, *told)


def code_for(decoder: Component, n: int) -> Tensor:
    return torch.randn(n, *decoder.in_shape)


def decode(decoder: Component, z: Tensor) -> Tensor:
    return decoder(*read(decoder, z))


def read(decoder: Component, z: Tensor) -> tuple[Tensor | None, ...]:
    """What an autoencoder hands to its decoder: codes, no batch, and labels of one class."""
    return (z, *[None] * decoder.reads_batch, *[torch.ones(len(z), dtype=torch.int64)] * decoder.reads_labels)


# Randomness held still


@pytest.fixture
def same_noise_for_every_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every draw gives each row the same noise, so that a row's terms can be compared between batches."""
    real = {name: getattr(torch, name) for name in ("rand", "randn", "rand_like", "randn_like")}

    def shaped(name):
        def draw(*size, **options):
            size = tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else size
            options.pop("generator", None)
            return _one_row(real[name], size, options)

        return draw

    def like(name):
        def draw(other, **options):
            return _one_row(real[name], tuple(other.shape), {"dtype": other.dtype, "device": other.device} | options)

        return draw

    monkeypatch.setattr(torch, "rand", shaped("rand"))
    monkeypatch.setattr(torch, "randn", shaped("randn"))
    monkeypatch.setattr(torch, "rand_like", like("rand"))
    monkeypatch.setattr(torch, "randn_like", like("randn"))
    monkeypatch.setattr(torch, "normal", lambda mean, std, **_: mean + std * torch.randn_like(mean))
    monkeypatch.setattr(torch, "bernoulli", lambda p, **_: (torch.rand_like(p) < p).to(p.dtype))
    monkeypatch.setattr(torch, "randperm", lambda n, **_: torch.arange(n).roll(1))


def _one_row(draw, size, options):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        row = draw((1, *size[1:]), **options)
    return row.expand(size).clone()


def terms(loss: Loss, ndim: int) -> dict[str, Tensor]:
    return {name: term for name, term in loss.terms.items() if term.ndim == ndim}
