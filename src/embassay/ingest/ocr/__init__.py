"""Engines for optical character recognition: all come from elsewhere (`Recogniser` of `embassay.ingest.base`)."""
