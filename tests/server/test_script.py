"""A script of curl and jq that somebody has already, against `embassay serve` with three ports."""

import shutil
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from tests.servers import hash_openai, serving

CONFIG = """
embeddings:
  models:
    text-embedding-3-small:
      {provider: openai, model_id: text-embedding-3-small, base_url: URL/v1, api_key: none, canaries: false}
    nomic-embed-text: {provider: local, model_id: sentence-transformers/all-MiniLM-L6-v2}
  fallback_chain: [text-embedding-3-small, nomic-embed-text]
"""
SCRIPT = """
set -euo pipefail
curl -s -X POST http://localhost:8080/v1/embeddings/generate -H 'Content-Type: application/json' \
    -d '{"text":"test","model":"text-embedding-3-small"}' | jq -ce '[.model, (.embedding | length)]'
curl -s http://localhost:11434/api/embeddings -d '{"model":"nomic-embed-text","prompt":"test"}' \
    | jq -e '.embedding | length'
curl -s -X POST http://localhost:8014/encode -H 'Content-Type: application/json' -d '{"texts":["test"]}' \
    | jq -e '.embeddings[0] | length'
curl -s -X POST http://localhost:8080/v1/embeddings/generate -H 'Content-Type: application/json' \
    -d '{"text":"test","use_fallback":true}' | jq -ce '[.model, (.embedding | length)]'
"""


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="needs curl and jq")
def test_the_script_passes(tmp_path):
    main, encode, ollama = free_ports(3)
    script = SCRIPT
    for said, port in ((8080, main), (8014, encode), (11434, ollama)):
        script = script.replace(f"localhost:{said}", f"localhost:{port}")
    with serving(hash_openai(dimensions=1536)) as hosted:
        (tmp_path / "embassay.yaml").write_text(CONFIG.replace("URL", hosted.url))
        command = [sys.executable, "-m", "embassay", "serve", "--port", str(main)]
        command += ["--encode-port", str(encode), "--ollama-port", str(ollama)]
        server = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        try:
            wait(server, f"http://localhost:{main}/health")
            done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            small = '["text-embedding-3-small",1536]'
            assert done.stdout.split() == [small, "384", "384", small]
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait(30) == 0, server.stderr.read()


def wait(server, url):
    for _ in range(600):
        assert server.poll() is None, server.stderr.read()
        try:
            httpx.get(url)
            return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the server does not answer")
