"""A spend cap against services that say wrong or nothing of what they bill, over real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from embassay.config.values import Config, EmbeddingsConfig
from embassay.embedders.providers.hash import hashed
from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.embedders.wrap.budget import Budget
from embassay.errors import (
    BillingMismatch,
    ConfigError,
    KeyMissing,
    ProviderDown,
    ProviderError,
    SpendCapReached,
    UsageError,
)
from embassay.models.registry import Registry
from tests.servers import Answer, Received, Server, openai_body, serving

PRICE = 1000.0
"""USD per million tokens: a thousandth of a dollar a token."""
TEXT = "The panel votes on the proposal in the second week of March, number {}."
TEXTS = [TEXT.format(i) for i in range(400)]
Says = Callable[[int], Any]
"""What a service says of so many tokens."""


def tokens_of(texts: list[str]) -> int:
    return sum(EstimatedTokens(512).count(texts))


class Billing:
    """A service that keeps count of what it really bills: as many times the tokens as it is told."""

    def __init__(self, says: Says, times: float = 1.0) -> None:
        self.says, self.times, self.usd = says, times, 0.0
        self._lock = threading.Lock()

    def __call__(self, request: Received) -> Answer:
        texts = request.json["input"]
        tokens = tokens_of(texts)
        with self._lock:
            self.usd += tokens * self.times * PRICE / 1e6
            said = self.says(tokens)
        body = openai_body(hashed(texts, 64), tokens=None)
        if said is not Ellipsis:
            body["usage"] = said if isinstance(said, (dict, str, list)) or said is None else {"prompt_tokens": said}
        return Answer(json.dumps(body).encode())


def models(server: Server, cap: float | None = None, **settings: Any) -> Registry:
    served = {
        "provider": "openai", "model_id": "m", "base_url": f"{server.url}/v1", "usd_per_million_tokens": PRICE,
        "batch_size": 10, "max_tokens": 512, "cache_enabled": False, "retries": 2, **settings,
    }  # fmt: skip
    return Registry(Config(embeddings=EmbeddingsConfig(models={"served": served}, spend_cap_usd=cap)))


def spend(service: Any, cap: float, **settings: Any) -> tuple[Registry, int, Exception | None]:
    """All texts below a cap: what became of them."""
    made, failed = 0, None
    with serving(service) as server, models(server, cap, **settings) as registry:
        try:
            for block in registry.get("served").stream(TEXTS, "document"):
                made += len(block)
                assert block.usage.usd is not None and 0 <= block.usage.usd < 1000
        except ProviderError as error:
            failed = error
        return registry, made, failed


UNTRUE: dict[str, Says] = {
    "0": lambda tokens: 0,
    "1": lambda tokens: 1,
    "a tenth": lambda tokens: tokens // 10,
    "negative": lambda tokens: -300_000_000,
    "negative float": lambda tokens: -0.5,
    "1e308": lambda tokens: 1e308,
    "huge": lambda tokens: 10**30,
    "a text": lambda tokens: "7",
    "words": lambda tokens: {"prompt_tokens": "seven"},
    "no mapping": lambda tokens: "none",
    "a list": lambda tokens: [1, 2],
    "null": lambda tokens: None,
    "null inside": lambda tokens: {"prompt_tokens": None, "total_tokens": None},
    "missing": lambda tokens: ...,
    "a boolean": lambda tokens: {"prompt_tokens": True},
    "negative total": lambda tokens: {"total_tokens": -5},
    "nested": lambda tokens: {"prompt_tokens": {"text": 7}},
}


@pytest.mark.parametrize("name", UNTRUE)
def test_a_cap_holds_whatever_a_service_says(name):
    """The texts cost 6 to 8 dollars in all; the service bills what they are and says something else."""
    whole = tokens_of(TEXTS) * PRICE / 1e6
    service = Billing(UNTRUE[name])
    registry, made, failed = spend(service, cap := whole / 4)
    assert service.usd <= cap
    assert 0 < registry.budget.spent <= cap
    assert made < len(TEXTS) and failed is not None


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_reply_that_is_no_json(literal):
    """JSON knows no such numbers: the reply is refused."""

    def handle(request: Received) -> Answer:
        body = json.dumps(openai_body(hashed(request.json["input"], 64), tokens=None))
        return Answer(f'{body[:-1]}, "usage": {{"prompt_tokens": {literal}}}}}'.encode())

    registry, made, failed = spend(handle, 1.0)
    assert made <= 10 and isinstance(failed, ProviderError)
    assert 0 < registry.budget.spent <= 1.0


@pytest.mark.parametrize("times", [1.5, 3, 5, 10])
def test_a_service_that_bills_more_than_it_can_does_not_go_beyond_the_cap(times):
    service = Billing(lambda tokens: round(tokens * times), times)
    registry, _, failed = spend(service, 3.0)
    assert failed is not None
    assert service.usd <= registry.budget.spent + 1e-9 <= 3.0, "what was not sent may count, what was sent does"
    assert isinstance(failed, (SpendCapReached, BillingMismatch))


def test_a_service_that_begins_to_bill_more_is_left():
    """It is honest for twenty requests: what is in flight then is all that it gets."""
    served = 0

    def says(tokens: int) -> int:
        nonlocal served
        served += 1
        return tokens if served <= 20 else 10 * tokens

    service = Billing(says)
    _, _, failed = spend(service, 1000.0, concurrency=2)
    assert isinstance(failed, BillingMismatch)
    assert 20 < served < 20 + 3 + 2 * 2


@pytest.mark.parametrize("says", [lambda tokens: 0, lambda tokens: 10 * tokens], ids=["0", "ten times"])
def test_numbers_that_part_end_a_run_without_a_cap(says):
    with serving(Billing(says)) as server, models(server) as registry:
        with pytest.raises(
            BillingMismatch, match=r"openai/m: it says that it billed .* are counted here.*usage: trusted"
        ):
            registry.get("served").embed(TEXTS, "document")
        assert len(server.received) < 20, "it is not asked for all of them"
        made = models(server, usage="trusted").get("served").embed(TEXTS, "document")
        assert made.usage.tokens == says(1) * tokens_of(TEXTS)
        made = models(server, usage="ignored").get("served").embed(TEXTS, "document")
        assert made.usage.tokens is None and made.usage.usd > tokens_of(TEXTS) * PRICE / 1e6


def test_usage_on_some_replies_only():
    """Ten times the tokens on every other reply, nothing on the rest: the known part counts as it is."""
    place = 0

    def says(tokens: int) -> Any:
        nonlocal place
        place += 1
        return 10 * tokens if place % 2 else ...

    service = Billing(says, times=5.5)
    registry, _, failed = spend(service, 3.0)
    assert failed is not None and service.usd <= 3.3
    assert registry.budget.spent <= 3.0


def test_what_was_paid_for_is_kept_though_the_bill_is_refused(tmp_path):
    with serving(Billing(lambda tokens: -1 if tokens == 2 else tokens)) as server:
        served = {
            "provider": "openai", "model_id": "m", "base_url": f"{server.url}/v1", "usd_per_million_tokens": PRICE,
            "max_tokens": 512, "canaries": False,
        }  # fmt: skip
        config = Config(embeddings=EmbeddingsConfig(models={"served": served}))
        with Registry(config, cache_file=tmp_path / "c.db") as registry:
            with pytest.raises(BillingMismatch):
                registry.get("served").embed(["paid for"], "document")
            assert registry.get("served").embed(["paid for"], "document").usage.cached == 1
            assert [r.json["input"] for r in server.received][1:] == [["paid for"]]


def test_attempts_without_an_answer_count():
    """The service served and billed them, and the answer was lost."""
    service, broken = Billing(lambda tokens: tokens), 1

    def handle(request: Received) -> Answer:
        nonlocal broken
        answer = service(request)
        if broken:
            broken -= 1
            answer.cut = 20
        return answer

    with serving(handle) as server, models(server, 100.0) as registry:
        made = registry.get("served").embed(TEXTS[:5], "document")
        assert made.usage.requests == 2
        assert made.usage.tokens == tokens_of(TEXTS[:5]), "as the service says"
        assert service.usd <= made.usage.usd <= registry.budget.spent + 1e-9


def test_refusals_cost_nothing():
    """A batch is halved until the one bad text is alone: only what was made is paid for."""
    service = Billing(lambda tokens: tokens)

    def handle(request: Received) -> Answer:
        if "number 3." in " ".join(request.json["input"]):
            return Answer({"error": {"message": "not this text"}}, 400)
        return service(request)

    with serving(handle) as server, models(server, 100.0) as registry:
        blocks = list(registry.get("served").stream(TEXTS[:10], "document"))
        assert sum(len(block.refused) for block in blocks) == 1
        assert registry.budget.spent == pytest.approx(service.usd)


def test_many_callers_share_one_cap():
    service = Billing(lambda tokens: tokens)
    with serving(service) as server, models(server, 2.0) as registry:
        together = threading.Barrier(8)

        def call(place: int) -> None:
            together.wait()
            for at in range(place, len(TEXTS), 8):
                try:
                    registry.get("served").embed([TEXTS[at]], "query")
                except SpendCapReached:
                    return

        threads = [threading.Thread(target=call, args=(place,)) for place in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 1.8 < service.usd <= 2.0
        assert registry.budget.spent == pytest.approx(service.usd)


@pytest.mark.parametrize("is_billed", [True, False])
def test_what_got_no_whole_answer_counts_as_billed_and_what_was_refused_does_not(is_billed):
    answer = Answer(b"{}" * 50, cut=10) if is_billed else Answer(b"", 500)
    with serving(lambda request: answer) as server, models(server, 5.0, retries=0) as registry:
        with pytest.raises(ProviderDown):
            registry.get("served").embed(TEXTS[:3], "document")
        assert (0 < registry.budget.spent <= 5.0) == is_billed


def test_what_needs_a_key_and_has_none_costs_nothing(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    served = {"provider": "openai", "model_id": "text-embedding-3-small"}
    with Registry(Config(embeddings=EmbeddingsConfig(models={"served": served}, spend_cap_usd=1.0))) as registry:
        with pytest.raises(KeyMissing):
            registry.get("served").embed(TEXTS[:3], "document")
        assert registry.budget.spent == 0


@pytest.mark.parametrize("cap", [float("nan"), float("inf"), -1.0, -float("inf"), "5", True], ids=repr)
def test_a_cap_that_is_no_sum_of_money(cap):
    with pytest.raises(UsageError, match="no sum of money"):
        Budget(cap)


@pytest.mark.parametrize("price", [".nan", ".inf", "-.inf", "-1", "1e400", "'nan'", "'-0.1'"])
def test_a_price_that_is_none(price, tmp_path):
    from embassay.config.reading import load_config
    from embassay.errors import CardError

    file = tmp_path / "embassay.yaml"
    file.write_text(
        f"embeddings: {{models: {{a: {{provider: openai, model_id: m, usd_per_million_tokens: {price}}}}}}}"
    )
    with pytest.raises(ConfigError, match="usd_per_million_tokens"):
        Registry(load_config(file))
    (tmp_path / "card.toml").write_text(
        f'[[model]]\nid = "a/b"\nusd_per_million_tokens = {price.strip(chr(39)).replace(".nan", "nan").replace(".inf", "inf")}'
    )
    file.write_text("cards: [card.toml]")
    with pytest.raises(CardError, match="usd_per_million_tokens"):
        _ = Registry(load_config(file)).catalog


@pytest.mark.parametrize("cap", [".nan", ".inf", "-1", "0", "1e400"])
def test_a_configured_cap_that_is_none(cap, tmp_path):
    from embassay.config.reading import load_config

    file = tmp_path / "embassay.yaml"
    file.write_text(f"embeddings: {{spend_cap_usd: {cap}}}")
    with pytest.raises(ConfigError, match="spend_cap_usd"):
        load_config(file)


@pytest.mark.parametrize("said", ["-300000", "0", "1e308", '"7"', "null"])
def test_what_the_command_line_reports(said, tmp_path, monkeypatch, capsys):
    from embassay.cli.main import main

    text = TEXTS[0]

    def handle(request: Received) -> Answer:
        body = json.dumps(openai_body(hashed(request.json["input"], 64), tokens=None))
        return Answer(f'{body[:-1]}, "usage": {{"prompt_tokens": {said}}}}}'.encode())

    with serving(handle) as server:
        (tmp_path / "embassay.yaml").write_text(
            "embeddings: {spend_cap_usd: 5, models: {served: {provider: openai, model_id: m, max_tokens: 512, "
            "canaries: false, "
            f"usd_per_million_tokens: {PRICE}, base_url: {server.url}/v1}}}}}}"
        )
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.argv", ["embassay", "embed", "-m", "served", "-c", text, "--role", "query", "--json"])
        with pytest.raises(SystemExit) as left:
            main()
    told = json.loads(capsys.readouterr().out)
    if said in ("0", "null"):
        assert left.value.code == 0, told
        counted = tokens_of([text]) * PRICE / 1e6
        assert counted <= told["usage"]["usd"] < 4 * counted
        assert told["usage"]["tokens"] == (None if said == "null" else tokens_of([text]))
    else:
        assert left.value.code == 1 and told["error"]["code"] == "billing_mismatch"
        assert "usage: ignored" in told["error"]["remedy"] and told["error"]["counted"] < 30


def test_a_price_of_nothing_needs_no_cap_and_no_number():
    with serving(Billing(lambda tokens: -7)) as server:
        with models(server, 0.01, usd_per_million_tokens=0) as registry:
            made = registry.get("served").embed(TEXTS, "document")
            assert (made.usage.tokens, made.usage.usd, registry.budget.spent) == (None, 0.0, 0.0)
