"""A second, independent verifier of Countersign's evidence, written from spec/bundle.md, spec/receipt.md and spec/log.md.

Offline; total: whatever the bytes are, the answer is a report and never an exception.
"""

from .report import Check, Report, SessionReport
from .trust import Trust
from .verify_bundle import verify_bundle
from .verify_consistency import verify_consistency
from .verify_session import verify_session

__all__ = ["Check", "Report", "SessionReport", "Trust", "verify_bundle", "verify_consistency", "verify_session"]
