"""Verifies what comes as JSON lines on standard input, in one process: how the test of the first implementation asks the second one.

A line is `{op, trust, ...}`: `bundle` with `file`, `session` with `files` and perhaps `now`, `consistency` with `file` and perhaps
`seen`; files in base64. The answer is one line `{ok, checks}`, with `subject` where that is proven, and with `end` and `bundles` (the
checks of each) of a session; checks are `name status code`. `canonical` with `text` has no trust and is answered with
`{canonical, exactNumbers}` or `{code}`.
"""

import base64
import json
import sys
from typing import Any, Dict, Iterable, List

from countersign_verify import verify_bundle, verify_consistency, verify_session
from countersign_verify.jcs import canonicalize
from countersign_verify.json_reader import JsonFault, read_json
from countersign_verify.report import Check
from countersign_verify.trust import trust_from_json


def lines(checks: Iterable[Check]) -> List[str]:
    return [f"{check.name} {check.status} {check.code}" for check in checks]


def canonical(text: str) -> Dict[str, Any]:
    read = read_json(text)
    if isinstance(read, JsonFault):
        return {"code": read.code}
    return {"canonical": canonicalize(read.value), "exactNumbers": read.exact_numbers}


def answer(task: Dict[str, Any]) -> Dict[str, Any]:
    if task["op"] == "canonical":
        return canonical(task["text"])
    trust = trust_from_json(task["trust"])
    if task["op"] == "session":
        session = verify_session([base64.b64decode(file) for file in task["files"]], trust, task.get("now"))
        bundles = [lines(report.checks) for report in session.bundles]
        return {"ok": session.ok, "end": session.end, "checks": lines([session.chain, session.outcomes]), "bundles": bundles}
    data = base64.b64decode(task["file"])
    report = verify_consistency(data, trust, task.get("seen")) if task["op"] == "consistency" else verify_bundle(data, trust)
    return {"ok": report.ok, "checks": lines(report.checks), **({"subject": report.subject} if report.ok else {})}


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
