"""What holds for every page that Pellucid writes, whatever is on it."""

from __future__ import annotations

import itertools
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

__all__ = ["Tree", "check"]

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Tree(HTMLParser):
    """Every tag with its attributes, and all text between tags."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another"

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def named(self, name: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.tags if tag == name]


def check(text: str, *, script: str = "") -> Tree:
    """What holds for every page, whatever is on it; ``script`` is the one that a page may have."""
    allowed = f"<script>{script}</script>"
    if script:
        data = re.compile(r'<script type="application/json" id="data">[^<]*</script>')
        assert text.count("<script") == 2
        assert len(data.findall(text)) == 1
        assert text.count(allowed) == 1
        text = data.sub("", text).replace(allowed, "")
    tree = Tree(text)
    assert not tree.open
    seen = [attributes["id"] for _, attributes in tree.tags if "id" in attributes]
    assert len(seen) == len(set(seen)), "an id twice"
    for tag, attributes in tree.tags:
        assert tag not in {"script", "iframe", "img", "object", "embed", "link", "form", "base", "foreignobject"}, tag
        assert not [name for name in attributes if name.startswith("on")], attributes
        for name in ("href", "xlink:href", "src"):
            if name in attributes:
                assert re.match(r"#|data:image/png;base64,", attributes[name]), attributes[name][:80]
        for target in re.findall(r"url\(([^)]*)", " ".join(attributes.values() if tag != "div" else [])):
            assert target[:1] == "#", target
            assert target[1:] in seen, target
    for link in tree.named("a"):
        assert link["href"][1:] in seen or (script and re.fullmatch(r"#[\w.]+\.\d+(,\d+)*", link["href"])), link
    levels = [int(tag[1]) for tag, _ in tree.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), levels
    (policy,) = [m["content"] for m in tree.named("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    digest = b64encode(sha256(script.encode()).digest()).decode()
    own = f"; script-src 'sha256-{digest}'" if script else ""
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; img-src data:{own}"
    pictures = [a for _, a in tree.tags if a.get("role") == "img"]
    assert len(pictures) == len(tree.named("svg"))
    assert all(a["aria-label"].strip() for a in pictures)
    for _, attributes in tree.tags:
        if "--least" in attributes.get("style", "") or attributes.get("class") == "table":
            assert attributes.get("tabindex") == "0"
            assert attributes["aria-label"].strip()
    assert {"lang": "en"} in tree.named("html")
    return tree
