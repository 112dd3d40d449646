r"""Weights divided among processes (FSDP), for nets whose training would not fit into one device's memory.

Process r keeps a share of every weight of the nets, with its gradient and its moments,

.. math:: \theta = [\, \theta_1;\; \theta_2;\; \dots;\; \theta_N \,],

and the shares of a block are gathered when it computes, forward and backward, and let go afterwards. All that is no net
(bottlenecks, priors, critics) every process holds whole. It is torch's `fully_shard` that gathers and scatters, in
copies of the nets, for nothing takes it off again.
"""

from __future__ import annotations

import copy
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import Tensor, nn

from xhat.core.batch import Batch
from xhat.core.errors import ConfigError, TrainingError, XhatError, require
from xhat.core.loss import total
from xhat.engine.adamw import own
from xhat.engine.processes import is_loss, loss_of
from xhat.engine.randomness import untouched_randomness
from xhat.engine.recomputing import stages
from xhat.engine.step import Step
from xhat.engine.trainee import Trainee

# Weights of a layer from which a message of its own is worth its delay.
LARGE = 2**20
HINT = "train without --fsdp"
# What torch says of weights that are read where they are not gathered, or no longer.
UNDIVIDED = ("mixed torch.Tensor and DTensor", "storage of size 0", "data is not allocated yet")
# Rows of a trial, for each process.
ROWS = 2


@contextmanager
def sharded(step: Step, wanted: bool) -> Iterator[Shards | None]:
    """Divide the weights of a step's nets among its processes within the block; afterwards each has them whole.

    Parameters
    ----------
    step : Step
        Its optimiser goes on with shares.
    wanted : bool
        If not, or where there is one process, nothing is changed and there are no shares.

    Raises
    ------
    ConfigError
        When these weights cannot be divided.

    References
    ----------
    Rajbhandari et al., "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models", SC 2020, stage 3.
    """
    if not wanted or step.processes.world == 1:
        yield None
        return
    shards = step.shards = Shards(step)
    try:
        with warnings.catch_warnings():
            # Nothing here changes in place what a net gives.
            warnings.filterwarnings("ignore", message="FSDP2-wrapped module .* returned a view tensor")
            yield shards
    except XhatError as error:
        if isinstance(error, TrainingError) or shards.refused:  # all processes saw it
            shards.leave()
        raise
    except RuntimeError as error:
        if is_loss(error):  # torch's own collectives
            raise loss_of(error) from error
        raise
    # After any other error the rest may not answer: nothing could be gathered.
    shards.leave()


class Shards:
    """What this process keeps of the weights that processes divide.

    Parameters
    ----------
    step : Step
        Whose nets are divided, at once.
    """

    def __init__(self, step: Step) -> None:
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        require(not step.scaler.is_enabled(), "fit", "fsdp scales no loss for float16", hint="use --precision bf16")
        require(step.optimiser.is_fusible, "fit", "fsdp needs weights of one type on a CPU or GPU", hint=HINT)
        self.step, self.processes, self.refused = step, step.processes, False
        self._nets = step.trainee.nets()
        mesh = init_device_mesh(self.processes.device.type, (self.processes.world,))
        whole = _kept_whole(step.trainee)
        twins = _copies(self._nets, whole)
        for twin in twins:
            for block in _blocks(twin):
                if not whole.issuperset(block.parameters()):
                    fully_shard(block, mesh=mesh, ignored_params=whole, reshard_after_forward=True)
        step.trainee.exchange_nets(twins)
        for net in self._nets:
            for weight in set(net.parameters()) - whole:
                weight.data = weight.new_empty(0)  # lets its memory go
        step.exchange(_share)

    def attempt(self, some: Batch) -> None:
        """Try a loss and its gradients on raw rows, and leave no trace of it.

        Raises
        ------
        ConfigError
            When the objective or a net reads weights where no net computes, or takes gradients of gradients.
        """
        from torch.distributed.fsdp import FSDPModule

        trainee = self.step.trainee.train()
        buffers = [buffer.clone() for buffer in trainee.buffers()]
        try:
            with untouched_randomness(self.processes.device):
                total(trainee(some.span(0, ROWS * self.processes.world)).means()).backward()
        except RuntimeError as error:
            if not any(sign in str(error) for sign in UNDIVIDED):
                raise
            self.refused = True
            for net in trainee.nets():
                if isinstance(net, FSDPModule):
                    with suppress(AttributeError):  # of one that did not run yet
                        net.reset_iter_state()
            who = f"{type(trainee.objective).__name__}, or a net, does otherwise"
            rule = f"fsdp needs weights that nets alone read, and gradients taken once: {who}"
            raise ConfigError("fit", rule, hint=HINT) from error
        finally:
            with torch.no_grad():
                for buffer, before in zip(trainee.buffers(), buffers, strict=True):
                    buffer.copy_(before)
            trainee.zero_grad()

    def whole_ones(self, parameters: Sequence[nn.Parameter]) -> list[nn.Parameter]:
        """List those that are not divided; gradients of the others come as means over processes already."""
        return [parameter for parameter in parameters if not _is_divided(parameter)]

    def length(self, parameters: Sequence[nn.Parameter]) -> Tensor:
        """Give the length, (), of all gradients as one vector."""
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        divided = self._squares([own(g) for g in gradients if _is_divided(g)])
        return (self.processes.sum(divided) + self._squares([g for g in gradients if not _is_divided(g)])).sqrt()

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Put weights and buffers by their names into the trainee, from shares or whole ones."""
        trainee = self.step.trainee
        now = trainee.state_dict()
        trainee.load_state_dict({name: _share(value, now[name]) for name, value in state.items()})

    @torch.no_grad()
    def leave(self) -> None:
        """Put whole weights into the nets; the optimiser keeps shares of its moments, for another run."""
        for net, twin in zip(self._nets, self.step.trainee.nets(), strict=True):
            learned = {**dict(twin.named_buffers()), **twin.state_dict()}  # in shares, whatever the net did last
            for name, tensor in [*net.named_parameters(), *net.named_buffers()]:
                tensor.data = _full(learned[name])
            for module, copied in zip(net.modules(), twin.modules(), strict=True):
                module.training = copied.training
        self.step.trainee.exchange_nets(self._nets)
        self.step.exchange(lambda moment, _: moment)
        self.step.shards = None

    def _squares(self, gradients: Sequence[Tensor]) -> Tensor:
        squares = [g.square().sum() for g in gradients]
        return torch.stack(squares).sum() if squares else torch.zeros((), device=self.processes.device)


def whole(tree: Any, keep: bool = True) -> Any:
    """Give a tree of dicts and lists with its tensors whole, on the CPU, where processes divide them.

    Parameters
    ----------
    tree : object
        All processes must call this, with trees in which the same tensors are divided.
    keep : bool, default=True
        If not, this process only hands in its shares, and gets None for what is divided.
    """
    if isinstance(tree, dict):
        return {key: whole(value, keep) for key, value in tree.items()}
    if isinstance(tree, list):
        return [whole(value, keep) for value in tree]
    if not _is_divided(tree):
        return tree
    full = _full(tree)
    return full.cpu() if keep else None


def _is_divided(value: Any) -> bool:
    return hasattr(value, "full_tensor")  # torch's DTensor, whose import takes a second


def _full(tensor: Tensor) -> Tensor:
    return tensor.full_tensor() if _is_divided(tensor) else tensor  # type: ignore[attr-defined]


def _share(value: Tensor, like: Tensor) -> Tensor:
    """Cut a whole tensor in the way in which `like` is divided; a share and a single number stay what they are."""
    from torch.distributed.tensor import DTensor, distribute_tensor

    if _is_divided(value) or value.ndim == 0 or not isinstance(like, DTensor):
        return value
    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements, src_data_rank=None)


def _kept_whole(trainee: Trainee) -> set[nn.Parameter]:
    """List what is not divided: single numbers, and weights that two blocks share, or a net and what is outside it."""
    nets = trainee.nets()
    inside = {module for net in nets for module in net.modules()}
    places = [[module for module in trainee.modules() if module not in inside]]
    for net in nets:
        placed: set[nn.Module] = set()
        for block in _blocks(net):
            places.append([module for module in block.modules() if module not in placed])
            placed.update(block.modules())
    held = [{weight for module in modules for weight in module._parameters.values()} for modules in places]
    count = Counter(weight for weights in held for weight in weights if weight is not None)
    return {weight for weight, n in count.items() if n > 1 or weight.ndim == 0}


def _copies(nets: list[nn.Module], whole: set[nn.Parameter]) -> list[nn.Module]:
    """Copy nets; weights that stay whole are the same in both."""
    try:
        return copy.deepcopy(nets, {id(weight): weight for weight in whole})
    # Modules of a user's own may hold what has no copy, as locks and files.
    except Exception as error:
        raise ConfigError("fit", f"fsdp divides copies of the nets, and one has none ({error})", hint=HINT) from error


def _blocks(net: nn.Module) -> list[nn.Module]:
    """List what is gathered one after another, inner ones first: a net's blocks, large layers in a row, the net."""
    rows = [layer for module in net.modules() if isinstance(module, nn.Sequential) for layer in module]
    large = [layer for layer in rows if sum(weight.numel() for weight in layer.parameters()) >= LARGE]
    chosen = {*stages(net), *large, net}
    lists = (nn.ModuleList, nn.ModuleDict)  # which compute nothing themselves
    return [module for module in reversed(list(net.modules())) if module in chosen and not isinstance(module, lists)]
