"""Entry point: gathers the commands, and turns every failure into one line and an exit code of `exits.ExitCode`."""

from __future__ import annotations

from embassay.cli import interrupts

if __name__ == "__main__":  # before anything else is loaded
    interrupts.listen()

import functools
import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from embassay import __version__, plugins
from embassay.cli.arguments import checked_arguments, checked_words
from embassay.cli.exits import EPILOG, ExitCode
from embassay.cli.failures import Failure, failure_of, tell
from embassay.cli.running import COMMAND, name_of
from embassay.cli.terminal import abandon, guarded, printable_streams
from embassay.text import printable

if TYPE_CHECKING:
    import typer


COMMANDS = "embassay.cli.commands"
VERSION = "--version"


def build(arguments: Sequence[str] | None = None) -> typer.Typer:
    """The application with all its commands; with `arguments`, with those alone that they need to be understood."""
    import typer

    app = typer.Typer(
        name="embassay",
        help="Choose, run, measure and switch embedding models.\n\nStart with: embassay index FOLDER",
        epilog=EPILOG,
        no_args_is_help=True,
        invoke_without_command=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )

    @app.callback()
    def options(version: bool = typer.Option(False, VERSION, help="Print the version.", is_eager=True)) -> None:
        if version:
            typer.echo(__version__)
            raise typer.Exit

    _add(app, _needed(arguments or ()))
    return app


def _needed(arguments: Sequence[str]) -> Mapping[str, Any]:
    """Name to module of the one command that `arguments` begin with, else of all of them."""
    name = arguments[0] if arguments else ""
    if name in plugins.own_names(COMMANDS):
        return {name: plugins.load(COMMANDS, name)}
    return plugins.load_all(COMMANDS)


def _add(app: typer.Typer, modules: Mapping[str, Any]) -> None:
    """Each module as a command of its name; a package is a group of commands."""
    import typer

    for name, module in modules.items():
        if hasattr(module, "__path__"):
            group = typer.Typer(help=module.__doc__, no_args_is_help=True, epilog=EPILOG)
            _add(group, plugins.load_all(module.__name__))
            app.add_typer(group, name=name)
        else:
            needs = getattr(module, "NEEDS_ARGUMENTS", False)
            app.command(name, help=_help(module.command), no_args_is_help=needs)(_until_told(module.command))


def main() -> None:
    """Run the command line; never a traceback, unless EMBASSAY_DEBUG is set."""
    printable_streams()
    arguments = sys.argv[1:]
    if arguments == [VERSION]:  # scripts ask for it often, and nothing has to be loaded for the answer
        print(__version__)  # noqa: T201
        raise SystemExit(ExitCode.DONE)
    as_json = "--json" in arguments[: _last_option(arguments)]
    try:
        checked_words(arguments)
        code = build(arguments)(arguments, prog_name="embassay", standalone_mode=False)
        if code == ExitCode.INTERRUPTED and not isinstance(code, ExitCode):  # typer's word for a Ctrl-C of its own
            raise KeyboardInterrupt
    except (Exception, KeyboardInterrupt) as error:  # before a command began: wrong usage, or a defect
        code = _end(error, as_json=as_json)
    raise SystemExit(int(code or ExitCode.DONE))


def _until_told(command: Callable[..., None]) -> Callable[..., None]:
    """`command`, which tells of its failure in the way that its arguments ask for.

    It ends well when whoever reads the output has gone, as `| head` does.
    """
    import typer

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        COMMAND.set(name_of(command))
        try:
            with guarded():
                command(*args, **checked_arguments(kwargs))
            sys.stdout.flush()
        except BrokenPipeError:
            abandon(sys.stdout)
        except typer.Exit:
            raise
        except (Exception, KeyboardInterrupt) as error:
            as_json = bool(kwargs.get("json")) or kwargs.get("format") == "json"
            raise typer.Exit(_end(error, as_json=as_json)) from None

    return run


def _end(error: BaseException, *, as_json: bool) -> ExitCode:
    """Tell of `error`; what to exit with."""
    import typer

    if isinstance(error, typer.Abort):
        failure = Failure("declined", "nobody agreed, so nothing was done.", ExitCode.FAILED)
    elif isinstance(error, typer.TyperException):
        if not error.format_message():  # no arguments at all: the help was shown
            return ExitCode.USAGE
        failure = _usage(error)
    elif os.environ.get("EMBASSAY_DEBUG") and not isinstance(error, KeyboardInterrupt):
        sys.excepthook = _trace
        raise error
    else:
        failure = failure_of(error)
    tell(failure, as_json=as_json)
    return failure.exit


def _trace(_: type[BaseException], error: BaseException, __: object) -> None:
    """Python's own word for an error that nobody caught: it may quote whatever a document or a server said."""
    from traceback import format_exception

    sys.stderr.write(printable("".join(format_exception(error)), lines=True))


def _usage(error: typer.TyperException) -> Failure:
    """Arguments that cannot be parsed."""
    context: Any = getattr(error, "ctx", None)
    said = error.format_message().strip()
    message = f"{said[:1].lower()}{said[1:]}{'' if said.endswith(('.', '?')) else '.'}"
    remedy = f"See: {context.command_path} --help" if context else ""
    return Failure("usage", message, ExitCode.USAGE, remedy)


def _last_option(arguments: list[str]) -> int:
    """Where options end: whatever follows ``--`` is an argument."""
    return arguments.index("--") if "--" in arguments else len(arguments)


def _help(command: Callable[..., None]) -> str:
    """The docstring, its paragraphs without line breaks: a terminal has a width of its own. Examples keep theirs."""
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    return "\n\n".join(p if p.startswith("\b") else " ".join(p.splitlines()) for p in paragraphs)


if __name__ == "__main__":
    interrupts.watch(main)
