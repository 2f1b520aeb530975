"""One file a format; see `embassay.ingest.base` for the contract."""
