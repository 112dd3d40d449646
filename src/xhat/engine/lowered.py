"""From a graph of operations to machine code, which is then called without asking what it was made for."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx


def traced(function: Callable[..., Any], arguments: Sequence[Any]) -> GraphModule:
    """Leave of a function nothing but its operations on tensors of these shapes.

    Parameters
    ----------
    function : callable
        Of tensors, or of lists and dicts of them.
    arguments : sequence
        What it is called with; what it changes in place is changed.
    """
    graph: GraphModule = make_fx(function)(*arguments)
    graph.graph.eliminate_dead_code()
    graph.recompile()
    return graph


def lowered(graph: GraphModule, arguments: Sequence[Any]) -> Callable[..., Any]:
    """Compile a traced graph.

    `torch.compile` would look at the arguments of each call, and at what the compiler is set to, before it calls the
    code: of a small net that takes longer than several steps. Whoever calls this code sees to it that shapes agree.

    Parameters
    ----------
    graph : GraphModule
        See `traced`; its random numbers will be those that torch itself draws.
    arguments : sequence
        Of the shapes that it will be called with.
    """
    graph = copy.deepcopy(graph)  # the compiler changes what it reads, also where it then fails
    for node in graph.graph.nodes:
        node.meta.clear()  # traces of the tracing, which the compiler takes for its own
    # Kernels are called from C++, not from Python.
    with torch._inductor.config.patch(fallback_random=True, cpp_wrapper=True):
        code: Callable[..., Any] = torch._inductor.compile(graph, list(arguments))
        return code
