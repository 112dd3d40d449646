"""What a history shows to have gone out: rules on made histories, and trainings that do and do not collapse."""

import io
import json
import math

import numpy as np
import pytest
import tiny
from rich.console import Console

import xhat
from xhat.engine.collapse import collapses
from xhat.engine.history import Epoch, History
from xhat.engine.hook import Hook
from xhat.engine.progress import ProgressBar
from xhat.parts.objectives.adversarial import Adversarial
from xhat.parts.objectives.beta_elbo import BetaELBO
from xhat.parts.objectives.denoising import Denoising
from xhat.parts.objectives.info import Info
from xhat.report.headline import tone

DIGITS = xhat.data.open("digits")


def history(train=(), validation=(), part="rate"):
    return History(
        [
            Epoch(i, t, {part: v}, 0.0, 0.1, 0.0)
            for i, (t, v) in enumerate(zip(train or [{}] * len(validation), validation, strict=True))
        ]
    )


def found(rates, objective):
    return [(f.what, f.since) for f in collapses(history(validation=rates), objective)]


def test_a_rate_that_stays_at_zero_is_named_with_its_first_epoch():
    assert found([0.4, 2.0, 0.04, 0.02, 0.01], BetaELBO()) == [("posterior collapse", 2)]
    assert found([0.4, 2.0, 0.2, 0.02, 0.01], BetaELBO()) == []  # not for long
    assert found([0.0, 0.0, 0.0, 0.0, 0.3], BetaELBO()) == []  # and back again
    assert found([0.0, 0.0, 0.0], BetaELBO()) == []  # before training nothing has gone out
    assert found([], BetaELBO()) == []


def test_the_rate_is_told_from_its_weight():
    light = [0.04] * 6  # 4 nats at a beta of 0.01
    assert found(light, BetaELBO(0.01)) == []
    assert found([4.0] * 6, BetaELBO(100.0)) == [("posterior collapse", 1)]
    assert found([4.0] * 6, BetaELBO("linear(0, 100, epochs=2)")) == [("posterior collapse", 1)]
    assert found([4.0] * 6, Denoising(BetaELBO(100.0), None)) == [("posterior collapse", 1)]
    assert found([0.0] * 6, BetaELBO(0.0)) == []  # nothing can be said of it
    assert found([0.0] * 6, Info(1.0)) == []
    assert found([0.004] * 6, Info(0.5)) == [("posterior collapse", 1)]


@pytest.mark.parametrize(
    ("real", "fake", "names"),
    [
        (0.02, 0.03, ["discriminator wins"]),
        (math.log(2), math.log(2), []),  # the equilibrium: the codes are the prior's
        (0.01, 0.3, []),
        (float("inf"), 0.0, []),
    ],
)
def test_a_critic_that_errs_no_more_has_won(real, fake, names):
    train = [{}] + [{"critic_real": real, "critic_fake": fake}] * 4
    objective = Adversarial.example()
    assert [f.what for f in collapses(history(train, [1.0] * 5, "distortion"), objective)] == names


def test_of_several_critics_each_is_watched():
    terms = {"critic_real_class": 0.7, "critic_fake_class": 0.7, "critic_real_style": 0.01, "critic_fake_style": 0.0}
    train = [{}, terms | {"critic_real_style": 2.0}] + [terms] * 3
    (finding,) = collapses(history(train, [1.0] * 5, "distortion"), Adversarial.example())
    assert (finding.what, finding.since, finding.value) == ("discriminator wins", 2, 0.01)


def fit(kind, **options):
    return xhat.fit(DIGITS, kind, **{"latent": 4, "epochs": 6, "device": "cpu", "overrides": tiny.NARROW} | options)


def named(model):
    return {f["what"] for f in model.summary["findings"]}


def test_a_vae_of_a_huge_beta_is_named_in_the_summary_the_card_and_on_the_way(tmp_path):
    console = Console(file=io.StringIO(), width=200)
    overrides = tiny.NARROW | {"objective.beta": 100.0}
    model = fit("vae", epochs=15, overrides=overrides, hooks=[ProgressBar(console)], out=tmp_path / "run", lr=5e-3)
    (finding,) = (f for f in model.summary["findings"] if f["what"] == "posterior collapse")
    assert 1 <= finding["since"] <= 13
    assert finding["value"] < 0.05
    assert not any(f["what"] == "inactive code dimensions" for f in model.summary["findings"])  # said once
    assert f"posterior collapse since epoch {finding['since']}" in console.file.getvalue().splitlines()[-1]
    assert "posterior collapse" not in console.file.getvalue().splitlines()[1]
    card = (tmp_path / "run" / "README.md").read_text()
    assert f"- Posterior collapse since epoch {finding['since']}: the codes say next to nothing" in card
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["findings"] == model.summary["findings"]
    assert tone(model.summary | {"error.model": 0.0}) == "fair"


def test_a_posterior_that_no_rate_tells_of_is_measured():
    # IWAE has one term, the bound; so broad a likelihood has nothing to gain from a code.
    broad = {"likelihood.scale": 10.0, "likelihood.learned": False}
    model = fit("iwae", epochs=10, lr=5e-3, overrides=tiny.NARROW | broad)
    assert "rate" not in model.history.best.validation
    (finding,) = (f for f in model.summary["findings"] if f["what"] == "posterior collapse")
    assert finding["since"] is None
    assert 0 <= finding["value"] < 0.2


def test_a_critic_that_nobody_fools_wins():
    model = fit("aae", epochs=12, overrides=tiny.NARROW | {"objective.weight": 0.0})
    (finding,) = (f for f in model.summary["findings"] if f["what"] == "discriminator wins")
    assert finding["value"] < 0.1 * 2 * math.log(2)


@pytest.mark.parametrize("kind", ["vae", "aae", "ae", "wae"])
def test_a_healthy_fit_raises_no_alarm(kind):
    model = fit(kind, latent=4, epochs=8, lr=4e-3)
    assert named(model) <= {"inactive code dimensions"}, model.summary["findings"]


class Banish(Hook):
    """Put all but four entries of a codebook, or the first 20 units of a sparse code, out of every row's reach."""

    def on_epoch(self, training, epoch):
        if epoch.epoch > 0:  # before the first step, once
            return
        model = training.trainee.model
        if hasattr(model.bottleneck, "codebook"):
            for buffer in (model.bottleneck.codebook.vectors, model.bottleneck.codebook.sums):
                buffer[4:] += 1e6
        else:
            model.encoder.map.bias.data[:20] = -1e6


def test_a_dead_codebook_is_named_and_a_living_one_is_not():
    living = {"bottleneck.entries": 64}
    assert "dead codes" not in named(fit("vqvae", overrides=tiny.NARROW | living, epochs=12, lr=5e-3))
    model = fit("vqvae", overrides=tiny.NARROW | living | {"bottleneck.revive": 0.0}, hooks=[Banish()])
    (finding,) = (f for f in model.summary["findings"] if f["what"] == "dead codes")
    assert finding["value"] == model.summary["codebook_use"] <= 4 / 64
    assert finding["advice"].startswith("6 % of the codebook's entries are in use")


def test_dead_units_are_measured_and_named():
    assert "dead units" not in named(fit("sae", latent=64, epochs=3, overrides={}))
    model = fit("sae", latent=64, epochs=3, overrides={}, hooks=[Banish()])
    z = model.encode(DIGITS)
    assert model.summary["dead_units"] == pytest.approx(float((z == 0).all(0).mean()))
    (finding,) = (f for f in model.summary["findings"] if f["what"] == "dead units")
    assert finding["value"] == model.summary["dead_units"] >= 20 / 64
    assert "dead_units" not in fit("ae", epochs=1).summary


def test_a_continued_run_finds_the_same(tmp_path):
    options = {"epochs": 6, "lr": 5e-3, "overrides": tiny.NARROW | {"objective.beta": 100.0}}
    rows = tmp_path / "digits.npy"
    np.save(rows, DIGITS.x.numpy())
    options |= {"latent": 4, "device": "cpu"}
    whole = xhat.fit(rows, "vae", **options)
    xhat.fit(rows, "vae", out=tmp_path / "run", hooks=[tiny.CtrlC(40)], **options)
    assert xhat.resume(tmp_path / "run").summary["findings"] == whole.summary["findings"] != []
