"""Texts on their way into a model, and their vectors on the way out: what several providers do alike."""
