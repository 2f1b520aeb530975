"""The peer of `benchmarks.serve`: what one writes to serve sentence-transformers, with a call for each request.

    python peer_server.py PORT

FastAPI runs a plain function in one of its 40 threads. Runs in an environment without embassay.
"""

# no `from __future__ import annotations`: FastAPI reads the annotations of a function inside of another
import sys
from pathlib import Path


def main(port: int) -> None:
    import uvicorn
    from fastapi import FastAPI
    from pydantic import BaseModel

    sys.path.insert(0, str(Path(__file__).parent))
    from peer import load  # type: ignore[import-not-found]

    model = load()
    app = FastAPI()

    class Asked(BaseModel):
        input: str | list[str]

    @app.post("/v1/embeddings")
    def embeddings(asked: Asked) -> dict[str, object]:
        texts = [asked.input] if isinstance(asked.input, str) else asked.input
        vectors = model.encode(texts, show_progress_bar=False)
        data = [{"object": "embedding", "index": at, "embedding": row.tolist()} for at, row in enumerate(vectors)]
        return {"object": "list", "data": data, "model": "minilm"}

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main(int(sys.argv[1]))
