"""The cases of vectors/bundle/extended.json, sessions.json and consistency.json, from fixed seeds: the same bytes in every run."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

from countersign_verify.jcs import canonical_bytes

from .evidence import (
    ORIGIN,
    Chain,
    Key,
    Log,
    bundle_bytes,
    consistency_path,
    digest_of,
    erasure_inputs,
    full_session,
    outcome_inputs,
    to_base64,
    to_base64url,
    uuid,
    witness,
)

Case = Dict[str, Any]
DUE = "2026-01-02T03:05:05.678Z"
LOG_KEY = Key(ORIGIN, 1)
NEW_LOG_KEY = Key(ORIGIN, 11)
WITNESSES = (witness("witness.example/a", 21), witness("witness.example/b", 22), witness("witness.example/c", 23))
STRANGER = Key(ORIGIN, 99)


def trust(keys: Sequence[Key] = (LOG_KEY,), witnesses: Sequence[Key] = (), quorum: Optional[int] = None, **more: Any) -> Case:
    value: Case = {"vkeys": [key.vkey for key in keys]}
    if witnesses:
        value["witnessKeys"] = [key.vkey for key in witnesses]
    if quorum is not None:
        value["quorum"] = quorum
    return {**value, **more}


def _one(name: str, file: bytes, ok: bool, checks: Sequence[str], believed: Optional[Case] = None) -> Case:
    expect = {"ok": ok, "checks": list(checks)}
    return {"name": name, "trust": trust() if believed is None else believed, "file": file.decode(), "expect": expect}


def _extra_lines(members: Dict[str, Any], *lines: str) -> Dict[str, Any]:
    return {**members, "checkpoint": members["checkpoint"] + "".join(lines)}


def _signature_line_cases() -> List[Case]:
    log, _ = full_session()
    members = log.members(0)
    text = log.text()
    more = _extra_lines(members, STRANGER.line(text))
    two = Log(keys=[LOG_KEY, NEW_LOG_KEY]).extend([entry["body"] for entry in log.entries])
    ok = ["bundle-form pass bundle_ok", "inclusion pass inclusion_ok", "checkpoint pass checkpoint_ok"]
    broken = _extra_lines(members, NEW_LOG_KEY.raw_line(bytes(64)))
    foreign = Log(ORIGIN, keys=[Key("example.org/other", 12)]).extend([entry["body"] for entry in log.entries])
    return [
        _one("one signature line and a digest that holds", canonical_bytes({**members, "digest": digest_of(members)}), True, ok),
        _one(
            "one signature line and a digest of something else",
            canonical_bytes({**members, "digest": "0" * 64}),
            False,
            ["bundle-form fail bundle_digest_bad"],
        ),
        _one("a second line by a stranger, with a digest", bundle_bytes(more), True, ok),
        _one(
            "a second line by a stranger, without a digest",
            canonical_bytes(more),
            False,
            ["bundle-form fail bundle_digest_missing", "entry-form not-checked not_reached"],
        ),
        _one(
            "the same line twice, without a digest",
            canonical_bytes(_extra_lines(members, LOG_KEY.line(text))),
            False,
            ["bundle-form fail bundle_digest_missing"],
        ),
        _one("the same line twice, with a digest", bundle_bytes(_extra_lines(members, LOG_KEY.line(text))), True, ok),
        _one("two keys of a log, both given", two.bundle(0), True, ok, trust([LOG_KEY, NEW_LOG_KEY])),
        _one("two keys of a log, the older one given", two.bundle(0), True, ok),
        _one("two keys of a log, the newer one given", two.bundle(0), True, ok, trust([NEW_LOG_KEY])),
        _one(
            "a line by a given key that does not verify",
            bundle_bytes(broken),
            False,
            ["checkpoint fail note_bad_signature", "inclusion not-checked inclusion_no_checkpoint"],
            trust([LOG_KEY, NEW_LOG_KEY]),
        ),
        _one("the same line where its key is not given", bundle_bytes(broken), True, ok),
        _one(
            "digest in capitals", canonical_bytes({**more, "digest": digest_of(more).upper()}), False, ["bundle-form fail bundle_malformed"]
        ),
        _one(
            "signed by the key of another log",
            foreign.bundle(0),
            False,
            ["checkpoint fail checkpoint_wrong_key"],
            trust([Key("example.org/other", 12)]),
        ),
        _one("one log key given twice", log.bundle(0), False, ["checkpoint fail note_ambiguous_key"], trust([LOG_KEY, LOG_KEY])),
        _one("a witness key given as log key", log.bundle(0), False, ["checkpoint fail vkey_unknown_type"], trust([WITNESSES[0]])),
    ]


def _cosignature_cases() -> List[Case]:
    a, b, c = WITNESSES
    log = Log(witnesses=[a, b]).extend(full_session()[0].entries[n]["body"] for n in range(4))
    cosigned, text = log.bundle(0), log.text()
    alone = Log().extend(entry["body"] for entry in log.entries).members(0)
    a_new = witness(a.name, 31)

    def with_lines(*lines: str) -> bytes:
        return bundle_bytes(_extra_lines(alone, *lines))

    ok, missing, bad = "cosignatures pass cosignatures_ok", "cosignatures fail cosignatures_missing", "cosignatures fail cosignature_bad"
    return [
        _one("two witnesses, both given", cosigned, True, [ok], trust(witnesses=[a, b])),
        _one("two witnesses, one given", cosigned, True, [ok], trust(witnesses=[a])),
        _one(
            "two witnesses, none given", cosigned, True, ["cosignatures not-checked cosignatures_no_trust", "checkpoint pass checkpoint_ok"]
        ),
        _one("two of three, where two are asked for", cosigned, True, [ok], trust(witnesses=[a, b, c], quorum=2)),
        _one(
            "two of three, where nobody said how many",
            cosigned,
            False,
            [missing, "checkpoint pass checkpoint_ok"],
            trust(witnesses=[a, b, c]),
        ),
        _one(
            "one witness twice counts once",
            with_lines(a.cosign(text, 1), a.cosign(text, 2)),
            False,
            [missing],
            trust(witnesses=[a, b], quorum=2),
        ),
        _one(
            "one witness with two keys counts once",
            with_lines(a.cosign(text, 1), a_new.cosign(text, 2)),
            False,
            [missing],
            trust(witnesses=[a, a_new, b], quorum=2),
        ),
        _one("two keys of one witness are one witness", with_lines(a_new.cosign(text, 2)), True, [ok], trust(witnesses=[a, a_new])),
        _one("cosignature of another text", with_lines(a.cosign(log.text(3), 1)), False, [bad], trust(witnesses=[a])),
        _one("cosignature without a time", with_lines(a.line(text)), False, [bad], trust(witnesses=[a])),
        _one(
            "one bad cosignature beside enough good ones",
            with_lines(a.cosign(text, 1), b.raw_line(bytes(72))),
            False,
            [bad],
            trust(witnesses=[a, b], quorum=1),
        ),
        _one("cosignature with a time of 2^63", with_lines(a.cosign(text, 2**63)), False, [bad], trust(witnesses=[a])),
        _one("cosignature with a time of 2^63 - 1", with_lines(a.cosign(text, 2**63 - 1)), True, [ok], trust(witnesses=[a])),
        _one("cosignature with a time of 2^53", with_lines(a.cosign(text, 2**53)), True, [ok], trust(witnesses=[a])),
        _one("a log key given as witness key", cosigned, False, ["cosignatures fail vkey_unknown_type"], trust(witnesses=[LOG_KEY])),
        _one(
            "cosigned, but not signed by a given log key",
            cosigned,
            False,
            ["checkpoint fail note_unverified", "cosignatures not-checked cosignatures_no_checkpoint"],
            trust([STRANGER], [a]),
        ),
    ]


def _entry_cases() -> List[Case]:
    vault = Chain("countersign.vault")
    vault.erasure(1, "someone@example.org")
    vault.erasure(2, "someone else", reason="caf\u00e9")
    vault.erasure(3, "x", keys=-1)
    keys = Chain("countersign.log", "countersign")
    both = [LOG_KEY.vkey, NEW_LOG_KEY.vkey]
    keys.log_key(10, both, NEW_LOG_KEY.vkey, None)
    keys.log_key(11, [NEW_LOG_KEY.vkey], None, LOG_KEY.vkey)
    keys.log_key(12, [], None, None)
    keys.log_key(13, [LOG_KEY.vkey] * 5, None, None)
    keys.log_key(14, [WITNESSES[0].vkey], None, None)
    wrong = Chain("session-1")
    wrong.erasure(20, "x")
    big = Chain("session-2")
    big.receipt(30, verdict={**big.receipt(29)["verdict"], "obligations": ["o" * 200] * 80})
    log = Log().extend([*vault.bodies, *keys.bodies, *wrong.bodies, *big.bodies])
    erased = erasure_inputs(1, "org-1", "someone@example.org")
    ok, malformed = "entry-form pass entry_ok", "entry-form fail entry_malformed"
    return [
        _one("erasure with its subject", log.bundle(0, inputs=erased), True, [ok, "commitments pass commitments_ok"]),
        _one("erasure with nothing disclosed", log.bundle(0), True, [ok, "commitments not-checked commitments_not_disclosed"]),
        _one(
            "erasure of another subject",
            log.bundle(0, inputs=erasure_inputs(1, "org-1", "someone")),
            False,
            ["commitments fail commitment_erased"],
        ),
        _one("erasure with a response", log.bundle(0, inputs=outcome_inputs(1)), False, ["commitments fail commitments_misplaced"]),
        _one("erasure with documents", log.bundle(0, documents={"policy": {}, "rules": []}), False, ["inputs fail inputs_misplaced"]),
        _one("erasure for a reason that is not ASCII", log.bundle(1), False, [malformed, "inclusion not-checked not_reached"]),
        _one("erasure of fewer than no keys", log.bundle(2), False, [malformed]),
        _one("log key added", log.bundle(3), True, [ok]),
        _one("log key retired", log.bundle(4), True, [ok]),
        _one("log without keys", log.bundle(5), False, [malformed]),
        _one("log with five keys", log.bundle(6), False, [malformed]),
        _one("log with the key of a witness", log.bundle(7), False, [malformed]),
        _one(
            "change of log keys with a subject disclosed", log.bundle(3, inputs=erased), False, ["commitments fail commitments_misplaced"]
        ),
        _one("erasure in the session of an agent", log.bundle(8), False, [malformed]),
        _one("receipt of more than 16,384 bytes", log.bundle(10), False, [malformed]),
    ]


def _score_cases() -> List[Case]:
    """Receipts whose verdict carries scores, in a log that has them."""
    scores = {"d": [3, 2, 3, 1, 0, 1100], "composite": 1716, "level": "critical", "circuit": "SC-1"}
    variants: List[Tuple[str, Any]] = [
        ("scores with a circuit", scores),
        ("scores of which two dimensions are missing", {"d": [2, 1, 0, 0, 2, 0], "composite": 1100, "level": "medium", "missing": [2, 5]}),
        ("scores at their most", {"d": [3, 3, 3, 2, 2, 3000], "composite": 9999, "level": "critical", "missing": [1, 2, 3, 4, 5, 6]}),
        ("scores with a dimension beyond its most", {**scores, "d": [4, 2, 3, 1, 0, 1100]}),
        ("scores with a session of 3", {**scores, "d": [3, 2, 3, 3, 0, 1100]}),
        ("scores with five dimensions", {**scores, "d": [3, 2, 3, 1, 0]}),
        ("scores with a composite of 10000", {**scores, "composite": 10000}),
        ("scores with a fraction", {**scores, "composite": 1716.5}),
        ("scores with a level of ours", {**scores, "level": "info"}),
        ("scores with a circuit that is none", {**scores, "circuit": "SC-0"}),
        ("scores with nothing missing, said", {**scores, "missing": []}),
        ("scores with a seventh dimension missing", {**scores, "missing": [7]}),
        ("scores with another member", {**scores, "risk": 900}),
        ("scores without a level", {"d": [0, 0, 0, 0, 1, 0], "composite": 150}),
        ("scores that are null", None),
    ]
    chain = Chain("session-3")
    before = chain.receipt(49)["verdict"]
    for n, (_name, value) in enumerate(variants):
        chain.receipt(50 + n, verdict={**before, "scores": value})
    log = Log().extend(chain.bodies)
    good = 3
    return [
        _one(name, log.bundle(n + 1), n < good, ["entry-form pass entry_ok" if n < good else "entry-form fail entry_malformed"])
        for n, (name, _value) in enumerate(variants)
    ]


def _receipt_cases() -> List[Case]:
    """Receipts that the log has, so that only the check in question can see what is wrong."""
    signer, other = Key("receipts", 41), Key("receipts", 42)
    chain = Chain()
    signed = chain.receipt(1, signing="each")
    unjudged = chain.receipt(2, inputs={**signed["inputs"], "policy": "0" * 64, "rules": "0" * 64})
    log = Log()
    log.append(signed, [signer.sign_entry(signed)])
    log.append(signed, [{**signer.sign_entry(signed), "sig": signer.sign_entry(unjudged)["sig"]}])
    log.append(signed, [signer.sign_entry(signed), other.sign_entry(signed)])
    log.append(signed, [])
    log.append(unjudged)
    log.append({**unjudged, "log": "example.org/other"})
    both = {"receiptKeys": [to_base64url(key.public) for key in (signer, other)]}
    one = {"receiptKeys": both["receiptKeys"][:1]}
    nothing = {"policy": {}, "rules": []}
    return [
        _one("signed on its own", log.bundle(0), True, ["signature pass signature_ok"], trust(**one)),
        _one(
            "signed on its own, a key that is none beside the right one",
            log.bundle(0),
            True,
            ["signature pass signature_ok"],
            trust(receiptKeys=["AAAA", *both["receiptKeys"]]),
        ),
        _one(
            "signed on its own, only a key that is none",
            log.bundle(0),
            False,
            ["signature fail signature_unknown_key"],
            trust(receiptKeys=["AAAA"]),
        ),
        _one(
            "signature of another body", log.bundle(1), False, ["signature fail signature_bad", "inclusion pass inclusion_ok"], trust(**one)
        ),
        _one("two signatures, both keys given", log.bundle(2), True, ["signature pass signature_ok"], trust(**both)),
        _one(
            "two signatures, one key given",
            log.bundle(2),
            False,
            ["signature fail signature_unknown_key", "inclusion pass inclusion_ok"],
            trust(**one),
        ),
        _one(
            "no signature where there must be one, and no receipt key",
            log.bundle(3),
            False,
            ["signature fail signature_missing", "inclusion pass inclusion_ok"],
        ),
        _one(
            "a policy where there was none",
            log.bundle(4, documents=nothing),
            False,
            ["inputs fail inputs_none", "inclusion pass inclusion_ok"],
        ),
        _one("no policy, and none is brought", log.bundle(4), True, ["inputs not-checked inputs_not_disclosed"]),
        _one(
            "an entry that names another log",
            log.bundle(5),
            False,
            ["checkpoint fail checkpoint_wrong_log", "inclusion not-checked inclusion_no_checkpoint"],
        ),
    ]


def extended_cases() -> List[Case]:
    return [*_signature_line_cases(), *_cosignature_cases(), *_receipt_cases(), *_entry_cases(), *_score_cases()]


def _session(name: str, files: Sequence[bytes], expect: str, now: Optional[str] = None, believed: Optional[Case] = None) -> Case:
    """`expect`: ok, end, then codes of chain and outcomes with their status."""
    ok, end, chain, outcomes = expect.split(" ")
    checks = [f"chain {chain.replace(':', ' ')}", f"outcomes {outcomes.replace(':', ' ')}"]
    value: Case = {"name": name, "trust": trust() if believed is None else believed}
    if now is not None:
        value["now"] = now
    value["files"] = [file.decode() for file in files]
    value["expect"] = {"ok": ok == "true", "end": end, "checks": checks}
    return value


def _of(chain: Chain) -> List[bytes]:
    return Log().extend(chain.bodies).bundles()


def _outcome_session_cases() -> List[Case]:
    def awaiting(due: Optional[str] = DUE) -> Chain:
        chain = Chain()
        chain.receipt(1, due)
        return chain

    pending, ended, late, in_time, twice, unbound, early, free = (awaiting() for _ in range(8))
    ended.end(4)
    late.outcome(2, uuid(1), "2026-01-02T03:05:05.679Z")
    in_time.outcome(2, uuid(1), DUE)
    twice.outcome(2, uuid(1))
    twice.outcome(3, uuid(1))
    unbound.outcome(2, uuid(7))
    early = Chain()
    early.outcome(2, uuid(1))
    early.receipt(1, DUE)
    free = awaiting(None)
    free.outcome(2, uuid(1), "2030-01-01T00:00:00.000Z")
    free_twice = awaiting(None)
    free_twice.outcome(2, uuid(1))
    free_twice.outcome(3, uuid(1))
    same_id_later = awaiting(None)
    same_id_later.receipt(1, DUE)
    same_id_later.outcome(2, uuid(1))
    same_id_later.end(4)
    same_id = awaiting()
    same_id.receipt(1, DUE)
    same_id.outcome(2, uuid(1))
    same_id.end(4)
    return [
        _session("an outcome that is still awaited", _of(pending), "true open pass:chain_ok not-checked:outcome_pending"),
        _session("an outcome that is awaited until now", _of(pending), "true open pass:chain_ok not-checked:outcome_pending", DUE),
        _session(
            "an outcome that is overdue by a millisecond",
            _of(pending),
            "false open pass:chain_ok fail:outcome_missing",
            "2026-01-02T03:05:05.679Z",
        ),
        _session("an end before the outcome", _of(ended), "false closed pass:chain_ok fail:outcome_missing"),
        _session(
            "an end before the outcome was due", _of(ended), "false closed pass:chain_ok fail:outcome_missing", "2026-01-02T03:04:06.000Z"
        ),
        _session("an outcome one millisecond late", _of(late), "false open pass:chain_ok fail:outcome_late"),
        _session(
            "an outcome in the last millisecond", _of(in_time), "true open pass:chain_ok pass:outcomes_ok", "2027-01-01T00:00:00.000Z"
        ),
        _session("two outcomes", _of(twice), "false open pass:chain_ok fail:outcome_twice"),
        _session("an outcome of no receipt", _of(unbound), "false open pass:chain_ok fail:outcome_unbound"),
        _session("an outcome before its receipt", _of(early), "false open pass:chain_ok fail:outcome_unbound"),
        _session("an outcome that nobody awaits", _of(free), "true open pass:chain_ok pass:outcomes_ok"),
        _session("two outcomes that nobody awaits", _of(free_twice), "false open pass:chain_ok fail:outcome_twice"),
        _session(
            "two receipts of one id, the second awaits the outcome", _of(same_id_later), "false closed pass:chain_ok fail:outcome_missing"
        ),
        _session("two receipts of one id and one outcome", _of(same_id), "false closed pass:chain_ok fail:outcome_missing"),
    ]


def _chain_session_cases() -> List[Case]:
    _, whole = full_session()
    other, other_org, after, swapped, broken = Chain("session-2"), Chain(org="org-2"), Chain(), Chain(), Chain()
    alike = Chain("b\na", "a")
    alike.receipt(1)
    alike.session, alike.org = "a", "a\nb"
    alike.receipt(2)
    other.receipt(8)
    other_org.receipt(8)
    after.end(1)
    after.receipt(2)
    for n in (1, 2):
        swapped.receipt(n)
    broken.receipt(1)
    broken.prev = "a" * 64
    broken.receipt(2)
    faces = []
    for n in (1, 2):
        face = Chain()
        face.receipt(n)
        faces.append(Log().extend(face.bodies).bundle(0))
    not_reached = "not-checked:not_reached"
    closed_ok = "true closed pass:chain_ok pass:outcomes_ok"
    other_key = Key("example.org/other", 12)
    far = Chain(origin=other_key.name)
    far.receipt(9)
    elsewhere = Log(other_key.name, [other_key]).extend(far.bodies).bundles()
    stranger = Log(keys=[STRANGER]).extend(other.bodies).bundles()
    return [
        _session("whole and ended", whole, closed_ok),
        _session("whole and ended, in another order", [whole[n] for n in (3, 1, 0, 2)], closed_ok),
        _session("whole and open", whole[:3], "true open pass:chain_ok pass:outcomes_ok"),
        _session("nothing", [], f"false open fail:chain_empty {not_reached}"),
        _session("the first entry missing", whole[1:], f"false closed fail:chain_gap {not_reached}"),
        _session("an entry in the middle missing", [whole[0], whole[2]], f"false open fail:chain_gap {not_reached}"),
        _session("the outcome missing", [whole[0], whole[2], whole[3]], f"false closed fail:chain_gap {not_reached}"),
        _session("an entry twice", [*whole, whole[1]], f"false closed fail:chain_repeated {not_reached}"),
        _session("two sessions", Log().extend([swapped.bodies[0], *other.bodies]).bundles(), f"false open fail:chain_mixed {not_reached}"),
        _session("two orgs", Log().extend([swapped.bodies[0], *other_org.bodies]).bundles(), f"false open fail:chain_mixed {not_reached}"),
        _session("an org and session that read like another's with a newline", _of(alike), f"false open fail:chain_mixed {not_reached}"),
        _session(
            "two logs",
            [*Log().extend(swapped.bodies[:1]).bundles(), *elsewhere],
            f"false open fail:chain_mixed {not_reached}",
            None,
            trust([LOG_KEY, other_key]),
        ),
        _session(
            "two entries at one place",
            [Log().extend(swapped.bodies[:1]).bundle(0), Log().extend(swapped.bodies[::-1]).bundle(0)],
            f"false open fail:chain_order {not_reached}",
        ),
        _session("an entry behind the end", _of(after), f"false closed fail:chain_after_end {not_reached}"),
        _session("in another order in the log", Log().extend(swapped.bodies[::-1]).bundles(), f"false open fail:chain_order {not_reached}"),
        _session("an entry that does not follow", _of(broken), f"false open fail:chain_broken {not_reached}"),
        _session("told by a log with two faces", faces, f"false open fail:chain_forked {not_reached}"),
        _session("an entry that is not proven", [*whole, *stranger], f"false open fail:chain_unproven {not_reached}"),
        _session("a file that is no bundle", [*whole, b"{}"], f"false open fail:chain_unproven {not_reached}"),
    ]


def _other_session_cases() -> List[Case]:
    vault, keys = Chain("countersign.vault"), Chain("countersign.log", "countersign")
    vault.erasure(1, "a")
    vault.erasure(2, "b")
    keys.log_key(10, [LOG_KEY.vkey, NEW_LOG_KEY.vkey], NEW_LOG_KEY.vkey, None)
    keys.log_key(11, [NEW_LOG_KEY.vkey], None, LOG_KEY.vkey)
    ok = "true open pass:chain_ok pass:outcomes_ok"
    two = Log(keys=[LOG_KEY, NEW_LOG_KEY]).extend(keys.bodies)
    rotated = [two.bundle(0, 1), Log(keys=[NEW_LOG_KEY]).extend(keys.bodies).bundle(1)]
    cosigned = Log(witnesses=WITNESSES[:2]).extend(full_session()[0].entries[n]["body"] for n in range(4)).bundles()
    return [
        _session("erasures", _of(vault), ok),
        _session("changes of log keys", _of(keys), ok),
        _session("across a change of log keys", rotated, ok, None, trust([LOG_KEY, NEW_LOG_KEY])),
        _session("across a change of log keys, without the newer one", rotated, "false open fail:chain_unproven not-checked:not_reached"),
        _session("cosigned", cosigned, "true closed pass:chain_ok pass:outcomes_ok", None, trust(witnesses=WITNESSES[:2])),
        _session(
            "not cosigned enough", cosigned, "false open fail:chain_unproven not-checked:not_reached", None, trust(witnesses=WITNESSES)
        ),
    ]


def session_cases() -> List[Case]:
    return [*_chain_session_cases(), *_outcome_session_cases(), *_other_session_cases()]


def _long_log(origin: str = ORIGIN, key: Key = LOG_KEY, first: int = 1) -> Log:
    chain = Chain(origin=origin)
    for n in range(first, first + 9):
        chain.receipt(n)
    return Log(origin, [key]).extend(chain.bodies)


def _nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


def _seen(case: Case, note: str) -> Case:
    return {**{name: case[name] for name in ("name", "trust")}, "seen": note, **{name: case[name] for name in ("file", "expect")}}


def consistency_cases() -> List[Case]:
    log, fork = _long_log(), _long_log(first=100)
    other_key = Key("example.org/other", 12)
    other = _long_log("example.org/other", other_key)
    three_nine = log.consistency(3, 9)
    proof = [to_base64(item) for item in consistency_path(3, log.leaves)]
    grown = [
        _one(f"from {old} to {new}", log.consistency(old, new), True, ["consistency pass consistency_ok"])
        for old, new in ((0, 9), (1, 9), (3, 9), (4, 8), (4, 9), (7, 9), (8, 9), (9, 9), (0, 0))
    ]
    form, bad = "consistency-form fail consistency_", "consistency fail consistency_bad"
    no_head = "consistency not-checked consistency_no_checkpoint"
    good = _one(
        "",
        three_nine,
        True,
        ["consistency-form pass consistency_form_ok", "checkpoint pass checkpoint_ok", "consistency pass consistency_ok"],
    )
    unseen = _one("", three_nine, False, ["checkpoint pass checkpoint_ok", "consistency fail consistency_not_seen"])
    return [
        *grown,
        _seen({**good, "name": "from the checkpoint that was seen"}, log.note(3)),
        _seen({**good, "name": "from the text of the checkpoint that was seen"}, log.text(3)),
        _seen({**unseen, "name": "from another size than was seen"}, log.note(4)),
        _seen({**unseen, "name": "from another root than was seen"}, fork.note(3)),
        _seen({**unseen, "name": "from another log than was seen"}, other.note(3)),
        _seen({**unseen, "name": "what was seen is no checkpoint"}, "nothing"),
        _one("a tree that shrank", log.consistency(9, 3), False, ["consistency fail consistency_rollback"]),
        _one("one size with two roots", log.consistency(3, 3, new=fork.note(3)), False, ["consistency fail consistency_fork"]),
        _one("another log's future", log.consistency(3, 9, new=fork.note(9)), False, [bad]),
        _one(
            "proof of other sizes", log.consistency(3, 9, proof=[to_base64(item) for item in consistency_path(4, log.leaves)]), False, [bad]
        ),
        _one("one hash short", log.consistency(3, 9, proof=proof[1:]), False, [bad]),
        _one("one hash too many", log.consistency(3, 9, proof=[*proof, proof[0]]), False, [bad]),
        _one("no hash", log.consistency(3, 9, proof=[]), False, [bad]),
        _one("a hash between equal sizes", log.consistency(3, 3, proof=proof[:1]), False, [bad]),
        _one("a hash from nothing", log.consistency(0, 9, proof=proof[:1]), False, [bad]),
        _one("trailing bits in a hash", log.consistency(3, 9, proof=[f"{item[:42]}B=" for item in proof]), False, [bad]),
        _one(
            "two logs",
            log.consistency(3, 9, new=other.note(9)),
            False,
            ["checkpoint fail consistency_other_log", no_head],
            trust([LOG_KEY, other_key]),
        ),
        _one(
            "the older note by nobody who is given",
            log.consistency(3, 9, old=_long_log(key=STRANGER).note(3)),
            False,
            ["checkpoint fail note_unverified", no_head],
        ),
        _one(
            "the newer note by nobody who is given",
            log.consistency(3, 9, new=_long_log(key=STRANGER).note(9)),
            False,
            ["checkpoint fail note_unverified", no_head],
        ),
        _one(
            "by the key of another log",
            _long_log(key=other_key).consistency(3, 9),
            False,
            ["checkpoint fail checkpoint_wrong_key", no_head],
            trust([other_key]),
        ),
        _one("no log key", three_nine, False, ["checkpoint fail checkpoint_no_trust"], trust([])),
        _one("newline at the end", three_nine + b"\n", False, [f"{form}not_canonical", "checkpoint not-checked not_reached"]),
        _one("not JSON", b"", False, [f"{form}not_json"]),
        _one("unknown member", log.consistency(3, 9, zz=1), False, [f"{form}malformed"]),
        _one("80 containers in each other", log.consistency(3, 9, zz=_nested(79)), False, [f"{form}malformed"]),
        _one("81 containers in each other", log.consistency(3, 9, zz=_nested(80)), False, [f"{form}not_json"]),
        _one("65 hashes", log.consistency(3, 9, proof=[proof[0]] * 65), False, [f"{form}malformed"]),
        _one("64 hashes", log.consistency(3, 9, proof=[proof[0]] * 64), False, [bad]),
        _one("another type", log.consistency(3, 9, type="countersign.consistency.v2"), False, [f"{form}malformed"]),
    ]
