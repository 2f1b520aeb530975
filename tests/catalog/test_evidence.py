"""Published scores, models that have only some of them, and scores that do not compare."""

from __future__ import annotations

from itertools import combinations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay.catalog.card import ModelCard
from embassay.catalog.catalog import shipped
from embassay.catalog.evidence import Standings, polish
from embassay.catalog.scores import Scores, parse
from embassay.catalog.tasks import all_tasks, tasks_for

CARDS = shipped().models
FACTS = st.lists(st.integers(-20, 20), min_size=3, max_size=8)


@given(models=FACTS, tasks=FACTS)
def test_polish_takes_an_additive_table_apart(models, tasks):
    table = {f"m{m}": {f"t{t}": 50.0 + a + b for t, b in enumerate(tasks)} for m, a in enumerate(models)}
    adds, gives = polish(table)
    for m, a in enumerate(models):
        assert adds[f"m{m}"] - adds["m0"] == pytest.approx(a - models[0])
    assert all(adds[m] + gives[t] == pytest.approx(value) for m, row in table.items() for t, value in row.items())


def test_a_task_that_a_model_was_trained_on_does_not_place_it():
    table = {m: {t: 40.0 + 10 * t + level for t in range(5)} for m, level in (("a", 0), ("b", 1), ("c", 2), ("d", 3))}
    honest, _ = polish(table)
    table["b"][0] += 40
    trained, _ = polish(table)
    assert trained["b"] - trained["d"] == honest["b"] - honest["d"] == -2


def test_models_with_other_tasks_are_held_against_each_other_through_those_they_share():
    """A is 5 above B where both are scored, and C is 5 above A on tasks of which B has none."""
    table = {
        "A": {"x": 60.0, "y": 70.0, "z": 30.0, "w": 20.0},
        "B": {"x": 55.0, "y": 65.0},
        "C": {"z": 35.0, "w": 25.0},
    }
    adds, _ = polish(table)
    assert adds["C"] > adds["A"] > adds["B"]


def _card(name: str, values: str, **more) -> ModelCard:
    return ModelCard(id=f"x/{name}", scores=(Scores(source="a test", values=values),), **more)


def test_a_mean_over_a_benchmark_is_a_level_by_itself():
    standing = Standings(CARDS.values()).standing(CARDS["BAAI/bge-m3"])
    assert (standing.points, standing.words()) == (48.8, "48.8 nDCG@10 on BEIR")
    code = Standings(CARDS.values(), "code").standing(CARDS["voyage/voyage-code-3"])
    assert code.asked and code.words().endswith("nDCG@10 on CoIR")


def test_scores_of_another_language_or_domain_are_not_what_was_asked_for():
    english = CARDS["BAAI/bge-small-en-v1.5"]
    assert Standings(CARDS.values(), languages=("en",)).standing(english).asked
    assert Standings(CARDS.values(), "legal").standing(english).asked
    bare = _card("bare", "BEIR 55, SciFact 70")
    standing = Standings([*CARDS.values(), bare], "legal").standing(bare)
    assert not standing.asked and standing.points == 55
    assert Standings([*CARDS.values(), bare], languages=("de",)).standing(bare).asked is False


HELD_OUT = [("code", ()), ("legal", ("en",)), ("long", ("en",)), ("finance", ("en",)), ("", ("de",)), ("", ("zh",))]


def test_levels_foretell_tasks_that_were_held_out():
    """Each task is taken away in turn: the level by the others has to order models as it does, and better than their
    general English scores do. Pairs within a point are no order."""
    english = {name: place.points for name, place in _places(CARDS.values()).items()}
    pairs = ours = theirs = 0
    for domain, languages in HELD_OUT:
        for task in tasks_for(domain, languages):
            if all_tasks()[task].mean:
                continue
            scored = {card.id: value for card in CARDS.values() if (value := card.score(task)) is not None}
            places = _places([_without(card, task) for card in CARDS.values()], domain, languages)
            known = [name for name in scored if name in english and name in places and places[name].asked]
            for a, b in combinations(known, 2):
                if abs(scored[a] - scored[b]) >= 1:
                    pairs += 1
                    ours += (places[a].points > places[b].points) == (scored[a] > scored[b])
                    theirs += (english[a] > english[b]) == (scored[a] > scored[b])
    assert pairs > 10_000
    assert ours / pairs > 0.84 and ours / pairs - theirs / pairs > 0.05


def _places(cards, *asked):
    standings = Standings(cards, *asked)
    return {card.id: place for card in cards if (place := standings.standing(card))}


def _without(card, task):
    """The card without its scores of a task."""
    kept = []
    for published in card.scores:
        rest = [f"{name} {value}" for name, value in parse(published.values).items() if name != task]
        kept += [msgspec.structs.replace(published, values=", ".join(rest))] if rest else []
    return msgspec.structs.replace(card, scores=tuple(kept))


def test_few_scores_are_drawn_to_the_middle():
    typical = {"AILAStatutes": 30, "AILACasedocs": 30, "LegalSummarization": 60, "LegalBenchCorporateLobbying": 90}
    others = [_card(f"o{n}", ", ".join(f"{task} {value + n}" for task, value in typical.items())) for n in range(-3, 4)]
    above = [f"{task} {value + 8}" for task, value in typical.items()]
    whole, part = _card("whole", ", ".join(above)), _card("part", ", ".join(above[:3]))
    evidence = Standings([*others, whole, part], "legal")
    middle = evidence.standing(others[3]).points
    assert middle < evidence.standing(part).points < evidence.standing(whole).points
    assert "by 3 of 5 tasks" in evidence.standing(part).words()


def test_two_scores_of_a_domain_are_too_few():
    few = _card("few", "AILAStatutes 90, LegalBenchCorporateLobbying 99")
    assert Standings([*CARDS.values(), few], "legal").standing(few) is None


def test_tasks_are_known_and_every_language_is_a_code():
    tasks = all_tasks().values()
    assert len(tasks) > 100
    assert all(len(language) == 2 for task in tasks for language in task.each)
    assert {domain for task in tasks for domain in task.domains} >= {"code", "legal", "long", "medical", "finance"}
