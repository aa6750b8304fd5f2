"""The chain of one session from its bundles: BNDL-020 to BNDL-023."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from .entry_form import OUTCOME, RECEIPT, SESSION_END, org_of
from .limits import SESSION_BUNDLES_MAX
from .note import Checkpoint
from .report import FAIL, PASS, Check, Report, SessionReport, failed, not_checked, passed
from .trust import Trust
from .verify_bundle import Examined, examine


class _Link(NamedTuple):
    """What the chain needs of one proven bundle."""

    body: Dict[str, Any]
    body_hash: str
    place: int
    checkpoint: Checkpoint


def _link_of(examined: Examined) -> Optional[_Link]:
    if not examined.report.ok or examined.body is None or examined.checkpoint is None:
        return None
    # The verdict and the like are not needed any more: a long session keeps little of each entry.
    kept = {name: examined.body[name] for name in ("type", "id", "time", "log", "session", "seq", "prev")}
    kept["org"] = org_of(examined.body)
    for name in ("outcomeBy", "receipt"):
        if name in examined.body:
            kept[name] = examined.body[name]
    return _Link(kept, examined.body_hash, examined.place, examined.checkpoint)


def _check_fork(links: Sequence[_Link]) -> Optional[Check]:
    heads: Dict[Tuple[str, int], bytes] = {}
    for link in links:
        origin, size, root = link.checkpoint
        if heads.setdefault((origin, size), root) != root:
            return failed("chain", "chain_forked", f"The log signed two trees of size {size}.")
    return None


def _link_fault(link: _Link, before: Optional[_Link], seq: int) -> Optional[Check]:
    body = link.body
    if body["seq"] < seq:
        return failed("chain", "chain_repeated", f"Number {body['seq']} of the session is there twice.")
    if body["seq"] > seq:
        return failed("chain", "chain_gap", f"Number {seq} of the session is missing.")
    if body["prev"] != (None if before is None else before.body_hash):
        return failed("chain", "chain_broken", f"Number {seq} of the session does not name the entry before it.")
    if before is not None and link.place <= before.place:
        return failed("chain", "chain_order", f"Number {seq} of the session stands before number {seq - 1} in the log.")
    if before is not None and before.body["type"] == SESSION_END:
        return failed("chain", "chain_after_end", f"The session goes on behind its end at number {seq - 1}.")
    return None


def _check_chain(links: Sequence[_Link]) -> Check:
    """`links` in the order of their counters."""
    if not links:
        return failed("chain", "chain_empty", "There is no bundle.")
    first = links[0].body
    if any(link.body[name] != first[name] for link in links for name in ("log", "org", "session")):
        return failed("chain", "chain_mixed", "The bundles are of more than one session, org or log.")
    for seq, link in enumerate(links):
        fault = _link_fault(link, links[seq - 1] if seq > 0 else None, seq)
        if fault is not None:
            return fault
    return passed("chain", "chain_ok", f"The chain of session {first['session']} is whole from 0 to {len(links) - 1}.")


def _bind_outcomes(links: Sequence[_Link], awaited: Dict[int, str]) -> Optional[Check]:
    """Strikes from `awaited` (counter -> due time) what has its outcome. Of several receipts with one id, the first is meant."""
    receipts: Dict[str, int] = {}
    answered = set()
    for seq, link in enumerate(links):
        body = link.body
        if body["type"] == RECEIPT:
            receipts.setdefault(body["id"], seq)
            if body["outcomeBy"] is not None:
                awaited[seq] = body["outcomeBy"]
        if body["type"] != OUTCOME:
            continue
        bound = receipts.get(body["receipt"])
        if bound is None:
            return failed("outcomes", "outcome_unbound", f"The outcome at number {seq} names no receipt before it in the chain.")
        if bound in answered:
            return failed("outcomes", "outcome_twice", f"The outcome at number {seq} is the second one of the receipt at number {bound}.")
        answered.add(bound)
        due = awaited.pop(bound, None)
        # Times have one form and one length, so that their texts are in order.
        if due is not None and body["time"] > due:
            return failed("outcomes", "outcome_late", f"The outcome at number {seq} came after {due}, when it was due.")
    return None


def _check_outcomes(links: Sequence[_Link], closed: bool, now: Optional[str]) -> Check:
    awaited: Dict[int, str] = {}
    fault = _bind_outcomes(links, awaited)
    if fault is not None:
        return fault
    for seq, due in awaited.items():
        if closed or (now is not None and due < now):
            why = "the session is closed" if closed else f"it was due by {due}"
            return failed("outcomes", "outcome_missing", f"The receipt at number {seq} has no outcome, and {why}.")
    if awaited:
        seq, due = next(iter(awaited.items()))
        return not_checked("outcomes", "outcome_pending", f"The receipt at number {seq} has no outcome yet; it is due by {due}.")
    return passed("outcomes", "outcomes_ok", "Every receipt that awaits an outcome has one, in time.")


def _not_reached(because: str) -> Check:
    return not_checked("outcomes", "not_reached", f"Outcomes were not checked, because {because}.")


def verify_session(files: Iterable[bytes], trust: Trust, now: Optional[str] = None) -> SessionReport:
    """Bundles as the whole chain of one session, in any order. `now` is an RFC 3339 time in UTC with milliseconds, as in entries."""
    reports: List[Report] = []
    links: List[_Link] = []
    for data in files:
        if len(reports) == SESSION_BUNDLES_MAX:
            chain = failed("chain", "chain_too_long", f"At most {SESSION_BUNDLES_MAX} bundles are verified at once.")
            return SessionReport(False, chain, _not_reached("there are too many bundles"), "open", [])
        examined = examine(data, trust)
        reports.append(examined.report)
        link = _link_of(examined)
        if link is not None:
            links.append(link)
    if len(links) < len(reports):
        chain = failed("chain", "chain_unproven", "A bundle of the session is not proven.")
        return SessionReport(False, chain, _not_reached("a bundle is not proven"), "open", reports)
    links.sort(key=lambda link: link.body["seq"])
    closed = any(link.body["type"] == SESSION_END for link in links)
    chain = _check_fork(links) or _check_chain(links)
    outcomes = _check_outcomes(links, closed, now) if chain.status == PASS else _not_reached("the chain is not whole")
    ok = chain.status == PASS and outcomes.status != FAIL
    return SessionReport(ok, chain, outcomes, "closed" if closed else "open", reports)
