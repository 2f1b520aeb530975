"""The retrieval tasks of published scores: in which domain each asks, in which language, and by which measure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

TASKS = Path(__file__).with_name("tasks.toml")
GENERAL = "general"
MANY = "multilingual"
"""The language of a task whose score is a mean over many."""
FEWEST_TASKS = 3
"""Tasks of a domain in the language that was asked for; where there are fewer, the domain's tasks in other languages
and the language's in other domains are added."""


class Task(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One task of a benchmark."""

    name: str
    benchmark: str
    domains: tuple[str, ...] = ()
    """None where it is no retrieval task."""
    languages: tuple[str, ...] = ()
    metric: str = "nDCG@10"
    each: tuple[str, ...] = ()
    """Languages that it is scored in one by one, as ``NAME[de]``."""
    reranked: bool = False
    """Whether it scores the order of a reranker, and no retrieval."""
    mean: bool = False
    """Whether it is the mean over the benchmark by which its domain is known."""
    note: str = ""


@lru_cache(maxsize=1)
def all_tasks() -> Mapping[str, Task]:
    """The tasks by name, those of a single language too."""
    found = {}
    for row in tomllib.loads(TASKS.read_text("utf-8"))["task"]:
        task = msgspec.convert(row, Task)
        found[task.name] = task
        for language in task.each:
            name = f"{task.name}[{language}]"
            found[name] = msgspec.structs.replace(task, name=name, languages=(language,), each=(), note="")
    return found


def find_task(name: str) -> Task | None:
    """The task of that name; None where no card of this version is scored on it."""
    return all_tasks().get(name)


def tasks_for(domain: str, languages: Sequence[str]) -> tuple[str, ...]:
    """Names of the tasks that say most of a model's retrieval in a domain and in these languages; English where none is
    named, and means over many languages where no task asks in those.
    """
    wanted = [language.lower() for language in languages] or ["en"]
    names: list[str] = []
    for language in wanted:
        names += _named(domain or GENERAL, language) if domain or language == "en" else _named("", language)
    if domain and len(names) < FEWEST_TASKS:
        names += [*_named(domain, ""), *(name for language in wanted for name in _named("", language))]
    names = names or _named(GENERAL, MANY)
    return tuple(dict.fromkeys(sorted(names, key=lambda name: not domain and GENERAL not in all_tasks()[name].domains)))


def mean_of(domain: str, tasks: Sequence[str]) -> str:
    """The one of `tasks` that is the mean over a benchmark of the domain; empty where there is none, and where some of
    the tasks are of other domains."""
    rows = [all_tasks()[name] for name in tasks]
    of_domain = all((domain or GENERAL) in task.domains for task in rows)
    return next((task.name for task in rows if task.mean and of_domain), "")


def _named(domain: str, language: str) -> list[str]:
    """Retrieval tasks of a domain in a language; an empty text asks for any."""
    return [
        task.name
        for task in all_tasks().values()
        if task.domains
        and not task.reranked
        and (not domain or domain in task.domains)
        and (not language or language in task.languages)
    ]
