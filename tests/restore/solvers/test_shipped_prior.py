"""With the prior that ships, on a piece of a photograph that came with scikit-learn."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_image

from xhat.restore import prior as priors
from xhat.restore.operators.blur import Blur
from xhat.restore.operators.downsample import Downsample
from xhat.restore.operators.inpaint import Inpaint
from xhat.restore.plan import make_plan, solver_names

pytestmark = pytest.mark.skipif(not priors.SHIPPED.is_dir(), reason="this build ships no prior")

KERNEL = torch.zeros(7, 7).index_put((torch.arange(7), torch.arange(7)), torch.tensor(1 / 7))
OPERATORS = {
    "blur": (Blur(KERNEL), 2.55 / 255),
    "inpaint": (Inpaint(torch.rand(32, 32, generator=torch.Generator().manual_seed(0)) < 0.4), 0.0),
    "enlarge": (Downsample(2), 0.0),
}
# Without noise the others gain fractions of a dB, which one small piece does not tell from none.
CASES = [("blur", name) for name in solver_names()] + [(name, "hqs") for name in ("inpaint", "enlarge")]


@pytest.mark.parametrize(("name", "solver"), CASES)
def test_it_comes_nearer_than_its_start(name, solver):
    operator, sigma = OPERATORS[name]
    photograph = load_sample_image("china.jpg")[180:212, 250:282]
    x = torch.tensor(np.asarray(photograph), dtype=torch.float32).permute(2, 0, 1)[None] / 255
    torch.manual_seed(0)
    y = operator(x)
    y = y + sigma * torch.randn_like(y)
    plan = make_plan(y, operator, "default", sigma, solver=solver)
    plan = replace(plan, solver=replace(plan.solver, iterations=min(plan.solver.iterations, 40)))  # for time
    truth = operator.covered(x)
    before = (operator.covered(operator.start(y)) - truth).square().mean()
    assert (plan.answer() - truth).square().mean() < 0.95 * before
