"""The package's own edges: what it exports and what it imports."""

import subprocess
import sys

import embassay

HEAVY = {
    "httpx",
    "msgspec",
    "yaml",
    "numpy",
    "openvino",
    "lancedb",
    "pyarrow",
    "tokenizers",
    "torch",
    "typer",
    "rich",
    "huggingface_hub",
}


def test_public_names():
    assert set(embassay.__all__) == {
        "Cascade", "Chunk", "Embeddings", "EmbeddingSet", "Hit", "Home", "EmbassayError", "Record", "Registry", "Rerank", "Session", "Space", "__version__", "close", "compare", "decide", "describe_difference", "embed", "examine_vectors", "label", "open", "probe", "rerank",
    }  # fmt: skip
    for name in embassay.__all__:
        assert getattr(embassay, name) is not None
        if name != "__version__":
            assert getattr(embassay, name).__doc__, name


def test_import_loads_nothing_heavy():
    code = f"import embassay, sys; print(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_openvino_does_not_phone_home():
    code = (
        "import multiprocessing, sys\n"
        "multiprocessing.Process.start = lambda self: sys.exit('forked')\n"
        "import embassay.engine.runtimes.openvino as r; r.cpu_capabilities()\n"
        "print('openvino_telemetry.main' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert not done.stderr
