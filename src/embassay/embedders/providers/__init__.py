"""One file a provider; see `embassay.embedders.base` for the contract."""
