"""One step: loss, backward, clip, optimiser, schedule; then the critic's, where there is one."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from xhat.core.batch import Batch
from xhat.core.loss import LEAST, Loss, total
from xhat.engine.accumulating import refuse_whole
from xhat.engine.adamw import AdamW, own
from xhat.engine.cycle import one_cycle
from xhat.engine.processes import ALONE, ASK_EVERY, Processes
from xhat.engine.ready import cut
from xhat.engine.settings import TrainSettings
from xhat.engine.spike_clip import SpikeClip
from xhat.engine.trainee import Trainee

if TYPE_CHECKING:
    from xhat.engine.apart import Apart
    from xhat.engine.sharding import Shards

# Little momentum for critics, as is usual since DCGAN: the game turns faster than a mean over ten steps.
CRITIC_BETAS = (0.5, 0.99)


class Step:
    """Moves a trainee by one batch.

    Parameters
    ----------
    trainee : Trainee
        What is moved.
    settings : TrainSettings
        Resolved.
    total : int or None
        Steps of the whole run, for the schedule; None where no end is known, and the rate stays at its peak.
    """

    processes: Processes = ALONE
    """Who takes the step together, and agrees on its gradients."""
    shards: Shards | None = None
    """What this process has of the weights, where processes divide them."""
    apart: Apart | None = None
    """How processes take their own rows all the way, where a loss lets them."""

    def __init__(self, trainee: Trainee, settings: TrainSettings, total: int | None) -> None:
        self.trainee, self.lr, self.total, self.parts = trainee, settings.lr, total, settings.accumulate
        self.done = 0
        self.main = trainee.main_parameters()
        self.clip = SpikeClip(settings.clip)
        self.optimiser = _adamw(self.main, settings)
        # Float16 ends at 6e-8: small gradients are kept by a loss that is multiplied, and divided afterwards.
        device = next(trainee.parameters()).device
        self.scaler = torch.amp.GradScaler(device.type, enabled=settings.precision == "16")
        self.critic = trainee.critic_parameters()
        self.critic_optimiser = _adamw(self.critic, settings, CRITIC_BETAS) if self.critic else None
        self._asked = torch.zeros((), device=device)  # whether one of the processes was asked to stop
        self.begin()

    def begin(self) -> None:
        """Forget who was asked to stop in an earlier run."""
        self._asks = False
        self._asked.zero_()

    def __call__(self, batch: Batch) -> dict[str, Tensor]:
        """Take the step on a raw batch; give each term's mean, (), still on the device."""
        return self.take(self.trainee.ready(batch))

    def take(self, batch: Batch) -> dict[str, Tensor]:
        """Take the step on a batch that is scaled."""
        lr = self.rate()
        means = self._learn(self.trainee.loss, batch, self.main, self.optimiser, lr, self.clip)
        if self.critic_optimiser is not None:
            critic = self._learn(self.trainee.critic_loss, batch, self.critic, self.critic_optimiser, lr)
            means |= {f"critic_{name}": mean for name, mean in critic.items()}
        self.scaler.update()
        self.done += 1
        return means

    def rate(self, ahead: int = 0) -> float:
        """Give the learning rate of the next step, or of one further ahead."""
        share = 1.0 if self.total is None else one_cycle((self.done + ahead + 1) / (self.total + 1))
        return self.lr * share

    def _learn(
        self,
        loss: Callable[[Batch], Loss],
        batch: Batch,
        parameters: list[nn.Parameter],
        optimiser: AdamW,
        lr: float,
        clip: SpikeClip | None = None,
    ) -> dict[str, Tensor]:
        means = self._backward(loss, batch, 1.0) if self.parts == 1 else self._accumulated(loss, batch)
        if self.apart is not None:
            means = self.apart.filled(means)
        length = self._agree(parameters, means) if self.processes.world > 1 else None
        gradients = [p.grad for p in parameters if p.grad is not None]
        self.scaler.unscale_(optimiser)
        if clip is not None:
            clip(gradients if self.shards is None else [own(g) for g in gradients], length)
        optimiser.param_groups[0]["lr"] = lr
        self.scaler.step(optimiser)
        optimiser.zero_grad()
        return means

    def _backward(self, loss: Callable[[Batch], Loss], batch: Batch, share: float) -> dict[str, Tensor]:
        """Add a share of a loss's gradient to the weights', of own rows alone where rows are apart."""
        with nullcontext((batch, 1.0)) if self.apart is None else self.apart.own(batch) as (own, part):
            of = loss(own)
            if self.parts > 1:
                refuse_whole(of, self.parts)
            means = of.means()
            if (share := share * part) != 1.0:
                means = {name: share * mean for name, mean in means.items()}
            self.scaler.scale(total(means)).backward()
        return {name: mean.detach() for name, mean in means.items()}

    def _accumulated(self, loss: Callable[[Batch], Loss], batch: Batch) -> dict[str, Tensor]:
        """Add up the gradients of a batch's parts, each with its share of the rows' weights."""
        sums: dict[str, Tensor] = {}
        for part in cut(batch, math.ceil(len(batch) / self.parts)):
            for name, mean in self._backward(loss, part, part.mass / max(batch.mass, LEAST)).items():
                sums[name] = sums[name] + mean if name in sums else mean
        return sums

    def _agree(self, parameters: list[nn.Parameter], means: dict[str, Tensor]) -> Tensor | None:
        """Average over processes, in one message: gradients, means of own rows, and whether one was asked to stop.

        Of divided gradients give their length, (), as one vector.
        """
        self._asked.fill_(self._asks)
        whole = parameters if self.shards is None else self.shards.whole_ones(parameters)
        if self.apart is not None:
            self.apart.average(whole, [self._asked, *means.values()])
        else:
            self.processes.average([*(p.grad for p in whole if p.grad is not None), self._asked])
        return None if self.shards is None else self.shards.length(parameters)

    def stops(self, asked: bool) -> bool:
        """Whether one of the processes was asked to stop, as the last step told; the next one tells of this one.

        On a GPU one looks at every sixteenth step.
        """
        if self.processes.world == 1:
            return asked
        self._asks = asked
        return (self._asked.device.type == "cpu" or self.done % ASK_EVERY == 0) and bool(self._asked > 0)

    def exchange(self, moved: Callable[[Tensor, Tensor], Tensor]) -> None:
        """Go on with the weights that the trainee has now; see `AdamW.exchange`."""
        self.main = self.trainee.main_parameters()
        self.optimiser.exchange(self.main, moved)

    def state(self) -> dict[str, Any]:
        """Give all that the next step depends on besides the weights."""
        optimisers = [self.optimiser, *([self.critic_optimiser] if self.critic_optimiser else [])]
        return {
            "done": self.done,
            "clip": self.clip.mean,
            "scaler": self.scaler.state_dict(),
            "optimisers": [_packed(optimiser.state_dict()) for optimiser in optimisers],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a `state`."""
        self.done, mean = state["done"], state["clip"]
        self.clip.mean = mean if mean is None else mean.to(self.main[0].device)
        if state.get("scaler"):
            self.scaler.load_state_dict(state["scaler"])
        optimisers = [self.optimiser, *([self.critic_optimiser] if self.critic_optimiser else [])]
        for optimiser, packed in zip(optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(_unpacked(packed))


def _adamw(parameters: list[nn.Parameter], settings: TrainSettings, betas: tuple[float, float] = (0.9, 0.999)) -> AdamW:
    return AdamW(parameters, lr=settings.lr, betas=betas, weight_decay=settings.weight_decay)


def _packed(state: dict[str, Any]) -> dict[str, Any]:
    return state | {"state": {str(key): value for key, value in state["state"].items()}}  # JSON's keys are texts


def _unpacked(state: dict[str, Any]) -> dict[str, Any]:
    return state | {"state": {int(key): value for key, value in state["state"].items()}}
