"""Every relative link and picture of the pages people read leads somewhere, its heading included."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def prose(page: Path) -> str:
    """The page without its code, in which brackets are no links."""
    text = re.sub(r"^(```|~~~).*?^\1", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(page: Path) -> set[str]:
    """The headings of a page as GitHub names them: lower case, no punctuation, hyphens for blanks."""
    text = re.sub(r"^(```|~~~).*?^\1", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    seen: Counter[str] = Counter()
    found = set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text))
    for heading in re.findall(r"^#{1,6}\s+(.+?)\s*#*$", text, flags=re.MULTILINE):
        words = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        kept = (one for one in words if one in "-_ " or unicodedata.category(one)[0] in "LMN")
        name = "".join(kept).replace(" ", "-")
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found


def broken(page: Path) -> list[str]:
    """Links of a page that lead nowhere."""
    wrong = []
    for target in LINK.findall(prose(page)):
        if ELSEWHERE.match(target):
            continue
        name, _, heading = target.partition("#")
        to = (page.parent / name).resolve() if name else page
        if not to.exists() or (heading and to.suffix == ".md" and heading not in anchors(to)):
            wrong.append(target)
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    assert broken(page) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A heading: *with* `code`\n\n## Đèn · lights\n", encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md) [b](there.md#a-heading-with-code) [c](there.md#đèn--lights) [d](https://x.example/)\n"
        "`[no](link.md)`\n```\n[nor](this.md)\n```\n"
        "[e](away.md) [f](there.md#other) ![g](none.png) [h](#here)\n",
        encoding="utf-8",
    )
    assert broken(page) == ["away.md", "there.md#other", "none.png", "#here"]


def test_pictures_that_are_shown_are_light() -> None:
    shown = {
        (page.parent / target).resolve()
        for page in PAGES
        for target in LINK.findall(prose(page))
        if target.endswith(".png")
    }
    assert shown
    assert all(one.stat().st_size <= 600_000 for one in shown if one.exists())
