"""Projects with a tiny model, for commands in processes of their own."""

import pytest

from tests.cli.test_cli import run
from tests.tiny import CASES, write_model


@pytest.fixture
def project(docs, tmp_path):
    write_model(tmp_path / "model", CASES["bert"])
    return docs.parent


@pytest.fixture
def indexed(project):
    run("index", "docs", "--model", "../model", cwd=project, check=0)
    return project
