"""Errors of the API as RFC 9457 problems, Vietnamese first."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from denxanh.controller.centre.api import invalid
from denxanh.controller.centre.people.nexturl import page_of_ours
from denxanh.controller.centre.template import template
from denxanh.errors import DenXanhError, StoreError

MEDIA_TYPE = "application/problem+json"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: the last part of its `type`, its status, its title in both languages."""

    name: str
    status: int
    vi: str
    en: str


NOT_FOUND = Kind("not-found", 404, "Không có", "There is no such thing")
KEY_REUSED = Kind("key-reused", 409, "Mã này đã dùng cho lệnh khác", "This key was used for another command")
CONFLICT = Kind("conflict", 409, "Không làm được lúc này", "This cannot be done now")
NOTHING_HEARD = Kind(
    "nothing-heard", 409, "Chưa nghe gì từ nút giao này", "Nothing is heard of this intersection"
)
UNSOUND = Kind(
    "unsound", 409, "Bản thảo vi phạm quy tắc, chưa lưu", "The draft breaks a rule and was not saved"
)
INVALID = Kind("invalid", 422, "Nội dung gửi lên chưa đúng", "What was sent is not right")
TOO_MANY = Kind("too-many", 503, "Trung tâm đang bận", "The centre is busy")
STORE = Kind(
    "store-unavailable",
    503,
    "Kho dữ liệu không trả lời; đèn vẫn được điều khiển",
    "The store does not answer; signals are controlled all the same",
)
INTERNAL = Kind("internal", 500, "Lỗi của trung tâm, đã được ghi lại", "A fault of the centre; it was logged")
_BY_STATUS = {
    400: Kind("bad-request", 400, "Yêu cầu sai", "Bad request"),
    401: Kind("not-signed-in", 401, "Cần đăng nhập", "Sign in first"),
    403: Kind("not-allowed", 403, "Không có quyền", "Not allowed"),
    404: NOT_FOUND,
    405: Kind("method", 405, "Không có thao tác này", "No such method here"),
    429: Kind("too-often", 429, "Quá nhiều lần, hãy đợi", "Too often; wait"),
}


class FieldProblem(BaseModel):
    """One wrong field."""

    model_config = ConfigDict(extra="forbid")

    field: str = Field(
        description="Where: body, query, path or header, then the name.", examples=["body.for_s"]
    )
    message: str = Field(description="What is wrong with it, in English.")
    vi: str = Field(description="The same in Vietnamese.")


class Problem(BaseModel):
    """Why a request was not done (RFC 9457), in Vietnamese and English."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(
        description="Names the kind of problem; stable.", examples=["urn:denxanh:problem:not-found"]
    )
    title: str = Field(description="The kind in English.", examples=["There is no such thing"])
    status: int = Field(description="The HTTP status.", ge=400, le=599, examples=[404])
    vi: str = Field(description="For people, in Vietnamese.", examples=["Không có: nút giao X"])
    en: str = Field(
        description="For people, in English.", examples=["There is no such thing: intersection X"]
    )
    instance: str = Field(description="The path that was asked.")
    errors: list[FieldProblem] = Field(default=[], description="Every wrong field.")


class ProblemError(Exception):
    """Ends a request with a problem.

    Args:
        kind: which.
        vi: more, in Vietnamese.
        en: the same in English.
    """

    def __init__(self, kind: Kind, vi: str = "", en: str = "") -> None:
        super().__init__(kind.name)
        self.kind = kind
        self.vi, self.en = vi, en


def missing(vi: str, en: str) -> ProblemError:
    """404 for what these words name."""
    return ProblemError(NOT_FOUND, vi, en)


def is_page(request: Request) -> bool:
    """Whether a person's browser asks for a page, so that a person reads the answer."""
    wanted = "text/html" in request.headers.get("accept", "")
    return request.method == "GET" and wanted and not request.url.path.startswith("/api/")


def response(request: Request, kind: Kind, vi: str = "", en: str = "", **more: Any) -> Response:
    """The problem as an answer: JSON for programs, a page for people."""
    problem = Problem(
        type=f"urn:denxanh:problem:{kind.name}",
        title=kind.en,
        status=kind.status,
        vi=f"{kind.vi}: {vi}" if vi else kind.vi,
        en=f"{kind.en}: {en}" if en else kind.en,
        instance=request.url.path,
        errors=more.pop("errors", []),
    )
    if is_page(request):
        text = template("refused.html").render(
            vi=problem.vi, en=problem.en, again=page_of_ours(request.url.path)
        )
        return HTMLResponse(text, kind.status, **more)
    return JSONResponse(problem.model_dump(mode="json"), kind.status, media_type=MEDIA_TYPE, **more)


def install(app: FastAPI) -> None:
    """Every error below the API becomes a problem."""
    app.add_exception_handler(ProblemError, _of_problem)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_status)
    app.add_exception_handler(StoreError, _of_store)
    app.add_exception_handler(DenXanhError, _of_ours)
    app.add_exception_handler(ClientDisconnect, _of_gone)
    app.add_exception_handler(Exception, _of_bug)


async def _of_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return response(request, error.kind, error.vi, error.en)


async def _of_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = [invalid.told(item) for item in error.errors()]
    fields = [FieldProblem(field=one.field, message=one.en, vi=one.vi) for one in found]
    return response(request, INVALID, *invalid.summed(found), errors=fields)


async def _of_status(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = _BY_STATUS.get(error.status_code)
    if kind is None:
        phrase = HTTPStatus(error.status_code).phrase
        kind = Kind(phrase.lower().replace(" ", "-"), error.status_code, phrase, phrase)
    said = error.detail if isinstance(error.detail, str) else ""
    said = "" if said == HTTPStatus(error.status_code).phrase else said
    return response(request, kind, said, said, headers=error.headers)


async def _of_store(request: Request, error: Exception) -> Response:
    _LOG.error("%s %s: %s", request.method, request.url.path, error)
    return response(request, STORE)


async def _of_ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, DenXanhError)
    return response(request, CONFLICT, str(error), str(error))


async def _of_gone(_: Request, error: Exception) -> Response:
    """Who sent half a request is gone: no fault of ours, and nobody reads this."""
    _LOG.debug("a request broke off: %r", error)
    return Response(status_code=HTTPStatus.BAD_REQUEST)


async def _of_bug(request: Request, error: Exception) -> Response:
    _LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return response(request, INTERNAL)
