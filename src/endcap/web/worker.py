"""
What each worker serves: the API and, unless it is switched off, the console.
"""

from endcap.api.app import App, build
from endcap.api.worker import main
from endcap.config import Settings, load
from endcap.telemetry import configure_logging
from endcap.web.console import Console


def whole(settings: Settings | None = None) -> App:
    """The application by the environment's settings."""
    chosen = settings or load()
    configure_logging(chosen)
    parts = build(chosen)
    return App(parts, also=[Console(parts).mount] if chosen.console else ())


if __name__ == "__main__":
    main(whole)
