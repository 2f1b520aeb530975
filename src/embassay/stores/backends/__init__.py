"""One file a store; see `embassay.stores.base` for the contract. Files with a leading underscore are their parts."""
