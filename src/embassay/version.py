"""Of this library: written into what outlives it."""

VERSION = "0.1.0"
