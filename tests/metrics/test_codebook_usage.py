import json
import math

import pytest
import tiny
import torch

import xhat
from xhat.metrics.codebook_usage import codebook_usage


def test_shares_and_perplexity_by_hand():
    usage = codebook_usage(torch.tensor([[0, 0], [0, 3]]), 8)
    assert usage.share == 2 / 4  # four indices could have used four of the eight
    assert usage.perplexity == pytest.approx(math.exp(0.75 * math.log(4 / 3) + 0.25 * math.log(4)))


def test_equal_frequencies_have_the_perplexity_of_their_number():
    usage = codebook_usage(torch.arange(12).repeat(10, 1), 16)
    assert usage.share == 12 / 16
    assert usage.perplexity == pytest.approx(12)


def test_one_entry_is_a_collapse():
    usage = codebook_usage(torch.zeros(100, 4, dtype=torch.int64), 512)
    assert (usage.share, usage.perplexity) == (1 / 400, 1.0)


def test_several_codebooks_are_counted_by_themselves():
    indices = torch.stack([torch.arange(40) % 4, torch.zeros(40, dtype=torch.int64)], 1)
    usage = codebook_usage(indices, 4, codebooks=2)
    assert usage.share == pytest.approx((1 + 1 / 4) / 2)
    assert usage.perplexity == pytest.approx((4 + 1) / 2)


def test_what_stands_for_no_entry_is_passed_over():
    usage = codebook_usage(torch.tensor([[0, -1], [1, -1], [0, 1], [1, 2]]), 2, codebooks=2)
    assert usage.share == 1
    assert usage.perplexity == pytest.approx(2)


def test_codebooks_too_large_to_store_are_counted():
    assert codebook_usage(torch.tensor([[2**61], [5], [5]]), 2**62).share == 2 / 3


@pytest.mark.parametrize("kind", ["vqvae", "rqvae", "fsq", "lfq"])
def test_a_fit_reports_it_draws_entries_and_is_the_same_from_its_folder(kind, tmp_path):
    fitted = tiny.fit(kind, latent=8, out=tmp_path / "run")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert 0 < summary["codebook_use"] <= 1
    assert summary["perplexity"] >= 1
    assert fitted.origin["init"] == "random"
    loaded = xhat.load(tmp_path / "run")
    codes = fitted.encode(tiny.rows())
    assert (loaded.encode(tiny.rows()) == codes).all()
    assert (loaded.sample(5, seed=1) == fitted.sample(5, seed=1)).all()
    drawn = loaded.model.prior.sample(50)
    with torch.no_grad():
        bottleneck, indices = loaded.model.bottleneck, fitted.model.encode(_scaled(fitted)).indices
        assert (bottleneck.lookup(indices).numpy() == codes).all()
        if kind in ("vqvae", "lfq"):
            assert torch.equal(bottleneck(drawn).z, drawn)
    page = xhat.write_report(tmp_path / "run", data=tiny.data()).read_text()
    assert kind in page


def test_codes_of_no_codebook_say_nothing_of_one():
    assert not {"codebook_use", "perplexity"} & tiny.fit("ae").summary.keys()


def _scaled(fitted):
    return torch.cat([batch.x for batch in fitted.batches(tiny.data())])
