"""``xhat fit``: what it prints, writes and reads from a file."""

import json
import re
import shlex

import numpy as np
import pandas as pd
import pytest
import tiny

import xhat
from xhat.runs.fit import execute

FILES = "README.md checkpoints config.json env.json metrics.jsonl model.safetensors report.html summary.json"


def names(path) -> str:
    return " ".join(sorted(file.name for file in path.iterdir()))


def test_a_fit_ends_with_its_comparison_its_verdict_and_the_next_command(xhat_, digits, tmp_path):
    done = xhat_(f"fit {digits} --latent 4 {tiny.FLAGS} --out run")
    assert done.status == 0
    assert names(tmp_path / "run") == FILES
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    for key, name in {"model": "this model", "pca": "PCA, 4 components", "mean": "the mean input"}.items():
        assert re.search(rf"{name} +{summary[f'error.{key}']:.6g} ", done.out)
    assert f"of 4 code dimensions active · {summary['parameters']:,} parameters · 1 epochs" in done.out
    assert "this model is PCA" in " ".join(done.out.split())  # one epoch of few rows finds nothing surer
    assert "run     run\nreport  run/report.html\n" in done.out
    assert [line.split("  validation")[0] for line in done.err.splitlines()][:1] == ["epoch 0/1"]

    following = done.out.splitlines()[-1].removeprefix("next").strip()
    assert following.startswith("xhat encode ")
    assert xhat_(shlex.split(following)[1:]).status == 0
    assert np.load("codes.npy").shape == (200, 4)


@pytest.mark.parametrize(
    ("name", "options"), [("table.csv", "--labels kind"), ("rows.npz", "--key second"), ("gaps.csv", "--missing")]
)
def test_the_next_command_opens_the_data_as_the_fit_did(xhat_, name, options):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(60, 3)), columns=["a", "b", "c"])
    table.assign(kind=["x", "y", "z"] * 20).to_csv("table.csv", index=False)
    table.where(rng.random(table.shape) > 0.1).to_csv("gaps.csv", index=False)
    np.savez("rows.npz", first=np.ones((3, 2)), second=table.to_numpy())
    done = xhat_(f"fit {name} {options} --latent 2 {tiny.FLAGS} --out run")
    assert done.status == 0, done.err
    following = done.out.splitlines()[-1].removeprefix("next").strip()
    assert xhat_(shlex.split(following)[1:]).status == 0
    assert np.load("codes.npy").shape == (60, 2)


def test_the_summary_is_printed_as_json(xhat_, digits, tmp_path):
    done = xhat_(f"fit {digits} {tiny.FLAGS} --out run --json")
    printed = json.loads(done.out)
    assert printed.pop("run") == "run"
    assert printed == json.loads((tmp_path / "run" / "summary.json").read_text())


def test_without_out_it_finds_a_free_folder(xhat_, digits, tmp_path):
    for name in ("ae-digits", "ae-digits-2"):
        assert xhat_(f"fit {digits} {tiny.FLAGS}").status == 0
        assert (tmp_path / "runs" / name / "report.html").is_file()


def test_another_likelihood_is_asked_for_by_name(xhat_, digits, tmp_path):
    done = xhat_(f"fit {digits} --likelihood laplace --set likelihood.scale=2 {tiny.FLAGS} --out run")
    assert done.status == 0, done.err
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["model"]["likelihood"] == {"kind": "likelihoods/laplace", "scale": 2}
    refused = xhat_(f"fit {digits} --likelihood laplac {tiny.FLAGS} --out other")
    assert refused.status != 0
    assert "there is no 'laplac'" in " ".join(refused.err.split())


def test_every_option_reaches_the_run(xhat_, digits, tmp_path):
    options = "--kind vae --net conv --latent 3 --scale standard --epochs 1 --batch-size 50 --lr 1e-3 --weight-decay 0"
    more = "--patience 4 --seed 5 --device cpu --precision bf16 --compile off"
    parts = "--accumulate 2 --gradient-checkpointing --set objective.beta=0.5 --set likelihood.scale=2"
    assert xhat_(f"fit {digits} {options} {more} {parts} --out run").status == 0
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["origin"]["settings"] == {
        "epochs": 1,
        "batch_size": 50,
        "lr": 1e-3,
        "weight_decay": 0.0,
        "clip": 5.0,
        "patience": 4,
        "seed": 5,
        "device": "cpu",
        "precision": "bf16",
        "compile": "off",
        "accumulate": 2,
        "gradient_checkpointing": True,
        "fsdp": False,
    }
    assert config["objective"] == {"kind": "objectives/beta_elbo", "beta": 0.5, "free_bits": 0.0}
    assert config["model"]["encoder"]["kind"] == "nets/conv.encoder"
    assert config["model"]["likelihood"]["scale"] == 2
    assert config["scaling"]["how"] == "standard"
    assert xhat.load(tmp_path / "run").model.code_shape == (3,)


def test_the_same_fit_in_python_gives_the_same_numbers(run, digits):
    fitted = xhat.fit(digits, "vae", latent=4, overrides={"net.hidden": [16]}, epochs=1, batch_size=32, device="cpu")
    loaded = xhat.load(run)
    assert np.array_equal(fitted.encode(tiny.rows()), loaded.encode(tiny.rows()))
    assert fitted.summary | {"seconds": 0} == loaded.summary | {"seconds": 0}


# A file of options


def write(text: str) -> None:
    with open("run.toml", "w") as file:
        file.write(text)


def dry(xhat_, words: str = "") -> dict:
    done = xhat_(f"fit --config run.toml --dry-run --json {words}")
    assert done.status == 0, done.err
    return json.loads(done.out)


def test_options_come_from_a_file_and_those_of_the_command_line_go_first(xhat_, digits):
    write(f'data = "{digits}"\nkind = "vae"\nlatent = 6\nepochs = 7\nbatch-size = 20\nlr = 1\n')
    plan = dry(xhat_)
    assert (plan["recipe"], plan["code"], plan["epochs"], plan["batch_size"]) == ("vae", [6], 7, 20)
    plan = dry(xhat_, "--latent 3 --kind ae")
    assert (plan["recipe"], plan["code"], plan["epochs"]) == ("ae", [3], 7)


def test_parts_are_tables_of_the_file(xhat_, digits, tmp_path):
    write(
        f'data = "{digits}"\nkind = "vae"\nout = "run"\nepochs = 1\n'
        '[objective]\nbeta = 4.0\nfree_bits = 1\n[net]\nhidden = [16]\n[likelihood]\nkind = "likelihoods/laplace"\n'
    )
    assert xhat_("fit --config run.toml --set objective.beta=3").status == 0
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["objective"]["beta"], config["objective"]["free_bits"]) == (3, 1)
    assert config["model"]["encoder"]["hidden"] == config["model"]["decoder"]["hidden"] == [16]
    assert config["model"]["likelihood"]["kind"] == "likelihoods/laplace"


@pytest.mark.parametrize("place", ["file", "command line"])
def test_a_schedule_is_written_as_its_call(xhat_, digits, tmp_path, place):
    call = "linear(0, 1, epochs=2)"
    table = f'[objective]\nbeta = "{call}"\n' if place == "file" else ""
    write(f'data = "{digits}"\nkind = "vae"\nout = "run"\nepochs = 2\nbatch-size = 45\nlatent = 4\n{table}')
    words = ["--set", f"objective.beta={call}"] if place == "command line" else []
    done = xhat_(["fit", "--config", "run.toml", *words])
    assert done.status == 0, done.err
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    schedule = {"kind": "schedules/linear", "start": 0, "stop": 1, "epochs": 2}
    assert config["objective"] == {"kind": "objectives/beta_elbo", "beta": schedule, "free_bits": 0.0}
    assert xhat.load(tmp_path / "run").encode(tiny.rows()).shape == (200, 4)
    # In training the rate counts by a fifth over the first epoch's four steps, on validation in full.
    _, first, _ = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert first["validation"]["rate"] > 2 * first["train"]["rate"] > 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('colour = "red"', "run.toml: has no option 'colour'."),
        ("epoch = 3", "run.toml: has no option 'epoch'. Did you mean 'epochs'?"),
        ("resume = 'run'", "run.toml: has no option 'resume'."),
        ("epochs = 'ten'", "run.toml: epochs must be a whole number, got 'ten'."),
        ("epochs = 2.5", "run.toml: epochs must be a whole number, got 2.5."),
        ("latent = true", "run.toml: latent must be a whole number, got True."),
        ("lr = 'fast'", "run.toml: lr must be a number, got 'fast'."),
        ("missing = 1", "run.toml: missing must be true or false, got 1."),
        ("kind = 3", "run.toml: kind must be a text, got 3."),
        ("size = 64", "run.toml: size must be a text, got 64."),
        ("rows = 'tables'", "run.toml: rows must be table, mixed, image, series, tokens, text, array, got 'tables'."),
        ("out = 3", "run.toml: out must be a text, got 3."),
        ("epochs = ", "run.toml: is no TOML ("),
        ("[objective]\nbta = 3", "--set: 'objective.bta' leads nowhere: there is no 'bta'. Did you mean 'beta'?"),
    ],
)
def test_a_bad_file_is_refused(xhat_, tmp_path, text, says):
    write(text)
    before = names(tmp_path)
    assert xhat_("fit digits --kind vae --config run.toml --out run").error.startswith(says)
    assert names(tmp_path) == before


def test_a_missing_file_is_refused(xhat_):
    assert xhat_("fit --config run.toml").error.startswith("--config: there is no file 'run.toml'.")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("objective.beta", "--set: must be PATH=VALUE, got 'objective.beta'. As objective.beta=4."),
        ("=4", "--set: must be PATH=VALUE, got '=4'."),
        ("objective.bta=4", "--set: 'objective.bta' leads nowhere"),
        ("objective.beta=-1", "BetaELBO: beta must be >= 0, got -1."),
        ("objective.beta=much", "BetaELBO.beta: must be a number or a schedule"),
        ("objective.beta=linar(0, 1, 10)", "BetaELBO.beta: there is no schedule 'linar'. Did you mean 'linear'?"),
        ("objective.beta=linear(0, -1, 10)", "BetaELBO: beta must be >= 0, got a schedule to -1."),
        ("objective.beta=linear(0, 1)", "schedules/linear: missing a required argument: 'epochs'."),
        ("objective.beta=linear(0, 1, 1000)", "BetaELBO: a schedule must end within the run, which has "),
        ("net.hidden=[", "--set: these values make no part ("),
    ],
)
def test_a_bad_change_is_refused(xhat_, tmp_path, change, says):
    assert xhat_(["fit", "digits", "--kind", "vae", "--set", change, "--out", "run"]).error.startswith(says)
    assert not (tmp_path / "run").exists()


# Without writing, and after an interruption


@pytest.mark.parametrize("json_", ["", "--json"])
def test_a_dry_run_says_what_would_be_done_and_writes_nothing(xhat_, digits, tmp_path, json_):
    done = xhat_(f"fit {digits} --kind vae --latent 100 --dry-run {json_} --out run")
    assert done.status == 0
    assert names(tmp_path) == ""
    facts = json.loads(done.out) if json_ else dict(line.split(maxsplit=1) for line in done.out.splitlines())
    assert facts["data"] == "200 rows of image (1, 8, 8)"
    assert (int(facts["train"]), int(facts["validation"]), facts["recipe"]) == (180, 20, "vae")
    assert int(facts["parameters"]) > 1000
    assert float(facts["seconds"]) > 0
    assert "nothing is compressed" in str(facts["warnings"])


def test_an_interrupted_run_says_how_to_continue_and_continues(xhat_, digits, tmp_path, monkeypatch):
    whole = f"fit {digits} --latent 4 {tiny.FLAGS.replace('--epochs 1', '--epochs 2')}"
    assert xhat_(f"{whole} --out whole").status == 0
    with monkeypatch.context() as patch:
        patch.setattr("xhat.runs.fit.execute", interrupted(execute))
        done = xhat_(f"{whole} --out {shlex.quote('a run')}".split("'")[0].split(), "a run")
    assert done.status == 130
    assert done.out == "Interrupted and saved. Continue exactly here with: xhat fit --resume 'a run'\n"
    assert not (tmp_path / "a run" / "report.html").exists()

    done = xhat_(["fit", "--resume", "a run"])
    assert done.status == 0
    assert "PCA, 4 components" in done.out
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("a run", "whole")]
    assert weights[0] == weights[1]
    assert names(tmp_path / "a run") == names(tmp_path / "whole") == FILES
    assert "has finished, there is nothing to continue" in xhat_(["fit", "--resume", "a run"]).error


def interrupted(execute):
    """Carry out a plan with a Ctrl-C after its third step."""

    def carry_out(plan, *, hooks=(), **options):
        return execute(plan, hooks=[*hooks, tiny.CtrlC(3)], **options)

    return carry_out


@pytest.mark.parametrize("words", ["digits", "--epochs 3", "--kind ae", "--missing", "--dry-run", "--out other"])
def test_a_resumed_run_takes_no_other_options(xhat_, words):
    assert xhat_(f"fit --resume run {words}").error == (
        "--resume: takes no other options but --json and --processes: the run knows them."
    )


def test_a_run_that_diverges_ends_with_status_1_and_its_last_good_weights(xhat_, digits, tmp_path):
    done = xhat_(f"fit {digits} {tiny.FLAGS} --lr 1e30 --out run")
    assert done.status == 1
    assert done.out == ""
    line = done.err.splitlines()[-1]
    assert re.match(
        r"xhat: epoch 1: the \w+ term 'distortion' must stay finite; the weights of epoch 0 are in run", line
    )
    assert "Traceback" not in done.err
    assert xhat.load(tmp_path / "run").summary["status"] == "diverged"


def test_a_code_larger_than_the_row_is_warned_of(xhat_, digits):
    done = xhat_(f"fit {digits} --latent 65 {tiny.FLAGS} --out run")
    assert done.status == 0
    assert "The code has 65 dimensions and a row only 64: nothing is compressed." in " ".join(done.out.split())
    assert "PCA copies these rows exactly; an autoencoder cannot do better." in " ".join(done.out.split())


def test_verbose_says_what_was_decided_and_leaves_json_alone(xhat_, digits):
    done = xhat_(f"fit {digits} {tiny.FLAGS} --dry-run --json --verbose --precision bf16 --compile off")
    assert done.status == 0
    assert json.loads(done.out)["batch_size"] == 32
    assert done.err.startswith("nets compute in bfloat16; compiling the steps")
    assert done.err.endswith(": not compiled (--compile off)\n")


# Real data


@pytest.mark.parametrize(
    ("name", "options", "shape"),
    [
        ("adbench/6_cardio.npz", "--scale standard", (21,)),
        ("freyfaces/freyfaces.npz", "--kind vae", (1, 28, 20)),
    ],
)
def test_real_data_fits(xhat_, shared, tmp_path, name, options, shape):
    assert xhat_(f"fit {shared(name)} {options} --epochs 1 --batch-size 256 --latent 5 --out run").status == 0
    assert xhat.load(tmp_path / "run").schema.shape == shape
