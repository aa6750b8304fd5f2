"""The checks of one bundle, one function each, in the order of spec/bundle.md. Total: whatever the bytes are, the answer is a report."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from .bundle import FileFault, read_bundle
from .ed25519 import PUBLIC_KEY_BYTES, holds, key_id_of
from .encoding import from_base64, from_base64url, sha256, sha256_hex
from .entry_form import ENTRY_FORM, ERASURE, OUTCOME, RECEIPT
from .jcs import canonical_bytes
from .limits import ENTRY_BYTES_MAX
from .merkle import leaf_hash, verify_inclusion
from .note import (
    LOG_KEY_TYPE,
    WITNESS_KEY_TYPE,
    Checkpoint,
    NoteFault,
    open_cosignatures,
    open_note,
    parse_checkpoint,
    read_keys,
)
from .report import Check, Report, failed, is_proven, not_checked, not_reached, passed
from .trust import Trust

_AFTER_FORM = ("entry-form", "signature", "inclusion", "checkpoint", "cosignatures", "commitments", "inputs")
_NO_HASH = "0" * 64


class Examined(NamedTuple):
    """A report, and what the checks of a session need of the bundle where it is proven."""

    report: Report
    body: Optional[Dict[str, Any]] = None
    body_hash: str = ""
    place: int = 0
    checkpoint: Optional[Checkpoint] = None


def _check_entry_form(entry: Dict[str, Any], entry_bytes: bytes) -> Check:
    fault = ENTRY_FORM(entry, "/entry")
    if fault is not None:
        return failed("entry-form", "entry_malformed", f"The entry has not the form of its type: {fault}.")
    if len(entry_bytes) > ENTRY_BYTES_MAX:
        return failed("entry-form", "entry_malformed", f"The entry has more than {ENTRY_BYTES_MAX} bytes.")
    return passed("entry-form", "entry_ok", f"The entry has the form of {entry['body']['type']}.")


def _receipt_keys(trust: Trust) -> Dict[str, bytes]:
    """The keys by key id. A text that is no key is nobody's."""
    keys: Dict[str, bytes] = {}
    for text in trust.receipt_keys:
        key = from_base64url(text)
        if key is not None and len(key) == PUBLIC_KEY_BYTES:
            keys.setdefault(key_id_of(key), key)
    return keys


def _check_signature(entry: Dict[str, Any], trust: Trust) -> Check:
    body, signatures = entry["body"], entry["signatures"]
    if not signatures:
        if body["type"] == RECEIPT and body["signing"] == "each":
            return failed("signature", "signature_missing", "The receipt says that it is signed on its own, and has no signature.")
        return not_checked("signature", "signature_by_checkpoint", "The entry has no signature of its own: the checkpoint covers it.")
    if not trust.receipt_keys:
        return not_checked("signature", "signature_no_trust", "The entry's signature was not checked: no receipt key was given.")
    keys = _receipt_keys(trust)
    message = canonical_bytes(body)
    for signature in signatures:
        key_id = signature["keyId"]
        key = keys.get(key_id)
        if key is None:
            return failed("signature", "signature_unknown_key", f"The entry is signed by the key {key_id}, which was not given.")
        made = from_base64url(signature["sig"])
        if made is None or not holds(key, message, made):
            return failed("signature", "signature_bad", f"The signature by the key {key_id} is not one of this entry.")
    return passed("signature", "signature_ok", "The entry is signed by a receipt key that was given.")


def open_checkpoint(note: str, trust: Trust) -> Tuple[Check, Optional[Checkpoint]]:
    """Whether a given log key signed a checkpoint, and what it says. The check's name is `checkpoint`."""
    keys = read_keys(trust.vkeys, LOG_KEY_TYPE)
    if isinstance(keys, NoteFault):
        return failed("checkpoint", keys.code, f"A given log key cannot be used: {keys.message}."), None
    if not keys:
        return failed("checkpoint", "checkpoint_no_trust", "No log key was given, so the checkpoint proves nothing."), None
    opened = open_note(note, keys)
    if isinstance(opened, NoteFault):
        return failed("checkpoint", opened.code, f"No given log key vouches for the checkpoint: {opened.message}."), None
    checkpoint = parse_checkpoint(opened.text)
    if checkpoint is None:
        return failed("checkpoint", "checkpoint_malformed", "What the log signed is no checkpoint."), None
    if checkpoint.origin not in opened.signers:
        return failed("checkpoint", "checkpoint_wrong_key", "The checkpoint is signed by the key of another log than it names."), None
    more = (
        "" if opened.unverified == 0 else f" {opened.unverified} further signature lines are by keys that nobody gave, and prove nothing."
    )
    sentence = f"The checkpoint of {checkpoint.origin} at size {checkpoint.size} is signed by a key that was given.{more}"
    return passed("checkpoint", "checkpoint_ok", sentence), checkpoint


def _check_checkpoint(bundle: Dict[str, Any], trust: Trust) -> Tuple[Check, Optional[Checkpoint]]:
    check, checkpoint = open_checkpoint(bundle["checkpoint"], trust)
    # The text of the note is needed even where its key is not that of its origin: another log than the entry's is said first.
    if check.code in ("checkpoint_ok", "checkpoint_wrong_key"):
        origin = bundle["checkpoint"].partition("\n")[0]
        if origin != bundle["entry"]["body"]["log"]:
            return failed("checkpoint", "checkpoint_wrong_log", "The checkpoint is of another log than the entry names."), None
    return check, checkpoint


def _check_inclusion(bundle: Dict[str, Any], entry_bytes: bytes, checkpoint: Optional[Checkpoint]) -> Check:
    if checkpoint is None:
        return not_checked("inclusion", "inclusion_no_checkpoint", "Inclusion was not checked: there is no checkpoint to believe.")
    index = bundle["index"]
    proof = [from_base64(text) or b"" for text in bundle["proof"]]
    if not verify_inclusion(index, checkpoint.size, leaf_hash(entry_bytes), proof, checkpoint.root):
        return failed("inclusion", "inclusion_bad", f"The proof does not lead from this entry at place {index} to the checkpoint's root.")
    return passed("inclusion", "inclusion_ok", f"The entry is at place {index} of {checkpoint.size} in the log.")


def _check_cosignatures(note: str, checkpoint: Optional[Checkpoint], trust: Trust) -> Check:
    if not trust.witness_keys:
        return not_checked("cosignatures", "cosignatures_no_trust", "Cosignatures were not checked: no witness key was given.")
    keys = read_keys(trust.witness_keys, WITNESS_KEY_TYPE)
    if isinstance(keys, NoteFault):
        return failed("cosignatures", keys.code, f"A given witness key cannot be used: {keys.message}.")
    if checkpoint is None:
        return not_checked(
            "cosignatures", "cosignatures_no_checkpoint", "Cosignatures were not checked: there is no checkpoint to believe."
        )
    cosignatures = open_cosignatures(note, keys)
    if isinstance(cosignatures, NoteFault):
        return failed("cosignatures", cosignatures.code, f"The witnesses do not vouch for the checkpoint: {cosignatures.message}.")
    wanted = len({key.name for key in keys}) if trust.quorum is None else trust.quorum
    said = ", ".join(f"{made.name} at {made.time} s" for made in cosignatures)
    if len(cosignatures) < wanted:
        return failed(
            "cosignatures",
            "cosignatures_missing",
            f"{wanted} witnesses were asked for, and {len(cosignatures)} cosigned ({said or 'none'}).",
        )
    return passed(
        "cosignatures", "cosignatures_ok", f"{len(cosignatures)} witnesses cosigned the checkpoint: {said or 'none was asked for'}."
    )


def _commits(salt_text: str, data: bytes, commitment: Optional[str]) -> bool:
    """Whether SHA-256(salt, data) is the commitment. A salt of trailing bits that are not zero is no salt."""
    salt = from_base64url(salt_text)
    return salt is not None and sha256(salt + data).hex() == commitment


def _receipt_commitments(body: Dict[str, Any], inputs: Dict[str, Any]) -> Check:
    committed = (("action", body["action"]["commitment"]), ("state", body["inputs"]["state"]), ("signals", body["inputs"]["signals"]))
    for name, commitment in committed:
        if not _commits(inputs["salts"][name], canonical_bytes(inputs[name]), commitment):
            return failed("commitments", f"commitment_{name}", f"The disclosed {name} is not what the receipt commits to.")
    return passed("commitments", "commitments_ok", "The disclosed action, state and signals are what the receipt commits to.")


def _outcome_commitment(body: Dict[str, Any], inputs: Dict[str, Any]) -> Check:
    response = None if inputs["response"] is None else from_base64(inputs["response"])
    # Where there was no response nothing ties the salt down, so it must not be there either.
    if response is None or not _commits(inputs["salt"], response, body["response"]):
        return failed("commitments", "commitment_response", "The disclosed response is not what the outcome commits to.")
    return passed("commitments", "commitments_ok", "The disclosed response is what the outcome commits to.")


def _erasure_commitment(body: Dict[str, Any], inputs: Dict[str, Any]) -> Check:
    if not _commits(inputs["salt"], canonical_bytes(inputs["erased"]), body["subject"]):
        return failed("commitments", "commitment_erased", "The disclosed subject is not the one whose erasure the entry commits to.")
    return passed("commitments", "commitments_ok", "The disclosed subject is the one whose erasure the entry commits to.")


#: The member that tells a disclosure's kind, and the check of it, by type of entry.
_DISCLOSURES = {
    RECEIPT: ("salts", _receipt_commitments),
    OUTCOME: ("response", _outcome_commitment),
    ERASURE: ("erased", _erasure_commitment),
}


def _check_commitments(bundle: Dict[str, Any]) -> Check:
    inputs, body = bundle.get("inputs"), bundle["entry"]["body"]
    if inputs is None:
        return not_checked("commitments", "commitments_not_disclosed", "Commitments were not checked: nothing is disclosed.")
    member, check = _DISCLOSURES.get(body["type"], ("", None))
    if check is None or member not in inputs:
        return failed("commitments", "commitments_misplaced", "What is disclosed does not belong to an entry of this type.")
    return check(body, inputs)


def _check_inputs(bundle: Dict[str, Any]) -> Check:
    documents, body = bundle.get("documents"), bundle["entry"]["body"]
    if documents is None:
        return not_checked("inputs", "inputs_not_disclosed", "Policy and rules were not checked: they are not in the bundle.")
    if body["type"] != RECEIPT:
        return failed("inputs", "inputs_misplaced", "Only a receipt is judged by a policy and rules.")
    if body["inputs"]["policy"] == _NO_HASH:
        return failed("inputs", "inputs_none", "The receipt says that there was no policy, and the bundle brings one.")
    for name in ("policy", "rules"):
        if sha256_hex(canonical_bytes(documents[name])) != body["inputs"][name]:
            return failed("inputs", f"inputs_{name}", f"The {name} in the bundle is not what the receipt names.")
    return passed("inputs", "inputs_ok", "Policy and rules are what the receipt names.")


def _check_all(bundle: Dict[str, Any], trust: Trust) -> Examined:
    entry = bundle["entry"]
    entry_bytes = canonical_bytes(entry)
    checks: List[Check] = [
        passed("bundle-form", "bundle_ok", "The file is a canonical bundle."),
        _check_entry_form(entry, entry_bytes),
    ]
    if checks[-1].code != "entry_ok":
        return Examined(Report(False, checks + not_reached(_AFTER_FORM[1:], "the entry is malformed")))
    check, checkpoint = _check_checkpoint(bundle, trust)
    checks += [
        _check_signature(entry, trust),
        _check_inclusion(bundle, entry_bytes, checkpoint),
        check,
        _check_cosignatures(bundle["checkpoint"], checkpoint, trust),
        _check_commitments(bundle),
        _check_inputs(bundle),
    ]
    body = entry["body"]
    subject = {name: body[name] for name in ("type", "id", "log", "session", "seq")}
    subject.update(index=bundle["index"], size=0 if checkpoint is None else checkpoint.size)
    report = Report(is_proven(checks), checks, subject)
    return Examined(report, body, sha256_hex(canonical_bytes(body)), bundle["index"], checkpoint)


def examine(data: bytes, trust: Trust) -> Examined:
    bundle = read_bundle(data)
    if isinstance(bundle, FileFault):
        form = failed("bundle-form", bundle.code, f"The file is no bundle: {bundle.message}.")
        return Examined(Report(False, [form, *not_reached(_AFTER_FORM, "the file is no bundle")]))
    return _check_all(bundle, trust)


def verify_bundle(data: bytes, trust: Trust) -> Report:
    """Every check of one bundle. Offline, and linear in its bytes."""
    return examine(data, trust).report
