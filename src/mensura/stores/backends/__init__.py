"""One file a store; see `mensura.stores.base` for the contract."""
