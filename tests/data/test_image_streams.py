"""Images decoded in processes equal those decoded in this one; what breaks amid gets one line."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import xhat
from xhat.core.errors import DataError
from xhat.data.sources import images
from xhat.data.sources.images import ImageRows

LITTLE = "1MB"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(0)
    for i in range(120):
        Image.fromarray(random.integers(0, 256, (64, 64, 3), np.uint8)).save(path / f"{i:03}.png")
    return path  # 1.5 MB once they are decoded


@pytest.mark.parametrize("options", [{}, {"size": (62, 60)}])
def test_they_equal_images_in_memory(folder, options):
    streamed, whole = (xhat.data.open(folder, memory=memory, **options) for memory in (LITTLE, None))
    assert (streamed.streams, whole.streams) == (True, False)
    assert streamed.schema.shape == whole.schema.shape
    order = streamed.blocks.order(torch.arange(120), 8, torch.Generator().manual_seed(0))
    came = torch.cat([batch.x for batch in streamed.walk(order, 8)])
    assert came.dtype == torch.uint8
    assert torch.equal(came, whole.batch(order).x)
    shuffled = torch.randperm(120)  # in parts of sixteen, by other processes
    assert torch.equal(streamed.batch(shuffled).x, whole.batch(shuffled).x)
    assert streamed.x.source._pool is not None
    assert torch.equal(streamed.batch(torch.tensor([7, 3])).x, whole.batch(torch.tensor([7, 3])).x)


def test_one_that_breaks_while_it_trains_is_named(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    data = xhat.data.open(tmp_path, memory=LITTLE)
    (tmp_path / "050.png").write_bytes((folder / "050.png").read_bytes()[:200])
    for read in (lambda: list(data.walk(torch.arange(120), 8)), lambda: data.batch(torch.arange(120))):
        with pytest.raises(DataError, match=r"^050\.png: the image cannot be decoded") as error:
            read()
        assert "\n" not in str(error.value)


def test_opening_looks_at_no_more_at_once_than_a_window_has(folder, monkeypatch):
    asked, take = [], ImageRows.take
    monkeypatch.setattr(ImageRows, "take", lambda self, rows: asked.append(len(rows)) or take(self, rows))
    data = xhat.data.open(folder, memory=LITTLE)
    assert max(asked) * 64 * 64 * 3 <= 10**6 / 8
    assert max(asked) == data.blocks.window == 10
    assert sum(asked) == 1 + 120  # one that tells their shape


READS = """
import sys, time, torch, xhat
data = xhat.data.open(sys.argv[1], memory="1MB")
data.batch(torch.arange(120))
print(*data.x.source._pool._processes, flush=True)
time.sleep(600)
"""


def lives(process):
    try:  # its state follows its name: an ended one may wait for whoever adopted it
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_workers_end_where_their_process_was_killed(folder):
    with subprocess.Popen([sys.executable, "-c", READS, folder], stdout=subprocess.PIPE, text=True) as reader:
        workers = [int(word) for word in reader.stdout.readline().split()]
        assert workers
        assert all(map(lives, workers))
        reader.kill()
    for _ in range(600):
        if not any(map(lives, workers)):
            break
        time.sleep(0.1)
    left = [worker for worker in workers if lives(worker)]
    for worker in left:
        os.kill(worker, signal.SIGKILL)
    assert not left


def test_workers_outlive_the_thread_that_began_them(folder, monkeypatch):
    monkeypatch.setattr(images, "LOOK", 0.01)  # they look many times while this one waits
    data, rows = xhat.data.open(folder, memory=LITTLE), torch.arange(120)
    began = threading.Thread(target=data.batch, args=(rows,))
    began.start()
    began.join()
    workers = list(data.x.source._pool._processes.values())
    time.sleep(0.2)
    assert torch.equal(data.batch(rows).x, xhat.data.open(folder).batch(rows).x)
    assert all(worker.is_alive() for worker in workers)


@pytest.mark.parametrize(
    ("beside", "count"),
    [({}, 6), ({"WORLD_SIZE": "4"}, 1), ({"WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "2"}, 3), ({"WORLD_SIZE": "x"}, 6)],
)
def test_processes_of_a_run_share_the_processors_that_they_may_use(monkeypatch, beside, count):
    for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in beside.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(6)), raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    assert images._workers_of_this_process() == count
