import pytest

from xhat.core.errors import ArtifactError
from xhat.runs.folder import RunFolder


def test_new_and_empty_folders_are_free(tmp_path):
    RunFolder(tmp_path).refuse_occupied()
    RunFolder(tmp_path / "new" / "deep").refuse_occupied()


def test_what_is_in_use_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path, tmp_path / "file"):
        with pytest.raises(ArtifactError, match=r"a run needs a new or empty folder, got one in use\. Give another"):
            RunFolder(path).refuse_occupied()
    (tmp_path / "file").rename(tmp_path / ".hidden")
    with pytest.raises(ArtifactError):
        RunFolder(tmp_path).refuse_occupied()


def test_the_next_free_name_is_found(tmp_path):
    for name in ("ae-digits", "ae-digits-2", "ae-digits-3"):
        folder = RunFolder.next_free("ae-digits", tmp_path / "runs")
        assert folder.path == tmp_path / "runs" / name
        folder.path.mkdir(parents=True)


def test_its_files_have_the_names_that_scripts_rely_on(tmp_path):
    folder = RunFolder(tmp_path)
    files = (folder.config, folder.weights, folder.metrics, folder.summary, folder.environment, folder.card)
    names = "config.json model.safetensors metrics.jsonl summary.json env.json README.md report.html"
    assert [path.relative_to(tmp_path).as_posix() for path in (*files, folder.report)] == names.split()
    assert folder.checkpoint.parent == tmp_path / "checkpoints"
