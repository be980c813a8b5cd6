"""What people read: Vietnamese first, English second."""

from __future__ import annotations

from collections.abc import Sequence

from denxanh.controller.centre.notify.book import Kind
from denxanh.controller.centre.notify.condition import Words
from denxanh.controller.centre.notify.gsm import fitted, without_marks
from denxanh.controller.centre.notify.letter import Item, Letter
from denxanh.controller.centre.notify.tables import Severity
from denxanh.controller.centre.store.rows import plain
from denxanh.controller.localtime import local

MINUTE_MS = 60_000
MAX_LINE = 1000
SITE: Words = ("Toàn hệ thống", "Whole site")
SENDER: Words = ("Đèn Xanh – điều khiển tín hiệu giao thông", "Đèn Xanh – traffic signal control")
SEVERITIES: dict[Severity, Words] = {
    Severity.INFO: ("Thông tin", "Info"),
    Severity.WARNING: ("Cảnh báo", "Warning"),
    Severity.CRITICAL: ("KHẨN", "CRITICAL"),
}
_HEADS: dict[Kind, Words] = {
    Kind.RAISED: ("", ""),
    Kind.ESCALATED: ("chưa ai xác nhận: ", "nobody has taken note: "),
    Kind.CLEARED: ("đã hết: ", "over: "),
    Kind.DIGEST: ("", ""),
    Kind.TEST: ("", ""),
}
TEST: Words = ("tin nhắn thử, không cần làm gì", "a test; nothing to do")
VI, EN = 0, 1


def clock(at_ms: int) -> str:
    """Local hour and minute, with the day."""
    return local(at_ms).strftime("%H:%M %d/%m")


def duration(ms: int, language: int) -> str:
    """Minutes, or hours and minutes."""
    hours, minutes = divmod(ms // MINUTE_MS, 60)
    hour, minute = (("giờ", "phút"), ("h", "min"))[language]
    return f"{hours} {hour} {minutes:02d} {minute}" if hours else f"{minutes} {minute}"


def line(item: Item, language: int) -> str:
    """One item in one line, whatever its words hold: it becomes a mail's subject."""
    place = f"{item.name[language]} ({item.place}): " if item.place else ""
    said = _HEADS[item.kind][language] + place + item.words[language] + _tail(item, language)
    return plain(f"{SEVERITIES[item.severity][language]}. {said[:1].upper()}{said[1:]}", MAX_LINE)


def _tail(item: Item, language: int) -> str:
    if item.kind in (Kind.DIGEST, Kind.TEST):
        return ""
    since = (f", từ {clock(item.since_ms)}", f", since {clock(item.since_ms)}")[language]
    if item.kind is Kind.RAISED:
        return since
    lasted = duration(item.lasted_ms, language)
    again = (f", {item.times} lần", f", {item.times} times")[language] if item.times > 1 else ""
    return since + (f", kéo dài {lasted}", f", for {lasted}")[language] + again


def subject(letter: Letter) -> str:
    """Of a mail: the one item, or how many there are."""
    if len(letter.items) == 1:
        return line(letter.items[0], VI)[:180]
    return f"{SEVERITIES[letter.severity][VI]}. {_count(letter.items)[VI]}"


def mail(letter: Letter) -> str:
    """Of a mail: all items, Vietnamese above, English below."""
    return "\n".join(
        [
            *_paragraphs(letter.items, VI),
            "",
            "— English —",
            "",
            *_paragraphs(letter.items, EN),
            "",
            "-- ",
            SENDER[VI],
            f"{SENDER[EN]} · {letter.id}",
            "",
        ]
    )


def _paragraphs(items: Sequence[Item], language: int) -> list[str]:
    found = []
    for item in items:
        found.append(line(item, language))
        found += [f"  {words[language]}" for words in item.detail]
    return found


def sms(letter: Letter, *, diacritics: bool, segments: int) -> str:
    """Of an SMS: the one item, or how many there are and the most urgent ones."""
    items = letter.items
    if len(items) == 1:
        text = line(items[0], VI)
    else:
        first = next(item for item in items if item.severity is letter.severity)
        text = f"{_count(items)[VI]}: {line(first, VI)}"
    text = f"DEN XANH. {text}"
    return fitted(text if diacritics else without_marks(text), segments)


def _count(items: Sequence[Item]) -> Words:
    """How many of which kind."""
    raised = sum(item.kind in (Kind.RAISED, Kind.ESCALATED) for item in items)
    cleared = sum(item.kind is Kind.CLEARED for item in items)
    vi = [f"{raised} cảnh báo"] * bool(raised) + [f"{cleared} đã hết"] * bool(cleared)
    en = [f"{raised} warnings"] * bool(raised) + [f"{cleared} over"] * bool(cleared)
    return ", ".join(vi) or f"{len(items)} tin", ", ".join(en) or f"{len(items)} messages"
