"""Words of the benchmark's sentences and of pages: how they are cut, compared and related. No page is needed here."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

SIGNS = {
    "+": "plus",
    "-": "minus",
    "x": "x",
    "X": "x",
    "<": "left",
    ">": "right",
    "‹": "left",
    "›": "right",
    "?": "help question",
    "...": "more menu",
}
QUOTED = re.compile(
    r"“([^”]+)”|\"([^\"]+)\"|‘([^’]+)’|`([^`]+)`|(?<![\w])'((?:[^']|(?<=\w)'(?=\w))+)'(?!\w)"
)
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?", re.UNICODE)
NUMBER = re.compile(r"(?<![\w.])-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w.])-?\d+(?:\.\d+)?")
SCRIPT = str.maketrans(
    {
        "“": '"',
        "”": '"',
        "‘": "'",
        "’": "'",
        "–": "-",
        "—": "-",
        "−": "-",
        "\u00a0": " ",
        "×": "x",
        "…": "...",
    }
)

ORDINAL_WORDS = (
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
)
NUMBER_WORDS = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)

STOP = frozenset(
    [
        "a",
        "an",
        "the",
        "this",
        "that",
        "these",
        "those",
        "it",
        "its",
        "his",
        "her",
        "their",
        "your",
        "my",
        "of",
        "in",
        "on",
        "at",
        "to",
        "into",
        "from",
        "for",
        "with",
        "by",
        "and",
        "or",
        "as",
        "is",
        "are",
        "was",
        "be",
        "been",
        "being",
        "has",
        "have",
        "had",
        "do",
        "does",
        "did",
        "will",
        "can",
        "should",
        "then",
        "now",
        "so",
        "only",
        "also",
        "all",
        "any",
        "each",
        "which",
        "who",
        "whose",
        "there",
        "here",
        "page",
        "screen",
        "website",
        "site",
        "element",
        "user",
    ]
)

SYNONYMS = tuple(
    frozenset(group.split())
    for group in (
        "search find query lookup magnifier magnifying magnifyingglass filter",
        "cart basket bag trolley",
        "delete remove trash bin wastebasket discard destroy x multiplication",
        "add plus new create",
        "close dismiss cancel x multiplication",
        "menu hamburger trigram navigation nav",
        "next forward right rightwards",
        "previous prev back left leftwards",
        "increase increment plus more up",
        "decrease decrement minus less down",
        "like heart love favourite favorite wishlist favourites favorites",
        "setting settings gear preference preferences cog",
        "send submit post paper",
        "email mail e-mail envelope",
        "message comment note memo reply",
        "login signin log sign",
        "register signup join",
        "picture photo image img thumbnail poster cover",
        "dialog modal popup overlay window lightbox",
        "toast notification alert snackbar banner message",
        "sidebar aside drawer panel",
        "dropdown select combobox menu listbox picker",
        "theme dark light mode moon sun",
        "play start resume",
        "pause stop",
        "profile account avatar user",
        "quantity qty amount count",
        "checkout pay purchase buy order",
        "expand collapse chevron caret arrow toggle",
        "star rating",
        "tick check mark checkmark done complete",
        "edit pencil modify rename",
        "sort order",
        "phone tel telephone",
        "password passphrase pass pwd",
        "name fullname username",
        "up upwards top",
        "down downwards bottom",
        "home house",
        "save floppy",
        "option choice item entry row",
        "colour color",
        "tab tabs",
        "undo revert",
        "refresh reload retry restart reset",
        "label tag badge chip",
        "score points",
        "volume sound speaker mute",
        "category categories",
        "date calendar day",
    )
)

ROLE_WORDS: dict[str, frozenset[str]] = {
    word: frozenset(roles.split())
    for words, roles in (
        ("button btn control", "button"),
        ("icon symbol glyph arrow chevron", "button img link"),
        ("link hyperlink", "link button"),
        ("tab", "tab button link"),
        ("checkbox tickbox", "checkbox switch"),
        ("toggle switch", "switch checkbox button"),
        ("radio", "radio"),
        ("dropdown select combobox picker selector", "combobox button listbox"),
        ("option choice", "option menuitem radio button"),
        (
            "field input textbox textfield textarea box bar area",
            "textbox searchbox spinbutton combobox",
        ),
        ("slider", "slider"),
        ("image picture photo poster thumbnail cover logo", "img"),
        ("heading title header", "heading"),
        ("row", "row listitem"),
        ("cell tile square", "cell gridcell"),
        ("menu", "menu button navigation list"),
        ("item entry", "listitem menuitem option"),
        ("card", "article listitem"),
        ("canvas board", "canvas"),
        ("video player", "video"),
        ("list", "list"),
        ("table", "table"),
        ("form", "form"),
        ("dialog modal popup", "dialog alertdialog"),
        ("section accordion panel question", "button region"),
        ("footer", "contentinfo"),
        ("navbar", "navigation"),
    )
    for word in words.split()
}
WRITABLE_WORDS = frozenset(
    ["field", "input", "textbox", "textfield", "textarea", "box", "bar", "area", "editor"]
)

PLACES = frozenset(
    [
        "top",
        "bottom",
        "left",
        "right",
        "upper",
        "lower",
        "center",
        "centre",
        "middle",
        "corner",
        "side",
        "main",
        "above",
        "below",
        "header",
        "footer",
    ]
)
COLOURS: dict[str, str] = {
    name: family
    for family, names in {
        "red": "red crimson scarlet",
        "orange": "orange",
        "yellow": "yellow gold golden amber",
        "green": "green lime emerald",
        "cyan": "cyan teal turquoise aqua",
        "blue": "blue navy azure indigo",
        "purple": "purple violet magenta",
        "pink": "pink rose",
        "brown": "brown",
        "black": "black dark",
        "white": "white light",
        "grey": "grey gray silver",
    }.items()
    for name in names.split()
}


def quotes(sentence: str) -> list[str]:
    """The quoted texts, in order, exactly as written."""
    return [
        next(group for group in match.groups() if group is not None)
        for match in QUOTED.finditer(sentence)
    ]


def normal(text: str) -> str:
    """For comparing: case, width, quotes, dashes and white space do not count."""
    return " ".join(
        unicodedata.normalize("NFKC", text.translate(SCRIPT)).translate(SCRIPT).casefold().split()
    )


@cache
def finder(text: str) -> re.Pattern[str]:
    """Finds `text` in normalised text as whole words: 3 is not found in 13, 3.5 or 3,000."""
    needle = normal(text)
    if len(needle) > 3:
        needle = needle.rstrip(".!…") or needle
    front = r"(?<![^\W_])(?<!\d[.,])" if needle[:1].isalnum() else ""
    back = r"(?![^\W_])(?![.,]\d)" if needle[-1:].isalnum() else ""
    return re.compile(front + r"\s+".join(map(re.escape, needle.split(" "))) + back)


def holds(haystack: str, text: str) -> bool:
    """Whether `text` stands in `haystack` as whole words."""
    return bool(normal(text)) and finder(text).search(normal(haystack)) is not None


@cache
def stem(word: str) -> str:
    """A crude stem, enough to relate cards and card, sorting and sort, rated and rating."""
    word = normal(word).removesuffix("'s")
    for suffix in ("ings", "ing", "ies", "ied", "es", "ed", "s"):
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)] + ("y" if suffix in ("ies", "ied") else "")
            if suffix in ("ing", "ed") and word[-1] == word[-2] and word[-1] not in "ls":
                word = word[:-1]
            break
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def words(text: str) -> list[str]:
    """Words as people read them; camelCase and kebab-case of identifiers are taken apart."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return [word.casefold() for word in WORD.findall(normal_script(text))]


def normal_script(text: str) -> str:
    return unicodedata.normalize("NFKC", text.translate(SCRIPT))


def stems(text: str) -> set[str]:
    return {stem(word) for word in words(text)}


@cache
def related(word: str) -> frozenset[str]:
    """Stems of the words that may stand for `word` on a page."""
    own = stem(word)
    return frozenset(
        {own}.union(
            *({stem(w) for w in group} for group in SYNONYMS if own in {stem(w) for w in group})
        )
    )


def symbols(text: str) -> set[str]:
    """Words for the signs in a text: "★" is a star, "🛒" a shopping trolley."""
    found: set[str] = set()
    for sign in set(text):
        if not sign.isascii() and unicodedata.category(sign) in ("So", "Sm", "Sk", "Po", "Lm"):
            found |= {stem(word) for word in words(unicodedata.name(sign, ""))}
    return found | {stem(word) for word in SIGNS.get(text.strip(), "").split()}


def ordinal(sentence: str) -> int | None:
    """1-based; -1 for the last. Of "the 9th star", "star number 9", "the last row"."""
    text = normal(QUOTED.sub(" ", sentence))
    match = re.search(r"\b(\d+)(?:st|nd|rd|th)\b", text) or re.search(
        r"\b(?:number|no\.|nr\.|#)\s*(\d+)\b", text
    )
    if match:
        return int(match[1])
    text = re.sub(
        rf"\\b(?:first|last|second|third) name|\\b(?:first|last)\\s+(?:\\d+|few|{'|'.join(NUMBER_WORDS)})\\b",
        " ",
        text,
    )
    found = next((word for word in words(text) if word in ORDINAL_WORDS or word == "last"), None)
    if found:
        return -1 if found == "last" else ORDINAL_WORDS.index(found) + 1
    return None


def is_ordinal(word: str) -> bool:
    return (
        word in ORDINAL_WORDS
        or word == "last"
        or re.fullmatch(r"\d+(?:st|nd|rd|th)", word) is not None
    )


def number_of(text: str) -> float | None:
    """The first number in a text, digits or a word up to twelve."""
    match = NUMBER.search(text.translate(SCRIPT))
    if match:
        return float(match[0].replace(",", ""))
    return next(
        (float(NUMBER_WORDS.index(word)) for word in words(text) if word in NUMBER_WORDS), None
    )
