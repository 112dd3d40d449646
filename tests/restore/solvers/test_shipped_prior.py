"""With the prior that ships, on a photograph that came with scikit-learn: every solver is worth its time."""

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


@pytest.mark.parametrize("solver", solver_names())
@pytest.mark.parametrize("name", OPERATORS)
def test_every_solver_beats_its_start(name, solver):
    operator, sigma = OPERATORS[name]
    photograph = load_sample_image("china.jpg")[100:132, 260:292]
    x = torch.tensor(np.asarray(photograph), dtype=torch.float32).permute(2, 0, 1)[None] / 255
    torch.manual_seed(0)
    y = operator(x)
    y = y + sigma * torch.randn_like(y)
    plan = make_plan(y, operator, "default", sigma, solver=solver)
    plan = replace(plan, solver=replace(plan.solver, iterations=min(plan.solver.iterations, 60)))  # for time
    truth = operator.covered(x)
    before = (operator.covered(operator.start(y)) - truth).square().mean()
    assert (plan.answer() - truth).square().mean() < 0.95 * before
