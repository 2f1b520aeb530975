"""Entry point: gathers the commands, and turns every failure into one line and an exit code.

0 done · 1 failed, or doctor found something · 2 wrong usage · 3 done, but some documents are quarantined ·
130 stopped by Ctrl-C.
"""

from __future__ import annotations

import os
import sys

import typer

from mensura import __version__, plugins
from mensura.errors import MensuraError

EPILOG = "Exit codes: 0 done, 1 failed or unwell, 2 usage, 3 some documents quarantined, 130 Ctrl-C."


def build() -> typer.Typer:
    app = typer.Typer(
        name="mensura",
        help="Choose, run, measure and switch embedding models. Start with: mensura index FOLDER",
        epilog=EPILOG,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )

    @app.callback()
    def options(version: bool = typer.Option(False, "--version", help="Print the version.", is_eager=True)) -> None:
        if version:
            typer.echo(__version__)
            raise typer.Exit

    app.info.invoke_without_command = True
    for name, module in plugins.load_all("mensura.cli.commands").items():
        app.command(name.removesuffix("_"), no_args_is_help=getattr(module, "NEEDS_ARGUMENTS", False))(module.command)
    return app


def main() -> None:
    """Run the command line; never a traceback, unless MENSURA_DEBUG is set."""
    try:
        build()()
    except MensuraError as error:
        _fail(error, str(error), error.exit_code)
    except KeyboardInterrupt:
        print("mensura: stopped.", file=sys.stderr)  # noqa: T201
        _leave(130)
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        _leave(0)
    except MemoryError as error:
        _fail(error, "out of memory.", 1)
    except Exception as error:  # a defect of ours: still one line
        _fail(error, f"unexpected {type(error).__name__}: {error} (MENSURA_DEBUG=1 shows where).", 1)


def _fail(error: BaseException, message: str, code: int) -> None:
    if os.environ.get("MENSURA_DEBUG"):
        raise error
    print(f"mensura: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201
    _leave(code)


def _leave(code: int) -> None:
    """Flush what can be flushed and go; a closed pipe must not raise once more at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (BrokenPipeError, OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    raise SystemExit(code)


if __name__ == "__main__":
    main()
