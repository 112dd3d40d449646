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
from xhat.core.loss import Loss
from xhat.core.schedule import coefficient
from xhat.data.scaling import Scaling
from xhat.engine import sharding
from xhat.engine.apart import Apart, habits_of_rows
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
    own = nn.Sequential(*(nn.Sequential(nn.Linear(8, 8), nn.Tanh()) for _ in range(3)))
    own[2][0].weight = own[0][0].weight  # of two blocks
    encoder.layers.insert(1, own)
    return Autoencoder(encoder, Plain((3,)), decoder, Gaussian()), Reconstruction(), rows(ROWS)


class Contrast(Reconstruction):
    """A term of shape (B,) that belongs to all rows, and counts at the run's end, or at its start."""

    def __init__(self, schedule: str) -> None:
        super().__init__()
        self.weight = coefficient(schedule, "contrast", "weight")

    def forward(self, model, batch):
        loss, z = super().forward(model, batch), model.encode(batch).z
        return Loss(**loss.terms, contrast=self.now(self.weight) * torch.logsumexp(z @ z.T, 1))


def a_term_that_only_looks_like_rows() -> Case:
    return model_for(Reconstruction()), Contrast("linear(0, 1, epochs=1)"), rows(ROWS)


def a_term_that_only_looks_like_rows_at_first() -> Case:
    return model_for(Reconstruction()), Contrast("linear(1, 0, epochs=0.25)"), rows(ROWS)


class Heads(Reconstruction):
    """A head for each of three classes, of which the last row alone has one."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleList(nn.Linear(3, 1) for _ in range(3))

    def forward(self, model, batch):
        loss, z = super().forward(model, batch), model.encode(batch).z
        term = z.new_zeros(len(z))
        for k, head in enumerate(self.heads):
            if (known := batch.y == k).any():
                term[known] = head(z[known]).squeeze(1) ** 2
        return Loss(**loss.terms, classes=term)


def weights_that_few_rows_learn() -> Case:
    return model_for(Reconstruction()), Heads(), Batch(torch.rand(ROWS, 6), y=torch.arange(ROWS) // (ROWS - 1))


def a_map_that_is_contracted() -> Case:
    model = model_for(Reconstruction())
    encoder = MLPEncoder((6,), model.bottleneck.in_shape, hidden=())
    return (
        Autoencoder(encoder, model.bottleneck, model.decoder, Gaussian()),
        example("objectives/contractive"),
        rows(ROWS),
    )


def weights_that_are_read() -> Case:
    net = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    model = Autoencoder(WrapEncoder(net, (6,), (3,)), Plain((3,)), MLPDecoder.example(), Gaussian(learned=True))
    return model, example("objectives/rae"), rows(ROWS)


def in_parts() -> Case:
    return of_objective("objectives/beta_elbo")


SETTINGS = {"in_parts": {"accumulate": 3}}
OWN = (
    in_parts,
    a_term_that_only_looks_like_rows,
    a_term_that_only_looks_like_rows_at_first,
    weights_that_few_rows_learn,
    a_map_that_is_contracted,
    weights_that_are_read,
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
    trainee, batch, step = begun(name, processes)
    model, objective = trainee.model, trainee.objective
    found = {}
    habits = habits_of_rows(trainee.train(), batch, processes) if apart else None
    with sharded(step, fsdp) as shards, divided(model, objective, processes) as division:
        step.apart = None if habits is None else Apart(processes, division, habits)
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
    return found | lengths | {"drawn next": float(torch.rand(())), "apart": float(habits is not None)}


def _length(values: Iterable[torch.Tensor]) -> float:
    return float(torch.stack([value.double().norm() for value in values if value.numel()]).norm())


def begun(name: str, processes: Processes) -> tuple[Trainee, Batch, Step]:
    torch.manual_seed(0)
    model, objective, batch = CASES[name]()
    trainee = Trainee(model, objective, Scaling("none", model.x_shape)).double()
    batch = Batch(batch.x.double(), batch.mask, batch.y, None if batch.weight is None else batch.weight.double())
    trainee.begin(batch)
    step = Step(trainee, TrainSettings(lr=1e-2, **SETTINGS.get(name, {})), 10)
    step.processes = processes
    return trainee, batch, step


def refused(processes: Processes) -> bool:
    """Whether a model is trained as if nothing had been, after a trial that refused to divide its weights."""
    (trainee, batch, step), (_, _, untouched) = (begun("weights_that_are_read", processes) for _ in range(2))
    torch.manual_seed(0)
    try:
        with sharded(step, True) as shards:
            shards.attempt(batch)
    except ConfigError:
        alike = zip(step(batch).values(), untouched(batch).values(), strict=True)
        states = zip(trainee.state_dict().values(), untouched.trainee.state_dict().values(), strict=True)
        return all(torch.allclose(one, other) for one, other in (*alike, *states))
    return False


def divided_numbers(name: str, processes: Processes) -> dict[str, float] | str:
    """Give the same numbers where processes divide the weights, or the line that refuses it."""
    try:
        return numbers(name, processes, fsdp=True, apart=True)
    except ConfigError as error:
        return str(error)


if __name__ == "__main__":
    torch.set_num_threads(1)
    processes = joined("cpu", pick_device)
    sharding.LARGE = 1  # blocks within blocks
    found = {name: numbers(name, processes) for name in CASES}
    found |= {f"{name}, apart": numbers(name, processes, apart=True) for name in CASES}
    found |= {f"{name}, divided": divided_numbers(name, processes) for name in CASES}
    found["refused"] = refused(processes)
    Path(sys.argv[1], f"{processes.rank}.json").write_text(json.dumps(found))
