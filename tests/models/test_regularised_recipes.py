"""The recipes whose code is pressed: contractive, sparse and regularised autoencoders."""

import pytest
import torch
from tiny import NARROW, SHORT, CtrlC, data, fit, rows, same

import xhat
from xhat.core import Batch, catalogue
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.bottlenecks.rectified import Rectified
from xhat.parts.bottlenecks.sigmoid import Sigmoid
from xhat.parts.nets.spectral import SpectralDecoder

NAMES = ("cae", "sparse", "sparse_kl", "rae", "rae_gradient", "rae_spectral")


def made(name, shape=(1, 9, 7), **options):
    return catalogue.find(f"recipes/{name}")(shape, latent=3, **options)


@pytest.mark.parametrize("net", ["mlp", "conv", "linear"])
@pytest.mark.parametrize("name", NAMES)
def test_each_goes_with_every_net(name, net):
    recipe = made(name, net=net)
    assert (recipe.model.x_shape, recipe.model.code_shape) == ((1, 9, 7), (3,))
    torch.manual_seed(0)
    loss = recipe.objective(recipe.model, Batch(torch.rand(16, 1, 9, 7)))
    loss.total.backward()
    assert loss.total.isfinite()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in recipe.model.parameters())


def test_what_makes_them_differ():
    bottlenecks = {name: type(made(name).model.bottleneck) for name in NAMES}
    assert bottlenecks == dict(zip(NAMES, (Sigmoid, Rectified, Sigmoid, Plain, Plain, Plain), strict=True))
    spectral = [name for name in NAMES if isinstance(made(name).model.decoder, SpectralDecoder)]
    assert spectral == ["rae_spectral"]
    assert not any(made(name).objective.shapes_prior for name in NAMES)
    assert made("rae_spectral").objective.decay == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_fit_is_saved_and_loaded_with_the_same_numbers(name, tmp_path):
    fitted = xhat.fit(data(), name, latent=4, overrides=NARROW, out=tmp_path / "run", **SHORT)
    again = xhat.load(tmp_path / "run")
    assert fitted.origin["init"] == "random"
    assert fitted.history.epochs[-1].score < fitted.history.epochs[0].score
    assert (again.encode(rows()) == fitted.encode(rows())).all()
    assert (again.reconstruct(rows()) == fitted.reconstruct(rows())).all()
    assert (again.sample(5) == fitted.sample(5)).all()


def test_an_interrupted_spectral_fit_continues_exactly(tmp_path):
    whole = fit("rae_spectral", out=tmp_path / "whole")
    fit("rae_spectral", out=tmp_path / "halved", hooks=[CtrlC(step=4)])
    continued = xhat.resume(tmp_path / "halved", data=data())
    assert same(continued.model.state_dict(), whole.model.state_dict())
