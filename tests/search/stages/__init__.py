"""Tests of the stages, a file each."""
