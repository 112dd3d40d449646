"""The commands, and what becomes of an error: one line, exit status 2, no traceback unless ``--debug``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from xhat.cli.launch import COMMAND, GONE, STARTED
from xhat.core.errors import ProcessError, TrainingError, XhatError
from xhat.core.version import VERSION

# Each command is imported when it is called; none of their modules imports torch at its top.
COMMANDS = {
    "demo": "Train on handwritten digits, compare with PCA, and open the report.",
    "fit": "Train an autoencoder, compare it with PCA, and write its run folder.",
    "encode": "Write the codes of rows.",
    "decode": "Write the rows of codes.",
    "reconstruct": "Write the copies of rows, and print how far they are from the originals.",
    "score": "Say how abnormal rows are, and which features make the most abnormal ones so.",
    "impute": "Fill the gaps of rows with what a model expects there.",
    "restore": "Restore a picture that is noisy, blurred, too small, damaged or a mosaic.",
    "sample": "Write new rows, drawn from the prior.",
    "sweep": "Train a model for each seed, fold and setting, together, and rank them.",
    "compare": "Compare PCA, Kernel PCA, NMF and a model by their copies of validation rows.",
    "export": "Write a model as an ONNX file, in 32 or in eight bits.",
    "info": "Describe a run folder, or data as a fit would see it.",
    "parts": "List what models and their training can be made of.",
}

app = App(
    name="xhat",
    help="The autoencoder library: z = f(x), x̂ = g(z), for any f and any g.",
    help_epilogue="Every command takes --help, and --debug for the traceback of an error.",
    help_format="plaintext",
    version=VERSION,
)
for command, summary in COMMANDS.items():
    app.command(f"xhat.cli.{command}:{command}", name=command, help=summary)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after ``xhat``; the process's own by default.

    Returns
    -------
    int
        0; 1 when training diverged or a process was killed; 2 for a bad argument or bad input; 3 when another process
        has gone; 130 after Ctrl-C.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    COMMAND.set(tuple(words))
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    try:
        status = app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except BrokenPipeError:
        return 0  # whoever read the output has read enough
    # An OSError is the machine's refusal, such as a file that may not be read: no fault of the program.
    except (XhatError, CycloptsError, OSError) as error:
        if debug:
            raise
        gone = isinstance(error, ProcessError)
        if not (gone and STARTED in os.environ):  # what has started this process says why
            print(f"xhat: {' '.join(str(error).split())}", file=sys.stderr)
        return GONE if gone else 1 if isinstance(error, TrainingError) else 2
    except KeyboardInterrupt:
        return 130
    return status if isinstance(status, int) else 0
