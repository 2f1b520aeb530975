import os
import subprocess

import pytest

from embassay.errors import UsageError
from embassay.ingest.walk import walk


def names(root, *paths, **options):
    found = walk(paths or [root], max_bytes=options.pop("max_bytes", 1000), **options)
    return {f.file.relative_to(root).as_posix(): f.skip for f in found}


def put(root, *files, text="x"):
    for name in files:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def test_hidden_and_ignored_files_stay_out(tmp_path):
    put(tmp_path, "a.md", ".hidden/x.md", "build/x.md", "keep/b.log", "sub/c.tmp", "sub/keep.tmp", "other/c.tmp")
    put(tmp_path, ".gitignore", text="build/\n*.log\n!keep/b.log\n")
    put(tmp_path, "sub/.gitignore", text="*.tmp\n!keep.tmp\n")
    (tmp_path / ".git").mkdir()
    assert set(names(tmp_path)) == {"a.md", "keep/b.log", "sub/keep.tmp", "other/c.tmp"}
    assert set(names(tmp_path, tmp_path / "sub")) == {"sub/keep.tmp"}


def test_rules_above_the_folder_hold_up_to_the_repository(tmp_path):
    put(tmp_path, "repo/.gitignore", text="*.tmp\n")
    put(tmp_path, "repo/docs/a.tmp", "repo/docs/a.md")
    (tmp_path / "repo/.git").mkdir()
    assert set(names(tmp_path, tmp_path / "repo/docs")) == {"repo/docs/a.md"}


def test_a_named_file_is_taken_whatever_the_rules(tmp_path):
    put(tmp_path, ".gitignore", text="*.log\n")
    put(tmp_path, "a.log")
    assert names(tmp_path, tmp_path / "a.log") == {"a.log": ""}


def test_reasons(tmp_path):
    put(tmp_path, "big.txt", "big.jsonl", text="x" * 2000)
    put(tmp_path, "style.css", "x.min.js")
    found = names(tmp_path, streams=frozenset({".jsonl"}))
    assert "limit" in found["big.txt"] and found["big.jsonl"] == ""
    assert found["style.css"] == "not a document: a style sheet"
    assert found["x.min.js"] == "not a document: minified code"


@pytest.mark.parametrize(
    "name",
    [
        "package-lock.json",
        "yarn.lock",
        "Cargo.lock",
        "poetry.lock",
        "uv.lock",
        "pnpm-lock.yaml",
        "go.sum",
        "Gemfile.lock",
    ],
)
def test_lock_files_are_passed_over_by_name(tmp_path, name):
    put(tmp_path, name, "about-" + name.replace(".", "-") + ".md")
    assert names(tmp_path) == {name: "not a document: a lock file", "about-" + name.replace(".", "-") + ".md": ""}


def test_links(tmp_path):
    put(tmp_path, "real/a.md", "elsewhere/b.md")
    (tmp_path / "real/loop").symlink_to(tmp_path / "real")
    (tmp_path / "real/there").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "real/gone.md").symlink_to(tmp_path / "nowhere")
    found = names(tmp_path, tmp_path / "real")
    assert set(found) == {"real/a.md", "real/there/b.md", "real/gone.md"}
    assert "cannot be read" in found["real/gone.md"]


def test_overlapping_paths_give_each_file_once(tmp_path):
    put(tmp_path, "a/x.md", "a/b/y.md")
    found = [f.file.name for f in walk([tmp_path / "a/b", tmp_path / "a", tmp_path / "a/x.md"], max_bytes=10)]
    assert sorted(found) == ["x.md", "y.md"]


def test_fifos_are_passed_over(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    put(tmp_path, "a.md")
    assert set(names(tmp_path)) == {"a.md"}
    assert names(tmp_path, tmp_path / "pipe") == {"pipe": "not a regular file"}
    (tmp_path / "sub").mkdir()
    os.mkfifo(tmp_path / "sub/.gitignore")
    assert names(tmp_path, tmp_path / "sub") == {}


def test_an_inner_rule_undoes_an_outer_one_as_in_git(tmp_path):
    put(tmp_path, ".gitignore", text="*.log\nbuild/\n")
    put(tmp_path, "sub/.gitignore", text="!keep.log\n")
    put(tmp_path, "sub/keep.log", "sub/other.log", "build/x.md")
    (tmp_path / ".git").mkdir()
    assert set(names(tmp_path)) == {"sub/keep.log"}
    assert set(names(tmp_path, tmp_path / "build")) == {"build/x.md"}, "given by name"


def test_folders_nest_deeper_than_python_recurses(tmp_path):
    deep = tmp_path
    for _ in range(1200):
        deep = deep / "d"
        try:
            deep.mkdir()
        except OSError:
            break
    (tmp_path / "a.md").write_text("x")
    try:
        assert "a.md" in names(tmp_path)
    finally:  # pytest's own clean-up recurses
        subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)


def test_missing_path(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        list(walk([tmp_path / "none"], max_bytes=1))


def test_real_names_come_before_links(tmp_path):
    put(tmp_path, "d/sub/x.md", "d/q.md")
    (tmp_path / "d/asub").symlink_to(tmp_path / "d/sub")
    (tmp_path / "d/a.md").symlink_to(tmp_path / "d/q.md")
    assert set(names(tmp_path, tmp_path / "d")) == {"d/sub/x.md", "d/q.md"}


def test_rules_of_the_working_folder_say_nothing_of_its_siblings(tmp_path, monkeypatch):
    put(tmp_path, "sub/.gitignore", text="*.md\n")
    put(tmp_path, "docs/x.md")
    (tmp_path / "sub/.git").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    from pathlib import Path

    assert [f.file.name for f in walk([Path("../docs")], max_bytes=10)] == ["x.md"]


def test_rules_above_a_folder_hold_without_git(tmp_path, monkeypatch):
    """Up to the folder that holds a home, else to the working folder; what lies above those is somebody else's."""
    put(tmp_path, ".gitignore", text="*\n!*/\n")
    put(tmp_path, "work/.gitignore", text="*.tmp\n")
    put(tmp_path, "work/docs/a.tmp", "work/docs/a.md", "work/docs/deep/b.tmp")
    docs = tmp_path / "work/docs"
    monkeypatch.chdir(tmp_path / "work/docs/deep")
    assert set(names(docs, docs)) == {"a.md", "a.tmp", "deep/b.tmp"}, "nothing says where the project begins"
    monkeypatch.chdir(tmp_path / "work")
    assert set(names(docs, docs)) == {"a.md"}
    monkeypatch.chdir(tmp_path / "work/docs/deep")
    (tmp_path / "work/.embassay").mkdir()
    assert set(names(docs, docs)) == {"a.md"}


def test_a_repository_decides_before_a_home(tmp_path):
    put(tmp_path, ".gitignore", text="*.tmp\n")
    put(tmp_path, "docs/a.tmp", "docs/a.md")
    (tmp_path / ".git").mkdir()
    (tmp_path / "docs/.embassay").mkdir()
    assert set(names(tmp_path, tmp_path / "docs")) == {"docs/a.md"}
