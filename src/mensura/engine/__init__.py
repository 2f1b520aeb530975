"""The local engine: a model's own files in, vectors out, without torch."""

import sys

# On import OpenVINO forks a process that reports to Google Analytics, unless its telemetry package is missing.
# Nothing that runs here phones home, so to OpenVINO the package is missing.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
