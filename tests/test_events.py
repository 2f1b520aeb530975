"""Events: passed on to those who listen, and nothing to those who do not."""

import threading

import pytest

from embassay.events import Embedded, Events, Noted, WorkAdvanced


def test_a_listener_hears_its_topic_alone():
    events, heard = Events(), []
    events.subscribe(Noted, heard.append)
    events.tell(Noted("one"))
    events.tell(WorkAdvanced(3))
    assert heard == [Noted("one")]


def test_nobody_listens():
    events = Events()
    assert not events.wants(Noted)
    events.tell(Noted("unheard"))
    end = events.subscribe(Noted, lambda event: None)
    assert events.wants(Noted) and not events.wants(Embedded)
    end()
    assert not events.wants(Noted)


def test_a_listener_that_raises_is_dropped_and_disturbs_nobody():
    events, heard = Events(), []

    def broken(event: Noted) -> None:
        heard.append("broken")
        raise ValueError("a listener's own defect")

    events.subscribe(Noted, broken)
    events.subscribe(Noted, lambda event: heard.append(event.text))
    with pytest.warns(RuntimeWarning, match="a listener's own defect"):
        events.tell(Noted("first"))
    events.tell(Noted("second"))
    assert heard == ["broken", "first", "second"]


def test_the_same_function_twice_is_ended_once():
    events, heard = Events(), []
    end, _ = events.subscribe(Noted, heard.append), events.subscribe(WorkAdvanced, heard.append)
    end()
    events.tell(Noted("gone"))
    events.tell(WorkAdvanced(1))
    assert heard == [WorkAdvanced(1)]


def test_threads_may_tell_and_subscribe_at_once():
    events, heard = Events(), []
    gate = threading.Barrier(8)

    def work() -> None:
        gate.wait()
        for at in range(200):
            end = events.subscribe(WorkAdvanced, lambda event: None)
            events.tell(Noted(str(at)))
            end()

    events.subscribe(Noted, heard.append)
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(heard) == 8 * 200 and not events.wants(WorkAdvanced)
