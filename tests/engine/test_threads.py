"""One thread for steps that a second one would slow."""

import threading

import numpy as np
import pytest
import tiny
import torch
from torch import nn

import xhat
from xhat.core.batch import Batch
from xhat.data.scaling import Scaling
from xhat.engine import threads
from xhat.engine.hook import Hook
from xhat.engine.threads import operations
from xhat.engine.trainee import Trainee
from xhat.models.autoencoder import Autoencoder
from xhat.parts.objectives.beta_elbo import BetaELBO


class Threads(Hook):
    """How many threads the first step had."""

    def on_step(self, training):
        self.seen = torch.get_num_threads()


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_operations_are_those_of_the_products():
    trainee = Trainee(Autoencoder.example(), BetaELBO(), Scaling())
    weights = sum(p.numel() for p in trainee.parameters() if p.ndim == 2)
    x, state = torch.randn(60, 6), torch.get_rng_state()
    assert operations(trainee, Batch(x)) == 3 * 2 * 60 * weights
    assert torch.equal(torch.get_rng_state(), state)


class Locked(nn.Linear):
    """A layer that has no copy."""

    def __init__(self):
        super().__init__(64, 8)
        self.lock = threading.Lock()


@pytest.mark.parametrize("choice", ["auto", "on"])
def test_a_model_that_cannot_be_copied_is_trained_as_it_is(two_threads, recwarn, choice):
    hook = Threads()
    x = tiny.rows().reshape(200, 64).astype(np.float32)
    done = xhat.fit(x, net=(Locked(), "linear"), init="random", latent=2, compile=choice, hooks=[hook], **tiny.SHORT)
    assert done.summary["status"] == "finished"
    assert hook.seen == 2
    assert ["cannot be copied" in str(w.message) for w in recwarn] == [True] * (choice == "on")


@pytest.mark.parametrize(("worth", "expected"), [(1e30, 1), (0.0, 2)])
def test_a_small_net_has_one_thread_while_it_trains(two_threads, monkeypatch, worth, expected):
    monkeypatch.setattr(threads, "WORTH_SHARING", worth)
    hook = Threads()
    tiny.training(tiny.plan("vae", batch_size=60), hook).run()
    assert hook.seen == expected
    assert torch.get_num_threads() == 2
