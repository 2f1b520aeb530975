"""One file a store; see `embassay.stores.base` for the contract."""
