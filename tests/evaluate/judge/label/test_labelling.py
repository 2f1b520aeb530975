"""Judging by hand: what is asked, what a key does, and what stays of it whatever comes."""

import json

import pytest

import embassay
from embassay.config.values import Config, QueryLogConfig
from embassay.errors import EmbassayError, HomeNotWritable, JudgedSetError, UsageError
from embassay.evaluate.compare.opening import compare
from embassay.evaluate.data.judged import read_judged
from embassay.evaluate.judge.label.kept import FILE
from embassay.evaluate.judge.label.labelling import LabelOptions
from embassay.evaluate.judge.label.opening import label
from embassay.evaluate.judge.writing import add_judgment
from tests.evaluate.judge.label.conftest import CANDIDATES, QUESTIONS


def judge(judging, most=1_000):
    """Somebody for whom a passage answers a question that shares a word with it, its first word at best."""
    for _ in range(most):
        if (shown := judging.current) is None:
            return
        words = shown.question.split()
        judging.press(
            "2" if words[2] in shown.document.text.split() else "y" if words[0] in shown.document.text else "n"
        )


def test_from_questions_to_a_verdict(opened, folder):
    with opened() as judging:
        judge(judging)
        standing = judging.standing
    assert standing.done == standing.questions == 5 and standing.left == 0
    assert standing.judgments == 50 and standing.relevant > 10 and standing.left_out > 0
    found = read_judged(folder)
    assert sorted(found.queries.values()) == sorted(QUESTIONS) and set(found.sources.values()) == {"label"}
    assert sum(map(len, found.qrels.values())) == 50, "what is irrelevant is known as well"
    compared = compare(list(CANDIDATES), folder)
    assert compared.verdict == "undecided" and not any(row.error for row in compared.rows)


def test_those_on_which_candidates_differ_most_come_first(opened):
    with opened() as judging:
        seen = []
        while shown := judging.current:
            seen.append(shown.pool.disagreement)
            judging.press("x")
    assert seen == sorted(seen, reverse=True) and len(seen) == 5 and seen[0] > seen[-1]


def test_nobody_can_see_whose_a_result_is(opened):
    with opened() as judging:
        shown = judging.current
        assert shown.document.id in {name for ranking in shown.pool.rankings.values() for name in ranking}
        assert "hash" not in f"{shown.question} {shown.document} {shown.why}"


def test_a_sitting_goes_on_where_it_stopped(opened, folder):
    with opened() as judging:
        judge(judging, 13)
        begun = judging.current
    assert len(read_judged(folder).queries) == 1, "no comparison sees half of a question"
    with opened() as judging:
        assert judging.current == begun
        judge(judging)
    once = read_judged(folder).qrels
    with opened() as judging:
        assert judging.current is None and judging.standing.done == 5
    assert read_judged(folder).qrels == once


def test_what_a_kill_leaves_is_enough(opened, folder):
    with opened() as judging:
        judge(judging)
    whole = read_judged(folder).qrels
    lines = (folder / FILE).read_text()
    (folder / "qrels" / "test.tsv").write_text("")
    (folder / "queries.jsonl").write_text("")
    (folder / FILE).write_text(lines[:-20])
    with opened() as judging:
        assert judging.standing.done == 4 and judging.current.result == judging.current.results
        judge(judging)
    assert read_judged(folder).qrels == whole


def test_undo_goes_back_over_questions_and_sittings(opened, folder):
    with opened() as judging:
        first = judging.current
        judge(judging, 10)
        assert len(read_judged(folder).qrels) == 1
        second = judging.current
        assert judging.press("u") == "undone" and judging.current.question == first.question
        with pytest.raises(JudgedSetError, match="no judgment"):
            read_judged(folder)
        judging.press("2")
        assert judging.current == second and 2 in next(iter(read_judged(folder).qrels.values())).values()
        judging.press("x")
    with opened() as judging:
        judging.press("u")
        assert judging.current == second
        for _ in range(10):
            judging.press("u")
        assert judging.current == first
        with pytest.raises(UsageError, match="nothing to undo"):
            judging.press("u")


def test_one_key_for_the_rest_and_one_to_skip(opened, folder):
    with opened() as judging:
        judging.press("1")
        assert judging.press("X") == "9 not relevant"
        assert judging.press("s") == "skipped"
        standing = judging.standing
        assert (standing.done, standing.skipped, standing.left, standing.relevant) == (1, 1, 3, 1)
        judging.press("u")
        assert judging.standing.skipped == 0
        with pytest.raises(UsageError, match=r"'z' means nothing here.*Press one of"):
            judging.press("z")
    assert len(read_judged(folder).qrels) == 1


def test_what_is_judged_already_is_not_asked_again(opened, folder):
    with opened() as judging:
        name = judging.current.document.id
        text = judging.current.question
    add_judgment(folder, text, [name], grade=3)
    with opened([text]) as judging:
        assert name not in {judging.current.document.id} and judging.current.result == 2
        judging.press("x")
        judging.press("u")
    assert read_judged(folder).relevant(next(iter(read_judged(folder).queries))) == {name}, "it is still there"
    with opened([text]) as judging:
        judging.press("x")
    add_judgment(folder, text, ["docs/39.md#L1-9"])
    with opened([text]) as judging:
        assert judging.current is None
    assert "docs/39.md#L1-9" in next(iter(read_judged(folder).qrels.values())), "what came later stays"


def test_judgments_of_passages_that_changed_do_not_count(opened, folder):
    with opened() as judging:
        judge(judging)
        changed = judging.current is None and judging.standing
    rows = [json.loads(line) for line in (folder / "corpus.jsonl").read_text().splitlines()]
    for row in rows[:20]:
        row["text"] += "."
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with opened() as judging:
        standing = judging.standing
        assert 0 < standing.changed < 50 and standing.judgments == 50 - standing.changed and standing.left > 0
        assert changed.changed == 0
        judge(judging)
        assert judging.standing.left == 0


def test_a_question_that_is_typed_is_searched_then(opened):
    with opened([]) as judging:
        assert judging.current is None and judging.standing.questions == 0
        assert judging.add(["needle3", " needle3 ", ""]) == 1 and judging.add(["NEEDLE3"]) == 0
        assert judging.current.question == "needle3"
        assert judging.add(["needle4"]) == 1
        assert judging.current.questions == 2


def test_candidates_that_fail_are_named_and_the_others_go_on(opened):
    with opened(candidates=("hash/64", "./gone", "hash/64@lexical")) as judging:
        judge(judging)
        standing = judging.standing
    assert list(standing.failed) == ["./gone"] and standing.done == 5
    assert "gone" in standing.to_dict()["failed"]["./gone"]
    with pytest.raises(EmbassayError, match=r"candidate \./gone failed"):
        with opened(candidates=("hash/64", "./gone")):
            pass


def test_candidates_that_do_not_differ(opened):
    with opened(candidates=("hash/64", "hash/64@dense")) as judging:
        assert judging.standing.alike == 5 and "find the same" in judging.current.why


def test_one_at_a_time(opened, folder):
    with opened() as judging:
        with pytest.raises(UsageError, match="somebody judges"):
            with opened():
                pass
        judging.press("1")


@pytest.mark.parametrize(
    ("candidates", "options", "message"),
    [
        (("hash/64",), {}, "two different candidates"),
        (("hash/64", "hash/64"), {}, "two different candidates"),
        (CANDIDATES, {"split": "a/b"}, "without slashes"),
    ],
)
def test_wrong_calls(opened, candidates, options, message):
    with pytest.raises(UsageError, match=message):
        with opened(candidates=candidates, options=LabelOptions(**options)):
            pass


@pytest.mark.parametrize("options", [{"depth": 0}, {"most": -1}, {"effect": 0.001}, {"effect": float("nan")}])
def test_numbers_that_make_no_sense(options):
    with pytest.raises(UsageError, match="write a number"):
        LabelOptions(**options)


def test_no_corpus(tmp_path):
    with pytest.raises(JudgedSetError, match=r"no corpus\.jsonl.*judge new FOLDER"):
        with label(tmp_path, CANDIDATES, ["a"]):
            pass


def test_questions_of_a_log(opened, tmp_path):
    home = tmp_path / ".embassay"
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("needle3 hay\n")
    kept = Config(query_log=QueryLogConfig(queries="kept"))
    with embassay.Session(kept) as session, embassay.open(home, session=session) as there:
        there.index(["docs"], set="docs", model="hash/64")
        with pytest.raises(UsageError, match=r"no question of set 'docs'.*query_log"):
            with opened([], from_log="docs", home=home):
                pass
        for question in ("needle3 was found", "needle4 was not"):
            found = there.search(question, set="docs")
            there.feedback(found, thumbs="down" if "not" in question else "up")
    with opened([], from_log="docs", home=home, limit=1) as judging:
        assert judging.current.question == "needle4 was not" and judging.standing.questions == 1


def test_a_full_disk_is_told_and_loses_only_that_key(opened, folder):
    with opened() as judging:
        judging.press("1")
        (folder / FILE).rename(folder / "kept")
        (folder / FILE).mkdir()
        with pytest.raises(HomeNotWritable, match="cannot be written"):
            judging.press("1")
    (folder / FILE).rmdir()
    (folder / "kept").rename(folder / FILE)
    with opened() as judging:
        assert judging.current.result == 2


def test_sets_are_candidates_too(folder, tmp_path):
    (tmp_path / "docs").mkdir()
    for at in range(40):
        (tmp_path / "docs" / f"{at}.md").write_text(f"needle{at % 7} hay word{at} straw{at // 3}\n")
    with embassay.open(tmp_path / ".embassay") as home:
        home.index(["docs"], set="one", model="hash/64")
        home.index(["docs"], set="two", model="hash/128")
    with embassay.label(folder, ["one", "two@lexical"], QUESTIONS, home=tmp_path / ".embassay") as judging:
        assert judging.current.document.id.startswith("docs/") and judging.current.document.id.endswith("#L1-9")
        judge(judging)
        assert judging.standing.done == 5 and judging.standing.relevant > 5
    found = compare(["one", "two@lexical"], folder, home=tmp_path / ".embassay")
    assert found.row("two@lexical").metrics["nDCG@10"] > 0.5, "its hits are the passages that were judged"
