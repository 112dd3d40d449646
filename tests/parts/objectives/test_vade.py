import copy

import numpy as np
import pytest
import tiny
import torch

import xhat
from xhat.core import Batch
from xhat.core.errors import ConfigError
from xhat.models.recipes.vade import vade
from xhat.parts.objectives.beta_elbo import BetaELBO
from xhat.parts.objectives.vade import WITHOUT_CLUSTERS, VaDE


def made(**options):
    torch.manual_seed(5)
    recipe = vade((6,), latent=3, clusters=2, options={"hidden": (8,)})
    objective = VaDE((3,), **options)
    objective.epochs = 10
    return recipe.model, objective


def blobs(n=600):
    """Three clusters in eight dimensions, with the one that each row is of."""
    random = np.random.default_rng(0)
    y = np.arange(n) % 3
    return (random.normal(size=(3, 8)) * 4)[y] + random.normal(size=(n, 8)), y


def test_until_the_clusters_nothing_but_the_copy_moves():
    model, objective = made()
    loss = objective(model, Batch(torch.randn(8, 6)))
    assert torch.equal(loss.terms["rate"], torch.full((8,), (3 + 6) * WITHOUT_CLUSTERS))
    loss.total.backward()
    assert all(p.grad is None for p in model.prior.parameters())
    assert all(p.grad.any() for p in (*model.encoder.parameters(), *model.decoder.parameters()))


def test_the_number_in_the_place_of_the_rate_falls_by_more_than_a_copy_worsens():
    model, objective = made()
    objective.eval()
    rates = []
    for objective.epoch in (0.0, 1.0, 4.9, 10.0, 12.0):
        rates.append(objective(model, Batch(torch.randn(8, 6))).means()["rate"].item())
    assert rates[0] - rates[1] == pytest.approx(5 * 6)  # in an epoch of ten, 5 nats an element
    assert rates[2] > rates[3] == rates[4] == 3 * WITHOUT_CLUSTERS


def test_after_them_it_is_the_bound():
    model, objective = made(beta=0.7)
    batch = Batch(torch.randn(40, 6))
    objective(model, batch)
    objective.epoch = 5.0
    objective(model, batch)
    torch.manual_seed(1)
    found = objective(model, batch).terms
    torch.manual_seed(1)
    expected = BetaELBO(0.7)(model, batch).terms
    assert found.keys() == expected.keys()
    for name in found:
        torch.testing.assert_close(found[name], expected[name])


def test_the_prior_begins_once_from_the_codes_that_were_kept():
    model, objective = made(pretrain=0.3, kept=50)
    seen = []
    model.prior.start = lambda z: seen.append(z.clone())
    drawn = []
    for epoch in (0.0, 1.0, 2.9):
        objective.epoch = epoch
        batch = Batch(torch.randn(20, 6))
        torch.manual_seed(int(10 * epoch))
        objective(model, batch)
        torch.manual_seed(int(10 * epoch))
        drawn.append(model.encode(batch).rsample())
    assert not seen
    for epoch in (3.0, 4.0):
        objective.epoch = epoch
        objective(model, Batch(torch.randn(20, 6)))
    (codes,) = seen
    # A ring of 50: the first ten have given way to the last ten.
    torch.testing.assert_close(codes, torch.cat([drawn[2][10:], drawn[0][10:], drawn[1], drawn[2][:10]]).detach())


def test_evaluation_keeps_no_codes():
    model, objective = made()
    objective.eval()
    objective.epoch = 9.0
    objective(model, Batch(torch.randn(8, 6)))
    objective.train()
    with torch.no_grad():
        objective(model, Batch(torch.randn(8, 6)))
    assert not objective.count
    assert not objective.found


def test_a_copy_with_the_state_goes_on_alike():
    model, objective = made()
    batch = Batch(torch.randn(30, 6))
    objective(model, batch)
    twin_model, twin = copy.deepcopy(model), VaDE((3,))
    twin.load_state_dict(objective.state_dict())
    twin.epochs = 10
    losses = []
    for m, o in ((model, objective), (twin_model, twin)):
        o.epoch = 6.0
        torch.manual_seed(2)
        losses.append(o(m, batch).total)
    assert torch.equal(*losses)
    assert torch.equal(model.prior.means, twin_model.prior.means)


@pytest.mark.parametrize("step", [4, 8])  # before and after the clusters are found, at step 7
def test_an_interrupted_run_ends_as_an_uninterrupted_one(tmp_path, step):
    whole = tiny.fit("vade", out=tmp_path / "whole")
    tiny.fit("vade", out=tmp_path / "run", hooks=[tiny.CtrlC(step)])
    again = xhat.resume(tmp_path / "run", data=tiny.data())
    assert tiny.same(dict(whole.model.state_dict()), dict(again.model.state_dict()))
    assert bool((whole.model.prior.responsibilities(torch.randn(5, 4)).sum(1) - 1 < 1e-5).all())


def test_the_best_state_has_clusters():
    fitted = tiny.fit("vade", epochs=4)
    rates = dict(fitted.history.curve("validation", "rate"))
    assert [rates[epoch] > 4 * WITHOUT_CLUSTERS for epoch in range(5)] == [True, True, True, False, False]
    assert fitted.summary["best_epoch"] >= 3


def test_a_copy_that_gets_no_better_does_not_stop_the_run_before_there_are_clusters():
    fitted = tiny.fit("vade", epochs=12, patience=2, lr=1e-30)
    copy = [value for _, value in fitted.history.curve("validation", "distortion")]
    assert max(copy) - min(copy) < 1e-3
    rates = dict(fitted.history.curve("validation", "rate"))
    assert [epoch for epoch in rates if rates[epoch] < 4 * WITHOUT_CLUSTERS][:2] == [7, 8]
    assert fitted.summary["best_epoch"] == 7
    assert len(rates) < 13  # with clusters it does stop


def test_clusters_begin_with_the_last_epoch_at_the_latest():
    fitted = tiny.fit("vade", epochs=3, overrides=tiny.NARROW | {"objective.pretrain": 0.99})
    assert dict(fitted.history.curve("validation", "rate"))[3] < 4 * WITHOUT_CLUSTERS
    assert fitted.summary["best_epoch"] == 3


def test_three_blobs_are_found_without_labels():
    x, y = blobs()
    fitted = xhat.fit(x, xhat_recipe(), epochs=40, batch_size=64, lr=5e-3)
    found = fitted.model.prior.responsibilities(torch.from_numpy(fitted.encode(x))).argmax(1).numpy()
    right = sum(np.bincount(y[found == c]).max() for c in set(found))
    assert len({np.bincount(y[found == c]).argmax() for c in set(found)}) == 3
    assert right / len(y) > 0.95


def xhat_recipe():
    torch.manual_seed(0)
    return vade((8,), latent=2, clusters=3, options={"hidden": (32,)})


def test_bad_arguments_are_refused():
    with pytest.raises(ConfigError, match="pretrain must be >= 0 and < 1, a share of the run, got 10"):
        VaDE((3,), pretrain=10)
    with pytest.raises(ConfigError, match="kept must be >= 1, got 0"):
        VaDE((3,), kept=0)
    with pytest.raises(ConfigError, match="beta must be >= 0, got -1"):
        VaDE((3,), beta=-1)
