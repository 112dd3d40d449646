"""Two steps and a judgement of every kind, alone or as one of the processes that `test_processes.py` starts."""

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from exercise import example, kinds, model_for
from torch import nn

from xhat.core import Batch
from xhat.core.errors import ConfigError
from xhat.data.scaling import Scaling
from xhat.engine.apart import Apart, are_apart
from xhat.engine.device import pick_device
from xhat.engine.divided import divided
from xhat.engine.processes import Processes, joined
from xhat.engine.settings import TrainSettings
from xhat.engine.sharding import sharded, whole
from xhat.engine.step import Step
from xhat.engine.trainee import Trainee
from xhat.models.autoencoder import Autoencoder
from xhat.parts.bottlenecks.plain import Plain
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.conditional import ConditionalDecoder, ConditionalEncoder
from xhat.parts.nets.mlp import MLPDecoder, MLPEncoder
from xhat.parts.nets.recurrent import RecurrentDecoder, RecurrentEncoder
from xhat.parts.nets.wrap import WrapEncoder
from xhat.parts.objectives.iwae import IWAE
from xhat.parts.objectives.reconstruction import Reconstruction

# Two processes cannot share them evenly.
ROWS = 7
Case = tuple[Autoencoder, nn.Module, Batch]


def rows(n: int) -> Batch:
    """Rows of six numbers in [0, 1], of two classes."""
    return Batch(torch.rand(n, 6), y=torch.arange(n) % 2)


def of_objective(kind: str) -> Case:
    objective = example(kind)
    return model_for(objective), objective, rows(ROWS)


def of_bottleneck(kind: str) -> Case:
    bottleneck = example(kind)
    encoder = MLPEncoder((6,), bottleneck.in_shape, hidden=(8,))
    decoder = MLPDecoder(bottleneck.code_shape, (6,), hidden=(8,))
    return Autoencoder(encoder, bottleneck, decoder, Gaussian(learned=True)), Reconstruction(), rows(ROWS)


def weights_of_rows() -> Case:
    model, objective, batch = of_objective("objectives/beta_elbo")
    return model, objective, Batch(batch.x, mask=torch.rand(ROWS, 6) < 0.7, weight=torch.rand(ROWS))


def draws_beside_their_rows() -> Case:
    model = model_for(IWAE.example())
    encoder = RecurrentEncoder((5, 2), model.bottleneck.in_shape, hidden=8)
    decoder = RecurrentDecoder((3,), (5, 2), hidden=8, feeding="teacher")
    return Autoencoder(encoder, model.bottleneck, decoder, Gaussian()), IWAE.example(), encoder.example_batch(ROWS)


def labels() -> Case:
    encoder, decoder = ConditionalEncoder.example(), ConditionalDecoder.example()
    return Autoencoder(encoder, Plain((3,)), decoder, Gaussian()), Reconstruction(), encoder.example_batch(ROWS)


def rows_that_meet() -> Case:
    net = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    model = Autoencoder(WrapEncoder(net, (6,), (3,)), Plain((3,)), MLPDecoder.example(), Gaussian())
    return model, Reconstruction(), rows(ROWS)


def fewer_rows_than_processes() -> Case:
    return model_for(Reconstruction()), Reconstruction(), rows(1)


def weights_that_are_shared() -> Case:
    encoder, decoder = MLPEncoder((6,), (3,), hidden=(8,)), MLPDecoder((3,), (6,), hidden=(8,))
    decoder.layers[0].bias = encoder.layers[0].bias  # eight numbers
    encoder.unused = nn.Linear(4, 4)
    return Autoencoder(encoder, Plain((3,)), decoder, Gaussian()), Reconstruction(), rows(ROWS)


OWN = (
    weights_of_rows,
    draws_beside_their_rows,
    labels,
    rows_that_meet,
    weights_that_are_shared,
    fewer_rows_than_processes,
)
CASES: dict[str, Callable[[], Case]] = {
    **{kind: (lambda kind=kind: of_objective(kind)) for kind in kinds("objectives")},
    **{kind: (lambda kind=kind: of_bottleneck(kind)) for kind in kinds("bottlenecks")},
    **{case.__name__: case for case in OWN},
}


def numbers(name: str, processes: Processes, fsdp: bool = False, apart: bool = False) -> dict[str, float]:
    """Give the terms of two steps and of a judgement after them, and the lengths of all weights and of their moments.

    In double precision: what is added in another order is then the same to many digits.
    """
    torch.manual_seed(0)
    model, objective, batch = CASES[name]()
    trainee = Trainee(model, objective, Scaling("none", model.x_shape)).double()
    batch = Batch(batch.x.double(), batch.mask, batch.y, None if batch.weight is None else batch.weight.double())
    trainee.begin(batch)
    step = Step(trainee, TrainSettings(lr=1e-2), 10)
    step.processes = processes
    found = {}
    apart = apart and are_apart(trainee.train(), batch, processes)
    with sharded(step, fsdp) as shards, divided(model, objective, processes) as division:
        step.apart = Apart(processes, division) if apart else None
        if shards is not None:
            shards.attempt(batch)
            trainee.train()
        for i in range(2):
            found |= {f"{i}.{term}": float(mean) for term, mean in step(batch).items()}
        trainee.eval()
        with torch.no_grad():
            found |= {f"judged.{term}": float(mean) for term, mean in trainee(batch).means().items()}
    moments = whole([moment for state in step.optimiser.state.values() for moment in state.values()])
    lengths = {"weights": _length(trainee.state_dict().values()), "moments": _length(moments)}
    return found | lengths | {"drawn next": float(torch.rand(())), "apart": float(apart)}


def _length(values: Iterable[torch.Tensor]) -> float:
    return float(torch.stack([value.double().norm() for value in values if value.numel()]).norm())


def divided_numbers(name: str, processes: Processes) -> dict[str, float] | str:
    """Give the same numbers where processes divide the weights, or the line that refuses it."""
    try:
        return numbers(name, processes, fsdp=True, apart=True)
    except ConfigError as error:
        return str(error)


if __name__ == "__main__":
    torch.set_num_threads(1)
    processes = joined("cpu", pick_device)
    found = {name: numbers(name, processes) for name in CASES}
    found |= {f"{name}, apart": numbers(name, processes, apart=True) for name in CASES}
    found |= {f"{name}, divided": divided_numbers(name, processes) for name in CASES}
    Path(sys.argv[1], f"{processes.rank}.json").write_text(json.dumps(found))
