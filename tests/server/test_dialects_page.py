"""The page on dialects: what it shows with rerankers and with several ports, typed as it stands there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cross_encoders import SHAPES, write_cross_encoder
from tests.server.test_script import free_ports, wait

PAGE = (Path(__file__).parents[2] / "docs" / "serving-dialects.md").read_text()


def block(language):
    return re.search(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1]


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_its_commands_with_rerankers(tmp_path):
    (tmp_path / "rerankers").mkdir()
    (tmp_path / "rerankers" / "embassay.yaml").write_text(block("yaml rerankers/embassay.yaml"))
    write_cross_encoder(tmp_path / "reranker", SHAPES["bert"])
    ports = dict(zip(("8080", "8014", "11434"), free_ports(3), strict=True))

    def here(command):
        return re.sub(r"(localhost:|-port )(\d+)", lambda found: f"{found[1]}{ports[found[2]]}", command)

    first, *commands = block("console").splitlines()
    assert first.startswith("EMBASSAY_CONFIG=") and len(commands) == 7
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    serve = here(first.replace("embassay serve", "exec embassay serve --port 8080"))
    server = subprocess.Popen(
        ["bash", "-c", serve], cwd=tmp_path, env={**os.environ, "PATH": path}, stderr=subprocess.PIPE, text=True
    )
    try:
        wait(server, f"http://localhost:{ports['8080']}/health")
        for command in commands:
            asked = here(command).replace("curl ", "curl --fail-with-body -sS ")
            done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=False)
            assert done.returncode == 0 and done.stdout, f"{command}\n{done.stdout}{done.stderr}"
    finally:
        server.terminate()
        assert server.wait(30) == 0, server.stderr.read()


def test_every_route_is_on_the_page():
    """What the dialects serve stands in the table, and what stands there is served."""
    from embassay import plugins

    named = set(re.findall(r"`(?:(?:GET|POST) )?(/[\w/{}]*)`", PAGE))
    for name in ("openai", "cohere", "rerank", "vllm", "tei", "ollama", "microservice", "registry"):
        for route in plugins.load("embassay.server.routes", name).ROUTES:
            assert re.sub(r":\w+}", "}", route.path) in named, f"{route.path} is on no page"
    assert "/v1/embeddings" in named
