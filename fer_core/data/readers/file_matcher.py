"""Find the files that a table names, where it writes their names in another way than the disk or archive does."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from fer_core.data.readers.file_names import IMAGE_ENDINGS, contains_name, is_image

_SAMPLE = 200
_ADDRESS = re.compile(r"(?:^|/)(https?|ftp|s3|gs)://", re.IGNORECASE)


class MatchRule(StrEnum):
    """How a file was found that is not called exactly what the table says, from the smallest difference on."""

    SLASHES = "slashes"
    UNICODE = "unicode"
    CASE = "case"
    ENDING = "ending"
    FOLDER = "folder"


MATCH_RULE_DESCRIPTIONS: dict[str, str] = {
    MatchRule.SLASHES: "with other slashes",
    MatchRule.UNICODE: "with accents encoded in another way (Unicode NFC or NFD)",
    MatchRule.CASE: "in other upper or lower case",
    MatchRule.ENDING: "without its ending, or with another",
    MatchRule.FOLDER: "in another folder than it lies in",
}
"""How the rows name the files."""


class Match(NamedTuple):
    """What a name in a table stands for.

    Attributes:
        path: the file's name in the source; where there is none, what was looked for.
        match_rule: "" where the names are the same.
        problem: why there is no such file; "" where there is one.
        ambiguous: the problem is that several files could be meant.
    """

    path: str
    match_rule: str = ""
    problem: str = ""
    ambiguous: bool = False


def is_address(name: str) -> bool:
    """Whether a table names an address on the web instead of a file."""
    return _ADDRESS.search(name) is not None


class FileMatcher:
    """Finds files by the names that a table gives them.

    Tried in turn: the very name; slashes for backslashes; Unicode's composed form; any case; without or with another
    image ending; and at last in any folder below. Each also allows what the one before it does. A name that fits
    several files equally well is a problem, never a guess.
    """

    def __init__(
        self, names: Sequence[str], listed: Iterable[str], *, table: str = "", folder: str | None = None
    ) -> None:
        """Look for the folder that goes before the table's names.

        Args:
            names: the source's, sorted.
            listed: the table's, or the first of them.
            table: its own name in the source; images that lie beside or below it are preferred.
            folder: what goes before the names, with its slash, where that is known.
        """
        self._names = names
        self._by_path: dict[str, list[str]] | None = None
        self._by_file: dict[str, list[str]] = {}
        self._known_folder = folder is not None
        self._root, self._folder = "", folder or ""
        wanted = [name for name in dict.fromkeys(listed) if name.strip()]
        if folder is None and wanted:
            self._root, self._folder = _places(names, wanted, table.rpartition("/")[0])

    def match(self, listed: str) -> Match:
        """The file that a table's name stands for."""
        said = self._folder + listed.removeprefix("./")
        if contains_name(self._names, said):
            return Match(said)
        below = _with_slashes(listed)
        rootless = below.removeprefix(self._root)
        wanted = self._folder + rootless
        found = self._closest(wanted)
        elsewhere = rootless != below
        if not found and not self._known_folder:
            found, elsewhere = self._elsewhere(rootless), True
        if len(found) == 1:
            return Match(found[0], MatchRule.FOLDER if elsewhere else _relaxation(said, found[0]))
        said = listed if is_address(listed) else said
        return Match(said, problem=_problem(listed, found), ambiguous=len(found) > 1)

    def _closest(self, wanted: str) -> list[str]:
        """The files that differ least from a name, and only in the ways that are allowed."""
        if contains_name(self._names, wanted):
            return [wanted]
        candidates = self._indexed().get(_key(wanted), [])
        if len(candidates) < 2:
            return candidates
        return next(fits for fits in (_equal(form, wanted, candidates) for form in _FORMS.values()) if fits)

    def _elsewhere(self, below: str) -> list[str]:
        """The files in any folder whose path ends like this."""
        self._indexed()
        key = _key(below)
        ends = f"/{key}"
        candidates = self._by_file.get(key.rpartition("/")[2], []) if key else []
        fits = [name for name in candidates if f"/{_key(name)}".endswith(ends)]
        if len(fits) < 2:
            return fits
        tails = {name: "/".join(name.split("/")[-below.count("/") - 1 :]) for name in fits}
        for form in _FORMS.values():
            if closest := [name for name, tail in tails.items() if form(tail) == form(below)]:
                return closest
        return fits

    def _indexed(self) -> dict[str, list[str]]:
        """The images by what is left of their paths; made once some name is not found as it is."""
        if self._by_path is None:
            self._by_path = {}
            for name in filter(is_image, self._names):
                key = _key(name)
                self._by_path.setdefault(key, []).append(name)
                self._by_file.setdefault(key.rpartition("/")[2], []).append(name)
        return self._by_path


def _with_slashes(name: str) -> str:
    if "\\" not in name and "//" not in name and "./" not in name:
        return name
    first, *parts = name.replace("\\", "/").split("/")
    return "/".join([first, *filter(None, parts)]).removeprefix("./").replace("/./", "/")


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", _with_slashes(name))


def _caseless(name: str) -> str:
    return unicodedata.normalize("NFC", _composed(name).casefold())


def _key(name: str) -> str:
    """What is left of a name once all that may differ is taken away."""
    bare = _caseless(name)
    return next((bare.removesuffix(ending) for ending in IMAGE_ENDINGS if bare.endswith(ending)), bare)


_FORMS: dict[MatchRule, Callable[[str], str]] = {
    MatchRule.SLASHES: _with_slashes,
    MatchRule.UNICODE: _composed,
    MatchRule.CASE: _caseless,
    MatchRule.ENDING: _key,
}


def _equal(form: Callable[[str], str], wanted: str, candidates: Sequence[str]) -> list[str]:
    return [name for name in candidates if form(name) == form(wanted)]


def _relaxation(said: str, found: str) -> MatchRule:
    return next(match_rule for match_rule, form in _FORMS.items() if form(said) == form(found))


def _problem(listed: str, found: Sequence[str]) -> str:
    if found:
        return f"{listed!r} can be {len(found):,} files, such as {found[0]!r} and {found[1]!r}"
    if not listed.strip():
        return "the table names no file"
    if is_address(listed):
        return f"{listed!r} is an address, not a file: download the images and import their folder"
    return f"there is no file {listed!r}"


def _places(names: Sequence[str], listed: Sequence[str], beside: str) -> tuple[str, str]:
    """What to take away from the beginning of a table's names, and what to put there, to make them a source's names.

    What all of them begin with, such as `C:/Users/me/faces/`, may be taken away: as little as will do. Of folders that
    will do, one beside the table or below is taken, then the one that has most of the names; no folder where two have
    as many.
    """
    slashed = [_with_slashes(name) for name in listed]
    roots = _roots(min(slashed), max(slashed))
    sample = slashed[:: max(1, len(slashed) // _SAMPLE)]
    hits = _hits(names, sample, roots, _with_slashes)
    if max(hits.values(), default=0) < len(sample) / 2:  # looking for more takes time where there are many files
        hits += _hits(filter(is_image, names), sample, roots, _key)
    if not hits:
        return "", ""

    def rank(place: tuple[str, str]) -> tuple[int, bool, int, bool]:
        root, folder = place
        elsewhere = bool(beside) and not f"{folder}/".startswith(f"{beside}/")
        return len(root), elsewhere, -hits[place], bool(folder)

    best, *others = sorted(hits, key=rank)
    root, folder = best
    if others and rank(others[0]) == rank(best):
        folder = ""
    return root, f"{folder}/" if folder else ""


def _roots(low: str, high: str) -> list[str]:
    """The folders that two names both begin with, from none on."""
    roots = [""]
    for one, other in zip(low.split("/")[:-1], high.split("/")[:-1], strict=False):
        if one != other:
            break
        roots.append(f"{roots[-1]}{one}/")
    return roots


def _hits(
    names: Iterable[str], sample: Sequence[str], roots: Sequence[str], form: Callable[[str], str]
) -> Counter[tuple[str, str]]:
    """How many names of a sample, less a root, lie in a folder, by root and folder; the smallest root counts."""
    wanted = {form(name.removeprefix(root)): root for root in reversed(roots) for name in sample}
    hits: Counter[tuple[str, str]] = Counter()
    for name in names:
        key, start, depth = form(name), 0, 0
        while True:
            if (root := wanted.get(key[start:])) is not None:
                hits[root, "/".join(name.split("/")[:depth])] += 1
            if not (start := key.find("/", start) + 1):
                break
            depth += 1
    return hits
