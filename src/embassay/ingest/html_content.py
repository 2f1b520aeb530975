"""What of an HTML page is its content: what is never text, what is furniture around it, and what is hidden."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

Element = Any
"""Of lxml, which has no types."""
BLOCKS = frozenset(
    "address article aside blockquote body br caption center dd details dialog dir div dl dt fieldset figcaption figure"
    " footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr legend li listing main menu nav noframes ol p plaintext"
    " pre search section summary table tbody td text tfoot th thead tr ul xmp".split()
)
"""Elements that begin a line of their own; ``text`` is that of SVG."""
NO_TEXT = frozenset("annotation annotation-xml datalist defs desc metadata param script style title".split())
"""Elements in the body whose text is never shown: the titles are those of pictures, the annotations of formulas."""
MAX_HIDDEN_WORDS = 30
"""Of an element that is hidden from screen readers and in the middle of a line: an icon, or a doubled formula."""
PROSE_WORDS = 10
"""Outside of links, in what stands beside the main element, from where on it is content of the page as well."""
LINKS = frozenset("a nav footer aside button select label form".split())
"""What holds the words of a menu rather than prose."""
PARTS = frozenset("article section main blockquote figure td".split())
"""What may have a footer of its own, with its author or its notes."""
_WORD = re.compile(r"\w+")


def is_text(element: Element) -> bool:
    """Whether the element can hold text that is shown: no script, no comment, no template but that of a shadow tree."""
    tag = element.tag
    if not isinstance(tag, str) or tag in NO_TEXT:
        return False
    return tag != "template" or element.get("shadowrootmode") is not None


def words(elements: Iterable[Element]) -> int:
    """Number of words in the text of all these elements."""
    return sum(len(_WORD.findall(" ".join(element.itertext()))) for element in elements)


def hidden(body: Element) -> set[Element]:
    """What a page does not show as it opens, or only where scripts are off.

    `aria-hidden` hides from screen readers alone, and a page that was saved while a dialog was open has it on all that
    stands around: what counts is only an icon or a formula that is there a second time, inside a line.
    """
    found = {element for element in body.iter("noscript") if element is not body}
    for element in body.xpath(".//*[@hidden]"):
        if element.get("hidden").lower() != "until-found" and element.tag not in ("main", "article"):
            found.add(element)
    for element in body.xpath(".//*[@aria-hidden='true']"):
        if _is_inside_line(element) and words({element}) <= MAX_HIDDEN_WORDS:
            found.add(element)
    return found


def furniture(body: Element) -> set[Element]:
    """Menus, the footers of the page, and what stands beside its main element without being prose."""
    found = set(body.iter("nav"))
    found |= {footer for footer in body.iter("footer") if not _is_footer_of_a_part(footer)}
    main = _main(body)
    while main is not None and main is not body:
        parent = main.getparent()
        for beside in parent:
            if beside is not main and isinstance(beside.tag, str) and not _is_content(beside, main):
                found.add(beside)
        main = parent
    return found


def _main(body: Element) -> Element | None:
    """The one main element, or the one article that holds most of the text."""
    main = body.xpath(".//main|.//*[@role='main']")
    if main:
        return main[0] if len(main) == 1 else None
    articles = body.xpath(".//article")
    mostly = len(articles) == 1 and 2 * len(articles[0].text_content()) > len(body.text_content())
    return articles[0] if mostly else None


def _is_content(beside: Element, main: Element) -> bool:
    """Whether this belongs to what the page says: prose rather than links, or the title above the main element."""
    if beside.tag in ("nav", "footer", "aside", "script", "style"):
        return False
    if beside.find(".//h1") is not None or beside.tag == "h1":
        return main.find(".//h1") is None
    prose = _prose_words(beside)
    return prose >= max(PROSE_WORDS, words({beside}) - prose)


def _prose_words(element: Element) -> int:
    """Words that stand in no link, button or script."""
    count, stack = 0, [element]
    while stack:
        inner = stack.pop()
        if inner.tag not in LINKS and is_text(inner):
            count += len(_WORD.findall(inner.text or ""))
            stack += inner
        if inner is not element:
            count += len(_WORD.findall(inner.tail or ""))
    return count


def _is_inside_line(element: Element) -> bool:
    return element.tag not in BLOCKS and not any(inner.tag in BLOCKS for inner in element.iterdescendants())


def _is_footer_of_a_part(footer: Element) -> bool:
    return any(above.tag in PARTS for above in footer.iterancestors())
