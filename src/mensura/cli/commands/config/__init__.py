"""The configuration: mensura.yaml and the environment."""
