"""Bytes of every encoding that files still come in become the text that was meant."""

from __future__ import annotations

import random

import pytest

from embassay.errors import NotText, ReadError
from embassay.ingest.base import LeftOut, SourceFile
from embassay.ingest.decode import decode, looks_binary
from embassay.ingest.read import read

TEXTS = {
    "th": "หากลูกค้าร้องเรียนเรื่องการชำระเงิน ให้ติดต่อฝ่ายบัญชีภายในสามวันทำการ",
    "ja": "返品は三十日以内に可能です。領収書をお持ちください。カタカナも混ざる文章です",
    "ko": "백업 서버는 매일 밤 두 시에 실행됩니다. 관리자에게 문의하십시오",
    "zh": "备份服务器每天晚上两点运行，请联系管理员了解详情",
    "tw": "備份伺服器每天晚上兩點執行，請聯絡管理員了解詳情",
    "ru": "Резервное копирование выполняется каждую ночь в два часа. Обратитесь к администратору",
    "uk": "Резервне копіювання виконується щоночі о другій годині. Зверніться до адміністратора",
    "el": "Η δημιουργία αντιγράφων γίνεται κάθε βράδυ στις δύο. Επικοινωνήστε με τον διαχειριστή",
    "he": "הגיבוי מתבצע בכל לילה בשעה שתיים. פנה למנהל המערכת",
    "ar": "يتم النسخ الاحتياطي كل ليلة في الساعة الثانية. اتصل بالمسؤول",
    "tr": "Yedekleme her gece saat ikide çalışır. Lütfen yöneticiye başvurun, değişiklikler için şifre gereklidir",
    "pl": "Kopia zapasowa jest wykonywana każdej nocy o drugiej. Skontaktuj się z zarządcą, żeby uzyskać więcej szczegółów",
    "cs": "Zálohování probíhá každou noc ve dvě hodiny. Obraťte se na správce, který má přístup k úložišti",
    "hu": "A biztonsági mentés minden éjjel két órakor történik. Forduljon a rendszergazdához, ha őrült dolgot lát",
    "de": "Die Größe der Straße überrascht. Bitte wenden Sie sich an den Verwalter über das Menü",
    "fr": "L’école a été fermée dès l’été dernier, où les élèves étaient déçus. Ça n’a pas été dit",
    "pt": "La situação é difícil, não há solução. Às vezes é preciso esperar",
    "es": "El niño pidió más información sobre la contraseña. ¿Qué pasó después?",
    "lt": "Atsarginė kopija daroma kiekvieną naktį antrą valandą. Kreipkitės į administratorių, šįvakar žinių nėra",
    "en": "The café’s naïve résumé — “quoted” text costs £5",
}
ENCODINGS = {
    "th": "tis_620 cp874",
    "ja": "iso2022_jp shift_jis cp932 euc_jp utf_16_le utf_16_be",
    "ko": "euc_kr cp949 iso2022_kr utf_16_le",
    "zh": "gb2312 gbk gb18030 hz utf_16_le utf_16_be",
    "tw": "big5 gb18030",
    "ru": "koi8_r cp1251 cp866 iso8859_5 mac_cyrillic utf_16_le",
    "uk": "koi8_u cp1251",
    "el": "cp1253 iso8859_7",
    "he": "cp1255 iso8859_8",
    "ar": "cp1256 iso8859_6",
    "tr": "cp1254",
    "pl": "cp1250 iso8859_2",
    "cs": "cp1250 iso8859_2",
    "hu": "cp1250",
    "de": "cp1252 mac_roman cp850 utf_16_be utf_32_le",
    "fr": "cp1252 mac_roman",
    "pt": "cp1252 mac_roman cp850",
    "es": "cp1252 mac_roman",
    "lt": "cp1257",
    "en": "cp1252 mac_roman",
}


@pytest.mark.parametrize(
    ("language", "encoding"), [(language, name) for language, names in ENCODINGS.items() for name in names.split()]
)
@pytest.mark.parametrize("times", [1, 30])
def test_the_text_that_was_meant(language, encoding, times):
    text = "\n".join([TEXTS[language]] * times)
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Müller und Söhne", "cp1252"),
        ("50 € pro Monat", "cp1252"),
        ("naïve", "mac_roman"),
        ("“Hello”, she said", "mac_roman"),
        ("l'été à la plage", "cp850"),
        ("Привет, как дела?", "koi8_r"),
        ("こんにちは世界", "euc_jp"),
        ("안녕하세요", "euc_kr"),
        ("plain text " * 9000 + "café", "cp1252"),
        ("plain text " * 9000 + "交通費の申請は月末までです。", "iso2022_jp"),
    ],
)
def test_a_few_words_are_enough(text, encoding):
    assert decode(text.encode(encoding)) == text


def test_iso_2022_cn():
    """Its Chinese is GB 2312 without the eighth bit, between SO and SI (RFC 1922)."""
    shifted = bytes(byte & 0x7F for byte in "备份".encode("gb2312"))
    assert decode(b"a \x1b$)A\x0e" + shifted + b"\x0f b") == "a 备份 b"


@pytest.mark.parametrize(
    "text", ["a ~{ b ~} c", "x \x1b[31mred\x1b[0m y", "1 + 1 = 2", "\x0e alone", "+AGE- ~~", "if [[ $a =~ {1,2} ]]"]
)
def test_ascii_stays_ascii(text):
    assert decode(text.encode()) == text


def test_no_character_but_a_line_feed_ends_a_line():
    text = "a\x0cb\x0bc\x85d\u2028e\u2029f\x1cg"
    assert decode(text.encode()) == text
    assert decode(b"a\r\nb\rc") == "a\nb\nc"


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        b"\xff\xd8\xff\xe0 no NUL in it",
        b"%PDF-1.7\n",
        b"PK\x03\x04",
        bytes(range(256)) * 8,
        b"a\xff\0\1\2" * 50,
        b"\0\0\0\0",
        bytes(random.Random(1).choices(range(1, 256), k=4000)),
    ],
)
@pytest.mark.parametrize("name", ["a.md", "a.csv", "a.txt", "a.json", "a.unknown"])
def test_binary_files_are_skipped_whatever_they_are_called(tmp_path, name, data):
    assert looks_binary(data)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(NotText, match="binary"):
        list(read(SourceFile(tmp_path / name, name)))


def test_a_broken_byte_is_told(tmp_path):
    data = ("größer\n" * 500).encode() + b"\xff\n"
    (tmp_path / "a.md").write_bytes(data)
    document, lost = read(SourceFile(tmp_path / "a.md", "a.md"))
    assert document.text.endswith("größer\n\ufffd\n")
    assert isinstance(lost, LeftOut) and "U+FFFD in 1 place" in lost.reason


def test_what_no_encoding_fits_is_an_error():
    with pytest.raises(ReadError, match="encoding"):
        decode(bytes(random.Random(1).choices(range(128, 256), k=4000)))


def test_nearly_ascii_by_hands_of_many_encodings_is_read():
    names = "Müller ".encode() + "Dvořák ".encode("iso8859-2") + "Renné – ".encode("cp1252") + b"\x81\x8d "
    text = decode(b"fixed the parser of settings in the release\n" * 60 + names)
    assert "parser of settings" in text
