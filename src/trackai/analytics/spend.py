"""What ads cost, put to what their addresses say. Pure.

Ad platforms know an ad by id and name; an address says what its template made of them: a name, an
id, or `name|id`, as is usual in Brazil. The id is believed first, then the name
where one alone has it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

SEPARATOR = "|"
_DEPTHS = 3  # campaign, ad set, ad


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


class _Index:
    """Nodes by what addresses may call them."""

    __slots__ = ("_as_said", "_by_id", "_by_name")

    def __init__(self) -> None:
        self._by_id: dict[str, _Node] = {}
        self._as_said: dict[str, _Node] = {}
        self._by_name: dict[str, list[_Node]] = {}

    def add(self, node: "_Node", said: str) -> None:
        """Let a node be found by its id, its name, and what it is called as a whole."""
        if node.thing.id:
            self._by_id.setdefault(_plain(node.thing.id), node)
        else:
            self._as_said.setdefault(_plain(said), node)
        if node.thing.name:
            self._by_name.setdefault(_plain(node.thing.name), []).append(node)

    def find(self, said: str) -> "_Node | None":
        """Return the node that a word means, by its id first; None for none, or one of several."""
        plain = _plain(said)
        name, _, last = plain.rpartition(SEPARATOR)
        node = self._by_id.get(last.strip()) or self._as_said.get(plain) or self._named(plain)
        if node or not (name and _is_id(last)):
            return node
        # Another id is another one, whatever its name.
        node = self._named(name.strip())
        return None if node and node.thing.id else node

    def _named(self, plain: str) -> "_Node | None":
        nodes = self._by_name.get(plain, ())
        return nodes[0] if len(nodes) == 1 else None


class _Node:
    """A campaign with its ad sets, an ad set with its ads, or an ad.

    Most are ads, hundreds a question, with nothing below them: what holds that is made when needed.
    """

    __slots__ = ("_below", "label", "thing")

    def __init__(self, thing: Thing, label: str) -> None:
        self.thing = thing
        self.label = label
        self._below: _Below | None = None

    @property
    def below(self) -> "_Below":
        """Return what is below it, to add to."""
        if self._below is None:
            self._below = _Below()
        return self._below

    def tell_apart(self) -> None:
        """Put the id behind the name of those below that have one name."""
        if self._below is not None:
            self._below.tell_apart()

    def find(self, said: str) -> "_Node | None":
        """Return what a word of an address means, below this."""
        return None if self._below is None else self._below.find(said)


class _Below:
    """What one node has below it."""

    __slots__ = ("_by_words", "_by_words_said", "_found", "_paid")

    def __init__(self) -> None:
        self._paid: list[_Node] = []
        self._by_words = _Index()
        # What addresses alone tell of: it never stands in the way of what was paid for.
        self._by_words_said = _Index()
        self._found: dict[str, _Node | None] = {}  # as of now, by word

    def pay(self, thing: Thing) -> _Node:
        """Return the node of something that was paid for, new or known."""
        word = thing.id or thing.name
        node = self._by_words.find(word)
        if node is None or (thing.id and node.thing.id != thing.id):
            node = _Node(thing, thing.name or thing.id)
            self._paid.append(node)
            self._by_words.add(node, word)
            self._found.clear()
        return node

    def tell_apart(self) -> None:
        """Put the id behind the name of those that have one name."""
        names = Counter(node.thing.name for node in self._paid)
        for node in self._paid:
            if node.thing.id and names[node.thing.name] > 1:
                node.label = f"{node.thing.name}{SEPARATOR}{node.thing.id}"
            node.tell_apart()

    def learn(self, paths: Iterable[Sequence[str | None]]) -> None:
        """Take in words of addresses: of what is here, and of what is below that."""
        below: defaultdict[str, set[Sequence[str | None]]] = defaultdict(set)
        for word, *rest in paths:
            if word is not None:
                below[word].add(tuple(rest))
        for word in sorted(below, key=_order):
            self._meet(word)
        # Several words may mean one thing.
        met: defaultdict[_Node, set[Sequence[str | None]]] = defaultdict(set)
        for word, rests in below.items():
            if node := self.find(word):
                met[node] |= {rest for rest in rests if rest}
        for node, rests in met.items():
            if rests:
                node.below.learn(rests)

    def find(self, said: str) -> _Node | None:
        """Return what a word of an address means."""
        if said not in self._found:
            paid = self._by_words.find(said) if self._paid else None
            self._found[said] = paid or self._by_words_said.find(said)
        return self._found[said]

    def _meet(self, said: str) -> None:
        if self.find(said) is None:
            self._by_words_said.add(_Node(_thing(said), said), said)
            self._found.clear()


class Costs:
    """Everything that was spent, found by the words of addresses."""

    def __init__(self, spent: Iterable[Spent]) -> None:
        self._root = _Node(Thing("", ""), "")
        self._spent = [(one, [self._root]) for one in spent]
        for depth in range(_DEPTHS):
            # Ads share campaigns and ad sets: each of those is looked up once.
            met: dict[tuple[_Node, Thing], _Node] = {}
            paid = ((path, _things(one)[depth]) for one, path in self._spent)
            # Those with an id first: a name alone is theirs, if one has it.
            for path, thing in sorted(paid, key=lambda each: not each[1].id):
                whose = (path[-1], thing)
                if (node := met.get(whose)) is None:
                    node = met[whose] = path[-1].below.pay(thing)
                path.append(node)
        self._root.tell_apart()

    def learn(self, said: Iterable[Names]) -> None:
        """Take in what addresses say, so that `known` gives those that mean one ad one name."""
        self._root.below.learn({one[1:] for one in said})

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
        for one, path in self._spent:
            labels = [node.label for node in path[1 : depth + 1]]
            if labels:
                yield Names(None, *labels), one.currency, one.spent_minor


def name_of(said: str) -> str:
    """Return the name in what an address says of an ad, without the id that may stand behind it."""
    return _thing(said).name or said


def _things(one: Spent) -> tuple[Thing, Thing, Thing]:
    return one.campaign, one.ad_set, one.ad


# The same words come with every question.
@lru_cache(maxsize=20_000)
def _thing(said: str) -> Thing:
    """Return what an address says of an ad: its name, or its name and id."""
    name, _, last = said.rpartition(SEPARATOR)
    return Thing(last.strip(), name) if name and _is_id(last) else Thing("", said)


def _is_id(word: str) -> bool:
    word = word.strip()
    return word.isascii() and word.isdigit()


def _order(said: str) -> tuple[bool, str]:
    """Put words with an id first: a name alone is theirs, if one has it."""
    return not _thing(said).id, said


@lru_cache(maxsize=20_000)
def _plain(word: str) -> str:
    return word.strip().casefold()
