"""Pages, mail and mailboxes, PDF."""

from __future__ import annotations

from email.message import EmailMessage

from benchmarks.format_samples.words import Forms, Words
from benchmarks.hostile import docx, paragraph, pdf


def blocks(words: Words, count: int = 6) -> str:
    """Blocks of HTML."""
    more: Forms = (
        lambda: f"<p>{words.text()} <b>{words.word()}</b> <a href='x'>{words.word()}</a></p>",
        lambda: f"<h2>{words.text(2)}</h2>",
        lambda: f"<ul><li>{words.text()}<li>{words.text()}</ul>",
        lambda: f"<table><tr><td>{words.word()}</td><td>{words.word()}</td></tr></table>",
        lambda: f"<pre>{words.word()}\n  {words.word()}</pre>",
        lambda: f"<dl><dt>{words.word()}</dt><dd>{words.text()}</dd></dl>",
        lambda: f"<!-- {words.unseen()} --><script>{words.unseen()}</script>",
        lambda: f"<details><summary>{words.text(2)}</summary>{words.text()}</details>",
        lambda: f"<blockquote>{words.text()}</blockquote><br>{words.text()}",
        lambda: (
            f"<figure><img src='x.png' alt='{words.word()} {words.word()}'><figcaption>{words.text(2)}</figcaption></figure>"
        ),
    )
    return "\n".join(words.one_of(*more)() for _ in range(count))


def page_blocks(words: Words) -> str:
    """Blocks that web pages have, and books and mails hardly do."""
    more: Forms = (
        lambda: (
            f"<form><label>{words.word()}</label><input value='{words.word()}'><button>{words.word()}</button></form>"
        ),
        lambda: f"<select><option>{words.word()}<option>{words.word()}</select><textarea>{words.text(3)}</textarea>",
        lambda: f"<svg><title>{words.unseen(1)}</title><text>{words.word()}</text><text>{words.word()}</text></svg>",
        lambda: f'<iframe srcdoc="&lt;p&gt;{words.text(3)}&lt;/p&gt;"></iframe>',
        lambda: f"<x-box><template shadowrootmode=open><p>{words.text(3)}</p></template></x-box>",
        lambda: f"<template><p>{words.unseen()}</p></template>",
        lambda: (
            f"<table><tr><td><p>{words.text(3)}</p><td><table><tr><td>{words.word()}<td>{words.word()}</table></table>"
        ),
        lambda: f"<h3><div><span>{words.word()}</span></div></h3><ol><li><p>{words.text(3)}</p></ol>",
        lambda: f"<div style='display:none'>{words.word()}</div><div hidden=until-found>{words.text(3)}</div>",
        lambda: f"{words.text(3)}<br>{words.word()}<hr>{words.word()}<wbr>",
    )
    return "\n".join(words.one_of(*more)() for _ in range(4))


HIDDEN_BEHIND_A_DIALOG = "<div id=root aria-hidden=true>{}</div><div role=dialog></div>"
LABELS = {"utf-8": ("utf-8", "utf-16", "iso-8859-1"), "cp1252": ("iso-8859-1", "latin1", "ascii"), "utf-16": ("utf-8",)}
"""What pages say of their encoding, by what it is."""


def html(words: Words) -> tuple[str, bytes]:
    encoding = words.one_of("utf-8", "utf-8", "cp1252", "utf-16")
    words.latin = encoding == "cp1252"
    around = words.one_of("<main>{}</main>", "<article>{}</article>", "<div>{}</div>", "{}", HIDDEN_BEHIND_A_DIALOG)
    menu = f"<nav><a href='/'>{words.unseen()}</a></nav>" if words.rng.random() < 0.5 else ""
    beside = f"<div><p>{words.text(15)}</p></div>" if words.rng.random() < 0.3 else ""
    head = f'<head><meta charset="{words.one_of(*LABELS[encoding])}"><title>{words.unseen(1)}</title></head>'
    body = blocks(words) + page_blocks(words) + (" – “”" if encoding == "cp1252" else "")
    return words.one_of("a.html", "a.htm"), (
        f"<!doctype html><html>{head}<body>{menu}{around.format(body)}{beside}</body></html>"
    ).encode(encoding)


def message(words: Words) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "maria@example.org", "team@example.org", words.text(2)
    made["Date"] = "Fri, 20 Nov 2026 10:00:00 +0000"
    plain = words.text()
    kind = words.rng.randrange(7)
    if kind == 0:
        made.set_content(f"<p>{plain}</p>{blocks(words, 2)}", subtype="html")
    else:
        made.set_content(plain, cte=words.one_of("quoted-printable", "base64"))
    if kind == 1:
        made.add_alternative(f"<p>{plain}</p>", subtype="html")
    if kind == 2:
        made.add_attachment(words.text(), filename="notes.txt")
    if kind == 4:
        made.set_content(words.one_of(" \n", "Please use a program that shows HTML.\n"))
        made.add_alternative(f"<p>{plain} {words.text(20)}</p>", subtype="html")
    if kind == 5:
        made.add_attachment(message(words))
    if kind == 6:
        made.add_attachment(docx(paragraph(words.text())), maintype="application", subtype="zip", filename="a.docx")
    return made


def mail(words: Words) -> tuple[str, bytes]:
    return "a.eml", message(words).as_bytes()


def mbox(words: Words) -> tuple[str, bytes]:
    each = (b"From maria@example.org Fri Nov 20 10:00:00 2026\n" + message(words).as_bytes() + b"\n" for _ in range(3))
    return "a.mbox", b"".join(each)


def pages(words: Words) -> tuple[str, bytes]:
    words.latin = True
    return "a.pdf", pdf(words.rng.randint(1, 3), text=words.text(4))


MAKERS = {"html": html, "mail": mail, "mbox": mbox, "pdf": pages}
