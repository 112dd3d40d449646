"""What a row of the table is: contenders that each print a number, measured in turns."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Options:
    """What a run of the benchmark was asked for.

    Parameters
    ----------
    quick : bool
        One round of few steps.
    peer : str or None
        A Python that has pythae; None leaves the peers' contenders out.
    threads : int
        Of every contender.
    clock : str
        "wall"; or "cpu", the processor's seconds of a contender's own process, where the machine is busy with others
        and there is one thread.
    """

    quick: bool = False
    peer: str | None = None
    threads: int = 1
    clock: str = "wall"


@dataclass(frozen=True)
class Contender:
    """A program in a process of its own, whose last word on standard output is its number.

    Parameters
    ----------
    program : str
        Python's text.
    arguments : tuple of object
        What follows it on its command line.
    python : str
        Who runs it.
    """

    program: str
    arguments: tuple[object, ...] = ()
    python: str = sys.executable

    def number(self, threads: int) -> float:
        """Run it, and read its number."""
        words = [self.python, "-c", self.program, *map(str, self.arguments)]
        environment = os.environ | {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
        if done.returncode:
            raise RuntimeError(textwrap.shorten(done.stderr[-600:], 500))
        return float(done.stdout.split()[-1])


@dataclass(frozen=True)
class Row:
    """One line of the issue's table.

    Parameters
    ----------
    title : str
        The work.
    contenders : mapping of str to Contender
        The first is what the others are held against.
    goals : mapping of str to float
        How many times better than the first a contender has to be.
    unit : str
        Of the numbers.
    less : bool, default=False
        Whether less is better, as of seconds.
    """

    title: str
    contenders: Mapping[str, Contender]
    goals: Mapping[str, float] = field(default_factory=dict)
    unit: str = "samples/s"
    less: bool = False

    def measure(self, rounds: int, threads: int, say: Callable[[str], None]) -> list[dict[str, object]]:
        """Run all contenders in turns, `rounds` times: what disturbs the machine meets all of them."""
        numbers: dict[str, list[float]] = {name: [] for name in self.contenders}
        for number in range(rounds):
            for name, contender in self.contenders.items():
                try:
                    numbers[name].append(contender.number(threads))
                except (RuntimeError, ValueError) as error:
                    say(f"  {name} failed: {error}")
                    continue
                say(f"  round {number + 1}/{rounds}  {name:<28}{numbers[name][-1]:12.4g} {self.unit}")
        medians = {name: statistics.median(values) for name, values in numbers.items() if values}
        first = medians.get(next(iter(self.contenders)))
        return [
            {
                "work": self.title,
                "contender": name,
                "median": median,
                "lowest": min(numbers[name]),
                "highest": max(numbers[name]),
                "unit": self.unit,
                "times": None if first is None else (first / median if self.less else median / first),
                "goal": self.goals.get(name),
            }
            for name, median in medians.items()
        ]
