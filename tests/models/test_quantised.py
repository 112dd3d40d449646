import pytest
import torch

from xhat.core import catalogue
from xhat.models.recipes.lfq import lfq


@pytest.mark.parametrize(("latent", "words"), [(16, 4), (6, 2), (3, 1), (7, 7), (1, 1)])
def test_a_flat_code_of_signs_is_counted_in_short_words(latent, words):
    assert lfq((6,), latent=latent).model.prior.groups == words


def test_new_codes_of_signs_are_no_copies_of_the_rows_that_were_counted():
    prior = lfq((6,), latent=16).model.prior
    rows = torch.randn(200, 16).sign()
    prior.fit(rows)
    copies = (prior.sample(300)[:, None] == rows).all(2).any(1)
    assert copies.float().mean() < 0.1  # of 65,536 codes 200 were seen


@pytest.mark.parametrize("code", ["flat", "spatial"])
@pytest.mark.parametrize("kind", ["vqvae", "rqvae", "fsq"])
def test_the_prior_counts_the_vectors_that_the_bottleneck_splits_a_code_into(kind, code):
    model = catalogue.find(f"recipes/{kind}")((1, 8, 8), latent=8, net="conv", code=code).model
    assert model.prior.groups == model.bottleneck.groups
    assert model.prior.code_shape == model.code_shape
