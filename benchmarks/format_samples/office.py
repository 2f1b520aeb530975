"""Word, presentations, spreadsheets, as other libraries write them, and OpenDocument."""

from __future__ import annotations

import io

from benchmarks.format_samples.words import Forms, Words
from benchmarks.hostile import cell, docx, paragraph, table, zipped

W_INSERTED = '<w:p><w:ins w:id="1"><w:r><w:t>{}</w:t></w:r></w:ins><w:del w:id="2"><w:r><w:delText>{}</w:delText></w:r></w:del></w:p>'
W_MARK = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
W_FIELD = (
    f"<w:p>{W_MARK.format('begin')}<w:r><w:instrText>{{}}</w:instrText></w:r>{W_MARK.format('separate')}"
    f"<w:r><w:t>{{}}</w:t></w:r>{W_MARK.format('end')}</w:p>"
)
W_BOX = "<w:p><w:r><w:pict><shape><textbox><w:txbxContent>{}</w:txbxContent></textbox></shape></w:pict></w:r></w:p>"
W_CONTROL = "<w:sdt><w:sdtContent>{}</w:sdtContent></w:sdt>"


def word(words: Words) -> tuple[str, bytes]:
    more: Forms = (
        lambda: paragraph(words.text()),
        lambda: table(cell(words.word()) + cell(words.word()), cell(words.word()) + cell(words.word())),
        lambda: W_INSERTED.format(words.text(), words.unseen()),
        lambda: W_CONTROL.format(paragraph(words.text())),
        lambda: table(f"<w:tc>{table(cell(words.word()))}{paragraph(words.word())}</w:tc>"),
        lambda: f"<w:p><w:fldSimple w:instr='AUTHOR'><w:r><w:t>{words.word()}</w:t></w:r></w:fldSimple></w:p>",
        lambda: W_FIELD.format(words.unseen(), words.text(2)),
        lambda: W_BOX.format(paragraph(words.text(3))),
        lambda: f"<w:ins w:id='3'>{paragraph(words.text(3))}</w:ins>",
        lambda: table(W_CONTROL.format(cell(words.word())) + cell(words.word())),
    )
    return "a.docx", docx("".join(words.one_of(*more)() for _ in range(8)))


def slides(words: Words) -> tuple[str, bytes]:
    from pptx import Presentation

    made = Presentation()
    for _ in range(words.rng.randint(1, 3)):
        slide = made.slides.add_slide(made.slide_layouts[words.one_of(1, 5, 6)])
        if slide.shapes.title is not None:
            slide.shapes.title.text = words.text(2)
        slide.shapes.add_textbox(0, 0, 9, 9).text_frame.text = words.text()
        if words.rng.random() < 0.5:
            grid = slide.shapes.add_table(2, 2, 0, 0, 99, 99).table
            for at in range(4):
                grid.cell(at // 2, at % 2).text = words.word()
        if words.rng.random() < 0.5:
            group = slide.shapes.add_group_shape()
            group.shapes.add_textbox(0, 0, 9, 9).text_frame.text = words.text(2)
        if words.rng.random() < 0.5:
            slide.notes_slide.notes_text_frame.text = words.text()
    out = io.BytesIO()
    made.save(out)
    return "a.pptx", out.getvalue()


def sheets(words: Words) -> tuple[str, bytes]:
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    for at in range(words.rng.randint(1, 3)):
        sheet = book.add_worksheet(f"Sheet {at}")
        top = words.rng.randint(0, 2)
        if top:
            sheet.write(0, 0, words.text())
        if words.rng.random() < 0.7:
            sheet.write_row(top, 0, [words.word() for _ in range(3)])
        for row in range(words.rng.randint(1, 5)):
            sheet.write_row(top + 1 + row, 0, [words.word(), words.rng.randint(10, 99), words.text(3)])
        if words.rng.random() < 0.3:
            sheet.merge_range(20, 0, 22, 0, words.word())
        if at and words.rng.random() < 0.5:
            sheet.hide()
    book.close()
    return words.one_of("a.xlsx", "a.xlsm"), out.getvalue()


NAMES = {"office": "office", "text": "text", "table": "table", "draw": "drawing", "presentation": "presentation"}
ODF = " ".join(f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for prefix, name in NAMES.items())


def _p(text: str) -> str:
    return f"<text:p>{text}</text:p>"


def open_document(words: Words) -> tuple[str, bytes]:
    more: Forms = (
        lambda: f'<text:h text:outline-level="2">{words.text(2)}</text:h>',
        lambda: _p(f'{words.text()}<text:s text:c="2"/><text:span>{words.word()}</text:span>'),
        lambda: f"<text:list><text:list-item>{_p(words.text())}</text:list-item></text:list>",
        lambda: (
            f"<table:table><table:table-row><table:table-cell>{_p(words.word())}</table:table-cell></table:table-row></table:table>"
        ),
        lambda: _p(
            f"{words.word()} <text:note><text:note-body>{_p(words.text(2))}</text:note-body></text:note> {words.word()}"
        ),
        lambda: _p(f"{words.word()} <draw:frame><draw:text-box>{_p(words.text(2))}</draw:text-box></draw:frame>"),
        lambda: (
            f"<text:tracked-changes><text:changed-region>{_p(words.unseen())}</text:changed-region></text:tracked-changes>"
        ),
        lambda: f"<text:section>{_p(words.text())}</text:section>",
    )
    body = "".join(words.one_of(*more)() for _ in range(8))
    inner = f"<office:body><office:text>{body}</office:text></office:body>"
    if words.rng.random() < 0.3:
        return "a.fodt", f"<office:document {ODF}>{inner}</office:document>".encode()
    content = f"<office:document-content {ODF}>{inner}</office:document-content>"
    return "a.odt", zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})


MAKERS = {"docx": word, "presentation": slides, "spreadsheet": sheets, "opendocument": open_document}
