"""Sets of every language and script: what is found out of them, what they keep, and what is found in them."""

from __future__ import annotations

import unicodedata

import pytest

import embassay
from embassay.config.values import Config
from embassay.errors import UsageError
from tests.sets.indexed import rows

GERMAN = "Wenn der Sicherungsserver keinen Platz mehr hat, bricht der nächtliche Lauf ab und muss neu gestartet werden."
ENGLISH = "When the backup server runs out of disk space, the nightly job stops and an administrator has to clean up."
CHINESE = "当备份服务器磁盘已满时，夜间任务会停止，管理员需要先清理旧快照再重新启动备份。"


@pytest.fixture
def write(tmp_path):
    folder = tmp_path / "project" / "texts"
    folder.mkdir(parents=True, exist_ok=True)

    def written(**texts):
        for name, text in texts.items():
            (folder / f"{name}.md").write_text(text, "utf-8")
        return folder

    return written


@pytest.fixture
def model():
    """Its limit keeps words in one chunk, and of its vectors nothing is asked here."""
    return "hash/64"


@pytest.fixture
def home(tmp_path, write):
    with embassay.open(write().parent / ".embassay") as opened:
        yield opened


def paths(home, query, **options):
    return [hit.chunk.path for hit in home.search(query, mode="lexical", **options).hits]


@pytest.mark.parametrize(
    ("text", "language"), [(GERMAN, "de"), (ENGLISH, "en"), (CHINESE, "zh"), (f"{GERMAN}\n\n{ENGLISH}", "mul")]
)
def test_the_language_of_a_new_set_is_that_of_its_documents(home, model, write, text, language):
    folder = write(**{f"page{n}": f"{paragraph} {n}" for n, paragraph in enumerate(text.split("\n\n") * 3)})
    assert home.index([folder], model=model).language == language
    assert home.status()[0].language == language and home.status()[0].to_dict()["language"] == language


def test_it_can_be_chosen_and_stays(home, model, write):
    folder = write(page=ENGLISH)
    assert home.index([folder], model=model, language="de").language == "de"
    (folder / "page.md").write_text(CHINESE * 5, "utf-8")
    assert home.index([folder]).language == "de"
    assert home.index([folder], language="de").embedded == 0
    with pytest.raises(UsageError, match="language de, not en"):
        home.index([folder], language="en")
    with pytest.raises(UsageError, match="'tlh' is not known"):
        home.index([folder], set="other", language="tlh")


def test_it_can_be_configured(tmp_path, model, write):
    folder = write(page=ENGLISH)
    with (
        embassay.Session(config=Config(language="sv")) as session,
        embassay.open(tmp_path / ".other", session=session) as home,
    ):
        assert home.index([folder], model=model).language == "sv"
        assert home.index([folder], model=model, set="second", language="da").language == "da"
    with pytest.raises(ValueError, match="language is 'xx'"):
        Config(language="xx")


def test_the_language_decides_on_stems(home, model, write):
    home.index([write(page="Die Häuser der Stadt", other="Ein Garten")], model=model, language="de")
    assert paths(home, "Haus") == ["texts/page.md"] and paths(home, "die der Garten") == ["texts/other.md"]


@pytest.mark.parametrize("language", ["en", "de", "mul", "zh"])
def test_words_of_every_script_are_found_in_a_set_of_any_language(home, model, write, language):
    texts = {
        "zh": (CHINESE, "备份服务器"),
        "ja": ("出張の交通費は領収書を添付して月末までに申請してください。", "交通費"),
        "ko": ("비밀번호를 잊어버린 경우 재설정 버튼을 누르십시오.", "비밀번호"),
        "th": ("เมื่อเซิร์ฟเวอร์สำรองข้อมูลเต็ม งานกลางคืนจะหยุด", "ข้อมูล"),
        "ar": ("عندما تمتلئ مساحةُ خادِمِ النسخ الاحتياطي", "خادم"),
        "id": ("The ticket 3fa85f6457174562b3fc2c963f66afa6 is closed; ERR_CONN_4711 was its code.", "err_conn_4711"),
        "sha": (f"The digest is {'9f86d081884c7d65' * 4}.", "9F86D081884C7D65" * 4),
        "long": ("Das Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz", (
            "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz")),
    }  # fmt: skip
    home.index([write(**{name: text for name, (text, _) in texts.items()})], model=model, language=language)
    for name, (_, query) in texts.items():
        assert paths(home, query)[:1] == [f"texts/{name}.md"], query


def test_either_form_of_an_accent_or_a_syllable_is_found(home, model, write):
    decomposed = unicodedata.normalize("NFD", "Köln am Rhein, Café, 학점인정")
    home.index([write(page=f"# Ort\n\n{decomposed}\n\n## Später\n\nEnde")], model=model)
    for query in ("Köln", unicodedata.normalize("NFD", "Köln"), "Koln", "cafe", "학점인정"):
        assert paths(home, query)[:1] == ["texts/page.md"], query
    texts = [chunk.text for chunk, _ in rows(home).values()]
    assert all(unicodedata.is_normalized("NFC", text) for text in texts) and any("Köln" in text for text in texts)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_of_files_and_filters_meet_in_one_form(home, model, write, form):
    spell = lambda text: unicodedata.normalize(form, text)  # noqa: E731
    folder = write()
    (folder / spell("학점인정")).mkdir()
    for name in ("Köln.md", "학점인정/안내.md"):
        (folder / spell(name)).write_text(f"# Key\n\nkey of {name}", "utf-8")
    report = home.index([folder], model=model)
    assert report.files == 2
    for asked in ("NFC", "NFD"):
        where = unicodedata.normalize(asked, 'path = "texts/Köln.md" or path ~ "**/학점인정/*"')
        assert sorted(paths(home, "key", where=where)) == ["texts/Köln.md", "texts/학점인정/안내.md"]
    assert home.doctor() == [], "a file is found on the disk in the form that it has there"
    assert home.index([folder]).embedded == 0
    (folder / spell("Köln.md")).unlink()
    assert home.index([folder]).removed == 1


def test_metadata_and_its_names_are_composed(home, model, write):
    folder = write()
    lines = '{"id": "1", "text": "key one", "Straße": "Ko\\u0308ln"}\n{"id": "2", "text": "key two", "Stra\\u00dfe": "Bonn"}\n'
    (folder / "rows.jsonl").write_text(lines, "utf-8")
    home.index([folder], model=model)
    for city in ("Köln", "Ko\u0308ln"):
        (hit,) = home.search("key", where=f'Straße = "{city}"').hits
        assert hit.chunk.text.startswith("key one")


def test_two_names_that_differ_in_the_form_of_an_accent_alone_are_two_files(home, model, write):
    folder = write()
    (folder / "Köln.md").write_text("key composed", "utf-8")
    (folder / "Ko\u0308ln.md").write_text("key decomposed", "utf-8")
    if len(list(folder.iterdir())) < 2:
        pytest.skip("this file system has one name for both")
    assert home.index([folder], model=model).chunks == 2
    assert home.index([folder]).embedded == 0 and len(paths(home, "key")) == 2
    for file in folder.iterdir():
        report = home.index([file])
        assert (report.embedded, report.removed, report.chunks) == (0, 0, 2), "each has its own name, alone as well"
    assert not [row for row in home.doctor() if row.level == "problem"]
    (folder / "Ko\u0308ln.md").unlink()
    assert home.index([folder]).removed == 1 and len(paths(home, "composed")) == 1
