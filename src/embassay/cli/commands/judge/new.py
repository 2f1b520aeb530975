from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay import remedy
from embassay.cli import common, progress, words

if TYPE_CHECKING:
    from embassay.chat.client import Chat, ChatSettings
    from embassay.evaluate.judge.draft import Existing, JudgedDraft
    from embassay.evaluate.judge.generate import Questions
    from embassay.evaluate.judge.passages import Passages

NEEDS_ARGUMENTS = True


def command(
    paths: Annotated[list[Path], typer.Argument(help="Your documents.", metavar="PATH...")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Where the judged set goes.")],
    count: Annotated[
        int, typer.Option("-n", metavar="N", min=0, help="How many queries; 0: only the documents.")
    ] = 200,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="KIND",
            help="What queries are made of: heading, goal, link, docstring, sentence; repeat for more. Default: all.",
        ),
    ] = None,
    exclude: common.ExcludeOption = None,
    labels: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--from",
            metavar="FILE",
            help="Your own queries: JSON lines of query and relevant_docs, or of query and clicked.",
        ),
    ] = None,
    llm: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="MODEL", help="Let a chat model write the queries."),
    ] = None,
    llm_url: Annotated[str, typer.Option(metavar="URL", help="An OpenAI-compatible endpoint; default: OpenAI.")] = "",
    llm_key: Annotated[
        str, typer.Option(metavar="NAME", help="Environment variable that holds its key; none: it needs none.")
    ] = "OPENAI_API_KEY",
    llm_http: Annotated[
        bool, typer.Option("--llm-http", help="Send its key without encryption to an http:// address elsewhere.")
    ] = False,
    llm_price: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="IN,OUT", help="USD per million tokens, to show the cost first: 0.15,0.60"),
    ] = None,
    each: Annotated[
        int, typer.Option(metavar="N", min=1, max=10, help="How many queries the chat model writes for a passage.")
    ] = 1,
    llm_check: Annotated[
        bool,
        typer.Option(help="Have the chat model throw out questions that their passage does not answer."),
    ] = True,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a chat model is paid for.")] = False,
    seed: Annotated[int, typer.Option(metavar="N", help="Another number chooses other queries.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace a judged set of other documents.")] = False,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Make a judged set from your own documents.

    Without a language model, queries come from headings, from what sentences say that somebody wants to do, from link
    texts, docstrings and sentences. They are taken out of their passage, and asked as questions where a rule says how;
    --llm has a chat model write questions, --from takes your own labels or saved queries. Every query says how it was
    made. Running it again, or with a larger -n, adds to what is there.

    \b
    embassay judge new docs --out judged/ -n 200
    embassay judge new docs --out judged/ --from labels.jsonl
    embassay judge new docs --out judged/ --llm MODEL --llm-url URL -n 100
    """
    from embassay.chat.capped import CappedChat
    from embassay.config.reading import load_config
    from embassay.errors import UsageError
    from embassay.evaluate.judge.draft import NOTHING
    from embassay.evaluate.judge.generate import Questions
    from embassay.evaluate.judge.make import make_draft
    from embassay.evaluate.judge.passages import read_passages
    from embassay.evaluate.judge.writing import check_same_documents, read_existing, write_judged_set
    from embassay.sets.folder import find_home

    if llm is not None and (labels or by or not llm.strip()):
        raise UsageError("--llm MODEL makes all the queries: leave --from and --by out.")
    with progress.working("Reading"):
        excluded = common.left_out(load_config(), exclude or (), home)
        passages = read_passages(paths, find_home(home, create=True).name_of, out, excluded)
    _check(passages, paths, out)
    notes: list[str] = []
    there = NOTHING if force else read_existing(out)
    check_same_documents(there, make_draft(passages, 0, existing=there), out)
    if llm is not None:
        prices = _prices(llm_price)
        with common.opened_session(home, create=True) as session:
            chat = CappedChat(_settings(llm, llm_url, llm_key, http=llm_http), session.budget, prices)
            questions = Questions(
                passages, out, chat, count=count, each=each, prices=prices, seed=seed, existing=there, check=llm_check
            )
            made = _generated(questions, chat, count, notes, ask=not yes)
    elif labels:
        made = _labelled(passages, labels, notes, there)
    else:
        made = make_draft(passages, count, by or (), seed, there)
        if len(made.queries) < count:
            notes.append(f"The documents gave {len(made.queries):,} queries, not {count:,}.")
    added = write_judged_set(out, made, force=force)
    _report(made, out, added, notes, json=json)


def _check(passages: Passages, paths: list[Path], out: Path) -> None:
    from embassay.errors import JudgedSetError

    if not passages.all:
        raise JudgedSetError(f"no text in {', '.join(map(str, paths))}.")
    if out.exists() and not out.is_dir():
        raise JudgedSetError(f"{out} is a file.", remedy=remedy.option("out", "DIR", say="Name a folder"))


def _labelled(passages: Passages, file: Path, notes: list[str], there: Existing) -> JudgedDraft:
    from embassay.errors import JudgedSetError
    from embassay.evaluate.judge.labelled import read_labels
    from embassay.evaluate.judge.make import make_draft

    made = make_draft(passages, 0, existing=there)
    made.queries, unknown = read_labels(file, [row["_id"] for row in made.corpus])
    if unknown:
        notes.append(f"Not in the documents: {words.count(len(unknown), 'place')} of {file}, first {unknown[0]}.")
    if not made.queries:
        found = f" {notes[-1]}" if notes else ""
        raise JudgedSetError(f"{file} judges nothing in these documents.{found}", remedy="Paths are relative to here.")
    return made


def _settings(model: str, url: str, key: str, *, http: bool) -> ChatSettings:
    from embassay.chat.client import ChatSettings

    is_default = key == "OPENAI_API_KEY"
    chosen = "" if is_default else key if key == "none" else f"${{{key}}}"
    return ChatSettings(model_id=model, base_url=url, api_key=chosen, allow_http=http, concurrency=4)


def _prices(text: str | None) -> tuple[float, float] | None:
    from embassay.errors import UsageError

    if text is None:
        return None
    try:
        first, second = (float(part) for part in text.split(","))
    except ValueError:
        first = second = -1.0
    if not (0 <= first < float("inf") and 0 <= second < float("inf")):
        raise UsageError(f"--llm-price {text!r}: write two numbers, as 0.15,0.60.")
    return first, second


def _generated(questions: Questions, chat: Chat, count: int, notes: list[str], *, ask: bool) -> JudgedDraft:
    chat.check_key()
    planned = questions.estimate()
    cost = "at a price that is not known (--llm-price IN,OUT)" if planned.usd is None else words.dollars(planned.usd)
    about = f"{words.count(planned.passages, 'passage')} in {words.count(planned.messages, 'message')}"
    tokens = f"{planned.tokens_in:,} tokens in and about {planned.tokens_out:,} out"
    common.messages().print(f"{chat.settings.model_id} is asked about {about}: {tokens}, {cost}.")
    if ask and planned.passages and planned.usd != 0 and (planned.usd or chat.needs_key()):
        common.confirm("Go on?", remedy.option("yes", say="Pass {}."))
    with progress.bar(planned.passages, "Asking") as bar:
        draft, made = questions.draft(bar)
    chat.close()
    if made.thrown_out:
        notes.append(f"Thrown out, as the passage does not answer them: {words.count(made.thrown_out, 'question')}.")
    if made.unchecked:
        notes.append(f"Kept without a check, as none could be read: {words.count(made.unchecked, 'question')}.")
    if made.unusable:
        notes.append(f"{made.unusable:,} answers held no question, the first began {made.example!r}.")
    if len(draft.queries) < count:
        again = "; run it again to ask once more" if made.unusable else ": there are no more passages to ask about"
        again = ": a larger -n asks about more passages" if made.thrown_out else again
        are = "is" if len(draft.queries) == 1 else "are"
        notes.append(f"There {are} {words.count(len(draft.queries), 'query', 'queries')}, not {count:,}{again}.")
    return draft


def _report(made: JudgedDraft, out: Path, added: int, notes: list[str], *, json: bool) -> None:
    summary: dict[str, object] = {
        "judged": str(out),
        "documents": len(made.corpus),
        "queries": len(made.queries),
        "added": added,
        "sources": dict(made.counts),
        "notes": notes,
    }
    if json:
        common.print_json(summary)
        return
    console = common.console()
    made_of = ", ".join(f"{count:,} {source}" for source, count in made.counts.items())
    queries = f"{len(made.queries):,} {'query' if len(made.queries) == 1 else 'queries'}"
    sources = f" ({made_of})" if made_of else ""
    new = f", {added:,} of them new" if added != len(made.queries) else ""
    console.print(f"{out}: {len(made.corpus):,} passages, {queries}{sources}{new}.")
    for note in notes:
        common.messages().print(note, style="yellow")
    following = (
        f"embassay judge check {out}" if made.queries else f'embassay judge add {out} --query "..." --relevant ...'
    )
    console.print(f"Next: {following}")
