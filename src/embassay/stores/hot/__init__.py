"""A copy of a collection that is laid out for searching: files that are mapped into memory and never change.

A copy consists of parts, each of which holds some rows: their vectors, the index of their words, and the rows
themselves. A part is written once, read by any number of processes, and replaced by another one when it has outlived
itself.
"""
