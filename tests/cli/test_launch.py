import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny
import torch

import xhat
from xhat.cli import launch as launching
from xhat.cli import main
from xhat.cli.launch import launch
from xhat.core.errors import ConfigError
from xhat.engine import processes
from xhat.runs.fit import resume

ARGUMENTS = ["--epochs", "40", "--batch-size", "256", "--set", "net.hidden=[16]", "--device", "cpu"]


@pytest.fixture
def quick(monkeypatch):
    """Do not wait for those left: these wait for nobody."""
    monkeypatch.setattr(launching, "GRACE", {"killed": 0.3, "failed": 0.3})


def run(script: str, processes: int = 2) -> int:
    """Launch a script in the place of xhat; `rank` is its process's number."""
    begin = "import os, signal, sys, time; rank = int(os.environ['RANK'])\n"
    return launch(processes, [], (sys.executable, "-c", begin + script))


def test_each_process_is_told_its_number_and_the_first_alone_speaks(tmp_path, capfd):
    script = f"print('said by', rank); open(r'{tmp_path}/' + str(rank), 'w').write(os.environ['WORLD_SIZE'])"
    assert run(script, 3) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2"]
    assert capfd.readouterr().out == "said by 0\n"


def test_one_that_is_killed_ends_the_others_and_is_named(quick, capfd):
    start = time.monotonic()
    # The first notices first: its end explains nothing.
    assert (
        run("time.sleep(60) if rank == 2 else sys.exit(3) if rank == 0 else os.kill(os.getpid(), signal.SIGKILL)", 3)
        == 1
    )
    assert time.monotonic() - start < 30
    err = capfd.readouterr().err
    assert err.startswith("xhat: process 2 of 3 was killed by SIGKILL, and the others were ended.")
    assert err.count("\n") == 1


def test_what_another_one_than_the_first_says_is_passed_on(quick, capfd):
    assert run("time.sleep(60 * (rank == 0)); print('xhat: no room', file=sys.stderr); sys.exit(2)") == 2
    assert capfd.readouterr().err == "xhat: process 2 of 2: no room\n"


def test_what_all_say_is_said_once(quick, capfd):
    assert run("print('xhat: no such data', file=sys.stderr); sys.exit(2)") == 2
    assert capfd.readouterr().err == "xhat: no such data\n"


@pytest.mark.parametrize(
    ("number", "line"),
    [
        ("0", "xhat: fit: --processes must be a whole number >= 1, got 0."),
        ("-2", "xhat: fit: --processes must be a whole number >= 1, got -2."),
        ("100000", "xhat: fit: --processes must be at most"),
    ],
)
def test_a_number_that_is_none_is_refused(number, line, capsys):
    assert main(["fit", "digits", "--processes", number]) == 2
    assert capsys.readouterr().err.startswith(line)


def test_a_launchers_number_stands(monkeypatch, capsys):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert not launching.wanted(None)
    assert not launching.wanted(4)
    assert main(["fit", "digits", "--processes", "2"]) == 2
    assert capsys.readouterr().err.startswith(
        "xhat: fit: a launcher has started 4 processes already, got --processes 2."
    )


def no_gpu(name):
    raise ConfigError("device", "must be one that this machine has", f"'{name}'")


def test_devices_that_are_not_there_and_deepspeed_are_refused(monkeypatch):
    for name in processes.TOLD:
        monkeypatch.setenv(name, "2")
    with pytest.raises(ConfigError, match="several processes take cpu or cuda, got 'cuda:1'"):
        processes.joined("cuda:1", torch.device)
    with pytest.raises(ConfigError, match="must be one that this machine has, got 'cuda'"):
        processes.joined("cuda", no_gpu)
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    with pytest.raises(ConfigError, match="FSDP divides weights, and not DeepSpeed"):
        processes.joined("cpu", torch.device)
    monkeypatch.delenv("ACCELERATE_USE_DEEPSPEED")
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    with pytest.raises(ConfigError, match=r"each needs a GPU of its own, and this machine has 1, got 2\. Start fewer"):
        processes.joined("auto", torch.device)


def test_more_processes_than_rows_of_a_batch_are_refused():
    with pytest.raises(ConfigError, match=r"processes divide the 32 rows of a batch, got 33\. Start fewer"):
        tiny.training(tiny.plan(), processes=processes.Processes(world=33))


def test_weights_are_not_divided_by_one_process(tmp_path):
    with pytest.raises(ConfigError, match=r"fsdp divides weights among processes, and there is one\. Start several"):
        tiny.fit(fsdp=True, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def started(folder: Path, epochs: int, *more: str) -> subprocess.Popen:
    """Start a run of two processes, and come back once it has gone through some epochs."""
    words = ["-m", "xhat", "fit", "digits", *ARGUMENTS, *more, "--processes", "2", "--out", folder]
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    run = subprocess.Popen([sys.executable, *words], env={**os.environ, "OMP_NUM_THREADS": "1"}, **quiet)
    until = time.monotonic() + 240
    while run.poll() is None and time.monotonic() < until:
        if (metrics := folder / "metrics.jsonl").exists() and metrics.read_text().count("\n") > epochs:
            break
        time.sleep(0.02)
    return run


@pytest.fixture(scope="module")
def alone():
    """Forty epochs of one process, with nothing at its end."""
    return xhat.fit("digits", epochs=40, batch_size=256, overrides=tiny.NARROW, device="cpu").history


@pytest.mark.parametrize(("flags", "by"), [((), 1), (("--fsdp",), 1), (("--fsdp",), 2)])
def test_what_two_began_and_ctrl_c_ended_is_continued(tmp_path, alone, flags, by):
    folder = tmp_path / "run"
    run = started(folder, 2, *flags)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=120)
    assert run.returncode == 130, err
    assert "Warning" not in err
    assert out.startswith("Interrupted and saved.")
    assert json.loads((folder / "config.json").read_text())["origin"]["settings"]["fsdp"] == bool(flags)
    done = len((folder / "metrics.jsonl").read_text().splitlines())
    if by == 1:
        resume(folder)
    else:
        assert launching.launch(by, ["fit", "--resume", str(folder), "--json"]) == 0
    epochs = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert done < len(epochs) == len(alone.epochs)
    assert json.loads((folder / "summary.json").read_text())["epochs"] == alone.epochs[-1].epoch
    for one, other in zip(alone.epochs, epochs, strict=True):
        assert other["train"] == pytest.approx(one.train, rel=1e-4)
        assert other["validation"] == pytest.approx(one.validation, rel=1e-4)


@pytest.mark.parametrize("flags", [(), ("--fsdp",)])
def test_a_killed_process_ends_the_run_with_its_reason(tmp_path, flags):
    run = started(tmp_path / "run", 1, *flags)
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children")
    if not children.exists():
        run.kill()
        pytest.skip("this system does not list a process's children")
    pids = [int(pid) for pid in children.read_text().split()]
    os.kill(pids[1], signal.SIGKILL)
    _, err = run.communicate(timeout=120)
    assert run.returncode == 1
    last = err.splitlines()[-1]
    assert last.startswith("xhat: process 2 of 2 was killed by SIGKILL, and the others were ended.")
    assert "Traceback" not in err
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_processes_that_lost_one_another_say_so(quick, capfd):
    assert run("sys.exit(3)") == 1
    assert capfd.readouterr().err.startswith("xhat: the processes have lost one another. Continue with")
