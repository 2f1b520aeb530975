"""WordprocessingML to text: what Word shows of a body, a header or a note (ECMA-376, part 1, section 17)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from embassay.ingest.base import Document, ReadError, SourceFile
from embassay.ingest.readers._content import read_as, suffix_of
from embassay.ingest.readers._drawingml import shown
from embassay.ingest.readers._markdown import as_heading, as_text
from embassay.ingest.readers._package import Package
from embassay.ingest.readers._wordml_lists import Lists
from embassay.ingest.readers._wordml_parts import Notes, Styles, has, symbol, value, value_is_on
from embassay.ingest.readers._xml import Element, attribute, local, number

LEFT_OUT = frozenset({"del", "moveFrom", "delText", "instrText", "delInstrText", "fldData", "binData", "annotationRef"})
"""What Word does not show: tracked deletions, the origin of what was moved, and codes of fields."""
MARKS: Mapping[str, str] = {
    "br": "\n",
    "cr": "\n",
    "tab": "\t",
    "ptab": "\t",
    "noBreakHyphen": "-",
    "softHyphen": "",
    "lastRenderedPageBreak": "",
}
INLINE = frozenset({"r", "t", "hyperlink", "fldSimple", "oMath", "oMathPara", "ruby"})
"""What belongs into a paragraph, wherever it stands."""
MAX_COLUMNS = 63
"""Of a table in Word; a file may claim any number."""
MAX_REPEATED = 200
"""Characters of a merged cell that are said again in each column and row that it covers."""
_PAGE_FIELD = re.compile(r"\s*(?:PAGE|NUMPAGES|SECTIONPAGES)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Beside:
    """What a document keeps beside its text."""

    styles: Styles
    lists: Lists
    notes: Notes
    damaged: list[str]
    """Parts that could not be read, and why."""


class Story:
    """One flow of text: a body, a header or a footer. `part` is the part of the package that it stands in."""

    def __init__(self, package: Package, part: str, root: Element, beside: Beside) -> None:
        self._package, self._part, self._beside = package, part, beside
        self._cells = 0
        self._fields: list[_Field] = []
        self._heeds_fields = _balanced(root)

    def blocks(self, container: Element) -> list[str]:
        """Paragraphs and tables of a container, in order, and what hangs on them, each without blank ends."""
        out: list[str] = []
        for child in container:
            name = local(child)
            if name == "p":
                out += self._paragraph(child, child)
            elif name == "tbl":
                out += self._table(child)
            elif name == "AlternateContent":
                out += next((found for branch in _branches(child) if (found := self.blocks(branch))), [])
            elif name == "altChunk":
                out += self._imported(child)
            elif name in INLINE:
                out += self._paragraph(child, (child,))
            elif not _is_left_out(name):
                out += self.blocks(child)
        return out

    def _imported(self, chunk: Element) -> list[str]:
        """A file that Word shows in this place, such as a page; it is read as what it is, or by its name."""
        relation = self._package.relations(self._part).get(attribute(chunk, "id"))
        if relation is None or not relation.target:
            return []
        source = SourceFile(Path(relation.target), relation.target, self._package.data(relation.target))
        try:
            found = list(read_as(suffix_of(source.data) or source.file.suffix, source))
        except MemoryError:
            raise
        except Exception as error:  # a reader may fail in any way; the rest of the document is kept
            self._beside.damaged.append(f"{relation.target}: {' '.join(str(error).split())[:200]}")
            return []
        return [text for each in found if isinstance(each, Document) and (text := each.text.strip())]

    def _paragraph(self, paragraph: Element, content: Element) -> list[str]:
        said = _Said()
        self._say(content, said)
        properties = next((child for child in paragraph if local(child) == "pPr"), ())
        level = self._beside.styles.level(properties) if said.text and not self._cells else 0
        label = f"{self._beside.lists.label(properties)} " if said.text else ""
        text = as_heading(level, label + said.bare) if level else label.lstrip() + as_text(said.text)
        return [text, *said.behind] if text else said.behind

    def _say(self, content: Element, said: _Said) -> None:
        """Add what `content` shows to `said`."""
        for child in content:
            name = local(child)
            if name == "t":
                said.add(child.text or "", hidden=self._is_hidden())
            elif (mark := MARKS.get(name)) is not None:
                said.add(mark, hidden=self._is_hidden())
            elif (handle := _HANDLERS.get(name)) is not None:
                handle(self, child, said)
            elif not _is_left_out(name):
                self._say(child, said)

    def _say_run(self, run: Element, said: _Said) -> None:
        """A run that is formatted as hidden is not shown; the marks of fields in it count nonetheless."""
        is_hidden = value_is_on(run, "rPr", "vanish")
        self._say(run, _Said() if is_hidden else said)

    def _is_hidden(self) -> bool:
        return any(field.hides for field in self._fields)

    def _say_field(self, mark: Element, said: _Said) -> None:
        """A complex field is a code, a separator and a result, between marks; the result alone is shown."""
        if not self._heeds_fields:
            return
        kind = attribute(mark, "fldCharType")
        if kind == "begin":
            self._fields.append(_Field(_chosen(mark)))
        elif kind == "separate" and self._fields:
            self._fields[-1].shows_result()
        elif kind == "end" and self._fields:
            said.add(self._fields.pop().chosen, hidden=self._is_hidden())

    def _say_code(self, code: Element, _: _Said) -> None:
        if self._fields:
            self._fields[-1].code += code.text or ""

    def _say_simple_field(self, field: Element, said: _Said) -> None:
        if not _PAGE_FIELD.match(attribute(field, "instr")):
            self._say(field, said)

    def _say_symbol(self, mark: Element, said: _Said) -> None:
        said.add(symbol(attribute(mark, "font"), attribute(mark, "char")), hidden=self._is_hidden())

    def _say_note(self, reference: Element, said: _Said) -> None:
        kind = local(reference).removesuffix("Reference") + "s"
        note, at = self._beside.notes.take(kind, attribute(reference, "id"))
        if note is None:
            return
        story = Story(self._package, self._part, note, self._beside)
        text = "\n".join(story.blocks(note))
        if kind == "comments":
            author = attribute(note, "author")
            said.behind.append(f"Comment by {author}: {text}" if author else f"Comment: {text}")
        else:
            said.add(f"[^{at}]", hidden=self._is_hidden(), is_text=False)
            said.behind.append(f"[^{at}]: {text}")

    def _say_box(self, box: Element, said: _Said) -> None:
        said.behind += self.blocks(box)

    def _say_alternative(self, element: Element, said: _Said) -> None:
        for branch in _branches(element):
            tried = _Said()
            self._say(branch, tried)
            if tried.text or tried.behind:
                said.add(tried.text)
                said.behind += tried.behind
                return

    def _say_graphic(self, graphic: Element, said: _Said) -> None:
        """A chart or a diagram lies in a part of its own, a text box in the graphic itself."""
        relations = self._package.relations(self._part)
        for element in graphic.iter("{*}chart", "{*}relIds"):
            relation = relations.get(attribute(element, "id") or attribute(element, "dm"))
            if relation is not None and relation.target:
                try:
                    said.behind += shown(self._package.root(relation.target))
                except ReadError as error:
                    self._beside.damaged.append(error.message)
        self._say(graphic, said)

    def _say_description(self, properties: Element, said: _Said) -> None:
        text = " ".join((attribute(properties, "descr") or attribute(properties, "string")).split())
        if " " in text or (text and not re.search(r"\.\w{2,4}$|^https?:", text)):
            said.add(text, hidden=self._is_hidden())

    def _say_ruby(self, ruby: Element, said: _Said) -> None:
        """The characters, and in brackets how they are read."""
        for child in ruby:
            if local(child) == "rubyBase":
                self._say(child, said)
        for child in ruby:
            if local(child) == "rt":
                read = _Said()
                self._say(child, read)
                said.add(f"({read.text})" if read.text else "")

    def _say_joined(self, part: Element, said: _Said) -> None:
        """Parts of a formula: a denominator, a power, an index."""
        said.add({"den": "/", "sup": "^", "sub": "_"}[local(part)])
        self._say(part, said)

    def _table(self, table: Element) -> list[str]:
        """A line for each row, its cells between bars. A table of one column is layout: what is in it stands alone."""
        rows = [(row, list(_inside(row, "tc"))) for row in _inside(table, "tr")]
        rows = [(row, cells) for row, cells in rows if not has(row, "trPr", "del")]
        if all(len(cells) <= 1 for _, cells in rows):
            return [block for _, cells in rows for cell in cells for block in self.blocks(cell)]
        self._cells += 1
        above: dict[int, str] = {}
        """Text of the cell that covers each column where it begins, from the row above."""
        lines = []
        for row, cells in rows:
            said: list[str] = []
            here: dict[int, str] = {}
            column = number(value(row, "trPr", "gridBefore"))
            for cell in cells:
                text = "\n".join(self.blocks(cell))
                span = min(max(number(value(cell, "tcPr", "gridSpan")), 1), MAX_COLUMNS)
                if has(cell, "tcPr", "vMerge") and value(cell, "tcPr", "vMerge") in ("", "continue"):
                    text = text or above.get(column, "")
                here[column] = text if len(text) <= MAX_REPEATED else ""
                said += [text, *[here[column]] * (span - 1)]
                column += span
            above = here
            lines.append(" | ".join(said))
        self._cells -= 1
        text = "\n".join(line for line in lines if line.strip(" |"))
        return [text] if text else []


class _Said:
    """The text of a paragraph as it grows."""

    def __init__(self) -> None:
        self.behind: list[str] = []
        """Blocks that follow it, since they stand beside its line: text boxes, notes, charts."""
        self._parts: list[str] = []
        self._bare: list[str] = []

    def add(self, text: str, *, hidden: bool = False, is_text: bool = True) -> None:
        if not hidden:
            self._parts.append(text)
            if is_text:
                self._bare.append(text)

    @property
    def text(self) -> str:
        return "".join(self._parts).strip()

    @property
    def bare(self) -> str:
        """The text without the numbers of notes."""
        return "".join(self._bare).strip()


class _Field:
    """A complex field that is open: in its code nothing is shown, and of a page's number nothing at all."""

    def __init__(self, chosen: str) -> None:
        self.code = ""
        self.hides = True
        self.chosen = chosen
        """What a drop-down list of a form shows, which has no result."""

    def shows_result(self) -> None:
        self.hides = bool(_PAGE_FIELD.match(self.code))


def _chosen(mark: Element) -> str:
    listed = next(mark.iter("{*}ddList"), None)
    if listed is None:
        return ""
    entries = [attribute(entry, "val") for entry in listed if local(entry) == "listEntry"]
    at = number(value(listed, "result"))
    return entries[at] if at < len(entries) else ""


def _balanced(root: Element) -> bool:
    """Whether every field that begins ends. In a story where one does not, its code would hide the rest of the text."""
    opened = 0
    for mark in root.iter("{*}fldChar"):
        kind = attribute(mark, "fldCharType")
        opened += (kind == "begin") - (kind == "end")
        if opened < 0:
            return False
    return opened == 0


def _is_left_out(name: str) -> bool:
    return not name or name in LEFT_OUT or name.endswith("Pr")


def _branches(element: Element) -> Iterator[Element]:
    """The ways in which the same content is written, the preferred one first."""
    yield from (child for child in element if local(child) == "Choice")
    yield from (child for child in element if local(child) == "Fallback")


def _inside(container: Element, wanted: str) -> Iterator[Element]:
    """The rows of a table or the cells of a row, also those in content controls and marks of a revision."""
    for child in container:
        name = local(child)
        if name == wanted:
            yield child
        elif not _is_left_out(name) and name not in ("p", "tbl", "tc"):
            yield from _inside(child, wanted)


_HANDLERS: Mapping[str, Callable[[Story, Element, _Said], None]] = {
    "r": Story._say_run,
    "fldChar": Story._say_field,
    "instrText": Story._say_code,
    "fldSimple": Story._say_simple_field,
    "sym": Story._say_symbol,
    "footnoteReference": Story._say_note,
    "endnoteReference": Story._say_note,
    "commentReference": Story._say_note,
    "txbxContent": Story._say_box,
    "AlternateContent": Story._say_alternative,
    "graphic": Story._say_graphic,
    "docPr": Story._say_description,
    "textpath": Story._say_description,
    "ruby": Story._say_ruby,
    "den": Story._say_joined,
    "sup": Story._say_joined,
    "sub": Story._say_joined,
}
