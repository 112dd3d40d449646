"""What every objective and bottleneck keeps where several processes train it: the numbers of one process."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pair import CASES, numbers

from xhat.engine.processes import ALONE

pytest.importorskip("accelerate", reason="several processes need accelerate: pip install 'xhat[distributed]'")
WORLD = 2


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    folder = tmp_path_factory.mktemp("together")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    told = {"WORLD_SIZE": str(WORLD), "LOCAL_WORLD_SIZE": str(WORLD), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    pair = [
        subprocess.Popen(
            [sys.executable, Path(__file__).with_name("pair.py"), folder],
            env={**os.environ, **told, "RANK": str(rank), "LOCAL_RANK": str(rank), "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(WORLD)
    ]
    try:
        said = [process.communicate(timeout=300)[1] for process in pair]
    finally:
        for process in pair:
            process.kill()
    assert [process.returncode for process in pair] == [0] * WORLD, said
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(WORLD)]


@pytest.mark.parametrize("name", CASES)
def test_two_processes_find_the_numbers_of_one(together, name):
    one = numbers(name, ALONE)
    assert one.keys() == together[0][name].keys()
    for rank in range(WORLD):
        assert together[rank][name] == pytest.approx(one, rel=1e-7, abs=1e-7)


# Objectives that read the decoder's weights, or take gradients of the nets' gradients.
REFUSED = {
    "objectives/contractive": "Contractive",
    "a_map_that_is_contracted": "Contractive",
    "objectives/rae": "RAE",
    "weights_that_are_read": "RAE",
    "objectives/rae_gradient": "RAEGradient",
}


@pytest.mark.parametrize("name", CASES)
def test_weights_that_are_divided_change_no_number(together, name):
    one = numbers(name, ALONE)
    for rank in range(WORLD):
        found = together[rank][f"{name}, divided"]
        if name in REFUSED:
            assert f"nets alone read, and gradients taken once: {REFUSED[name]}, or a net" in found
        else:
            assert found | {"apart": 0} == pytest.approx(one, rel=1e-7, abs=1e-7)


def test_a_model_whose_weights_could_not_be_divided_is_as_it_was(together):
    assert [found["refused"] for found in together] == [True] * WORLD


@pytest.mark.parametrize("name", CASES)
def test_rows_that_are_taken_apart_change_no_number(together, name):
    one = numbers(name, ALONE)
    for rank in range(WORLD):
        assert together[rank][f"{name}, apart"] | {"apart": 0} == pytest.approx(one, rel=1e-7, abs=1e-7)


def test_losses_of_rows_are_told_from_others(together):
    apart = {name for name in CASES if together[0][f"{name}, apart"]["apart"]}
    assert apart >= {"objectives/reconstruction", "objectives/beta_elbo", "objectives/iwae", "weights_of_rows"}
    assert not apart & {"objectives/mmd", "objectives/tc", "objectives/factor", "bottlenecks/vq", "bottlenecks/topk"}
    assert not apart & {"rows_that_meet", *(name for name in CASES if "only_looks" in name)}
    assert "weights_that_few_rows_learn" in apart
