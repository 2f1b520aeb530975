"""The checks of a new generation, one file each: see `embassay.sets.migration.check`."""
