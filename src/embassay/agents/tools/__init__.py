"""Tools, one a file; the contract is `embassay.agents.base`."""
