"""Whom a verifier believes. Nothing in a file adds to it."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Tuple


class Trust(NamedTuple):
    """`vkeys` are verifier keys of logs (type 1) and `witness_keys` of witnesses (type 4), each `name+hash+base64`; `receipt_keys` are
    public keys of receipt signers in base64url. `quorum` is how many witnesses are asked for; None: all of them."""

    vkeys: Tuple[str, ...] = ()
    receipt_keys: Tuple[str, ...] = ()
    witness_keys: Tuple[str, ...] = ()
    quorum: Optional[int] = None


def trust_from_json(value: Dict[str, Any]) -> Trust:
    """The `trust` of a vector: `{vkeys, receiptKeys?, witnessKeys?, quorum?}`."""
    return Trust(
        tuple(value["vkeys"]),
        tuple(value.get("receiptKeys", ())),
        tuple(value.get("witnessKeys", ())),
        value.get("quorum"),
    )
