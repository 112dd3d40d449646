"""Greedy layer-wise pre-training: every pair of mirrored layers first learns to copy what the layers before it give."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn

from xhat.core.errors import ConfigError, require
from xhat.data.open import open as open_data
from xhat.data.scaling import Scaling
from xhat.engine.trainee import Trainee
from xhat.engine.training import Training
from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.nets.wrap import WrapDecoder, WrapEncoder
from xhat.parts.objectives.reconstruction import Reconstruction
from xhat.runs.plan import Plan

# A layer needs far fewer epochs than the whole net, which is trained afterwards.
SHARE = 10


def pretrain_greedily(plan: Plan) -> None:
    r"""Train a perceptron's layers one after another, in place.

    .. math:: h_i = a(W_i h_{i-1} + b_i), \qquad \min \| h_{i-1} - a(V_i h_i + c_i) \|^2

    with :math:`V_i` the decoder's layer that mirrors :math:`W_i`; the outermost pair copies the rows themselves,
    without an activation. A code layer that gives more than the decoder reads (a Gaussian's) is left as drawn.

    Parameters
    ----------
    plan : Plan
        With a model of `nets/mlp`.

    Raises
    ------
    ConfigError
        When the net is another.

    References
    ----------
    Hinton and Salakhutdinov, Science 2006; Bengio et al., "Greedy Layer-Wise Training of Deep Networks", 2006.
    """
    rule, hint = "keeps what each layer says of all rows in memory", "use --init random, or allow more --memory"
    require(not plan.data.streams, "init=greedy", rule, f"data that {plan.data.reading}", hint)
    inward, outward = _layers(plan.recipe.model)
    settings = plan.settings
    settings = replace(settings, epochs=max((settings.epochs or SHARE) // SHARE, 1), patience=None)
    with torch.no_grad():
        rows = torch.arange(len(plan.data)).split(4096)
        h = torch.cat([plan.scaling(plan.data.batch(part).x).flatten(1) for part in rows])  # (N, D)
    for down, up in zip(inward, outward, strict=True):
        inner, outer = cast(nn.Linear, down[0]), cast(nn.Linear, up[0])
        if inner.out_features != outer.in_features:
            break
        n, m = inner.in_features, inner.out_features
        encoder, decoder = WrapEncoder(down, (n,), (m,)), WrapDecoder(up, (m,), (n,))
        pair = Autoencoder(encoder, Plain((m,)), decoder, Gaussian())
        data = open_data(h.numpy(), kind="table", to_learn=False)
        trainee = Trainee(pair, Reconstruction(), Scaling("none", (n,)))
        Training(trainee, data, plan.split.train, plan.split.validation, settings).run()
        with torch.no_grad():
            h = torch.cat([_applied(down, part) for part in h.split(4096)])


def _applied(layer: nn.Module, h: Tensor) -> Tensor:
    out: Tensor = layer(h)
    return out


def _layers(model: Autoencoder) -> tuple[list[nn.Sequential], list[nn.Sequential]]:
    """Give the encoder's layers with their activations, and the decoder's that mirror them, both from the data's side.

    They are the model's own modules: what is learned here stays in it.
    """
    encoder, decoder = model.encoder, model.decoder
    if not isinstance(encoder, MLPEncoder) or not isinstance(decoder, MLPDecoder):
        raise ConfigError("init=greedy", "needs nets/mlp, whose layers mirror", type(encoder).__name__, "use --net mlp")
    down, up = list(encoder.layers), list(decoder.layers)
    inward = [nn.Sequential(*down[i : i + 2]) for i in range(0, len(down), 2)]
    outward = [nn.Sequential(*up[i : i + 2]) for i in range(0, len(up), 2)][::-1]
    return inward, outward
