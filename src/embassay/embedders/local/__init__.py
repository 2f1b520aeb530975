"""Models that run in this process: an embedder over the local engine, whatever runtime it uses."""
