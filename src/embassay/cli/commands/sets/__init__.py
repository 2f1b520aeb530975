"""The sets of a home: listed, shown, renamed, deleted, and which one is meant where none is named."""
