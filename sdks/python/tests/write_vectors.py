"""Stores the vectors that are made here, and keeps what others added to the same files: from sdks/python, `python -m tests.write_vectors`.
Review the difference."""

import json
from typing import Any, Dict, List

from .cases import consistency_cases, extended_cases, session_cases
from .vectors import FOLDER

ABOUT = {
    "extended": "bundles: digests, several signature lines, cosignatures, erasures, changes of log keys (spec/bundle.md, BNDL-040)",
    "sessions": "sessions: files in any order, a time `now`, and what chain and outcomes say (spec/bundle.md, BNDL-040)",
    "consistency": "consistency files, and the note of a checkpoint that was seen before (spec/bundle.md, BNDL-040)",
}


def made() -> Dict[str, List[Any]]:
    return {"extended": extended_cases(), "sessions": session_cases(), "consistency": consistency_cases()}


def store(name: str, cases: List[Any]) -> None:
    path = FOLDER / "bundle" / f"{name}.json"
    names = {case["name"] for case in cases}
    before = json.loads(path.read_text(encoding="utf-8"))["cases"] if path.exists() else []
    others = [case for case in before if case["name"] not in names]
    text = json.dumps({"about": ABOUT[name], "cases": [*cases, *others]}, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    for file_name, file_cases in made().items():
        store(file_name, file_cases)
