"""Comparisons in the dashboard."""

from embassay.server.dashboard.page import at
from tests.server.dashboard.conftest import HOSTILE, visitor

LINES = "otters sleep => Otters sleep afloat.\nkeys => Keys rotate on Monday.\nkeys => Keys are kept.\n\n"
RUN = at("compare") + "/run"


def sent(board, **fields):
    with visitor(board) as made:
        return made.post(RUN, data={"a": "small", "b": "large@hybrid", "lines": LINES, **fields})


def test_the_verdict_comes_first_in_words(open_board):
    reply = sent(open_board)
    assert reply.status_code == 200, reply.text
    text = reply.text
    assert text.index("2 judged queries are too few") < text.index("What was measured") < text.index("<svg")
    assert "nDCG@10" in text and "large@hybrid" in text and "On 2 questions of pairs" in text


def test_what_cannot_be_compared_is_said_beside_the_form_which_keeps_what_was_filled_in(open_board):
    for status, said, fields in (
        (400, "Line 1 of the questions is not", {"lines": "no arrow"}),
        (400, "one of judged and pairs", {"lines": ""}),
        (400, "min_effect", {"min_effect": "2"}),
        (404, "there is no judged set", {"lines": "", "judged": "../etc"}),
    ):
        reply = sent(open_board, **fields)
        assert reply.status_code == status, (fields, reply.text)
        assert said.lower() in reply.text.lower() and 'value="large@hybrid"' in reply.text, fields
    assert sent(open_board, a="nobody").status_code in (400, 404)


def test_hostile_words_stay_words(open_board):
    reply = sent(open_board, lines=f"{HOSTILE} => {HOSTILE} one\n otters => Otters sleep.")
    assert reply.status_code == 200 and "<script>document" not in reply.text and "<img" not in reply.text
    assert "&lt;script&gt;document" in reply.text
    for name in ("a", "b"):
        reply = sent(open_board, **{name: HOSTILE})
        assert 400 <= reply.status_code < 500 and "<script>document" not in reply.text


def test_it_is_for_those_who_may_compare_over_http(kept_board):
    for name, status in (("reader", 403), ("writer", 403), ("admin", 200)):
        with visitor(kept_board, name) as made:
            assert made.get(at("compare")).status_code == status
            assert made.post(RUN, data={"a": "small", "b": "large", "lines": LINES}).status_code == status
