"""Where queries come from when nobody has written any: each file is a source. `embassay.evaluate.judge.base` has the
contract.
"""
