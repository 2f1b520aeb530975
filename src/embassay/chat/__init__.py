"""Chat models behind an OpenAI-compatible endpoint, below the spend cap."""
