import pytest
import torch
from torch import nn

from xhat.core import Batch
from xhat.core.errors import ConfigError, ShapeError
from xhat.models.assemble import assemble
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.wrap import WrapDecoder, WrapEncoder


def test_a_module_whose_shapes_meet_gets_no_projection():
    module = nn.Linear(6, 3)
    encoder = WrapEncoder(module, (6,), (3,))
    x = torch.rand(4, 6)
    assert encoder.last is None
    assert torch.equal(encoder(x), module(x))


def test_what_does_not_meet_is_projected():
    encoder = WrapEncoder(lambda x: x.flatten(1)[:, :5], (1, 4, 4), (3,))
    assert encoder(torch.rand(2, 1, 4, 4)).shape == (2, 3)
    assert [tuple(p.shape) for p in encoder.parameters()] == [(3, 5), (3,)]
    decoder = WrapDecoder(lambda z: torch.sin(z), (3,), (1, 4, 4), takes=(2, 7))
    assert decoder(torch.rand(2, 3)).shape == (2, 1, 4, 4)


def test_a_frozen_backbone_learns_nothing_and_stays_in_evaluation_mode():
    backbone = nn.Sequential(nn.Linear(6, 4), nn.Dropout(0.9), nn.BatchNorm1d(4))
    encoder = WrapEncoder(backbone, (6,), (3,), frozen=True).train()
    x = torch.rand(8, 6)
    assert torch.equal(encoder(x), encoder(x))
    encoder(x).sum().backward()
    assert not backbone.training
    assert all(p.grad is None for p in backbone.parameters())
    assert encoder.last.weight.grad is not None


def test_the_dry_pass_leaves_a_module_as_it_was():
    module = nn.Sequential(nn.Linear(6, 3), nn.BatchNorm1d(3)).train()
    WrapEncoder(module, (6,), (3,))
    assert module.training
    assert torch.equal(module[1].running_mean, torch.zeros(3))


def test_gradients_pass_through_a_simulator():
    def pendulum(z):  # (B, 2): amplitude and frequency
        times = torch.linspace(0, 1, 9)
        return z[:, :1] * torch.sin(z[:, 1:] * times)

    model = assemble((9,), Plain, Gaussian(), latent=2, net=("mlp", pendulum))
    loss = -model.decode(model.encode(Batch(torch.rand(4, 9))).z).log_prob(torch.rand(4, 9))
    loss.sum().backward()
    assert isinstance(model.decoder, WrapDecoder)
    assert all(p.grad.abs().sum() > 0 for p in model.encoder.parameters())


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (lambda x: (x, x), "must return a tensor, got tuple. Wrap the part that you mean, as lambda"),
        (lambda x: x.sum(), "the first axis must stay the batch's, 2, got"),
        (nn.Linear(5, 3), r"cannot read rows of \(6,\)"),
    ],
)
def test_what_cannot_be_wrapped_is_refused_with_a_way_out(module, message):
    with pytest.raises((ConfigError, ShapeError), match=message):
        WrapEncoder(module, (6,), (3,))


def test_without_projection_both_shapes_are_named():
    with pytest.raises(ShapeError, match=r"the encoder gives \(4,\) and \(3,\) is wanted. Project=True"):
        WrapEncoder(nn.Linear(6, 4), (6,), (3,), project=False)
