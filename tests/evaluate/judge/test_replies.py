"""Every shape of a language model's answer."""

import pytest

from embassay.evaluate.judge.replies import questions_in


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('{"questions": ["how to start it?"]}', ["how to start it?"]),
        ('```json\n{"questions": ["how to start it?"]}\n```', ["how to start it?"]),
        ('Sure! Here they are:\n{"questions": ["how to start it?"]}\nHope this helps.', ["how to start it?"]),
        ('["how to start it?", "when to stop it?"]', ["how to start it?", "when to stop it?"]),
        ('[{"question": "how to start it?"}, {"query": "when to stop it?"}]', ["how to start it?", "when to stop it?"]),
        ("1. How do I start it?\n2) When do I stop it?", ["How do I start it?", "When do I stop it?"]),
        ('- "How do I start it?"\n', ["How do I start it?"]),
        ("The passage is about pumps.", []),
        ("", []),
        ('{"questions": []}', []),
        ('{"questions": ["Why?", 7, null]}', []),
        ('{"questions": ["how to start it?", "how  to start it?"]}', ["how to start it?"]),
        ("ポンプはどうやって起動しますか？", ["ポンプはどうやって起動しますか？"]),
        ("{" * 5000, []),
        ('{"questions": ["چگونه می\u200cتوانم رمز را تغییر دهم؟"]}', ["چگونه می\u200cتوانم رمز را تغییر دهم؟"]),
    ],
)
def test_answers(answer, expected):
    assert questions_in(answer) == expected
