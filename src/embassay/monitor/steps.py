"""Next steps that several signals name."""

from __future__ import annotations

from embassay import remedy


def make_baseline(name: str, say: str) -> remedy.Remedy:
    """Write down what is good; `say` is why, in words that stand before the command."""
    return remedy.command("monitor baseline", judged="DIR", set=name, say=f"{say}: {{}}")


def look_for_gone(name: str) -> remedy.Remedy:
    """Whether documents of a set are gone."""
    return remedy.command("doctor", set=name, say="Look whether documents are gone: {}")


def look_at_both(name: str) -> remedy.Remedy:
    """Whether documents are gone, or other things are asked for."""
    gone = remedy.command("doctor", set=name, say="Look whether documents are gone: {};")
    return gone + remedy.command("queries list", set=name, say="see what is asked for: {}")
