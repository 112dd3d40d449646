"""``xhat demo``, whole: it must end well within the minute that it promises."""

import json

from xhat.runs.folder import RunFolder


def test_the_demo_beats_pca_and_writes_its_report(xhat_, tmp_path):
    done = xhat_("demo --out demo --no-browser")
    assert done.status == 0, done.err
    assert done.out.startswith("1,797 handwritten digits of 8×8 pixels")
    summary = json.loads((tmp_path / "demo" / "summary.json").read_text())
    assert summary["code"] == 8
    assert summary["error.model"] < 0.45 * summary["error.pca"] < summary["error.mean"]
    assert "Its error is 0.4" in done.out
    page = RunFolder(tmp_path / "demo").report
    assert 10_000 < page.stat().st_size < 5_000_000
    assert "xhat encode digits --model demo --out codes.npy" in done.out
