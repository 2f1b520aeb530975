"""Gates as JUnit XML, which CI servers read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from embassay.evaluate.score.evaluation import Evaluation
from embassay.evaluate.score.gates import GateResult
from embassay.text import printable

_NOT_XML = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
"""Characters that XML cannot hold, even escaped."""


def junit_xml(results: Sequence[GateResult], made: Evaluation) -> str:
    """One test case for each gate, in a suite for the evaluation `made`."""
    from xml.etree import ElementTree as Xml

    failures = sum(not gate.ok for gate in results)
    seconds = f"{made.embed_seconds + made.search_seconds:.3f}"
    suite = Xml.Element(
        "testsuite", name="embassay eval", tests=str(len(results)), failures=str(failures), errors="0", time=seconds
    )
    for gate in results:
        case = Xml.SubElement(suite, "testcase", classname=f"{made.judged} {made.space}", name=str(gate.condition))
        if not gate.ok:
            Xml.SubElement(case, "failure", message=f"{gate.condition} does not hold").text = gate.detail
    root = Xml.Element("testsuites")
    root.append(suite)
    Xml.indent(root)
    text = printable(_NOT_XML.sub("?", Xml.tostring(root, encoding="unicode")), lines=True)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'
