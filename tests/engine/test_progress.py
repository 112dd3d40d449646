import io

import tiny
from rich.console import Console

from xhat.engine.progress import ProgressBar


def test_elsewhere_than_on_a_terminal_an_epoch_is_one_plain_line():
    text = io.StringIO()
    run = tiny.training(tiny.plan(), ProgressBar(Console(file=text, width=30)))
    run.run()
    lines = text.getvalue().splitlines()
    assert len(lines) == 3  # narrow as the console is, none is folded
    assert "\x1b" not in text.getvalue()
    first, _, last = lines
    score = run.history.epochs[0].score
    assert first.startswith(f"epoch 0/2  validation {score:.6g}  best {score:.6g} (epoch 0)  ")
    end = run.history.epochs[2]
    assert last.startswith(f"epoch 2/2  train {end.train['distortion']:.6g}  validation {end.score:.6g}  best ")
    assert last.endswith(" s")


def test_on_a_terminal_a_bar_goes_to_its_end_and_is_taken_down():
    text = io.StringIO()
    bar = ProgressBar(Console(file=text, width=120, force_terminal=True))
    run = tiny.training(tiny.plan(), bar)
    run.run()
    assert "━" in text.getvalue()
    assert "epoch 2/2" in text.getvalue()
    assert bar._bar.tasks[0].completed == bar._bar.tasks[0].total == 2 * tiny.STEPS
    assert bar._bar.finished
    assert not bar._bar.live.is_started


def test_the_bar_of_a_continued_run_starts_where_it_stopped():
    begun = tiny.training(tiny.plan(), tiny.CtrlC(7))
    begun.run()
    bar = ProgressBar(Console(file=io.StringIO(), force_terminal=True))
    continued = tiny.training(tiny.plan(), bar)
    continued.restore(begun.state())
    bar.on_start(continued)
    assert bar._bar.tasks[0].completed == 7
    bar.on_stop(continued)


def test_results_can_be_piped_for_progress_goes_to_standard_error():
    assert ProgressBar().console.stderr
