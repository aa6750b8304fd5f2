"""Checks exports of Countersign without any of its code: DSSE, SignedReceipt and Spine, from the formats alone.

Usage: verify_exports.py KEY_HEX DSSE SIGNED_RECEIPT SPINE. Prints `ok` and what was signed, or fails with an exception.
The files are ASCII or text that json.dumps spells as RFC 8785 does once keys are sorted: no number in them is a fraction.
"""

import base64
import hashlib
import json
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def pae(payload_type, payload):
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def check_dsse(path, key):
    with open(path, "rb") as file:
        envelope = json.load(file)
    payload = base64.b64decode(envelope["payload"], validate=True)
    for signature in envelope["signatures"]:
        key.verify(base64.b64decode(signature["sig"], validate=True), pae(envelope["payloadType"], payload))
    statement = json.loads(payload)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    digest = hashlib.sha256(canonical(statement["predicate"])).hexdigest()
    assert statement["subject"] == [{"name": statement["predicate"]["id"], "digest": {"sha256": digest}}]
    return statement["predicate"]["id"]


def check_signed_receipt(path, key):
    with open(path, "rb") as file:
        signed = json.load(file)
    key.verify(bytes.fromhex(signed["signatures"]["signer"]), canonical(signed["receipt"]))
    assert signed["receipt"]["version"] == "1.0.0"
    return signed["receipt"]["receipt_id"]


def check_spine(path, key, key_hex):
    with open(path, "rb") as file:
        envelopes = [json.loads(line) for line in file]
    previous = None
    for number, envelope in enumerate(envelopes, 1):
        unsigned = {name: value for name, value in envelope.items() if name not in ("envelope_hash", "signature")}
        message = canonical(unsigned)
        assert envelope["envelope_hash"] == "0x" + hashlib.sha256(message).hexdigest()
        key.verify(bytes.fromhex(envelope["signature"][2:]), message)
        assert envelope["issuer"] == "aegis:ed25519:" + key_hex
        assert (envelope["seq"], envelope["prev_envelope_hash"]) == (number, previous)
        previous = envelope["envelope_hash"]
    return str(len(envelopes))


def main():
    key_hex, dsse, signed_receipt, spine = sys.argv[1:]
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key_hex))
    print("ok", check_dsse(dsse, key), check_signed_receipt(signed_receipt, key), check_spine(spine, key, key_hex))


main()
