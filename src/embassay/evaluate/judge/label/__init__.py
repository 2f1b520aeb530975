"""Judging by hand: which results somebody is shown, in which order, what each key means, and when it is enough."""
