"""Errors of the REST API: `application/problem+json` (RFC 9457), whatever went wrong."""

import logging
from http import HTTPStatus
from typing import Final

import msgspec
from aiohttp import ClientConnectionResetError, web
from aiohttp.typedefs import Handler

from webrtc.errors import ClientError

logger = logging.getLogger(__name__)

CONTENT_TYPE: Final = "application/problem+json"

STATUS_OF: Final = {
    "bad_message": HTTPStatus.BAD_REQUEST,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "unauthorized": HTTPStatus.UNAUTHORIZED,
    "token_expired": HTTPStatus.UNAUTHORIZED,
    "token_revoked": HTTPStatus.UNAUTHORIZED,
    "auth_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "forbidden": HTTPStatus.FORBIDDEN,
    "not_simulating": HTTPStatus.FORBIDDEN,
    "room_locked": HTTPStatus.FORBIDDEN,
    "waiting": HTTPStatus.FORBIDDEN,
    "denied": HTTPStatus.FORBIDDEN,
    "banned": HTTPStatus.FORBIDDEN,
    "room_not_found": HTTPStatus.NOT_FOUND,
    "not_found": HTTPStatus.NOT_FOUND,
    "method_not_allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "room_exists": HTTPStatus.CONFLICT,
    "scene_not_found": HTTPStatus.NOT_FOUND,
    "too_many_scenes": HTTPStatus.CONFLICT,
    "session_not_found": HTTPStatus.NOT_FOUND,
    "already_playing": HTTPStatus.CONFLICT,
    "no_sound": HTTPStatus.CONFLICT,
    "archive_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "server_full": HTTPStatus.SERVICE_UNAVAILABLE,
    "tenant_full": HTTPStatus.SERVICE_UNAVAILABLE,
    "draining": HTTPStatus.SERVICE_UNAVAILABLE,
    "worker_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "unplayable": HTTPStatus.UNPROCESSABLE_ENTITY,
    "playback_not_found": HTTPStatus.NOT_FOUND,
    "too_many_playbacks": HTTPStatus.TOO_MANY_REQUESTS,
    "participant_not_found": HTTPStatus.NOT_FOUND,
    "recording_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "broadcast_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "recording_not_found": HTTPStatus.NOT_FOUND,
    "not_recording": HTTPStatus.CONFLICT,
    "disk_full": HTTPStatus.INSUFFICIENT_STORAGE,
    "room_full": HTTPStatus.SERVICE_UNAVAILABLE,
    "bad_sdp": HTTPStatus.UNPROCESSABLE_ENTITY,
    "bad_candidate": HTTPStatus.UNPROCESSABLE_ENTITY,
    "busy": HTTPStatus.CONFLICT,
    "negotiation_failed": HTTPStatus.BAD_GATEWAY,
    "negotiation_timeout": HTTPStatus.GATEWAY_TIMEOUT,
    "unsupported_media_type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "precondition_required": HTTPStatus.PRECONDITION_REQUIRED,
    "precondition_failed": HTTPStatus.PRECONDITION_FAILED,
    "internal_error": HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""HTTP status of the reason codes that REST uses."""

_REASON_OF: Final = {
    400: ("bad_message", "the request is malformed"),
    404: ("not_found", "there is no such resource"),
    405: ("method_not_allowed", "the resource does not know this method"),
    408: ("bad_message", "the request took too long to come"),
    413: ("too_large", "the request is too large"),
}


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error (RFC 9457); `reason` is a code of docs/protocol.md."""

    title: str
    status: int
    reason: str
    detail: str
    type: str = "about:blank"
    retry_after: float | None = None


_encoder = msgspec.json.Encoder()


def problem(error: ClientError, headers: dict[str, str] | None = None) -> web.Response:
    """Return the response that tells `error`."""
    status = STATUS_OF.get(error.reason, HTTPStatus.BAD_REQUEST)
    return _response(status, error.reason, error.detail, error.retry_after_s, headers)


def _response(
    status: int,
    reason: str,
    detail: str,
    retry_after_s: float | None = None,
    headers: dict[str, str] | None = None,
) -> web.Response:
    details = ProblemDetails(
        title=HTTPStatus(status).phrase,
        status=int(status),
        reason=reason,
        detail=detail,
        retry_after=retry_after_s,
    )
    response = web.Response(
        status=int(status),
        body=_encoder.encode(details),
        content_type=CONTENT_TYPE,
        headers=headers,
    )
    response.headers["Cache-Control"] = "no-store"
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(max(1, round(retry_after_s)))
    return response


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every failure below into a problem; only our own defects are logged."""
    try:
        return await handler(request)
    except ClientError as error:
        return problem(error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        reason, detail = _REASON_OF.get(error.status, ("bad_message", error.reason))
        allow = error.headers.get("Allow")
        return _response(error.status, reason, detail, headers={"Allow": allow} if allow else None)
    except ClientConnectionResetError:
        raise  # whoever asked has gone before the answer: aiohttp drops what it makes of this
    except Exception:
        logger.exception("%s %s failed", request.method, request.match_info.handler)
        return problem(ClientError("internal_error", "the server made a mistake"))
