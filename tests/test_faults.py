"""The fault rounds' own parts: each check fails on a broken history, a seed replays its plan."""
import copy

import pytest

from faults.checks import Delivery, explain, full_syncs
from faults.counters import Counter
from faults.model import Model, Sorted, observe
from faults.plan import FAULTS, draw
from faults.report import merged
from faults.steps import FAMILIES, Step, Steps
from faults.violation import Violation
from harness.wire import ReplyError, decode

PUSHES = [Step((("RPUSH", "l", str(number)),)) for number in range(5)]


def held(count):
    return Model({"l": [str(number) for number in range(count)]} if count else {})


@pytest.mark.parametrize("count", range(3, 6))
def test_what_is_in_doubt_may_be_there_or_not(count):
    explain(Model(), PUSHES[:3], PUSHES[3:], 3, held(count))


def test_a_lost_acknowledgement_is_found():
    with pytest.raises(Violation, match="1 steps that must survive are lost"):
        explain(Model(), PUSHES[:4], PUSHES[4:], 4, held(3))


def test_what_nobody_promised_may_be_lost():
    explain(Model(), PUSHES[:4], PUSHES[4:], 2, held(3))
    with pytest.raises(Violation, match="2 steps that must survive are lost"):
        explain(Model(), PUSHES, [], 2, held(0))


@pytest.mark.parametrize("observed", [
    Model({"l": ["0", "2"]}),                            # one from the middle is missing
    Model({"l": ["0", "1", "1", "2"]}),                  # one was executed twice
    Model({"l": [str(n) for n in range(5)] + ["ghost"]}),
    Model({"l": ["0", "1", "2"], "other": "x"}),
    Model({"l": ["0", "1", "2"]}, {"l"}),                # a lifetime that nobody gave
])
def test_a_state_that_no_history_leads_to_is_found(observed):
    with pytest.raises(Violation, match="no point of the history fits"):
        explain(Model(), PUSHES[:3], PUSHES[3:], 3, observed)


def test_half_a_transaction_is_found():
    both = Step((("SET", "a", "1"), ("SET", "b", "1")), "transaction")
    explain(Model(), [], [both], 0, Model({"a": "1", "b": "1"}))
    with pytest.raises(Violation, match="no point"):
        explain(Model(), [], [both], 0, Model({"a": "1"}))


def delivery(sent, taken, lost_below=(), refused=()):
    made = Delivery()
    made.sent = sent
    made.refused = set(refused)
    made.acknowledged = set(range(sent)) - made.refused
    made.taken = list(taken)
    made.lost_below = list(lost_below)
    return made


def test_each_element_is_in_one_place():
    delivery(4, [0, 2]).check([1, 3])


@pytest.mark.parametrize("made, remaining, words", [
    (delivery(3, [0, 1, 1]), [2], "twice: \\[1\\]"),
    (delivery(3, [0, 1]), [1, 2], "twice: \\[1\\]"),
    (delivery(3, [0, 1]), [2, 3], "never accepted: \\[3\\]"),
    (delivery(3, [0, 1], refused=[1]), [2], "never accepted: \\[1\\]"),
    (delivery(3, [0]), [2], "gone: \\[1\\]"),
    (delivery(3, [], [float("inf")]), [2], "gone: \\[1, 0\\]"),  # one end excuses one element
    (delivery(3, [0, 1], [2]), [], "gone: \\[2\\]"),             # it was killed before the push
])
def test_an_element_in_two_places_or_none_is_found(made, remaining, words):
    with pytest.raises(Violation, match=words):
        made.check(remaining)


def test_who_ended_while_waiting_may_have_been_given_one_element():
    delivery(4, [0], [float("inf"), 2]).check([2])


@pytest.mark.parametrize("held, promise", [(9, "everything"), (21, "everything"), (4, "saved"),
                                           (21, "on replicas")])
def test_a_wrong_counter_is_found(server, client, held, promise):
    counter = Counter(1)
    counter.sent = 20
    counter.take(b"\r\n".join([b":%d" % number for number in range(1, 6)]))
    counter.mark_saved()
    counter.take(b"\r\n".join([b"-READONLY", *(b":%d" % number for number in range(6, 11))]))
    for good in (10, 19):
        client("SET", counter.key, good)
        copy.copy(counter).verify(server, "everything")
    client("SET", counter.key, held)
    with pytest.raises(Violation, match=f"is {held}: it was 0"):
        counter.verify(server, promise)


def test_a_wrong_answer_to_a_counter_is_found():
    with pytest.raises(Violation, match="2 were accepted after 0, and the answer is b':3'"):
        Counter(1).take(b":1\r\n:3")


def test_full_syncs_are_counted_by_process():
    assert full_syncs({"a": 2, "gone": 9}, {"a": 3, "new": 1}, 2) == 2
    with pytest.raises(Violation, match="2 full syncs, where 1 are due"):
        full_syncs({"a": 2}, {"a": 3, "new": 1}, 1)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_the_model_does_what_a_server_does(start, kind, family):
    """Reply by reply, and in the end value by value: or no difference would mean anything."""
    steps, model = Steps(family, 7, "model"), Model()
    with start(kind).connect() as client:
        taken = [steps.next() for _ in range(600)]
        client.send(b"".join(step.wire() for step in taken))
        for step in taken:
            reply = [decode(client.read_raw()) for _ in range(step.reply_count())][-1]
            assert not isinstance(reply, ReplyError), reply
            assert reply == step.expected([model.apply(words) for words in step.effects]), step
        found = observe(client, steps.keys())
        assert found.values and not model.differences(found) and model == found


def test_differences_are_told():
    one, other = Model({"a": {"x"}, "z": Sorted(m="1")}, {"a"}), Model({"a": {"x"}, "b": "1"})
    assert one.differences(other) == ["a: ['x'] with a lifetime | ['x']", "b: None | 1",
                                      "z: {'m': '1'} | None"]
    copied = one.copy()
    copied.values["a"].add("y")
    assert one.values["a"] == {"x"} and copied != one


def test_a_seed_replays_its_plan():
    assert draw(5) == draw(5) != draw(6)


def test_thirty_rounds_hold_everything():
    """Those of `./dev test`: every fault, and a stock server in every position."""
    plans = [draw(seed) for seed in range(1, 31)]
    assert {fault.name for plan in plans for fault in plan.faults} == FAULTS.keys()
    chains = [plan for plan in plans if plan.upstream == (None, 0, 1)]
    for kind in ("tandem", "redis"):
        assert all(any(plan.kinds[place] == kind for plan in chains) for place in range(3))
    assert all("tandem" in plan.kinds for plan in plans)


def test_logs_are_merged_by_time():
    logs = {"one": "7:M 29 Nov 2026 01:00:00.100 * first\n"
                   "7:M 29 Nov 2026 01:00:00.300 * third\n  and its second line",
            "two": "8:M 29 Nov 2026 01:00:00.200 * second"}
    lines = merged(logs, [])
    assert [line.split(maxsplit=1)[1] for line in lines] == [
        "one * first", "two * second", "one * third", "one and its second line"]
