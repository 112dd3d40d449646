"""A fit of rows on a disk: as good as of rows in memory, the same again, continued bit for bit, in little memory."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tiny
import torch
from sklearn.datasets import load_digits

import xhat
from xhat.core.errors import ConfigError
from xhat.core.files import read_json
from xhat.engine.settings import TrainSettings
from xhat.runs.fit import execute
from xhat.runs.plan import make_plan
from xhat.runs.reopen import reopen

SHORT = {"epochs": 1, "batch_size": 100, "device": "cpu", "latent": 4, "overrides": tiny.NARROW, "net": "mlp"}
LITTLE = "1MB"  # for rows of 1.4 MB


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Digits three times with a little noise, sorted by their classes as files often are."""
    digits = load_digits()
    rows = np.repeat(digits.data[np.argsort(digits.target, kind="stable")], 3, axis=0)  # (5391, 64)
    noise = np.random.default_rng(0).normal(0, 0.3, rows.shape)
    path = tmp_path_factory.mktemp("streamed") / "rows.npy"
    np.save(path, (rows + noise).astype(np.float32))
    return path


def weights(fitted):
    return dict(fitted.model.state_dict())


def test_it_is_as_good_as_one_in_memory_and_the_same_again(path):
    streamed = xhat.data.open(path, memory=LITTLE)
    assert streamed.streams
    one, again = (xhat.fit(streamed, **SHORT) for _ in range(2))
    assert tiny.same(weights(one), weights(again))
    resident = xhat.fit(xhat.data.open(path), **SHORT)
    assert one.summary["rows.validation"] == streamed.blocks.sample
    ratio = one.summary["error.model"] / resident.summary["error.model"]
    assert ratio == pytest.approx(1, abs=0.15)
    # PCA of a sample of the rows, too.
    assert one.summary["error.pca"] == pytest.approx(resident.summary["error.pca"], rel=0.15)


@pytest.mark.parametrize(("kind", "memory"), [("vae", LITTLE), ("ae", None)])
def test_it_continues_on_the_same_batches_wherever_the_rows_lie_now(path, tmp_path, kind, memory):
    streamed = xhat.data.open(path, memory=LITTLE)
    whole = xhat.fit(streamed, kind, **SHORT)
    begun = xhat.fit(streamed, kind, out=tmp_path / "run", hooks=[tiny.CtrlC(31)], **SHORT)
    assert begun.summary["status"] == "interrupted"
    continued = xhat.resume(tmp_path / "run", data=xhat.data.open(path, memory=memory))
    assert continued.summary["status"] == "finished"
    if memory == LITTLE:
        assert tiny.same(weights(continued), weights(whole))
    for name, weight in weights(whole).items():  # where a batch lies in memory may tell in its last digits
        torch.testing.assert_close(weights(continued)[name], weight, rtol=1e-4, atol=1e-5)


def test_a_path_is_opened_again_as_it_was(path, tmp_path):
    plan = make_plan(
        xhat.data.open(path, memory=LITTLE),
        settings=TrainSettings(epochs=1, device="cpu"),
        source={"path": str(path), "memory": LITTLE},
        overrides=tiny.NARROW,
        net="mlp",
    )
    execute(plan, out=tmp_path / "run")
    origin = read_json(tmp_path / "run" / "config.json")["origin"]
    assert origin["blocks"] == {"block": 7, "window": 488, "sample": 244}
    assert reopen(xhat.load(tmp_path / "run"), None, "run", "read").streams


def test_codes_and_copies_equal_those_of_rows_in_memory(path):
    streamed, resident = xhat.data.open(path, memory=LITTLE), xhat.data.open(path)
    fitted = xhat.fit(resident, **SHORT)
    assert np.array_equal(fitted.encode(streamed), fitted.encode(resident))
    assert np.array_equal(fitted.reconstruct(streamed), fitted.reconstruct(resident))


def test_what_needs_all_rows_in_memory_is_refused(path):
    streamed = xhat.data.open(path, memory=LITTLE)
    with pytest.raises(ConfigError, match=r"init=greedy: keeps .* all rows in memory, got data that streams 1\.4 MB"):
        xhat.fit(streamed, init="greedy", **SHORT)


BOUND = """
import resource, sys, torch
import xhat
from xhat.data.open import open as open_data
from xhat.metrics.principal_components import PrincipalComponents
from xhat.data.scaling import Scaling
PrincipalComponents.fit(open_data("digits"), torch.arange(100), Scaling("none", (1, 8, 8)), 2)  # what is imported late
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024  # MB
before = peak()
data = open_data(sys.argv[1], memory="40MB")
split = data.split()
data = data.pinned(split.validation)
scaling = Scaling.fit("standard", data.some(split.train).resident)
PrincipalComponents.fit(data, split.train, scaling, 16)
order = data.blocks.order(split.train, 256, torch.Generator().manual_seed(0))
total = sum(float(batch.x[:, 0].sum()) for batch in data.walk(order, 256))
print(peak() - before, total, len(order))
"""


def test_memory_stays_flat_over_180_mb(tmp_path):
    path, shape = tmp_path / "large.npy", (60_000, 750)
    # Zeros that take no room on the disk, beside one column.
    rows = np.lib.format.open_memmap(path, "w+", np.float32, shape)
    rows[::100, 0] = 1
    del rows
    script = [sys.executable, "-c", textwrap.dedent(BOUND), str(path)]
    done = subprocess.run(script, capture_output=True, text=True, check=True, timeout=300)
    grown, total, rows = done.stdout.split()
    assert float(total) == pytest.approx(int(rows) / 100, abs=20)
    assert int(grown) < 100, grown  # mapped, it is more than 500
