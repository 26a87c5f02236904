"""What ads cost, put to what their addresses say. Pure.

Ad platforms know an ad by id and name; an address says what its template made of them: a name, an
id, or `name|id`, as is usual in Brazil. The id is believed first, then the name.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

SEPARATOR = "|"


class Names(NamedTuple):
    """What a row of a report is of; None: of all of that."""

    source: str | None = None
    campaign: str | None = None
    ad_set: str | None = None
    ad: str | None = None


class Thing(NamedTuple):
    """A campaign, ad set or ad as its platform knows it; either may be missing: ''."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Spent:
    """What one ad cost over some days, in minor units."""

    campaign: Thing
    ad_set: Thing
    ad: Thing
    currency: str
    spent_minor: int


@dataclass(slots=True)
class _Node:
    """A campaign with its ad sets, or an ad set with its ads."""

    label: str
    things: dict[Thing, "_Node"] = field(default_factory=dict)
    by_word: dict[str, "_Node"] = field(default_factory=dict)

    def under(self, thing: Thing) -> "_Node":
        """Return the node of a thing, new or known."""
        return self.things.setdefault(thing, _Node(thing.name or thing.id))

    def label_all(self) -> None:
        """Tell those of one name apart by their id, and find each by its words, ids first."""
        names = [thing.name for thing in self.things]
        for thing, node in self.things.items():
            if thing.id and names.count(thing.name) > 1:
                node.label = f"{thing.name}{SEPARATOR}{thing.id}"
            node.label_all()
        for part in (0, 1):
            for thing, node in self.things.items():
                if thing[part]:
                    self.by_word.setdefault(_plain(thing[part]), node)

    def find(self, said: str) -> "_Node | None":
        """Return what a word of an address means."""
        name, _, last = said.rpartition(SEPARATOR)
        for word in (last, said, name):
            if word and (node := self.by_word.get(_plain(word))):
                return node
        return None


class Costs:
    """Everything that was spent, found by the words of addresses."""

    def __init__(self, spent: Iterable[Spent]) -> None:
        self._spent: Sequence[Spent] = list(spent)
        self._root = _Node("")
        for one in self._spent:
            self._root.under(one.campaign).under(one.ad_set).under(one.ad)
        self._root.label_all()

    def known(self, said: Names) -> Names:
        """Return what an address says in the platform's names, as far as they are known."""
        node, words = self._root, list(said[1:])
        for index, word in enumerate(words):
            found = None if word is None else node.find(word)
            if found is None:
                break
            node, words[index] = found, found.label
        return Names(said.source, *words)

    def by(self, depth: int) -> Iterator[tuple[Names, str, int]]:
        """Yield names, currency and minor units; depth 1 is campaigns, 2 ad sets, 3 ads."""
        for one in self._spent:
            node, labels = self._root, []
            for thing in (one.campaign, one.ad_set, one.ad)[:depth]:
                node = node.things[thing]
                labels.append(node.label)
            if labels:
                yield Names(None, *labels), one.currency, one.spent_minor


def _plain(word: str) -> str:
    return word.strip().casefold()
