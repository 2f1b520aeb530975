"""Entry point: gathers the commands, and turns every failure into one line and an exit code.

0 done · 1 failed, or doctor found something · 2 wrong usage · 3 done, but some documents are quarantined ·
4 a gate of eval does not hold · 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from embassay.errors import EmbassayError

if TYPE_CHECKING:
    import typer

EPILOG = "Exit codes: 0 done, 1 failed or unwell, 2 usage, 3 some documents quarantined, 4 a gate failed, 130 Ctrl-C."


def build() -> typer.Typer:
    """The application with all its commands."""
    import typer

    from embassay import __version__

    app = typer.Typer(
        name="embassay",
        help="Choose, run, measure and switch embedding models. Start with: embassay index FOLDER",
        epilog=EPILOG,
        no_args_is_help=True,
        invoke_without_command=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )

    @app.callback()
    def options(version: bool = typer.Option(False, "--version", help="Print the version.", is_eager=True)) -> None:
        if version:
            typer.echo(__version__)
            raise typer.Exit

    _add(app, "embassay.cli.commands")
    return app


def _add(app: typer.Typer, package: str) -> None:
    """Every module of `package` as a command of its name; a package inside it is a group of commands."""
    import typer

    from embassay import plugins

    for name, module in plugins.load_all(package).items():
        if hasattr(module, "__path__"):
            group = typer.Typer(help=module.__doc__, no_args_is_help=True, epilog=EPILOG)
            _add(group, module.__name__)
            app.add_typer(group, name=name)
        else:
            needs = getattr(module, "NEEDS_ARGUMENTS", False)
            app.command(name, help=_help(module.command), no_args_is_help=needs)(_until_unread(module.command))


def main() -> None:
    """Run the command line; never a traceback, unless EMBASSAY_DEBUG is set."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115
    try:
        build()()
    except EmbassayError as error:
        _fail(error, str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail(None, "stopped.", 130)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(error, f"{where}{error.strerror or error}.", 1)
    except MemoryError as error:
        _fail(error, "out of memory.", 1)
    except Exception as error:  # a defect of ours: still one line
        _fail(error, f"unexpected {type(error).__name__}: {error} (EMBASSAY_DEBUG=1 shows where).", 1)


def _help(command: Callable[..., None]) -> str:
    """The docstring, its paragraphs without line breaks: a terminal has a width of its own. Examples keep theirs."""
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    return "\n\n".join(p if p.startswith("\b") else " ".join(p.splitlines()) for p in paragraphs)


def _until_unread(command: Callable[..., None]) -> Callable[..., None]:
    """Ends well when whoever reads the output has gone, as `| head` does."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    return run


def _fail(error: BaseException | None, message: str, code: int) -> None:
    if error and os.environ.get("EMBASSAY_DEBUG"):
        raise error
    shown = "".join(c if c.isprintable() else " " for c in " ".join(message.split()))
    print(f"embassay: {shown}", file=sys.stderr)  # noqa: T201
    raise SystemExit(code)


if __name__ == "__main__":
    main()
