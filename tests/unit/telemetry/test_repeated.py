"""What nobody repeats is forgotten."""

from prometheus_client import CollectorRegistry, generate_latest

from trackai.telemetry.repeated import Repeated


class Hands:
    """A clock that is moved."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def shown(registry: CollectorRegistry) -> list[str]:
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if not line.startswith("#")]


def gauge(registry: CollectorRegistry, hands: Hands) -> Repeated:
    return Repeated("looks", "What was seen", ("what",), registry, lasts_s=75, monotonic=hands)


def test_who_does_not_look_any_more_says_nothing_old() -> None:
    registry, hands = CollectorRegistry(), Hands()
    said = gauge(registry, hands)
    said.say([(("queue",), 7.0)])
    hands.at += 75
    while_new = shown(registry)
    hands.at += 0.1

    assert ['looks{what="queue"} 7.0'] == while_new
    assert [] == shown(registry)
    assert b"# TYPE looks gauge" in generate_latest(registry)


def test_what_is_said_again_replaces_all_that_was_said() -> None:
    registry, hands = CollectorRegistry(), Hands()
    said = gauge(registry, hands)
    said.say([(("queue",), 7.0), (("disk",), 1.0)])
    said.say([(("queue",), 8.0)])

    assert ['looks{what="queue"} 8.0'] == shown(registry)


def test_speakers_do_not_replace_each_other() -> None:
    registry, hands = CollectorRegistry(), Hands()
    said = gauge(registry, hands)
    said.say([(("serve",), 1.0)], speaker="serve")
    hands.at += 50
    said.say([(("work",), 2.0)], speaker="work")
    both = shown(registry)
    hands.at += 50

    assert ['looks{what="serve"} 1.0', 'looks{what="work"} 2.0'] == both
    assert ['looks{what="work"} 2.0'] == shown(registry)
