"""XML, parsed within limits: no entity is fetched or multiplied, nothing comes from the network.

The limits of libxml2 hold: elements nest at most 256 levels deep, so that a walk over them may recurse, and one text
has at most 10 MB.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import entities, unescape
from itertools import takewhile
from typing import Any

from embassay.ingest.base import ReadError
from embassay.ingest.decode import decode
from embassay.text import encodable

Element = Any
"""Of lxml, which has no types."""
MAX_ENTITY, MAX_ENTITIES = 1_000, 1_000_000
"""Characters of an entity which a document declares that are put in its place, and of all of them together."""

_DECLARED = re.compile(rb"""(\s*<\?xml\s[^<>?]{0,100}?)\s+encoding\s*=\s*["']([A-Za-z][\w.:-]{0,40})["']""")
_OWN_ENTITY = re.compile(rb"<!ENTITY\s+([\w.-]+)")
_HTML_ENTITY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z][A-Za-z0-9]{1,31});")


def parse(data: bytes, what: str) -> Any:
    """The root element, of lxml. Raises ReadError for what is no XML; `what` names what was expected, as "EPUB"."""
    root, fault = parse_leniently(data, what)
    if fault:
        raise ReadError(f"not a readable {what}: {fault}")
    return root


def parse_leniently(data: bytes, what: str) -> tuple[Any, str]:
    """The root element, and what is wrong with the document: behind a fault, some of it may be missing.

    Raises ReadError where nothing of it is there.
    """
    data = _numbered_entities(_recoded(data))
    root, fault = _parsed(data, what)
    if "ncoding" in fault or "invalid bytes" in fault.lower():  # it is not in the encoding that it declares
        root, fault = _parsed(_as_utf8(decode(data)), what)
    _resolve(root)
    return root, fault


def ill_formed(fault: str) -> ReadError:
    """What is told of a document that was read in spite of what `parse_leniently` found wrong with it."""
    return ReadError(f"not well-formed, what stands behind may be missing: {fault}")


def _parsed(data: bytes, what: str) -> tuple[Element, str]:
    from lxml import etree

    try:
        return etree.fromstring(data, _parser(recover=False)), ""
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        parser = _parser(recover=True)
        try:
            root = etree.fromstring(data, parser)
        except (etree.XMLSyntaxError, ValueError, LookupError):
            root = None
        if root is None:
            raise ReadError(f"not a readable {what}: {error.args[0]}") from error
        return root, next((entry.message for entry in parser.error_log if not _harmless(entry)), "")


def _recoded(data: bytes) -> bytes:
    """In UTF-8, where it declares an encoding that Python knows and libxml2 may not."""
    found = _DECLARED.match(data)
    name = found[2].decode("ascii").lower() if found else "utf-8"
    if name.startswith(("utf", "us-ascii", "iso-8859-1", "iso-10646")):
        return data
    try:
        return _as_utf8(data.decode(name))
    except (LookupError, UnicodeDecodeError):
        return data


def _as_utf8(text: str) -> bytes:
    data = encodable(text).encode()
    return _DECLARED.sub(rb"\1", data, count=1)


def _numbered_entities(data: bytes) -> bytes:
    own = frozenset(_OWN_ENTITY.findall(data)) if b"<!ENTITY" in data else frozenset()
    return _HTML_ENTITY.sub(lambda entity: entity[0] if entity[1] in own else _numbered(entity), data)


def _harmless(entry: Any) -> bool:
    """Whether a fault loses no text: a prefix that nobody declared, an attribute that is there twice."""
    return bool(entry.domain_name == "NAMESPACE" or entry.type_name.endswith("ATTRIBUTE_REDEFINED"))


def _parser(*, recover: bool) -> Any:
    from lxml import etree

    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=recover)


def _numbered(entity: re.Match[bytes]) -> bytes:
    """The name of a character in HTML as its number: a parser of XML takes the name for a fault, and loses text."""
    characters = entities.html5.get(entity[1].decode() + ";")
    return b"".join(b"&#%d;" % ord(each) for each in characters) if characters else entity[0]


def local(element: Any) -> str:
    """The name of an element without its namespace; empty for a comment or an instruction."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: Any, name: str) -> str:
    """The value of the attribute with this name, in whatever namespace; empty if there is none."""
    value = element.get(name)
    if value is None:
        value = next((value for key, value in element.items() if key.rpartition("}")[2] == name), "")
    return str(value)


def number(text: str, otherwise: int = 0) -> int:
    """A count in an attribute; `otherwise` for what is none."""
    return int(text) if text.isdecimal() and len(text) < 10 else otherwise


def text_of(element: Any) -> str:
    """All text in an element, its comments and instructions apart, with single spaces."""
    return " ".join(element.xpath("string()").split())


def _resolve(root: Any) -> None:
    """Put their text in the place of references to entities: those of HTML, and short ones that the document declares.

    A declared text that refers to another entity stays as it is written, so that nothing multiplies. Raises ReadError
    where they come to more than `MAX_ENTITIES` characters.
    """
    from lxml import etree

    left_over = [entity for entity in root.iter(etree.Entity) if entity.getparent() is not None]
    declared = _declared(root) if left_over else {}
    left = MAX_ENTITIES
    for entity in left_over:
        parent, before = entity.getparent(), entity.getprevious()
        if parent is None:  # taken out with the one before it
            continue
        row = [entity, *takewhile(lambda node: node.tag is etree.Entity, entity.itersiblings())]
        said = []
        for node in row:
            text = declared.get(node.name) or unescape(node.text)
            left -= len(text)
            said += [text, node.tail or ""]
        if left < 0:
            raise ReadError(f"entities that stand for more than {MAX_ENTITIES:,} characters")
        for node in row:
            node.tail = None
            parent.remove(node)
        if before is not None:
            before.tail = (before.tail or "") + "".join(said)
        else:
            parent.text = (parent.text or "") + "".join(said)


def _declared(root: Any) -> Mapping[str, str]:
    table = root.getroottree().docinfo.internalDTD
    found = {}
    for entity in table.iterentities() if table is not None else ():
        content = entity.content or ""
        if len(content) <= MAX_ENTITY and "&" not in content:
            found[entity.name] = re.sub(r"<[^<>]*>", "", content)
    return found
