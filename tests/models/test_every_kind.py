"""Every kind on every form of data: it trains and draws, or it is refused in one line."""

import inspect
import re
from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch

import xhat
from xhat.core import Batch, catalogue
from xhat.core.errors import XhatError
from xhat.runs.plan import make_plan

N = 40
FORMS = ("table", "mixed", "image", "spatial", "symbols")
NARROW = {
    "table": {"net.hidden": [8]},
    "mixed": {"net.hidden": [8]},
    "image": {"net.hidden": [8]},
    "spatial": {"net.widths": [4, 4]},
    "symbols": {"net.hidden": 8},
}

# What has no meaning, with what is said of it; all else works.
CLUSTERED, PLANE = "the style must be a flat code, got", "needs a flat code, got a spatial one"
REFUSED = {
    ("aae_cluster", "spatial"): CLUSTERED,
    ("aae_labels", "spatial"): PLANE,
    ("aae_reduce", "spatial"): PLANE,
    ("aae_semi", "spatial"): CLUSTERED,
    ("cae", "symbols"): "symbols have no derivative",
    ("cvae", "symbols"): "stand beside numbers, and these rows hold symbols",
    ("m2", "spatial"): CLUSTERED,
    ("made", "mixed"): "recipes/made: reads no categories, which take several elements",
    ("made", "spatial"): "needs nets/made",
    ("made", "symbols"): "needs nets/made",
    ("restoration_prior", "image"): "has no option 'hidden'",
    ("restoration_prior", "mixed"): "needs images",
    ("restoration_prior", "symbols"): "needs images",
    ("restoration_prior", "table"): "needs images",
    ("rae_gradient", "symbols"): "symbols have no derivative",
    ("svae", "spatial"): "the code must be flat",
    ("vaegan", "symbols"): "judges numbers, and these rows hold symbols",
    ("vampvae", "symbols"): "learns rows, and these hold symbols",
}


@cache
def data(form):
    random = np.random.default_rng(0)
    labels = np.arange(N) % 3
    if form == "table":
        return xhat.data.open(random.random((N, 7)), labels=labels)
    if form == "mixed":
        pets = random.choice(["cat", "dog", "ant"], N)
        frame = pd.DataFrame({"age": random.integers(20, 60, N), "pet": pets, "price": random.random(N)})
        return xhat.data.open(frame.assign(own=random.random(N) < 0.5), labels=labels)
    if form == "symbols":
        return xhat.data.open(random.integers(0, 5, (N, 6)), kind="tokens", labels=labels)
    return xhat.data.open(random.integers(0, 256, (N, 8, 8)).astype(np.uint8), labels=labels)


def planned(kind, form):
    usual = inspect.signature(catalogue.find(f"recipes/{kind}")).parameters["latent"].default
    choices = {"net": "conv", "code": "spatial"} if form == "spatial" else {}
    scale = "auto" if form in ("symbols", "mixed") else "unit"
    narrow = (
        {} if kind.startswith("sae") and form in ("table", "mixed", "image") else NARROW[form]
    )  # a linear net has no width
    return make_plan(data(form), kind, latent=min(usual, 4), scale=scale, overrides=narrow, **choices)


def begun(plan):
    raw = plan.data.batch(plan.split.train)
    batch = Batch(plan.scaling(raw.x), mask=raw.mask, y=raw.y)
    plan.recipe.model.begin(batch)
    plan.recipe.objective.begin(plan.recipe.model, batch)
    return plan.recipe.model, plan.recipe.objective, batch


def moved(loss, parameters):
    """Step back through a loss; whether that reached any parameter, and all was finite."""
    loss.total.backward()
    gradients = [p.grad for p in parameters if p.grad is not None]
    assert torch.isfinite(loss.total)
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    return any(gradient.any() for gradient in gradients)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", catalogue.names("recipes"))
def test_a_kind_trains_and_draws_or_is_refused_before_it_begins(kind, form):
    if (kind, form) in REFUSED:
        with pytest.raises(XhatError, match=re.escape(REFUSED[kind, form])) as error:
            planned(kind, form)
        assert "\n" not in str(error.value)
        return
    model, objective, batch = begun(planned(kind, form))
    loss = objective(model, batch)
    assert moved(loss, model.encoder.parameters())
    assert any(p.grad is not None and p.grad.any() for p in model.decoder.parameters())
    if objective.critic_parameters():
        assert moved(objective.critic_loss(model, batch), objective.critic_parameters())
    model.eval()
    with torch.no_grad():
        assert torch.isfinite(objective.eval()(model, batch).total)
        if not objective.shapes_prior:
            model.prior.fit(model.encode(batch).z)
        assert torch.isfinite(model.sample(3)).all()
        assert model.sample(3).shape == model.reconstruct(batch)[:3].shape == (3, *batch.x.shape[1:])
