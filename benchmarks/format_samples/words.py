"""Words that nobody has written before, in several scripts, and which of them a person sees in a file."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
Forms = tuple[Callable[[], str], ...]
"""Parts that a file may have, each made when it is chosen."""
_WORD = re.compile(r"\w{2,}")
LATIN = ("bcdfghklmnprstvz", "aeiou")
SCRIPTS = (
    LATIN,
    ("bcdfgklmnprstvzßçñ", "aeiouäöüéèõ"),
    ("бвгджзклмнпрстфхцчш", "аеиоуыэюя"),
    ("βγδζθκλμνξπρστφχψ", "αεηιουω"),
)
"""Consonants and vowels."""
IDEOGRAPHS = "水火山石田日月木金土車門雨雪風電話語書紙店駅道橋川海空星花草鳥魚馬牛犬"


def words_of(text: str) -> set[str]:
    """The words of a text, as they are compared."""
    return set(_WORD.findall(text.casefold()))


class Words:
    """Gives words, none of them twice. `seen` are those that a reader has to find."""

    def __init__(self, seed: str, *, latin: bool = False) -> None:
        """`latin`: only letters that every encoding has."""
        self.rng = random.Random(seed)
        self.seen: set[str] = set()
        self.latin = latin
        self._given: set[str] = set()

    def word(self) -> str:
        """A word that is seen."""
        made = self._made()
        self.seen |= words_of(made)
        return made

    def text(self, count: int = 6) -> str:
        """A sentence of words that are seen."""
        return " ".join(self.word() for _ in range(count)).capitalize() + "."

    def unseen(self, count: int = 3) -> str:
        """Words that nobody is to see, such as those of a comment."""
        return " ".join(self._made() for _ in range(count))

    def one_of(self, *given: T) -> T:
        """One of what is given."""
        return self.rng.choice(given)

    def _made(self) -> str:
        while True:
            made = self._any_word()
            if made not in self._given:
                self._given.add(made)
                return made

    def _any_word(self) -> str:
        script = self.rng.randrange(len(SCRIPTS) + 1)
        if script == len(SCRIPTS) and not self.latin:
            return "".join(self.rng.choice(IDEOGRAPHS) for _ in range(self.rng.randint(3, 5)))
        consonants, vowels = LATIN if self.latin or script == len(SCRIPTS) else SCRIPTS[script]
        return "".join(self.rng.choice(consonants) + self.rng.choice(vowels) for _ in range(self.rng.randint(3, 5)))
