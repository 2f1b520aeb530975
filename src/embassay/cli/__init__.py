"""The command line: one file a command, in `commands/`; its name is the command's name."""
