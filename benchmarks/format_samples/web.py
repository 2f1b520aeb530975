"""Pages, mail and mailboxes, PDF."""

from __future__ import annotations

from email.message import EmailMessage

from benchmarks.format_samples.words import Forms, Words
from benchmarks.hostile import pdf


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


def html(words: Words) -> tuple[str, bytes]:
    encoding = "utf-8"
    around = words.one_of("<main>{}</main>", "<article>{}</article>", "<div>{}</div>", "{}")
    menu = f"<nav><a href='/'>{words.unseen()}</a></nav>" if words.rng.random() < 0.5 else ""
    head = f'<head><meta charset="{encoding}"><title>{words.unseen(1)}</title></head>'
    return words.one_of("a.html", "a.htm"), (
        f"<!doctype html><html>{head}<body>{menu}{around.format(blocks(words))}</body></html>"
    ).encode(encoding)


def message(words: Words) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "maria@example.org", "team@example.org", words.text(2)
    made["Date"] = "Fri, 20 Nov 2026 10:00:00 +0000"
    plain = words.text()
    kind = words.rng.randrange(4)
    if kind == 0:
        made.set_content(f"<p>{plain}</p>{blocks(words, 2)}", subtype="html")
    else:
        made.set_content(plain, cte=words.one_of("quoted-printable", "base64"))
    if kind == 1:
        made.add_alternative(f"<p>{plain}</p>", subtype="html")
    if kind == 2:
        made.add_attachment(words.text(), filename="notes.txt")
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
