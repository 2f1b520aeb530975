"""A message gives all that its reader would see: the better alternative, what it forwards, what is attached."""

from __future__ import annotations

import base64
from email.message import EmailMessage

import pytest

from benchmarks.hostile import docx, paragraph
from embassay.ingest.base import LeftOut, SourceFile
from embassay.ingest.read import read
from embassay.ingest.readers._flowed import unfolded
from embassay.types import Document

HEAD = b"From: Ann <ann@example.org>\nSubject: Pump\nDate: Mon, 02 Mar 2026 10:00:00 +0100\nMIME-Version: 1.0\n"
LETTER = "The pump arrives on Thursday at gate four. Please have somebody there with a fork lift, it weighs a ton."


def all_of(tmp_path, data, name="a.eml"):
    file = tmp_path / name
    file.write_bytes(data if isinstance(data, bytes) else bytes(data))
    return list(read(SourceFile(file, name)))


def text_of(tmp_path, data):
    (document,) = all_of(tmp_path, data)
    return document.text.strip()


def letter(text=LETTER, subject="Pump", **options):
    message = EmailMessage()
    message["From"], message["Subject"] = "Ann <ann@example.org>", subject
    message.set_content(text, **options)
    return message


def raw(kind, body, *headers):
    return HEAD + b"".join(header + b"\n" for header in (b"Content-Type: " + kind, *headers)) + b"\n" + body


def parts(kind, *bodies):
    whole = b"".join(b"--x\n" + body + b"\n" for body in bodies)
    return raw(b"multipart/" + kind + b"; boundary=x", whole + b"--x--\n")


def plain(text):
    return b"Content-Type: text/plain; charset=utf-8\n\n" + text.encode()


def html(text):
    return b"Content-Type: text/html; charset=utf-8\n\n" + text.encode()


BODIES = {
    "a blank plain part": (parts(b"alternative", plain(" \n"), html(f"<p>{LETTER}</p>")), LETTER),
    "a stub": (parts(b"alternative", plain("Your program cannot show HTML."), html(f"<p>{LETTER}</p>")), LETTER),
    "two that say the same": (parts(b"alternative", plain(LETTER), html(f"<p>{LETTER} x</p>")), LETTER),
    "HTML first": (parts(b"alternative", html(f"<p>{LETTER} x</p>"), plain(LETTER)), LETTER),
    "an invitation": (parts(b"alternative", plain("Lunch?"), b"Content-Type: text/calendar\n\nBEGIN:VCALENDAR\n" + b"X:y z\n" * 20), "Lunch?"),
    "a blank HTML part": (parts(b"alternative", plain("Yes."), html("<br>")), "Yes."),
    "text around a picture": (parts(b"mixed", plain("Above."), b"Content-Type: image/png\n\nx", plain("Below.")), "Above.\n\nBelow."),
    "plain and HTML after one another": (parts(b"mixed", plain("Above."), html("<p>Below.</p>")), "Above.\n\nBelow."),
    "HTML that calls itself plain": (raw(b"text/plain", b"<html><body><p>Fish &amp; chips</p></body></html>"), "Fish & chips"),
    "no encoding": (raw(b"text/plain", "Die Bäckerei öffnet um sieben, frische Brötchen".encode("cp1252")), "Die Bäckerei öffnet um sieben, frische Brötchen"),
    "no encoding, UTF-8": (raw(b"text/plain", "Die Bäckerei".encode()), "Die Bäckerei"),
    "ASCII that is none": (raw(b"text/plain; charset=us-ascii", "Die Bäckerei".encode()), "Die Bäckerei"),
    "latin-1 of Windows": (raw(b"text/plain; charset=iso-8859-1", "20 € “now”".encode("cp1252")), "20 € “now”"),
    "an unknown encoding": (raw(b"text/plain; charset=x-funny", "Die Bäckerei".encode()), "Die Bäckerei"),
    "a wrong encoding": (raw(b"text/plain; charset=utf-8", "Größe, Öl, Bäckerei und Brötchen für alle".encode("cp1252")), "Größe, Öl, Bäckerei und Brötchen für alle"),
    "seven bits of Japan": (raw(b"text/plain; charset=iso-2022-jp", "備考です".encode("iso2022_jp")), "備考です"),
    "a boundary that is not there": (raw(b"multipart/mixed; boundary=y", LETTER.encode()), LETTER),
    "no boundary": (raw(b"multipart/mixed", LETTER.encode()), LETTER),
    "broken base64": (raw(b"text/plain", b"SGVsbG8gd29ybGQ", b"Content-Transfer-Encoding: base64"), "Hello world"),
    "an unknown transfer": (raw(b"text/plain", b"Hello world", b"Content-Transfer-Encoding: 9bit"), "Hello world"),
    "a signed letter": (parts(b"signed", plain(LETTER), b"Content-Type: application/pgp-signature\n\nxyz"), LETTER),
    "flowed text": (raw(b"text/plain; format=flowed", b"The pump \narrives on \nThursday.\n\n> It \n> is old.\n"), "The pump arrives on Thursday.\n\n> It is old."),
    "a report": (parts(b"report", plain("Not delivered."), b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; a\n\nAction: failed\n"),
                 "Not delivered.\n\nReporting-MTA: dns; a\n\nAction: failed"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BODIES)
def test_the_body(tmp_path, kind):
    data, expected = BODIES[kind]
    assert text_of(tmp_path, data) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_headers_with_bytes_that_no_header_may_hold(tmp_path, encoding):
    subject = "Größere Brötchen für die Bäckerei"
    data = b"From: a@b.org\nSubject: " + subject.encode(encoding) + b"\n\nx"
    (document,) = all_of(tmp_path, data)
    assert document.title == subject == document.metadata["subject"]


def test_forwarded_messages_are_documents_of_their_own(tmp_path):
    inmost, inner, outer = (
        letter("The frost came.", "Frost"),
        letter("See below.", "Fwd: Frost"),
        letter("Please read.", "Fwd: Fwd"),
    )
    inner.add_attachment(inmost)
    outer.add_attachment(inner)
    found = all_of(tmp_path, outer)
    assert [(d.id, d.title, d.text.strip()) for d in found] == [
        ("a.eml", "Fwd: Fwd", "Please read."),
        ("a.eml#1", "Fwd: Frost", "See below."),
        ("a.eml#1#1", "Frost", "The frost came."),
    ]


def test_a_message_inside_of_too_many_others_is_told(tmp_path):
    message = letter("The inmost.")
    for _ in range(25):
        outer = letter("Around it.")
        outer.add_attachment(message)
        message = outer
    found = all_of(tmp_path, message)
    assert len([d for d in found if isinstance(d, Document)]) == 21
    assert [part.reason for part in found if isinstance(part, LeftOut)] == ["a message inside of 20 others"]


def test_attached_files_are_read_by_the_readers_of_their_names(tmp_path):
    message = letter()
    message.add_attachment("id;text\n7;Valve\n".encode("cp1252"), maintype="text", subtype="csv", filename="parts.csv")
    message.add_attachment(
        "# Größe\n\nNine inches.\n".encode("cp1252"), maintype="text", subtype="markdown", filename="notes.md"
    )
    message.add_attachment(
        docx(paragraph("An offer.")), maintype="application", subtype="octet-stream", filename="Angebot für Sie.DOCX"
    )
    message.add_attachment(b"host = a\n", maintype="text", subtype="plain", filename="proxy.conf")
    found = {d.id: d for d in all_of(tmp_path, message)}
    assert {name: d.text.strip() for name, d in found.items()} == {
        "a.eml": LETTER,
        "a.eml#parts.csv#7": "Valve",
        "a.eml#notes.md": "# Größe\n\nNine inches.",
        "a.eml#Angebot für Sie.DOCX": "An offer.",
        "a.eml#proxy.conf": "host = a",
    }
    assert {d.path for d in found.values()} == {"a.eml"}
    assert found["a.eml#notes.md"].kind == "markdown"


def test_what_is_attached_and_cannot_be_read_is_told(tmp_path):
    message = letter()
    message.add_attachment(b"\0\1", maintype="application", subtype="zip", filename="all.zip")
    message.add_attachment(b"no zip", maintype="application", subtype="octet-stream", filename="../../offer.docx")
    message.add_attachment(b"x", maintype="image", subtype="png", filename="plan.png")
    message.add_attachment(b"x", maintype="image", subtype="png", filename="logo.png", disposition="inline")
    document, *told = all_of(tmp_path, message)
    assert document.text.strip() == LETTER
    reasons = [part.reason for part in told]
    assert (
        reasons[0] == "the attachment all.zip (application/zip)" and reasons[2] == "the attachment plan.png (image/png)"
    )
    assert reasons[1].startswith("the attachment .._.._offer.docx: not a readable DOCX") and len(reasons) == 3


def test_a_message_without_text_says_its_subject(tmp_path):
    assert text_of(tmp_path, HEAD + b"\n") == "Pump"
    bare = HEAD.replace(b"Subject: Pump\n", b"")
    around = bare + b"Content-Type: message/rfc822\n\n" + letter("The frost came.", "Frost").as_bytes()
    assert [(d.id, d.title) for d in all_of(tmp_path, around)] == [("a.eml#1", "Frost")]


def test_a_part_that_is_no_text_leaves_the_others(tmp_path):
    noise = b"\x89PNG\r\n\x1a\n" + bytes(range(129, 160)) * 30
    document, *told = all_of(tmp_path, parts(b"mixed", plain(LETTER), b"Content-Type: text/plain\n\n" + noise))
    assert document.text.strip() == LETTER and told[0].reason.startswith("a part of the message: ")


@pytest.mark.parametrize(
    "header", [b"Date: Fri, 99999999999 Nov 2026", b"To: " + b"(" * 4_000 + b"a@b", b"Cc: \xff\xfe\xfd"]
)
def test_a_header_that_cannot_be_parsed_is_as_it_is_written(tmp_path, header):
    (document,) = all_of(tmp_path, b"From: a@b.org\nSubject: Pump\n" + header + b"\n\nHello")
    assert document.text.strip() == "Hello" and document.title == "Pump"
    assert document.metadata[header[: header.index(b":")].decode().lower()]


def test_a_message_is_known_by_any_of_its_headers(tmp_path):
    assert text_of(tmp_path, b"Received: from a\nMessage-ID: <x>\n\nHello") == "Hello"


def test_a_message_that_was_cut_off_is_told(tmp_path):
    data = parts(b"mixed", plain(LETTER), plain("More of it."))
    document, told = all_of(tmp_path, data[: data.rindex(b"More") + 6])
    assert document.text.endswith(LETTER + "\n\nMore o") and told.reason == "damaged: the end of the message is missing"


def test_an_encrypted_message_is_told(tmp_path):
    found = all_of(tmp_path, parts(b"encrypted", plain("Version: 1"), b"Content-Type: application/octet-stream\n\nxyz"))
    assert [part.reason for part in found if isinstance(part, LeftOut)] == ["the message is encrypted"]


def test_a_saved_page(tmp_path):
    bodies = (
        html(f"<h1>Pump</h1><p>{LETTER}</p>"),
        b"Content-Type: text/css\n\np {}",
        b"Content-Type: image/png\n\nx",
        html("<p>In a frame.</p>"),
    )
    (document,) = all_of(tmp_path, parts(b"related", *bodies), "a.mhtml")
    assert document.text == f"# Pump\n\n{LETTER}\n\nIn a frame." and document.kind == "markdown"


def test_lines_that_were_cut_to_be_sent_are_whole_again():
    text = "One \nparagraph.\n From here\n>> deep \n>> quote\n> shallow \nnone\n-- \nAnn\n"
    assert unfolded(text) == "One paragraph.\nFrom here\n>> deep quote\n> shallow \nnone\n-- \nAnn\n"
    assert unfolded("Donau \ndampf \nschiff\n", joins_words=True) == "Donaudampfschiff\n"


STUB = "This mail needs a program that shows HTML. Please open it in your browser: https://news.example/view/4711"
OFFER = "<h1>Spring sale</h1><p>All tulips at half price until Sunday, in every garden centre near you.</p>"


def alternatives(plain, other, kind="html"):
    message = letter(plain)
    message.add_alternative(other, subtype=kind)
    return message


@pytest.mark.parametrize("plain", [STUB, STUB + " Or write to us."])
def test_a_plain_text_that_says_something_else_is_a_stub_however_long(tmp_path, plain):
    assert "tulips" in text_of(tmp_path, alternatives(plain, OFFER))


EVENT = """BEGIN:VCALENDAR
BEGIN:VEVENT
ORGANIZER;CN="Ann, of stores":mailto:ann@example.org
SUMMARY:Pump inspection
DESCRIPTION:Bring the gauge\\, and over
 alls\\nGate four
LOCATION;LANGUAGE=en:Hall 7
DTSTAMP:20260302T100000Z
END:VEVENT
END:VCALENDAR
"""


def test_an_invitation_is_said_beside_the_text_and_once(tmp_path):
    message = alternatives("You are invited.", EVENT, "calendar")
    message.add_attachment(EVENT.encode(), maintype="application", subtype="ics", filename="invite.ics")
    assert text_of(tmp_path, message).split("\n") == [
        *("You are invited.", "", "Ann, of stores", "Pump inspection"),
        *("Bring the gauge, and overalls", "Gate four", "Hall 7"),
    ]


def test_a_message_is_read_that_was_encoded_inside_of_another(tmp_path):
    inner = base64.encodebytes(bytes(letter(subject="Old pump")))
    data = raw(b"message/rfc822", inner, b"Content-Transfer-Encoding: base64")
    _, forwarded = all_of(tmp_path, data)
    assert (forwarded.title, forwarded.text.strip()) == ("Old pump", LETTER)


def test_of_a_text_that_is_signed_inside_of_itself_the_text_is_read(tmp_path):
    armored = (
        f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{LETTER}\n- -- \nAnn\n"
        "-----BEGIN PGP SIGNATURE-----\n\niQEzBAEBCAAdFiEE\n=abcd\n-----END PGP SIGNATURE-----\n"
    )
    assert text_of(tmp_path, raw(b"text/plain", armored.encode())) == f"{LETTER}\n-- \nAnn"


@pytest.mark.parametrize(
    "body", [b"", b"-----BEGIN PGP MESSAGE-----\n\nhQEMA9\n=abcd\n-----END PGP MESSAGE-----\n"], ids=["S/MIME", "PGP"]
)
def test_what_is_encrypted_inside_of_a_message_is_told(tmp_path, body):
    kind = b"text/plain" if body else b"application/pkcs7-mime; smime-type=enveloped-data"
    document, told = all_of(tmp_path, raw(kind, body))
    assert (document.text, told) == ("Pump", LeftOut("the message is encrypted"))


def test_a_message_is_read_that_is_wrapped_in_its_signature(tmp_path):
    inner = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + LETTER.encode()
    string = b"\x04" + _length(inner) + inner
    wrapped = bytes.fromhex("06092a864886f70d010701") + b"\xa0" + _length(string) + string + b"\xa0\x03\x30\x01\x00"
    data = bytes.fromhex("308006092a864886f70d010702a0803080020101310030") + _length(wrapped) + wrapped
    kind = b'application/pkcs7-mime; smime-type=signed-data; name="smime.p7m"'
    encoded = base64.encodebytes(data)
    assert text_of(tmp_path, raw(kind, encoded, b"Content-Transfer-Encoding: base64")) == LETTER


def _length(content):
    return bytes([0x82]) + len(content).to_bytes(2)
