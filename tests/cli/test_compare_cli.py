import csv
import json

FLAGS = "--k 2,4 --epochs 1 --device cpu --set net.hidden=[8]"


def test_a_table_is_printed_and_kept(xhat_, digits, tmp_path):
    shown = xhat_(f"compare {digits} {FLAGS} --out table.csv")
    assert shown.status == 0
    lines = shown.out.splitlines()
    assert lines[0].split() == ["k", "method", "error", "of", "PCA's", "seconds"]
    assert [line.split()[0] for line in lines[1:9]] == ["2"] * 4 + ["4"] * 4
    assert lines[-1] == "written table.csv"
    with open(tmp_path / "table.csv", newline="") as file:
        kept = list(csv.DictReader(file))
    assert [row["method"] for row in kept] == ["PCA", "Kernel PCA", "NMF", "ae"] * 2
    assert f"{float(kept[3]['error']):.5g}" in lines[4]


def test_json_is_all_that_is_printed(xhat_, digits, tmp_path):
    shown = xhat_(f"compare {digits} {FLAGS} --kind vae --json --out table.json")
    printed = json.loads(shown.out)
    assert printed == json.loads((tmp_path / "table.json").read_text())
    assert (printed["kind"], printed["lines"][-1]["method"]) == ("vae", "vae")


def test_what_is_wrong_is_said_before_anything_is_fitted(xhat_, digits):
    assert xhat_(f"compare {digits} --k two").error.startswith("--k: must be whole numbers with commas")
    assert xhat_(f"compare {digits} --out table.txt").error.startswith("--out: must end in .json, .csv, .html")
    assert xhat_(f"compare {digits} --latent 3").error == "--latent: has no place in a comparison. Give --k."
    assert xhat_(f"compare {digits} --k 2,64000 --kind nonsense").error.startswith("recipes: there is no 'nonsense'")
