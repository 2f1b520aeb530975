"""Every shape of a language model's answer."""

import pytest

from embassay.evaluate.judge.replies import answered_in, of_kinds, questions_in


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


KINDS = ("keyword", "how-to", "symptom")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            '{"questions": [{"kind": "how-to", "question": "how do I rotate a key?"}, '
            '{"kind": "keyword", "question": "key rotation"}]}',
            ["key rotation", "how do I rotate a key?", ""],
        ),
        (
            'Here: ```json\n[{"kind": "How to", "query": "how do I rotate it?"}]\n```',
            ["", "how do I rotate it?", ""],
        ),
        ('{"questions": ["what is a key good for?", "how is it rotated?"]}', None),
        ("1. What is a key good for?\n2. How is it rotated?", None),
        (
            '{"questions": [{"kind": "odd", "question": "what is a key good for?"}]}',
            ["what is a key good for?", "", ""],
        ),
        ('{"questions": [{"kind": 7, "question": null}, "x"]}', ["", "", ""]),
        ("no", ["", "", ""]),
    ],
)
def test_questions_by_kind(text, found):
    in_order = [*questions_in(text), "", "", ""][:3]
    assert of_kinds(text, KINDS) == (in_order if found is None else found)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"answered": [true, false]}', [True, False]),
        ("```json\n[true, true]\n```", [True, True]),
        ('{"answered": ["yes", "No"]}', [True, False]),
        ("1. Yes\n2. No, it is about something else", [True, False]),
        ("1. Yes\n2. No", [True, False]),
        ('{"answered": [true]}', None),
        ('{"answered": [1, 0]}', None),
        ("", None),
    ],
)
def test_what_is_said_of_questions(text, found):
    assert answered_in(text, 2) == found
