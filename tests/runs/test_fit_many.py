"""Seeds, folds and grids: what is trained, that each is the single fit, and what is refused."""

import copy
import json
import threading

import numpy as np
import pytest
import tiny
import torch

import xhat
from xhat.core.errors import ArtifactError, ConfigError, TrainingError, UnknownKindError

CHOICES = {"latent": 4, "overrides": tiny.NARROW, **tiny.SHORT}


def many(kind="vae", **options):
    return xhat.fit_many(tiny.data(), kind, **{**CHOICES, **options})


def test_each_member_is_the_fit_of_its_seed_and_settings():
    found = many(seeds=[3, 1], grid={"objective.beta": [0.5, 2], "lr": [1e-3, 4e-3]})
    assert [member.seed for member in found] == [3, 1] * 4
    assert {member.done.together for member in found} == {8}
    member = found[5]
    assert (member.choices, member.seed) == ({"objective.beta": 2, "lr": 1e-3}, 1)
    single = tiny.fit("vae", seed=1, lr=1e-3, overrides={**tiny.NARROW, "objective.beta": 2})
    fitted = member.fitted
    assert np.allclose(fitted.encode(tiny.rows()), single.encode(tiny.rows()), atol=1e-5)
    assert np.allclose(fitted.sample(5), single.sample(5), atol=1e-4)
    assert fitted.summary["error.model"] == pytest.approx(single.summary["error.model"], rel=1e-5)
    assert fitted.summary.keys() == single.summary.keys()
    assert fitted.objective == single.objective
    assert fitted.origin == single.origin
    assert found.best.score == min(m.score for m in found)
    ranked = found.standings()
    assert [standing.count for standing in ranked] == [2] * 4
    assert ranked[0].mean == pytest.approx(np.mean([m.score for m in found if m.choices == ranked[0].choices]))
    assert [standing.mean for standing in ranked] == sorted(standing.mean for standing in ranked)


def test_a_prior_is_fitted_and_the_floor_kept_as_after_a_single_fit():
    together, single = many("ae", seeds=[0, 1])[1].fitted, tiny.fit("ae", seed=1)
    assert together.summary["net_share"] == single.summary["net_share"]
    assert together.model.prior.fitted
    assert np.allclose(together.sample(3), single.sample(3), atol=1e-3)


def test_folds_are_left_out_and_measured():
    found = many("vae", folds=3)
    assert [member.fold for member in found] == [0, 1, 2]
    rows = [member.fitted.summary["rows.train"] + member.fitted.summary["rows.validation"] for member in found]
    assert sorted(rows) == [133, 133, 134]
    assert all(member.test != member.fitted.summary["error.model"] for member in found)
    for member in found:
        assert member.score == member.test > 0


def test_folders_hold_whole_runs_and_a_table(tmp_path):
    found = many("vae", seeds=2, out=tmp_path / "sweep")
    assert xhat.load(tmp_path / "sweep" / "001").summary["error.model"] == found[1].score
    table = json.loads((tmp_path / "sweep" / "sweep.json").read_text())
    assert [row["error.model"] for row in table["members"]] == [member.score for member in found]
    assert {path.name for path in found[0].folder.iterdir()} >= {
        "config.json",
        "env.json",
        "metrics.jsonl",
        "README.md",
    }
    with pytest.raises(ArtifactError, match="needs a new or empty folder"):
        many("vae", seeds=2, out=tmp_path / "sweep")


def test_other_shapes_are_trained_by_themselves_and_the_reason_told():
    found = many("aae", seeds=2, grid={"latent": [2, 3]}, latent=4)
    assert {member.done.together for member in found} == {1}
    assert {member.done.why for member in found} == {"it has a critic, a game of two optimisers"}
    assert [member.fitted.model.code_shape for member in found] == [(2,), (2,), (3,), (3,)]
    alone = many("vae", seeds=2, together=False)
    assert {member.done.together for member in alone} == {1}
    assert alone[0].score == pytest.approx(many("vae", seeds=2)[0].score, rel=1e-5)


def test_one_that_diverges_has_a_line_and_no_model():
    found = many("vae", grid={"lr": [1e-3, 1e30]})
    assert [member.done.status for member in found] == ["finished", "diverged"]
    assert found.best is found[0]
    assert np.isnan(found[1].score)
    with pytest.raises(TrainingError, match=r"is not finite\.$"):
        _ = found[1].fitted


@pytest.mark.parametrize("together", [True, False])
def test_a_net_of_ones_own_is_each_models_own(together):
    x, net = tiny.rows().reshape(200, 64), (torch.nn.Linear(64, 8), "linear")
    before = net[0].weight.clone()
    shared = {"init": "random", "latent": 2, "lr": 3e-2, **tiny.SHORT}
    found = xhat.fit_many(x, net=net, seeds=2, together=together, **shared)
    assert torch.equal(net[0].weight, before)
    for seed in (0, 1):
        single = xhat.fit(x, net=copy.deepcopy(net), seed=seed, **shared)
        assert found[seed].score == pytest.approx(single.summary["error.model"], rel=1e-4)


@pytest.mark.parametrize(
    ("options", "error", "line"),
    [
        ({"grid": {"objective.bta": [1, 2]}}, ConfigError, r"leads nowhere.*Did you mean 'beta'"),
        ({"grid": {"batchsize": [1, 2]}}, ConfigError, r"grid: there is nothing named 'batchsize' to set\. Did you"),
        ({"grid": {"lr": 1e-3}}, ConfigError, r"lr must be given some values"),
        ({"batch_size": 500}, ConfigError, r"batch_size must be at most the number of training rows, 180, got 500"),
        ({"seeds": 0}, ConfigError, r"seeds must be >= 1"),
        ({"seeds": 2.5}, ConfigError, r"seeds must be a whole number, or a list of them, got 2\.5"),
        ({"seed": 5}, ConfigError, r"fit_many: takes seeds, not a seed, got 5\. Give seeds=\[5\]"),
        ({"net": (threading.Lock(), "mlp")}, ConfigError, r"needs a copy of the net, which cannot be copied"),
        ({"seeds": [1, 1]}, ConfigError, r"seeds must be different numbers"),
        ({"folds": 101}, ConfigError, r"folds must lie between 2 and half of the 200 rows, got 101"),
        ({"kind": "vea"}, UnknownKindError, r"Did you mean"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_trained(options, error, line):
    with pytest.raises(error, match=line):
        many(**options)
