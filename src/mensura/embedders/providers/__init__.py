"""One file a provider; see `mensura.embedders.base` for the contract."""
