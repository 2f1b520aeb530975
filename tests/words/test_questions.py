"""What counts as a question, in many languages."""

import pytest

from embassay.words.languages import LANGUAGES, MIXED
from embassay.words.questions import QUESTION_WORDS, is_question


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "how do I rotate a key"),
        ("en", "keys: rotated when?"),
        ("en", "can I stop an index run"),
        ("de", "Wie wechsle ich den Schlüssel"),
        ("de", "darf man den Lauf abbrechen"),
        ("fr", "qu'est-ce qu'un vecteur"),
        ("fr", "comment changer la clé"),
        ("es", "¿cómo se cambia la clave"),
        ("es", "por qué falla la prueba"),
        ("ru", "как сменить ключ"),
        ("ru", "можно ли остановить"),
        ("el", "αυτό είναι το κλειδί;"),
        ("el", "πώς αλλάζω το κλειδί"),
        ("ar", "كيف أغير المفتاح"),
        ("ar", "المفتاح الجديد؟"),
        ("hy", "ուր է բանալին՞"),
        ("zh", "密钥怎么轮换"),
        ("zh", "可以停止吗"),
        ("ja", "鍵はどこにありますか"),
        ("ja", "鍵を交換できる？"),
        ("ko", "키를 어떻게 바꾸는지"),
        ("ko", "키를 바꿀 수 있나요"),
        ("th", "เปลี่ยนคีย์อย่างไร"),
        ("tr", "anahtar değiştirilir mi"),
        ("hi", "कुंजी कैसे बदलें"),
        ("vi", "khóa là gì"),
        (MIXED, "wie wechsle ich den Schlüssel"),
        ("de", "how do I rotate a key"),
    ],
)
def test_questions(language, text):
    assert is_question(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Release Notes"),
        ("en", "the howl of a dog"),
        ("en", "rotate keys; then restart"),
        ("en", "GET /search?q=keys&page=2"),
        ("de", "Schlüssel wechseln"),
        ("de", "wieder von vorn"),
        ("el", "αλλαγή κλειδιού"),
        ("ja", "鍵の交換"),
        ("ja", "鍵から始める"),
        ("zh", "密钥轮换"),
        ("ko", "키 교체"),
        ("tr", "anahtar değişimi"),
        ("en", ""),
    ],
)
def test_statements_and_keywords(language, text):
    assert not is_question(text, language)


def test_every_language_that_is_known_has_its_words():
    assert {file.stem for file in QUESTION_WORDS.glob("*.txt")} == set(LANGUAGES) - {MIXED}
    for file in QUESTION_WORDS.glob("*.txt"):
        for line in filter(None, file.read_text("utf-8").splitlines()):
            word = line.lstrip("…~")
            asked = word if line[0] not in "…~" else f"x {word}"
            assert is_question(asked, file.stem), (file.name, line)
