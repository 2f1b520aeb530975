"""Spreadsheets, as another library writes them."""

from __future__ import annotations

import io

import pytest

from benchmarks.hostile import zipped
from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.errors import ReadError
from embassay.ingest.chunk import Chunker
from embassay.ingest.readers import spreadsheet
from tests.ingest.readers.made import ODF, read_all, read_one, xlsx


def sheet(*rows: tuple[object, ...], name: str = "Sheet1") -> bytes:
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    made = book.add_worksheet(name)
    for at, row in enumerate(rows):
        made.write_row(at, 0, row)
    book.close()
    return buffer.getvalue()


def test_a_sheet_is_a_document_of_records(tmp_path):
    staff, old = read_all(tmp_path, "a.xlsx", xlsx())
    assert (staff.id, staff.title, staff.metadata) == ("a.xlsx#Staff", "Staff", {"sheet": "Staff"})
    assert staff.text == (
        "Rotate the key: the staff of 2026\n\nTeam | Name | Joined | Seen | Pay | Active | Phone\n\n"
        "Team: Pumps\nName: Ann\nJoined: 2020-01-02\nSeen: 2020-01-02 03:04\nPay: 1250\nActive: true\n\n"
        "Team: Pumps\nName: Bo\nPay: 2500.5\n"
    )
    assert old.text.strip() == "a note in a hidden sheet"


def test_lines_are_rows_of_the_sheet(tmp_path):
    staff, _ = read_all(tmp_path, "a.xlsx", xlsx())
    by_text = dict(zip(staff.text.split("\n"), staff.source_lines, strict=True))
    assert (by_text["Rotate the key: the staff of 2026"], by_text["Name: Ann"], by_text["Name: Bo"]) == (1, 4, 5)


def test_chunks_are_cut_between_rows(tmp_path):
    rows = [(f"pump {at}", "a description of the pump, its seals and its valves " * 2, at) for at in range(60)]
    document = read_one(tmp_path, "a.xlsx", sheet(("Name", "Description", "Stock"), *rows))
    (chunks,) = Chunker(EstimatedTokens(256)).chunk([document])
    assert len(chunks) > 4
    assert all(chunk.indexed[chunk.body_at :].startswith("Name: pump") for chunk in chunks[1:])
    assert all(chunk.indexed.rsplit("\n", 1)[-1].startswith("Stock: ") for chunk in chunks)


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([("a", 1), ("b", 2)], "a | 1\n\nb | 2\n"),
        ([("Name", "Name"), ("x", "y")], "Name | Name\n\nx | y\n"),
        ([("Name", "", "City"), ("x", "y", "z")], "Name | City\n\nName: x\ny\nCity: z\n"),
        ([("only words in one cell",)], "only words in one cell\n"),
        ([("Region", 2024, 2025), ("East", 10, 199)], "Region | 2024 | 2025\n\nRegion: East\n2024: 10\n2025: 199\n"),
        ([("Ann", 1985), ("Bo", 1990)], "Ann | 1985\n\nBo | 1990\n"),
        ([("Q", "A"), ("one\ntwo", "three")], "Q | A\n\nQ: one\ntwo\nA: three\n"),
    ],
)
def test_headers_and_what_is_none(tmp_path, rows, text):
    assert read_one(tmp_path, "a.xlsx", sheet(*rows)).text == text


def test_a_large_sheet_names_its_columns_once(tmp_path, monkeypatch):
    monkeypatch.setattr(spreadsheet, "MAX_NAMED", 3)
    assert read_one(tmp_path, "a.xlsx", sheet(("Name", "City"), ("x", "y"))).text == "Name | City\n\nx | y\n"


def test_open_document_sheets(tmp_path):
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    rows = "".join(
        f"<table:table-row>{''.join(cell.format(value) for value in row)}</table:table-row>"
        for row in (("Name", "City"), ("Ann", "Bern"))
    )
    content = f"<office:document-content {ODF}><office:body><office:spreadsheet>"
    content += (
        f'<table:table table:name="S">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    made = zipped({"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": "<m/>"})
    assert read_one(tmp_path, "a.ods", made).text == "Name | City\n\nName: Ann\nCity: Bern\n"


def test_a_sheet_that_spans_too_much_is_named_and_the_others_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(spreadsheet, "MAX_CELLS", 20)
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.add_worksheet("Far").write_row(0, 0, list("abcdefghijklmnopqrstuvw"))
    book.add_worksheet("Near").write(0, 0, "kept")
    book.close()
    far, near = read_all(tmp_path, "a.xlsx", buffer.getvalue())
    assert isinstance(far, ReadError) and "'Far'" in str(far)
    assert near.text.strip() == "kept"


@pytest.mark.parametrize("data", [b"no spreadsheet", b"PK\x03\x04", zipped({"a": "b"}), xlsx()[:2_000]])
def test_what_is_no_spreadsheet(tmp_path, data):
    with pytest.raises(ReadError, match="spreadsheet"):
        read_all(tmp_path, "a.xlsx", data)


@pytest.mark.parametrize(
    "data",
    [
        b"<html><head><meta charset=utf-8></head><body><table><tr><td>Pump</td><td>leaks</td></tr></table></body></html>",
        b"\xef\xbb\xbf<table><tr><td>Pump</td><td>leaks</td></tr></table>",
        b"part\tstate\nPump\tleaks\nValve\tnew\n",
        "part\tstate\nPump\tleaks\nValve\tnew\n".encode("utf-16"),
        b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet><Table><Row><Cell>'
        b"<Data>Pump</Data></Cell><Cell><Data>leaks</Data></Cell></Row></Table></Worksheet></Workbook>",
    ],
    ids=["page", "table", "TSV", "TSV in UTF-16", "XML"],
)
def test_a_text_file_that_programs_export_for_excel(tmp_path, data):
    said = [f"{document.title} {document.text}" for document in read_all(tmp_path, "export.xls", data)]
    assert "Pump" in said[0] and "leaks" in said[0]
