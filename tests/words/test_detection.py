"""Which language texts are written in."""

import pytest

from embassay.words.detection import detect, detect_in

TEXTS = {
    "en": "When the backup server runs out of disk space, the nightly job stops and an administrator has to clean up.",
    "de": "Wenn der Sicherungsserver keinen Platz mehr hat, bricht der nächtliche Lauf ab und muss neu gestartet werden.",
    "fr": "Lorsque le serveur de sauvegarde manque de place, la tâche de nuit s'arrête et il faut la relancer à la main.",
    "es": "Cuando el servidor de copias se queda sin espacio, la tarea nocturna se detiene y hay que reiniciarla a mano.",
    "tr": "Yedekleme sunucusunda yer kalmadığında gece görevi durur ve yöneticinin onu yeniden başlatması gerekir.",
    "ru": "Когда на сервере резервных копий кончается место, ночное задание останавливается и его нужно запустить снова.",
    "uk": "Коли на сервері резервних копій закінчується місце, нічне завдання зупиняється, і його треба запустити знову.",
    "ar": "عندما تمتلئ مساحة خادم النسخ الاحتياطي تتوقف المهمة الليلية ويجب على المسؤول إعادة تشغيلها من جديد.",
    "fa": "وقتی فضای سرور پشتیبان پر می‌شود، کار شبانه متوقف می‌شود و مدیر باید آن را دوباره راه‌اندازی کند.",
    "zh": "当备份服务器磁盘已满时，夜间任务会停止，管理员需要先清理旧快照再重新启动备份。",
    "ja": "バックアップサーバーの容量が足りなくなると、夜間の処理は停止し、管理者が再起動する必要があります。",
    "ko": "백업 서버의 공간이 부족하면 야간 작업이 중지되고 관리자가 다시 시작해야 합니다.",
    "th": "เมื่อเซิร์ฟเวอร์สำรองข้อมูลเต็ม งานกลางคืนจะหยุดและผู้ดูแลต้องเริ่มใหม่",
    "el": "Όταν ο διακομιστής αντιγράφων γεμίσει, η νυχτερινή εργασία σταματά και πρέπει να ξεκινήσει ξανά.",
    "hi": "जब बैकअप सर्वर भर जाता है तो रात का काम रुक जाता है और प्रशासक को उसे फिर से शुरू करना पड़ता है।",
    "he": "כאשר שרת הגיבוי מתמלא, המשימה הלילית נעצרת ויש להפעיל אותה מחדש.",
}


@pytest.mark.parametrize("language", TEXTS)
def test_languages_are_told_apart(language):
    assert detect([TEXTS[language]]) == language


def test_short_texts_are_joined():
    assert detect(TEXTS["de"].split()) == "de"


def test_what_says_nothing_is_english():
    for texts in ([], [""], ["42 §"], ["x"], ["```\nfür die Sicherung auf dem Server\n```"]):
        assert detect(texts) == "en"


def test_code_and_addresses_say_nothing():
    code = "```python\nfor item in range(10): print(the_value_of(item))\n```\nhttps://example.org/the/way/to/the/page\n"
    assert detect([code * 3 + TEXTS["de"]]) == "de"


def test_numbers_of_things_say_nothing():
    assert detect(["ABC-123 DEF-456 GHI-789 R2D2"] * 30) == "en"
    assert detect([f"sku: ABC-{n}\n{TEXTS['de']}" for n in range(20)]) == "de"


def test_a_set_of_several_languages_of_one_script_is_mixed():
    assert detect([TEXTS["en"], TEXTS["de"]] * 10) == "mul"
    assert detect([TEXTS["en"]] * 19 + [TEXTS["de"]]) == "en", "one page in twenty does not make it so"


def test_of_several_scripts_the_larger_part_decides():
    """Words of the other one are cut by their script in any case."""
    assert detect([TEXTS["zh"]] * 9 + [TEXTS["en"]]) == "zh"
    assert detect([TEXTS["en"]] * 9 + [TEXTS["zh"]]) == "en"
    assert detect([TEXTS["ru"]] * 9 + [TEXTS["en"]]) == "ru"


def test_a_shorter_text_than_can_be_told_is_that_of_its_script():
    assert [detect([text]) for text in ("Привет", "مرحبا", "नमस्ते", "备份", "Hallo")] == ["ru", "ar", "hi", "zh", "en"]


def test_only_so_much_is_read():
    def endless():
        while True:
            yield TEXTS["de"] * 10

    assert detect(endless()) == "de"


def test_texts_at_hand_are_looked_at_from_the_first_to_the_last():
    assert detect_in([TEXTS["en"] * 20] * 300 + [TEXTS["de"] * 20] * 300) == "mul"
    assert detect_in([]) == "en" and detect_in([TEXTS["zh"]]) == "zh"
