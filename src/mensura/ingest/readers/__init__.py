"""One file a format; see `mensura.ingest.base` for the contract."""
