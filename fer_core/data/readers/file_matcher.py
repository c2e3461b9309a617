"""Matching of the file names in a table to files, which may be spelled differently."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from fer_core.data.readers.file_names import IMAGE_SUFFIXES, is_image
from fer_core.data.sources.source import contains_name

_SAMPLE = 200
_WEB_ADDRESS = re.compile(r"(?:^|/)(https?|ftp|s3|gs)://", re.IGNORECASE)


class MatchRule(StrEnum):
    """How a file name that differs from the table's was matched, from strict to loose."""

    SLASHES = "slashes"
    UNICODE = "unicode"
    CASE = "case"
    SUFFIX = "ending"
    FOLDER = "folder"


MATCH_RULE_DESCRIPTIONS: dict[str, str] = {
    MatchRule.SLASHES: "with different slashes",
    MatchRule.UNICODE: "with accents in another Unicode form (NFC or NFD)",
    MatchRule.CASE: "in different upper or lower case",
    MatchRule.SUFFIX: "without its suffix, or with another",
    MatchRule.FOLDER: "in a different folder",
}
"""Ends of sentences such as "3 rows name a file …"."""


class Match(NamedTuple):
    """The file that a name in a table was matched to; its fields are also fields of `Record`.

    Attributes:
        path: the file's name in the source; if there is none, the name that was searched.
        match_rule: a `MatchRule`; "" if the names are equal.
        problem: why no file was matched; "" if one was.
        ambiguous: whether several files match.
    """

    path: str
    match_rule: str = ""
    problem: str = ""
    ambiguous: bool = False


def is_web_address(name: str) -> bool:
    """Whether a name in a table is a web address, not a file."""
    return _WEB_ADDRESS.search(name) is not None


class FileMatcher:
    """Finds files by the names that a table gives them.

    The rules are tried in turn, each including those before it: the exact name; slashes for backslashes; Unicode's
    composed form; any case; without or with another image suffix; in any folder. A name that matches several files
    equally well is reported as a problem.
    """

    def __init__(
        self, names: Sequence[str], listed: Iterable[str], *, table: str = "", folder: str | None = None
    ) -> None:
        """Find the folder that the table's names are relative to.

        Args:
            names: the source's file names, sorted.
            listed: the table's file names, or the first of them.
            table: the table's own name in the source; images beside or below it are preferred.
            folder: the folder that the names are relative to, with a slash at its end, if known.
        """
        self._names = names
        self._by_path: dict[str, list[str]] | None = None
        self._by_file: dict[str, list[str]] = {}
        self._known_folder = folder is not None
        self._root, self._folder = "", folder or ""
        distinct = [name for name in dict.fromkeys(listed) if name.strip()]
        if folder is None and distinct:
            self._root, self._folder = _find_base(names, distinct, table.rpartition("/")[0])

    def match(self, listed: str) -> Match:
        """Match a name in the table to a file."""
        exact = self._folder + listed.removeprefix("./")
        if contains_name(self._names, exact):
            return Match(exact)
        slashed = _with_slashes(listed)
        relative = slashed.removeprefix(self._root)
        files = self._closest(self._folder + relative)
        in_other_folder = relative != slashed
        if not files and not self._known_folder:
            files, in_other_folder = self._in_any_folder(relative), True
        if len(files) == 1:
            return Match(files[0], MatchRule.FOLDER if in_other_folder else _get_rule(exact, files[0]))
        path = listed if is_web_address(listed) else exact
        return Match(path, problem=_format_problem(listed, files), ambiguous=len(files) > 1)

    def _closest(self, path: str) -> list[str]:
        """Find the files that match a path by the strictest rule that has any."""
        if contains_name(self._names, path):
            return [path]
        candidates = self._index().get(_key(path), [])
        if len(candidates) < 2:
            return candidates
        return next(equal for form in _FORMS.values() if (equal := _equal(form, path, candidates)))

    def _in_any_folder(self, path: str) -> list[str]:
        """Find the files whose path ends with this one."""
        self._index()
        key = _key(path)
        candidates = self._by_file.get(key.rpartition("/")[2], []) if key else []
        matches = [name for name in candidates if f"/{_key(name)}".endswith(f"/{key}")]
        if len(matches) < 2:
            return matches
        tails = {name: "/".join(name.split("/")[-path.count("/") - 1 :]) for name in matches}
        for form in _FORMS.values():
            if closest := [name for name, tail in tails.items() if form(tail) == form(path)]:
                return closest
        return matches

    def _index(self) -> dict[str, list[str]]:
        """Group the images by normalized path, once a name is not found as it is."""
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
    """Normalize slashes, Unicode form and case, and remove the image suffix."""
    normalized = _caseless(name)
    return next((normalized.removesuffix(s) for s in IMAGE_SUFFIXES if normalized.endswith(s)), normalized)


_FORMS: dict[MatchRule, Callable[[str], str]] = {
    MatchRule.SLASHES: _with_slashes,
    MatchRule.UNICODE: _composed,
    MatchRule.CASE: _caseless,
    MatchRule.SUFFIX: _key,
}


def _equal(form: Callable[[str], str], path: str, candidates: Sequence[str]) -> list[str]:
    return [name for name in candidates if form(name) == form(path)]


def _get_rule(listed: str, file: str) -> MatchRule:
    return next(match_rule for match_rule, form in _FORMS.items() if form(listed) == form(file))


def _format_problem(listed: str, files: Sequence[str]) -> str:
    if files:
        return f"{listed!r} matches {len(files):,} files, such as {files[0]!r} and {files[1]!r}"
    if not listed.strip():
        return "the table names no file"
    if is_web_address(listed):
        return f"{listed!r} is a web address, not a file: download the images and import their folder"
    return f"there is no file {listed!r}"


def _find_base(names: Sequence[str], listed: Sequence[str], table_folder: str) -> tuple[str, str]:
    """Find the prefix to remove from a table's names and the folder to put before them.

    The prefix is the shortest common one, such as `C:/Users/me/faces/`, that works. Folders beside or below the table
    are preferred, then those that have most of the names; if two have as many, there is no folder.
    """
    slashed = [_with_slashes(name) for name in listed]
    roots = _common_roots(min(slashed), max(slashed))
    sample = slashed[:: max(1, len(slashed) // _SAMPLE)]
    hits = _count_hits(names, sample, roots, _with_slashes)
    if max(hits.values(), default=0) < len(sample) / 2:  # normalized names take longer
        hits += _count_hits(filter(is_image, names), sample, roots, _key)
    if not hits:
        return "", ""

    def rank(base: tuple[str, str]) -> tuple[int, bool, int, bool]:
        root, folder = base
        is_elsewhere = bool(table_folder) and not f"{folder}/".startswith(f"{table_folder}/")
        return len(root), is_elsewhere, -hits[base], bool(folder)

    best, *others = sorted(hits, key=rank)
    root, folder = best
    if others and rank(others[0]) == rank(best):
        folder = ""
    return root, f"{folder}/" if folder else ""


def _common_roots(low: str, high: str) -> list[str]:
    """List the folders that two names both begin with, from none on."""
    roots = [""]
    for one, other in zip(low.split("/")[:-1], high.split("/")[:-1], strict=False):
        if one != other:
            break
        roots.append(f"{roots[-1]}{one}/")
    return roots


def _count_hits(
    names: Iterable[str], sample: Sequence[str], roots: Sequence[str], form: Callable[[str], str]
) -> Counter[tuple[str, str]]:
    """Count a sample's names that, without a root, lie in a folder, by root and folder; the shortest root counts."""
    roots_by_name = {form(name.removeprefix(root)): root for root in reversed(roots) for name in sample}
    hits: Counter[tuple[str, str]] = Counter()
    for name in names:
        key, start, depth = form(name), 0, 0
        while True:
            if (root := roots_by_name.get(key[start:])) is not None:
                hits[root, "/".join(name.split("/")[:depth])] += 1
            if not (start := key.find("/", start) + 1):
                break
            depth += 1
    return hits
