"""
Past transactions that came over HTTP: the same import by the rules of the wire.

Two formats, JSON Lines and CSV without a header, and instants without a zone
(https://docs.luigisbox.com/analytics/past_transactions_import.html). Faults are told without the names of our files.
"""

from collections.abc import Callable
from pathlib import Path

from endcap.domain import Micros, TrackerId
from endcap.errors import FaultyFields, FaultyRows, UsageFault
from endcap.transfer.rows import Format, format_of, is_gzipped
from endcap.transfer.transactions import TransactionsReport, import_transactions

FAULTS_TOLD_MAX = 10
CSV_COLUMNS = ("order_id", "identity", "auth_user_id", "created_at")
_INVALID = "Invalid upload provided"


def import_upload(
    data_dir: Path,
    tracker: TrackerId,
    path: Path,
    *,
    now: Micros,
    new_id: Callable[[], str],
) -> TransactionsReport:
    """Adds an uploaded file's order lines to the tracker's. Raises FaultyRows or FaultyFields, with nothing stored."""
    try:
        if is_gzipped(path):
            raise UsageFault("It is compressed: send it as it is")
        kind = format_of(path)
        if kind not in (Format.JSON_LINES, Format.CSV):
            raise UsageFault(f"It is {kind}: send JSON Lines, or CSV without a header")
        return import_transactions(
            data_dir,
            tracker,
            path,
            columns=CSV_COLUMNS if kind is Format.CSV else None,
            now=now,
            new_id=new_id,
            uploaded=True,
        )
    except FaultyRows as problem:
        first = sorted(problem.faults.items())[:FAULTS_TOLD_MAX]
        told = FaultyRows(dict(first), total=problem.total)
        said = f"{problem.total} lines are faulty, the first {len(first)} are named"
        told.details = {"file": [said], **told.details}
        raise told from problem
    except UsageFault as fault:
        said = fault.reason.replace(str(path), "The file")
        raise FaultyFields(_INVALID, {"file": [said]}) from fault
