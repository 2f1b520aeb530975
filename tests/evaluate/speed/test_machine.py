"""What this machine is called."""

import os

from embassay.evaluate.speed.machine import processor


def test_the_processor_has_a_name_and_cores():
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    name, _, rest = processor().rpartition(f", {count} cores")
    assert name and (not rest or rest.startswith(", "))
