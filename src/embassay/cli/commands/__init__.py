"""One file a command, with a function `command` whose docstring is its help."""
