import torch
from torch.distributions import Bernoulli as Law

from xhat.parts.likelihoods.bernoulli import Bernoulli


def test_density_is_that_of_torch():
    theta = torch.randn(4, 6)
    x = (torch.rand(4, 6) < 0.5).float()
    torch.testing.assert_close(Bernoulli()(theta).log_prob(x), Law(logits=theta).log_prob(x).sum(1))


def test_shares_between_zero_and_one_give_the_cross_entropy_of_the_docstring():
    theta, x = torch.randn(4, 6), torch.rand(4, 6)
    expected = (torch.log1p(theta.exp()) - x * theta).sum(1)
    torch.testing.assert_close(-Bernoulli()(theta).log_prob(x), expected)


def test_the_mean_is_the_sigmoid_and_samples_follow_it():
    theta = torch.tensor([[-1.0, 0.0, 2.0]]).expand(40_000, 3)
    data = Bernoulli()(theta)
    assert torch.equal(data.mean, theta.sigmoid())
    assert set(data.sample().unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(data.sample().mean(0), theta[0].sigmoid(), rtol=0, atol=0.015)


def test_extreme_logits_stay_finite():
    theta = torch.tensor([[100.0, -100.0]], requires_grad=True)
    logs = Bernoulli()(theta).log_prob(torch.tensor([[0.0, 1.0]]))
    torch.testing.assert_close(logs, torch.tensor([-200.0]))
    logs.backward()
    assert theta.grad.tolist() == [[-1.0, 1.0]]
