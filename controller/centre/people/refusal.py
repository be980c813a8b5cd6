"""Every reason for which a person is turned away, with its status and its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from denxanh.errors import AccessError


class Refusal(StrEnum):
    """Stable: the API, the audit log and the pages name these."""

    NOT_LOGGED_IN = "not-logged-in"
    WRONG_LOGIN = "wrong-login"
    """The same for an unknown name, a wrong password and a disabled account: who asks learns nothing."""
    TOO_MANY_ATTEMPTS = "too-many-attempts"
    BUSY = "busy"
    BAD_TOKEN = "bad-token"
    NO_RIGHT = "no-right"
    MUST_CHANGE = "must-change-password"
    FOREIGN_ORIGIN = "foreign-origin"
    NO_CSRF = "no-csrf-token"
    TOKENS_MAY_NOT = "tokens-may-not"
    WEAK_PASSWORD = "weak-password"
    BAD_NAME = "bad-name"
    UNKNOWN_ACCOUNT = "unknown-account"
    NAME_TAKEN = "name-taken"
    SUBJECT_TAKEN = "subject-taken"
    LAST_ADMINISTRATOR = "last-administrator"
    ROLE_ABOVE_OWN = "role-above-own"
    TOO_MANY_TOKENS = "too-many-tokens"
    UNKNOWN_TOKEN = "unknown-token"
    PROVIDER = "identity-provider"
    UNKNOWN_SUBJECT = "unknown-subject"


@dataclass(frozen=True, slots=True)
class Words:
    """What a refusal comes to over HTTP, and for the person."""

    status: int
    vi: str
    en: str


WORDS: Mapping[Refusal, Words] = {
    Refusal.NOT_LOGGED_IN: Words(401, "Bạn chưa đăng nhập.", "You are not logged in."),
    Refusal.WRONG_LOGIN: Words(
        401, "Tên đăng nhập hoặc mật khẩu không đúng.", "The name or the password is not right."
    ),
    Refusal.TOO_MANY_ATTEMPTS: Words(
        429, "Thử quá nhiều lần. Hãy đợi rồi thử lại.", "Too many attempts. Wait, then try again."
    ),
    Refusal.BUSY: Words(
        503, "Hệ thống đang bận. Hãy thử lại sau vài giây.", "The centre is busy. Try again in some seconds."
    ),
    Refusal.BAD_TOKEN: Words(
        401, "Mã truy cập không dùng được hoặc đã hết hạn.", "This token cannot be used, or has ended."
    ),
    Refusal.NO_RIGHT: Words(
        403, "Vai trò của bạn không có quyền này.", "Your role does not have this right."
    ),
    Refusal.MUST_CHANGE: Words(403, "Trước hết hãy đổi mật khẩu.", "Change your password first."),
    Refusal.FOREIGN_ORIGIN: Words(
        403,
        "Yêu cầu không đến từ trang của trung tâm.",
        "This request does not come from the centre's pages.",
    ),
    Refusal.NO_CSRF: Words(
        403, "Trang đã cũ. Hãy tải lại trang.", "This page is out of date. Load it again."
    ),
    Refusal.TOKENS_MAY_NOT: Words(
        403,
        "Việc này cần người đăng nhập, không dùng mã truy cập.",
        "This needs a person's login, not a token.",
    ),
    Refusal.WEAK_PASSWORD: Words(
        422,
        "Mật khẩu quá dễ đoán: cần ít nhất 12 ký tự, không phải từ hay dãy thông dụng.",
        "This password is too easy to guess: 12 characters or more, no common words or sequences.",
    ),
    Refusal.BAD_NAME: Words(
        422,
        "Tên tài khoản gồm chữ thường, chữ số và . _ - @, bắt đầu bằng chữ hoặc số.",
        "An account's name has small letters, digits and . _ - @, and begins with a letter or digit.",
    ),
    Refusal.UNKNOWN_ACCOUNT: Words(404, "Không có tài khoản này.", "There is no such account."),
    Refusal.NAME_TAKEN: Words(409, "Tên này đã có người dùng.", "This name is taken."),
    Refusal.SUBJECT_TAKEN: Words(
        409, "Danh tính này đã thuộc tài khoản khác.", "This identity belongs to another account."
    ),
    Refusal.LAST_ADMINISTRATOR: Words(
        409,
        "Đây là quản trị viên cuối cùng còn đăng nhập được.",
        "This is the last administrator who can log in.",
    ),
    Refusal.ROLE_ABOVE_OWN: Words(
        403, "Mã truy cập không thể có nhiều quyền hơn bạn.", "A token cannot have more rights than you."
    ),
    Refusal.TOO_MANY_TOKENS: Words(
        409, "Bạn đã có quá nhiều mã truy cập. Hãy thu hồi bớt.", "You have too many tokens. Revoke some."
    ),
    Refusal.UNKNOWN_TOKEN: Words(404, "Không có mã truy cập này.", "There is no such token."),
    Refusal.PROVIDER: Words(
        502,
        "Nhà cung cấp danh tính không xác nhận được bạn.",
        "The identity provider could not say who you are.",
    ),
    Refusal.UNKNOWN_SUBJECT: Words(
        403,
        "Danh tính của bạn chưa gắn với tài khoản nào ở đây. Hãy hỏi quản trị viên.",
        "Your identity has no account here. Ask an administrator.",
    ),
}


def refused(reason: Refusal, *, where: str = "", fix: str = "", wait_s: int = 0) -> AccessError:
    """The error for a reason, in English; pages take the Vietnamese from `WORDS`."""
    return AccessError(WORDS[reason].en.rstrip("."), where=where, fix=fix, reason=reason, wait_s=wait_s)
