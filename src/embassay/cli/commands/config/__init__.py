"""The configuration: embassay.yaml and the environment."""
