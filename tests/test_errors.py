"""The tree of errors: drawn in full, with a code for each that programs may rely on."""

import inspect
import sys
from pathlib import Path

import pytest

from embassay import errors, remedy
from embassay.server import refusals

TREE = [
    value
    for module in (errors, refusals)
    for _, value in inspect.getmembers(module, inspect.isclass)
    if value.__module__ == module.__name__
]
GOLDEN = Path(__file__).parent / "golden" / "error-codes.txt"


def test_one_tree_drawn_in_full():
    assert len(TREE) > 30
    for error in TREE:
        assert issubclass(error, errors.EmbassayError)
        assert error.__name__ in sys.modules[error.__module__].__doc__


def test_codes_are_those_that_programs_know():
    """A code never changes and is never given up; a new error adds a line."""
    assert sorted(error.code for error in TREE) == GOLDEN.read_text().split()


def test_a_code_is_made_of_the_name_of_the_class():
    class ServerTooBusy(errors.EmbassayError):
        pass

    class Known(errors.EmbassayError):
        code = "known_by_another_name"

    class Inherits(Known):
        pass

    assert ServerTooBusy.code == "server_too_busy"
    assert Known.code == "known_by_another_name" and Inherits.code == "inherits"


def test_words_and_fields():
    error = errors.SetNotFound("no set 'a'.", remedy=remedy.command("index", "FOLDER", set="a", say="Make one"))
    assert str(error) == "no set 'a'. Make one: index('FOLDER', set='a')"
    assert error.to_dict() == {
        "code": "set_not_found",
        "message": "no set 'a'.",
        "remedy": "Make one: index('FOLDER', set='a')",
        "actions": [{"do": "command", "name": "index", "arguments": ["FOLDER"], "options": {"set": "a"}}],
    }
    assert str(errors.QueryError("the query is empty.")) == "the query is empty."
    assert str(errors.QueryError("too long.", remedy="Ask less.")) == "too long. Ask less."


@pytest.mark.parametrize(
    ("error", "fields"),
    [
        (errors.TextTooLong(3, 300, 256), {"position": 3, "tokens": 300, "limit": 256}),
        (errors.TextRefused(1, "unsafe"), {"position": 1, "reason": "unsafe"}),
    ],
)
def test_an_error_gives_programs_what_it_knows(error, fields):
    assert fields.items() <= error.to_dict().items()


def test_a_chain_that_failed_gives_the_error_of_each_member():
    error = errors.AllFailed({"a": errors.KeyMissing("a needs a key."), "b": errors.SpaceMismatch("b differs.")})
    assert [cause["code"] for cause in error.to_dict()["causes"].values()] == ["key_missing", "space_mismatch"]
    assert "allow_other_space=True" in str(error) and "--allow-other-space" in error.remedy.in_shell()
    assert "allow" not in str(errors.AllFailed({"a": errors.KeyMissing("a needs a key.")}))
