"""What every schedule keeps."""

import inspect
import math

import pytest
from exercise import example, kinds

from xhat.core.objective import Objective
from xhat.core.schedule import coefficient

EVERY = kinds("schedules")
GRID = [i / 7 for i in range(200)]


@pytest.fixture(params=EVERY)
def schedule(request):
    return example(request.param)


def test_it_is_finite_and_constant_from_its_end_on(schedule):
    assert all(math.isfinite(schedule.value(t)) for t in GRID)
    assert schedule.value(schedule.epochs) == schedule.value(schedule.epochs + 1) == schedule.value(math.inf)


def test_it_never_falls_below_its_lowest(schedule):
    assert min(schedule.value(t) for t in GRID) >= schedule.lowest - 1e-12


def test_it_changes(schedule):
    assert len({schedule.value(t) for t in GRID}) > 1


def test_evaluation_sees_its_last_value(schedule):
    objective = _Own()
    for epoch in (0, schedule.epochs / 2):
        objective.epoch = epoch
        assert objective.train().now(schedule) == schedule.value(epoch)
        assert objective.eval().now(schedule) == schedule.value(math.inf)


@pytest.mark.parametrize("kind", EVERY)
def test_a_text_is_read_as_its_call(kind):
    made = example(kind)
    name = kind.partition("/")[2]
    arguments = {n: getattr(made, n) for n in inspect.signature(type(made)).parameters}
    text = f"{name}({', '.join(f'{n}={v!r}' for n, v in arguments.items())})"
    read = coefficient(text, "Test", "beta", lowest=-math.inf)
    assert [read.value(t) for t in GRID] == [made.value(t) for t in GRID]


class _Own(Objective):
    def forward(self, model, batch):
        raise NotImplementedError
