"""The prior: a trained denoiser, callable as D(x, sigma) on gray and colour images of any size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from xhat.core.errors import ArtifactError, MissingFileError, require
from xhat.models.artifact import load
from xhat.parts.nets.unet import UNet
from xhat.restore.tiling import tiled

# A run folder that ships in the package: weights, configuration and the log of its training.
SHIPPED = Path(__file__).parent / "shipped"
# As far as the net of the shipped prior sees: 84 pixels of convolutions and what its strides round up.
MARGIN = 96
TILE = 512
# Where memory is short, tiles are halved down to this.
LEAST = 64


class Prior(nn.Module):
    r"""What images look like, told as a denoiser :math:`D(x, \sigma) = E[x_0 \mid x = x_0 + \sigma \epsilon]`.

    Gray images are shown to a net of three channels three times, and its answers averaged; other numbers of channels
    are taken as gray images each. Images larger than a tile pass in tiles, except where a gradient is asked for (by
    solvers/daep): a backward pass needs all that the net computed, and memory for the whole image.

    Parameters
    ----------
    net : UNet
        Trained by the recipe restoration-prior.
    watch : callable, optional
        Called after each tile of a large image with how many are done and how many there are.
    """

    def __init__(self, net: UNet, watch: Callable[[int, int], object] | None = None) -> None:
        super().__init__()
        self.net, self.watch = net, watch

    def forward(self, x: Float[Tensor, "B C H W"], sigma: float | Tensor) -> Float[Tensor, "B C H W"]:
        """Denoise images in [0, 1] whose noise has the standard deviation sigma: one number, or one for each, B in all.

        They may be of any floating type and on any device, and come back so.
        """
        fits = x.ndim == 4 and x.is_floating_point()
        came = f"{x.dtype} of shape {tuple(x.shape)}"
        require(fits, "Prior", "images must be floats of shape (B, C, H, W)", came, "divide bytes by 255")
        like = next(self.net.parameters())
        seen = x.to(like)
        told = torch.as_tensor(sigma).to(like).flatten()
        rule, hint = f"sigma must be one number, or one for each of {len(x)} images", "give a float"
        require(len(told) in (1, len(x)), "Prior", rule, f"{len(told)} numbers", hint)
        told = told.expand(len(x))
        channels = self.net.channels
        if x.shape[1] == channels:
            return self._tiled(seen, told).to(x)
        each = seen.flatten(0, 1)[:, None].expand(-1, channels, -1, -1)  # (B C, channels, H, W)
        answer = self._tiled(each, told.repeat_interleave(x.shape[1]))
        return answer.mean(1).unflatten(0, x.shape[:2]).to(x)

    def _tiled(self, x: Tensor, sigma: Tensor) -> Tensor:
        if x.requires_grad:
            return self.net(x, sigma)
        tile = TILE
        while True:
            try:
                return tiled(lambda part: self.net(part, sigma), x, tile, MARGIN, watch=self.watch)
            except (MemoryError, RuntimeError) as error:
                if tile <= LEAST or "memory" not in str(error).lower():
                    raise
                tile //= 2

    @classmethod
    def load(cls, run: str | Path = "default") -> Self:
        """Load the prior that ships with xhat, or that of a run folder.

        Raises
        ------
        MissingFileError
            When there is no such run.
        ArtifactError
            When the run's model is no denoiser that is told the noise.
        """
        if run == "default":
            hint = "train it: xhat fit FOLDER --recipe restoration-prior --out RUN, and give prior='RUN'"
            there = SHIPPED.is_dir()
            require(there, "restore", "this build of xhat ships no prior", hint=hint, error=MissingFileError)
            run = SHIPPED
        net = getattr(load(run).model.decoder, "net", None)
        if not isinstance(net, UNet):
            hint = "train one: xhat fit FOLDER --recipe restoration-prior"
            raise ArtifactError(str(run), "is no restoration prior", hint=hint)
        # Channel beside channel in memory: convolutions of one size, as these are, take a fifth less time so.
        return cls(net.eval().to(memory_format=torch.channels_last))  # type: ignore[call-overload]
