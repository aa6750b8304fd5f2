"""Append-only since last seen: consistency files, BNDL-030 and BNDL-031."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

from .bundle import FileFault, read_consistency
from .encoding import from_base64
from .merkle import verify_consistency as proof_holds
from .note import Checkpoint, parse_checkpoint
from .report import Check, Report, failed, is_proven, not_checked, not_reached, passed
from .trust import Trust
from .verify_bundle import open_checkpoint


def read_seen(note: str) -> Optional[Checkpoint]:
    """What a checkpoint says that the verifier kept itself, as a signed note or as its text alone. Its signatures are not looked at."""
    blank = note.rfind("\n\n")
    return parse_checkpoint(note if blank < 0 else note[: blank + 1])


def _check_checkpoints(file: Dict[str, Any], trust: Trust) -> Tuple[Check, List[Checkpoint]]:
    heads: List[Checkpoint] = []
    for name in ("old", "new"):
        check, head = open_checkpoint(file[name], trust)
        if head is None:
            return check._replace(sentence=f"Of the {name} checkpoint: {check.sentence}"), []
        heads.append(head)
    old, new = heads
    if old.origin != new.origin:
        return failed("checkpoint", "consistency_other_log", "The two checkpoints are of two logs."), []
    sentence = f"The checkpoints of {old.origin} at sizes {old.size} and {new.size} are signed by a key that was given."
    return passed("checkpoint", "checkpoint_ok", sentence), heads


def _check_consistency(old: Checkpoint, new: Checkpoint, proof: List[bytes], seen: Optional[str]) -> Check:
    if new.size < old.size:
        return failed("consistency", "consistency_rollback", f"The newer tree has {new.size} entries, the older one had {old.size}.")
    if new.size == old.size and new.root != old.root:
        return failed("consistency", "consistency_fork", f"The log signed two trees of size {new.size}.")
    if not proof_holds(old.size, old.root, new.size, new.root, proof):
        return failed("consistency", "consistency_bad", "The proof does not lead from the older tree to the newer one.")
    if seen is not None and read_seen(seen) != old:
        return failed("consistency", "consistency_not_seen", "The older checkpoint is not the one that you saw before.")
    since = "" if seen is None else " It begins with the tree that you saw before."
    return passed("consistency", "consistency_ok", f"The first {old.size} of {new.size} entries are what they were.{since}")


def verify_consistency(data: bytes, trust: Trust, seen: Optional[str] = None) -> Report:
    """Every check of a consistency file. `seen` is the note (or the text) of a checkpoint that the verifier saw before."""
    file = read_consistency(data)
    if isinstance(file, FileFault):
        form = failed("consistency-form", file.code, f"The file is no consistency file: {file.message}.")
        return Report(False, [form, *not_reached(("checkpoint", "consistency"), "the file is no consistency file")])
    checks = [passed("consistency-form", "consistency_form_ok", "The file is a canonical consistency file.")]
    check, heads = _check_checkpoints(file, trust)
    checks.append(check)
    if not heads:
        checks.append(
            not_checked("consistency", "consistency_no_checkpoint", "Consistency was not checked: there are no two checkpoints to believe.")
        )
        return Report(False, checks)
    old, new = heads
    proof = [from_base64(text) or b"" for text in file["proof"]]
    checks.append(_check_consistency(old, new, proof, seen))
    return Report(is_proven(checks), checks, {"log": new.origin, "oldSize": old.size, "newSize": new.size})
