"""HTML to plain text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_PARAGRAPHS = {"blockquote", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "ul"}
_BLOCKS = _PARAGRAPHS | {"article", "aside", "br", "dd", "dl", "dt", "figure", "figcaption"}
_BLOCKS |= {"footer", "header", "hr", "li", "main", "nav", "section", "table", "td", "th", "tr"}
_HIDDEN = {"script", "style", "template", "title", "head", "noscript"}
_SPACES = re.compile(r"[ \t\r\f\v\u00a0]+")
_BLANK_LINES = re.compile(r"\n{3,}")


def plain_text(html: str) -> str:
    """The words of a piece of HTML: blocks as line breaks, entities resolved, no tags.

    Malformed HTML gives what can be read of it; text without tags comes back as it is,
    apart from runs of spaces. Never raises.
    """
    if "<" not in html and "&" not in html:
        return _tidy(html)
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return _tidy("".join(reader.words))


def _tidy(text: str) -> str:
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag in _BLOCKS:
            self._break(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        if tag in _BLOCKS:
            self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in _PARAGRAPHS:
            self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            # A line break in the source of a page is a space to its reader.
            self.words.append(data.replace("\n", " "))

    def _break(self, tag: str) -> None:
        self.words.append("\n\n" if tag in _PARAGRAPHS else "\n")
