"""Patterns of files that are left out mean what they mean in a .gitignore."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay.config.values import Config
from embassay.errors import ConfigError, UsageError
from embassay.ingest.exclude import configured, exclusions, normal
from embassay.ingest.walk import walk
from tests.ingest.test_walk import put

FILES = ("CHANGELOG.md", "docs/CHANGELOG.md", "docs/old/a.md", "docs/old/deep/b.md", "docs/new.md", "notes/draft-1.md")


def taken(root: Path, *patterns: str, paths=None) -> set[str]:
    found = walk(paths or [root], max_bytes=1000, exclude=exclusions(patterns, root))
    return {one.file.relative_to(root).as_posix() for one in found if not one.skip}


@pytest.mark.parametrize(
    ("patterns", "out"),
    [
        (["CHANGELOG.md"], {"CHANGELOG.md", "docs/CHANGELOG.md"}),
        (["/CHANGELOG.md"], {"CHANGELOG.md"}),
        (["docs/old/**"], {"docs/old/a.md", "docs/old/deep/b.md"}),
        (["docs/old"], {"docs/old/a.md", "docs/old/deep/b.md"}),
        (["old/"], {"docs/old/a.md", "docs/old/deep/b.md"}),
        (["./docs/old"], {"docs/old/a.md", "docs/old/deep/b.md"}),
        (["**/draft-*"], {"notes/draft-1.md"}),
        (["*.md", "!new.md"], {*FILES} - {"docs/new.md"}),
        (["nothing.txt"], set()),
    ],
)
def test_patterns(tmp_path, patterns, out):
    put(tmp_path, *FILES)
    assert {*FILES} - taken(tmp_path, *patterns) == out


def test_as_git_understands_them(tmp_path):
    """The same patterns in a .gitignore, read by git itself."""
    put(tmp_path, *FILES)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for patterns in (
        ["old"],
        ["docs/*", "!docs/old"],
        ["d*/", "notes/draft-?.md"],
        ["docs/**/b.md"],
        ["/docs/old/*.md"],
    ):
        (tmp_path / ".gitignore").write_text("\n".join(patterns))
        listed = subprocess.run(
            ["git", "-C", tmp_path, "ls-files", "-o", "--exclude-standard"], capture_output=True, text=True, check=True
        ).stdout.split()
        (tmp_path / ".gitignore").unlink()
        assert taken(tmp_path, *patterns) == {*listed} - {".gitignore"}, patterns


def test_an_excluded_folder_is_not_entered_and_is_told_once(tmp_path):
    put(tmp_path, *FILES)
    found = {
        f.file.relative_to(tmp_path).as_posix(): f.skip
        for f in walk([tmp_path], max_bytes=9, exclude=exclusions(["old"], tmp_path))
    }
    assert found["docs/old"] == "excluded by old" and "docs/old/a.md" not in found


def test_what_a_shell_names_is_left_out_as_well(tmp_path):
    put(tmp_path, *FILES)
    named = [tmp_path / "CHANGELOG.md", tmp_path / "docs" / "new.md", tmp_path / "docs" / "old"]
    assert taken(tmp_path, "CHANGELOG.md", "docs/old", paths=named) == {"docs/new.md"}


def test_an_absolute_path_is_one_below_the_root(tmp_path):
    assert normal(str(tmp_path / "docs" / "a.md"), tmp_path) == "/docs/a.md"
    assert normal("#draft.md", tmp_path) == "\\#draft.md"


@pytest.mark.parametrize("pattern", ["", "  ", "!", "/", "../a.md", "a/../../b", "a\nb"])
def test_what_names_nothing_is_refused(tmp_path, pattern):
    with pytest.raises(UsageError):
        normal(pattern, tmp_path)


def test_those_of_the_configuration_are_relative_to_its_file(tmp_path):
    put(tmp_path, *FILES)
    config = Config(exclude=["/old"], file=tmp_path / "docs" / "embassay.yaml")
    assert configured(config).reason(tmp_path / "docs" / "old", is_dir=True) == "excluded by /old"
    both = configured(config) + exclusions(["!docs/old"], tmp_path)
    assert not both.reason(tmp_path / "docs" / "old", is_dir=True), "what was asked for later decides"
    with pytest.raises(ConfigError, match="exclude"):
        configured(Config(exclude=[" "]))


@given(st.text(max_size=30))
def test_any_pattern_is_understood_or_refused(pattern):
    try:
        kept = exclusions([pattern], Path("/project"))
    except UsageError:
        return
    kept.reason(Path("/project/docs/a.md"))
    assert normal(normal(pattern, Path("/project")), Path("/project")) == normal(pattern, Path("/project"))
