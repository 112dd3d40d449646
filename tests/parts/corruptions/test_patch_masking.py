from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from xhat.core.batch import Batch
from xhat.core.component import build, config
from xhat.core.errors import ConfigError, ShapeError
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.corruptions.gaussian_noise import GaussianNoise
from xhat.parts.corruptions.masking import Masking
from xhat.parts.corruptions.patch_masking import PatchMasking
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.linear import LinearDecoder, LinearEncoder
from xhat.parts.objectives.denoising import Denoising


def test_hides_whole_patches_and_the_same_number_of_each_row() -> None:
    torch.manual_seed(0)
    x = 1 + torch.rand(6, 3, 8, 12)
    hidden = PatchMasking(0.75, patch=4)(x) == 0
    assert torch.equal(hidden, hidden[:, :1].expand_as(hidden))
    patches = hidden[:, 0].unflatten(1, (2, 4)).unflatten(3, (3, 4)).transpose(2, 3).flatten(3)  # (6, 2, 3, 16)
    assert torch.equal(patches.any(3), patches.all(3))
    assert patches.any(3).sum((1, 2)).tolist() == [4] * 6  # round(0.75 * 6), to even
    assert len({tuple(row.flatten().tolist()) for row in patches.any(3)}) > 1


def test_every_patch_is_hidden_equally_often() -> None:
    torch.manual_seed(0)
    visible = PatchMasking(0.5, patch=2).visible(torch.zeros(4000, 1, 4, 4))
    torch.testing.assert_close(visible.float().mean(0), torch.full((1, 4, 4), 0.5), atol=0.04, rtol=0)


def test_cut_patches_on_the_border_and_an_own_value() -> None:
    x = torch.zeros(5, 2, 5, 7)
    spoiled = PatchMasking(0.5, patch=4, value=-1.0)(x)
    assert spoiled.shape == x.shape
    assert set(spoiled.unique().tolist()) == {-1.0, 0.0}
    assert x.eq(0).all()


def test_at_least_one_patch_stays() -> None:
    assert PatchMasking(0.99, patch=4).visible(torch.zeros(3, 1, 8, 8)).flatten(1).sum(1).tolist() == [16] * 3


class _Seen(Objective):
    """Keeps the batch it is given."""

    def forward(self, model: Model, batch: Batch) -> Loss:
        self.batch = batch
        return Loss(none=torch.zeros(len(batch)))


def _model() -> Autoencoder:
    shape = (1, 4, 4)
    return Autoencoder(LinearEncoder(shape, (2,)), Plain((2,)), LinearDecoder((2,), shape), Gaussian())


@pytest.mark.parametrize("corruption", [PatchMasking(0.5, patch=2, value=9.0), Masking(0.5, value=9.0)])
@pytest.mark.parametrize("masked", [False, True])
def test_denoising_says_what_is_visible_and_judges_the_hidden(corruption: nn.Module, masked: bool) -> None:
    torch.manual_seed(0)
    x, mask = torch.rand(5, 1, 4, 4), torch.rand(5, 1, 4, 4) < 0.7
    batch = Batch(x, mask=mask if masked else None)
    everything = torch.ones_like(mask)
    for on in ("all", "hidden"):
        objective = Denoising(_Seen(), corruption, on=on)  # type: ignore[arg-type]
        objective(_model(), batch)
        seen: Batch = objective.objective.batch  # type: ignore[assignment]
        assert seen.visible is not None
        visible = seen.visible.expand_as(x)
        assert torch.equal(seen.input[visible], x[visible])
        assert seen.input[mask & ~visible if masked else ~visible].eq(9).all()
        there = mask if masked else everything
        assert not (visible & ~there).any()
        if on == "hidden":
            assert torch.equal(seen.mask, there & ~visible)
        else:
            assert seen.mask is batch.mask
        present = seen.present
        assert torch.equal(everything if present is None else present, there)


def test_gradients_come_from_hidden_pixels_alone() -> None:
    torch.manual_seed(0)
    objective, model = Denoising(corruption=PatchMasking(0.5, patch=2), on="hidden"), _model()
    x = torch.rand(3, 1, 4, 4)
    spoiled = objective.changed(Batch(x))
    assert spoiled.visible is not None
    # What is visible in the target may be anything: it is not judged.
    other = replace(spoiled, x=torch.where(spoiled.visible, 100.0, x))
    a, b = (objective.objective(model, batch).total for batch in (spoiled, other))
    torch.testing.assert_close(a, b)


def test_mask_of_steps_with_hidden_entries() -> None:
    torch.manual_seed(0)
    objective = Denoising(_Seen(), Masking(0.5), on="hidden")
    steps = torch.tensor([[True, True, False], [True, False, False]])
    objective(_model(), Batch(torch.ones(2, 3, 4), mask=steps))
    seen: Batch = objective.objective.batch  # type: ignore[assignment]
    present: Tensor | None = seen.present
    assert present is not None
    assert torch.equal(present, steps[:, :, None].expand(2, 3, 4))


def test_config_round_trip() -> None:
    for part in (PatchMasking(0.25, patch=3, value=1.0), Denoising(corruption=PatchMasking(), on="hidden")):
        assert config(build(config(part))) == config(part)


def test_refusals() -> None:
    with pytest.raises(ConfigError, match=r"share must lie in \[0, 1\), got 1\. 0\.75 hides three patches of four"):
        PatchMasking(1)
    with pytest.raises(ConfigError, match="patch must be >= 1, got 0"):
        PatchMasking(patch=0)
    with pytest.raises(ShapeError, match=r"needs images of shape \(B, C, H, W\), got \(3, 5\)"):
        PatchMasking().visible(torch.zeros(3, 5))
    with pytest.raises(ConfigError, match="on='hidden' needs a corruption that hides entries, got GaussianNoise"):
        Denoising(corruption=GaussianNoise(), on="hidden")
    with pytest.raises(ConfigError, match="on must be 'all' or 'hidden', got 'some'"):
        Denoising(on="some")
    with pytest.raises(ConfigError, match="GaussianNoise: does not hide entries"):
        GaussianNoise().visible(torch.zeros(2, 2))
