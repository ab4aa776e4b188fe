"""
One build of one tracker as a process: what the schedule starts.

`python -m endcap.api.building TRACKER` has the server's environment, the lowest priority, and says what
`endcap.builder.Said` is. It ends in good order on SIGTERM and when its standard input does; what it had begun is gone
then. Who starts it holds the tracker's lease.
"""

import os
import signal
import sys
import threading

import msgspec

from endcap.api.app import Parts, build
from endcap.builder import Said
from endcap.clock import system_clock
from endcap.config import load
from endcap.domain import TrackerId
from endcap.errors import Problem, StoreUnavailable
from endcap.publishing import build_and_publish, prune, sweep
from endcap.telemetry import configure_logging, log

ACTOR = "schedule"
PRIORITY_LEAST = 19
STOPPED = 128 + signal.SIGTERM


def main() -> None:
    os.nice(PRIORITY_LEAST)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    threading.Thread(target=_end_with_the_starter, daemon=True).start()
    tracker = TrackerId(sys.argv[1])
    try:
        settings = load()
        configure_logging(settings)
        parts = build(settings)
        try:
            _build(parts, tracker)
        finally:
            parts.close()
    except KeyboardInterrupt:
        sys.exit(STOPPED)
    except Problem as problem:
        cause = f" ({problem.__cause__})" if problem.__cause__ else ""
        _say(Said(problem=f"{problem}{cause}", code=problem.code))
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - whoever started this is told in any case
        log.error("internal error", tracker=tracker, exc_info=error)
        _say(Said(problem=f"{type(error).__name__}: {error}"))
        sys.exit(1)


def _build(parts: Parts, tracker: TrackerId) -> None:
    settings, store = parts.settings, parts.store
    if left := sweep(settings.data_dir, tracker):
        log.info("leftovers of a killed build are deleted", tracker=tracker, leftovers=left)
    published = build_and_publish(
        store,
        settings.data_dir,
        tracker,
        actor=ACTOR,
        now=system_clock(),
        progress=lambda step, done, total: _say(Said(step=f"{step} ({done} of {total})")),
        memory_mb=settings.build_memory_mb,
        threads=settings.build_threads,
        source=parts.source,
    )
    _say(Said(published=published))
    try:
        prune(store, settings.data_dir, tracker, keep=settings.artifacts_kept, now=system_clock())
    except (OSError, StoreUnavailable) as error:
        log.warning("older artifacts cannot be deleted", tracker=tracker, reason=str(error))


def _say(said: Said) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
    sys.stdout.buffer.flush()


def _end_with_the_starter() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
