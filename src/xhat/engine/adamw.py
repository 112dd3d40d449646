"""AdamW as torch has it, without the bookkeeping around its one fused call."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn


def _unmarked(method: Callable[..., Any]) -> Callable[..., Any]:
    return getattr(method, "__wrapped__", method)


def own(tensor: Tensor) -> Tensor:
    """Give this process's share of a tensor that processes divide (`engine/sharding`), any other as it is."""
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor


class AdamW(torch.optim.AdamW):
    r"""Decoupled weight decay, in torch's fused kernel.

    .. math::
        m &\leftarrow \beta_1 m + (1 - \beta_1) g, \qquad v \leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        \theta &\leftarrow (1 - \eta \lambda) \theta
            - \eta\, \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    State, its file and its results are those of `torch.optim.AdamW(fused=True)`. That gathers and groups its tensors
    anew at each step, which for a small net takes as long as its products; here they are gathered once, and share one
    count of steps.

    Parameters
    ----------
    parameters : iterable of nn.Parameter
        What is moved.
    lr : float
        η; read from the first group at each step.
    betas : pair of float
        β₁, β₂.
    weight_decay : float
        λ.

    References
    ----------
    Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], *, lr: float, betas: tuple[float, float], weight_decay: float
    ) -> None:
        parameters = list(parameters)
        self.is_fusible = len({(p.device, p.dtype) for p in parameters}) == 1 and parameters[0].device.type in _FUSED
        super().__init__(parameters, lr=lr, betas=betas, weight_decay=weight_decay, fused=self.is_fusible or None)
        self._gathered: tuple[list[Tensor], ...] | None = None
        self._divided = False
        self._learned: list[Tensor] = []  # of divided ones, those that had a gradient

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient."""
        gradients = [p.grad for p in self.param_groups[0]["params"]]
        if self._divided:
            learned = [p for p in self.param_groups[0]["params"] if p.grad is not None]
            if list(map(id, learned)) != list(map(id, self._learned)):
                self.forget()
                self._learned = learned
            gradients = [own(g) for g in gradients if g is not None]
        scaled = getattr(self, "found_inf", None) is not None  # by torch's GradScaler, which may leave this step out
        if not self.is_fusible or scaled or closure is not None or any(g is None for g in gradients):
            self.forget()
            _UNHURRIED(self, closure)
            return
        if self._gathered is None:
            self._gathered = self._gather()
        parameters, means, squares, counts = self._gathered
        group = self.param_groups[0]
        with torch.no_grad():
            torch._foreach_add_(counts[:1] if counts[0] is counts[-1] else counts, 1)
            torch._fused_adamw_(
                parameters,
                gradients,
                means,
                squares,
                [],
                counts,
                lr=group["lr"],
                beta1=group["betas"][0],
                beta2=group["betas"][1],
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                amsgrad=False,
                maximize=False,
            )

    # Torch wraps a class's step in a function that asks the profiler for leave each time, unless it bears this mark.
    step.hooked = True  # type: ignore[attr-defined]

    # Torch marks these for its tracer to pass over, and imports that at their first call: of a short fit that is a
    # third of the time. Nothing here is traced.
    add_param_group = _unmarked(torch.optim.Optimizer.add_param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Let gradients go."""
        for parameter in self.param_groups[0]["params"]:
            parameter.grad = None

    def state_dict(self) -> dict[str, Any]:
        """Give the state, every tensor apart."""
        self.forget()
        packed: dict[str, Any] = _unmarked(torch.optim.Optimizer.state_dict)(self)
        return packed

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a state."""
        _unmarked(torch.optim.Optimizer.load_state_dict)(self, state_dict)
        self._gathered = None

    def forget(self) -> None:
        """Gather anew at the next step: what holds the state may change until then."""
        if self._gathered is not None:
            for state in self.state.values():
                state["step"] = state["step"].clone()
            self._gathered = None

    def begin(self, parameters: Iterable[Tensor]) -> None:
        """Give parameters that were never moved the state of torch's own first step."""
        for p in parameters:
            if not self.state[p]:
                moments = {"exp_avg": torch.zeros_like(p), "exp_avg_sq": torch.zeros_like(p)}
                self.state[p] = {"step": torch.zeros((), dtype=torch.float32, device=p.device)} | moments

    def exchange(self, parameters: list[nn.Parameter], moved: Callable[[Tensor, Tensor], Tensor]) -> None:
        """Go on with others in its parameters' places, whole ones or shares, and with what `moved` makes of states.

        Parameters
        ----------
        parameters : list of nn.Parameter
            As many, in the same order.
        moved : function of two Tensors
            From a state of the one that was, and the one that comes, to its state.
        """
        self.forget()
        before = self.param_groups[0]["params"]
        states = [self.state.pop(p, {}) for p in before]
        for p, state in zip(parameters, states, strict=True):
            if state:
                self.state[p] = {name: moved(value, p) for name, value in state.items()}
        self.param_groups[0]["params"] = parameters
        self._divided, self._learned = any(own(p) is not p for p in parameters), []

    def _gather(self) -> tuple[list[Tensor], ...]:
        parameters: list[Tensor] = self._learned if self._divided else self.param_groups[0]["params"]
        self.begin(parameters)
        states = [self.state[p] for p in parameters]
        if len({float(state["step"]) for state in states}) == 1:
            for state in states:
                state["step"] = states[0]["step"]
        moments = ([state[name] for state in states] for name in ("exp_avg", "exp_avg_sq", "step"))
        lists = (parameters, *moments)
        return tuple([own(tensor) for tensor in tensors] for tensors in lists) if self._divided else lists


# Devices that have the kernel.
_FUSED = ("cpu", "cuda")
# Taken before any instance is made, for making one wraps torch's own step.
_UNHURRIED = torch.optim.AdamW.step
