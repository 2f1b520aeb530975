"""OpenVINO without two things that importing it brings along.

It forks a process that reports to Google Analytics, unless its telemetry package is missing: nothing that runs
here phones home. And it loads its model converter, a fifth of a second that we never need; whoever does can
still import ``openvino.tools.ovc``.
"""

import sys

_CONVERTER = "openvino.tools.ovc"

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
_first = "openvino" not in sys.modules and _CONVERTER not in sys.modules
if _first:
    sys.modules[_CONVERTER] = None  # type: ignore[assignment]

import openvino  # noqa: E402

if _first:
    del sys.modules[_CONVERTER]

__all__ = ["openvino"]
