"""One file a provider; see `mensura.embed.base` for the contract."""
