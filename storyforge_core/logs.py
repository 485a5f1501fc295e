"""How the program logs: one pipe for our events and for those of every library, to standard error or to a file."""

import logging
import os
import re
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from storyforge_core.errors import SetupError

_FILE_BYTES = 5_000_000
_FILES_KEPT = 3
_CHATTY = ("asyncio", "httpcore", "httpx", "procrastinate", "sqlalchemy")
"""These report every request or job at `info`; ours say the same once, with the run's id."""

# Greedy up to the last @ of the word: rather too much is hidden than half a password shown.
_LOGIN = re.compile(r"""(?<=://)[^\s/@"']*:[^\s"']*@""")
_PARAMETER = re.compile(r"""(?i)\b(password|token|secret|api_key)=[^\s&"']+""")


class _File(RotatingFileHandler):
    """A log on a disk that may be full: what cannot be written is lost, and says nothing between the story's lines."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


def configure(level: str, fmt: Literal["text", "json"], file: Path | None = None) -> None:
    """Send everything from `level` up to `file`, or without one to standard error; a later call replaces the former.

    Values bound with `structlog.contextvars.bound_contextvars(run=…, playthrough=…, room=…)` stand on every line.

    Raises:
        SetupError: the file cannot be written.
    """
    handler = _handler(file)
    handler.setFormatter(_formatter(fmt, coloured=file is None and _wants_colours()))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.captureWarnings(capture=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.INFO if level == "debug" else logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def hide_secrets(text: str) -> str:
    """Blot out passwords in addresses and in `password=…` wherever they stand in a text."""
    return _PARAMETER.sub(r"\1=***", _LOGIN.sub("***@", text))


def _handler(file: Path | None) -> logging.Handler:
    if file is None:
        return logging.StreamHandler(sys.stderr)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return _File(file, maxBytes=_FILE_BYTES, backupCount=_FILES_KEPT, encoding="utf-8")
    except OSError as error:
        raise SetupError(
            f"The log {file} cannot be written ({error.strerror}): set DATA_DIR to another place."
        ) from error


def _wants_colours() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and sys.platform != "win32"


def _shared() -> tuple[Processor, ...]:
    return (
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    )


def _formatter(fmt: Literal["text", "json"], *, coloured: bool) -> logging.Formatter:
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if fmt == "json"
        else structlog.dev.ConsoleRenderer(colors=coloured, exception_formatter=structlog.dev.plain_traceback)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_shared(), structlog.stdlib.ExtraAdder()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _redacted(renderer)],
    )


def _redacted(renderer: Processor) -> Processor:
    """Look at the finished line: nothing that is printed can have gone around it."""

    def render(logger: WrappedLogger, name: str, event: EventDict) -> str:
        return hide_secrets(str(renderer(logger, name, event)))

    return render
