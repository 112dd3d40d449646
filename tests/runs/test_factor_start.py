import pytest
import torch
from gaps import given_observed
from torch.distributions import MultivariateNormal

from xhat.core import Batch
from xhat.core.errors import ConfigError
from xhat.metrics.factor_analysis import FactorAnalysis
from xhat.metrics.imputation import impute
from xhat.models.recipes.ae import ae
from xhat.models.recipes.miwae import miwae
from xhat.runs.factor_start import start_at_factors, with_factor_path

D, K = 6, 2


def factors():
    torch.manual_seed(0)
    return FactorAnalysis(torch.randn(D).double(), torch.randn(D, K).double(), torch.rand(D).double() + 0.1)


@pytest.mark.parametrize("likelihood", [None, "gaussian"])
def test_before_training_gaps_are_filled_as_factor_analysis_does(likelihood):
    start = factors()
    model = with_factor_path(miwae((D,), latent=K, likelihood=likelihood, options={"hidden": (8,)}).model).double()
    if likelihood == "gaussian":  # whose scale is one for all
        start = FactorAnalysis(start.mean, start.loadings, torch.full((D,), 0.3).double())
    start_at_factors(model, start)
    covariance = start.loadings @ start.loadings.T + start.noise.diag()
    torch.manual_seed(0)
    x, seen = MultivariateNormal(start.mean, covariance).sample((5,)), torch.rand(5, D) < 0.6
    found = impute(model, Batch(x.masked_fill(~seen, torch.nan), mask=seen), 40_000)
    # A t has heavier tails than the Gaussian of its variance: its mean given the rest is near that one's.
    allowed = 0.05 if likelihood else 0.15
    for row, there, says in zip(x, seen, found, strict=True):
        expected = given_observed(start.mean, covariance, row, there)[1]
        torch.testing.assert_close(says[~there], expected, atol=allowed, rtol=0)


def test_a_t_begins_with_the_variance_of_the_noise():
    start, recipe = factors(), miwae((D,), latent=K, options={"hidden": (8,)})
    model = with_factor_path(recipe.model).double()
    start_at_factors(model, start)
    law = model.decode(torch.zeros(1, K).double()).law
    torch.testing.assert_close(law.variance[0], start.noise)
    torch.testing.assert_close(law.mean[0], start.mean)


def test_codes_that_are_no_distribution_have_no_place_for_it():
    with pytest.raises(ConfigError, match=r"init=factors: needs rows and codes of one axis, .* init='random'"):
        with_factor_path(ae((D,), latent=K).model)
