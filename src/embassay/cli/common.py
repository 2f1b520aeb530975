"""What the commands share: their options, and how they print."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from embassay import jsontext
from embassay.cli import interrupts
from embassay.cli.running import COMMAND
from embassay.cli.tables import line
from embassay.cli.terminal import is_utf8, make_console
from embassay.errors import NotFinite
from embassay.events import WorkStoppable
from embassay.home import Home
from embassay.ingest.defaults import DEFAULT_TOKENS
from embassay.text import escaped_json, printable

if TYPE_CHECKING:
    from rich.console import Console

    from embassay.config.values import Config
    from embassay.embedders.wrap.batched import Batching
    from embassay.ingest.exclude import Exclusions
    from embassay.remedy import Remedy
    from embassay.session import Session
    from embassay.sets.folder import HomeFolder
    from embassay.stores.opening import NewStore

ConfigurationArgument = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads the annotation at run time
    typer.Argument(metavar="[FILE]", help="The configuration; default: the nearest embassay.yaml."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print data as JSON on stdout.")]
HomeOption = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads the annotation at run time
    typer.Option("--home", metavar="DIR", help="The home; default: EMBASSAY_HOME, or the nearest .embassay/."),
]
SetOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--set", metavar="NAME", help="The set to use; default: the chosen one, else default."),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
OneSetOption = Annotated[str, typer.Option("--set", metavar="NAME", help="Only this set; default: all.")]
ModelOfSetOption = Annotated[str, typer.Option("--set", metavar="NAME", help="Use the model of this set.")]
ModelOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--model",
        "-m",
        metavar="MODEL",
        help="A name of embassay.yaml, provider/model, a Hugging Face id or a folder; default: the configured one, "
        "else all-MiniLM-L6-v2.",
    ),
]
PrecisionOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--precision", metavar="P", help="Of models that run here: auto, f32, bf16 or int8."),
]
SplitOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--split", metavar="NAME", help="Which judgments; default: test."),
]
ChunkTokensOption = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(
        "--chunk-tokens",
        metavar="N",
        help=f"Most tokens of a chunk. Default: {DEFAULT_TOKENS}, or what the model takes if that is less.",
    ),
]
LanguageOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--language",
        metavar="LANG",
        help="The language of the documents: de, zh, ..., or mul for several. Default: found out from them.",
    ),
]
TruncateOption = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(
        "--truncate-dim", metavar="N", help="Cut vectors to N dimensions, where the model was trained for that."
    ),
]
DtypeOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--dtype", metavar="TYPE", help="Keep their numbers as float32, float16 or int8."),
]
MaxFileOption = Annotated[float, typer.Option(metavar="MB", help="Larger files are skipped, but for JSON lines.")]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="GLOB",
        help="Leave files out, as a .gitignore beside the home would: CHANGELOG.md, 'docs/old/**'; repeat it for more.",
    ),
]
ChunksOption = Annotated[bool, typer.Option("--chunks", help="Cut documents as for indexing; the best chunk counts.")]
DropOption = Annotated[
    bool, typer.Option("--drop-same-id", help="Leave out the hit whose id is the query's, as ArguAna needs.")
]
StoreOption = Annotated[str, typer.Option("--store", metavar="NAME", help="memory (exact) or lance (as indexed).")]
PIPE_WIDTH = 120
"""Columns of what is printed to a file or a pipe."""


@contextmanager
def opened_session(home: Path | None = None, *, keep_local: bool = False, create: bool = False) -> Iterator[Session]:
    """The one session of a command, with the cache of the home if there is one.

    `keep_local`: cache the vectors of local models too, for commands that ask for the same ones again. A home that is
    named and not there is made with `create`, for commands that write its cache; else HomeNotFound is raised.
    """
    from embassay.session import Session

    found = _home_if_any(home, create=create)
    cache_file = found.cache_file if found else None
    with Session(cache_file=cache_file, keep_local=keep_local, purpose=COMMAND.get()) as session, _warned(session):
        yield session


@contextmanager
def opened_home(
    home: Path | None, *, create: bool = False, keep_local: bool = False, batching: Batching | None = None
) -> Iterator[Home]:
    """The home of a command, in its one session. Raises HomeNotFound unless it may be made with `create`."""
    from embassay.session import Session
    from embassay.sets.folder import find_home

    folder = find_home(home, create=create)
    purpose = COMMAND.get()
    with (
        Session(cache_file=folder.cache_file, keep_local=keep_local, purpose=purpose, batching=batching) as session,
        _warned(session),
        Home(folder, session) as opened,
    ):
        session.events.subscribe(WorkStoppable, lambda work: interrupts.soften(work.stop))
        yield opened


@contextmanager
def _warned(session: Session) -> Iterator[None]:
    """At the end, also where it fails, say on stderr what whoever uses the results has to know."""
    try:
        yield
    finally:
        tell(session.untold())


def tell(notices: Iterable[str]) -> None:
    """Say on stderr what whoever uses the results has to know."""
    for notice in notices:
        messages().print(line((notice, "yellow")), soft_wrap=True)  # a line of configuration stays whole


def print_json(data: Any) -> None:
    """One document on stdout, whole or not at all. What a terminal would obey is escaped.

    Raises NotFinite for NaN and infinity, which JSON does not have.
    """
    indent = 2 if sys.stdout.isatty() else None
    try:
        document = jsontext.dumps(data, ascii_only=not is_utf8(sys.stdout), indent=indent)
    except ValueError:
        raise NotFinite("the result holds NaN or infinity, so that it was not printed.") from None
    sys.stdout.write(escaped_json(document) + "\n")


def console() -> Console:
    """The console for results, on stdout: plain and wide where that is no terminal. Nothing in a string is markup."""
    return make_console(sys.stdout, width=None if sys.stdout.isatty() else PIPE_WIDTH)


def messages() -> Console:
    """The console for progress and remarks, on stderr. Nothing in a string is markup."""
    return make_console(sys.stderr, stderr=True)


def confirm(question: str, mend: Remedy) -> None:
    """Ask on stderr whether to go on. Raises typer.Abort for a no, and UsageError where nobody can be asked: `mend` is
    the same command with a yes."""
    from embassay.errors import UsageError

    if not sys.stdin or not sys.stdin.isatty():
        raise UsageError("nobody is here to say yes.", remedy=mend)
    typer.confirm(printable(question), abort=True, err=True)


@contextmanager
def new_stores(name: str, home: Path | None = None) -> Iterator[NewStore]:
    """Yields what opens an empty store for so many dimensions, for the time of an evaluation.

    What it writes goes into the home, which is made where it is named and not there, or into the user's cache where
    there is none. Raises HomeNotWritable.
    """
    from embassay.config.values import user_cache
    from embassay.stores.opening import temporary_stores

    found = _home_if_any(home, create=True)
    with temporary_stores(name, found.folder if found else user_cache().parent) as new_store:
        yield new_store


def left_out(config: Config, patterns: Sequence[str] = (), home: Path | None = None) -> Exclusions:
    """What the configuration leaves out of the files of a command, and `patterns`, relative to the home's project.

    Where there is no home, that is the working folder. Raises UsageError, ConfigError.
    """
    from embassay.ingest.exclude import configured, exclusions

    found = _home_if_any(home)
    return configured(config) + exclusions(patterns, found.root if found else Path.cwd())


def _home_if_any(given: Path | None, *, create: bool = False) -> HomeFolder | None:
    """The nearest home, None where there is none. One that is named and not there is made with `create`; else
    HomeNotFound is raised."""
    from embassay.config.reading import load_config
    from embassay.errors import HomeNotFound
    from embassay.sets.folder import find_home, is_named, made_home

    if create and is_named(given):
        load_config()  # a command that fails by it leaves nothing behind
        return made_home(given)
    try:
        return find_home(given)
    except HomeNotFound:
        if given is not None:
            raise
        return None
