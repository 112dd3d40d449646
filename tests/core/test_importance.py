import linear_gaussian
import torch

from xhat.core import Batch
from xhat.core.importance import log_weights


def test_every_draw_of_every_row_is_weighed_by_the_equation():
    model, x = linear_gaussian.wrong_model(), linear_gaussian.rows(4)
    mask = torch.rand(4, linear_gaussian.D) < 0.6
    code = model.encode(x)
    z = code.rsample(3)  # (12, d)
    log_w, data = log_weights(model, Batch(x, mask=mask), code, z)
    assert data.mean.shape == (12, linear_gaussian.D)
    for i, draws in enumerate(z.unflatten(0, (3, 4))):
        log_p = model.decode(draws).log_prob(x, mask) + model.prior.log_prob(draws)
        torch.testing.assert_close(log_w[i], log_p - code.log_prob(draws))


def test_held_fixed_q_gives_a_gradient_by_way_of_the_draws_alone():
    model, x = linear_gaussian.wrong_model(), linear_gaussian.rows(4)
    code = model.encode(x)
    z = code.rsample(2).detach()
    for detached in (True, False):
        log_w, _ = log_weights(model, Batch(x), code, z, detached=detached)
        found = torch.autograd.grad(log_w.sum(), list(model.encoder.parameters()), retain_graph=True, allow_unused=True)
        assert all(g is None or not g.any() for g in found) is detached
