"""The processes that train one model together, on one machine or on many."""

from __future__ import annotations

import atexit
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

from xhat.core.errors import ConfigError, ProcessError, require

# What Accelerate's and torch's launchers tell each process.
TOLD = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
# What Accelerate's launcher says where weights shall be divided among processes, by whom.
FSDP, DEEPSPEED = "ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED"
# A process that does not answer for so long has gone, though nobody said so.
PATIENCE = timedelta(minutes=10)
# Asking others makes a GPU wait for its step to end.
ASK_EVERY = 16
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Processes:
    """One process among those that train a model together; alone, every method gives back what it got.

    Every process holds the whole model, or its share of the nets' weights (`sharding`), and walks through the same
    batches with the same random numbers; they divide the rows where nets compute (`divided`), and agree on gradients.
    Collectives are torch.distributed's, joined through Accelerate's launcher and state.

    Parameters
    ----------
    rank : int, default=0
        Its number, from 0.
    world : int, default=1
        How many there are.
    device : torch.device, default=cpu
        Where it computes.
    """

    rank: int = 0
    world: int = 1
    device: torch.device = CPU

    @property
    def is_first(self) -> bool:
        """Whether it is the one that writes files and shows progress."""
        return self.rank == 0

    def bounds(self, n: int) -> tuple[int, int]:
        """Give where its own of n rows begin and end; shares differ by one row at most."""
        return n * self.rank // self.world, n * (self.rank + 1) // self.world

    def gathered(self, own: Tensor, n: int) -> Tensor:
        """Give the rows (n, ...) of all processes, of which each has its own share."""
        if self.world == 1:
            return own
        most = -(-n // self.world)
        # Collectives move blocks of one size: a share that is a row shorter is filled up.
        block = own.contiguous() if len(own) == most else torch.cat([own, own.new_zeros(1, *own.shape[1:])])
        all_ = own.new_empty(self.world * most, *own.shape[1:])
        with _heard():
            dist.all_gather(list(all_.split(most)), block)
        if n == len(all_):
            return all_
        sizes = [n * (rank + 1) // self.world - n * rank // self.world for rank in range(self.world)]
        return torch.cat([part[:size] for part, size in zip(all_.split(most), sizes, strict=True)])

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors, in place, by their means over all processes: in one message, since each costs its delay."""
        if self.world == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        with _heard():
            dist.all_reduce(flat)
        flat /= self.world
        parts = flat.split([tensor.numel() for tensor in tensors])
        torch._foreach_copy_(list(tensors), [p.view_as(t) for p, t in zip(parts, tensors, strict=True)])

    def sum(self, own: Tensor) -> Tensor:
        """Give the sum of a tensor over all processes."""
        if self.world == 1:
            return own
        total = own.clone()
        with _heard():
            dist.all_reduce(total)
        return total

    def any(self, asked: bool) -> bool:
        """Whether one of them says so."""
        return bool(self.sum(torch.tensor(float(asked), device=self.device)) > 0)

    def align(self, module: nn.Module) -> None:
        """Give every process the first one's weights and buffers: machines round differently."""
        if self.world > 1:
            with torch.no_grad(), _heard():
                for value in [*module.parameters(), *module.buffers()]:
                    dist.broadcast(value.data, 0)

    def agreed(self, values: Mapping[str, float]) -> dict[str, float]:
        """Give the first one's numbers: all decide alike."""
        if self.world == 1:
            return dict(values)
        told = torch.tensor(list(values.values()), dtype=torch.float64, device=self.device)
        with _heard():
            dist.broadcast(told, 0)
        return dict(zip(values, told.tolist(), strict=True))

    def wait(self) -> None:
        """Wait until all have come here."""
        if self.world > 1:
            with _heard():
                dist.barrier()


ALONE = Processes()


def joined(device: str, alone: Callable[[str], torch.device]) -> Processes:
    """Join the processes that a launcher started, `xhat fit --processes` or Accelerate's; without one stay alone.

    Parameters
    ----------
    device : str
        "auto" takes GPUs where there are any, one a process; "cpu" or "cuda".
    alone : function of str
        What picks the device where there is but one process.

    Raises
    ------
    ConfigError
        When there are fewer GPUs than processes, Accelerate is not installed, or it was told to use DeepSpeed.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1 or not all(name in os.environ for name in TOLD):
        return Processes(device=alone(device))
    rule, hint = "FSDP divides weights, and not DeepSpeed", "launch with --use_fsdp"
    require(os.environ.get(DEEPSPEED, "false").lower() != "true", "processes", rule, f"{DEEPSPEED}=true", hint)
    require(device in ("auto", "cpu", "cuda"), "device", "several processes take cpu or cuda", f"'{device}'")
    here, gpus = int(os.environ.get("LOCAL_WORLD_SIZE", world)), torch.cuda.device_count()
    on_gpus = device == "cuda" or (device == "auto" and gpus > 0)
    if on_gpus:
        alone("cuda")
        hint = "start fewer, or use --device cpu"
        require(here <= gpus, "processes", f"each needs a GPU of its own, and this machine has {gpus}", here, hint)
    try:
        from accelerate import PartialState
    except ImportError as error:
        rule, hint = "several of them need accelerate", "pip install 'xhat[distributed]'"
        raise ConfigError("processes", rule, hint=hint) from error
    with warnings.catch_warnings(), _heard():
        warnings.simplefilter("ignore")  # of threads that nobody chose
        state = PartialState(cpu=not on_gpus, timeout=PATIENCE)
    atexit.register(_leave)
    return Processes(state.process_index, state.num_processes, state.device)


def launched_for_fsdp() -> bool:
    """Whether Accelerate's launcher was told to divide weights among the processes that it started."""
    return os.environ.get(FSDP, "false").lower() == "true" and int(os.environ.get("WORLD_SIZE", "1")) > 1


def _leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def is_loss(error: RuntimeError) -> bool:
    """Whether an error says that another process has gone or does not answer."""
    return isinstance(error, dist.DistError) or "gloo" in str(error)


def loss_of(error: RuntimeError) -> ProcessError:
    """Give one line for what a collective raises where another process has gone."""
    said = str(error).split("\n")[0].split(". ")[0].rstrip(".")
    hint = "continue with xhat fit --resume and the run's folder, if it has begun to train"
    return ProcessError("processes", f"another one has gone or does not answer ({said})", hint=hint)


@contextmanager
def _heard() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise loss_of(error) from error
