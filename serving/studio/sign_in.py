"""Signing in with a key and a name, signing out, and saying one's name where no key is asked for."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from serving.access.attempts import Attempts
from serving.access.origin import local_path
from serving.access.roles import given_keys
from serving.access.sessions import MAX_NAME, Session, forget, keep_name, keep_session, tidy
from serving.guard import SIGN_IN, SIGN_OUT, too_many
from serving.studio.rendering import rendered

HOME = "/studio"
_WRONG = "This key is not known here; ask whoever runs the server."
router = APIRouter(include_in_schema=False)
_Text = Annotated[str, Form(max_length=1000)]


@router.get(SIGN_IN)
def show_sign_in(request: Request, next: str = "") -> Response:
    """The page to sign in on; where the server has no keys there is nothing to sign in to."""
    if not given_keys().by_role:
        return RedirectResponse(local_path(next) or HOME, 303)
    return _page(request, next)


@router.post(SIGN_IN)
def sign_in(request: Request, key: _Text = "", name: _Text = "", next: _Text = "") -> Response:
    """Begin a session, and go on to the page that was asked for."""
    attempts: Attempts = request.app.state.attempts
    address, keys = request.client.host if request.client else "", given_keys()
    if (wait_s := attempts.wait_s(address)) > 0:
        return _page(request, next, name=name, refused=too_many(wait_s))
    if not (role := keys.owner(key.strip().encode())):
        attempts.wrong(address)
        return _page(request, next, name=name, refused=HTTPException(401, _WRONG))
    if not tidy(name):
        return _page(request, next, refused=HTTPException(422, "Say your name: what you judge is kept under it."))
    going = RedirectResponse(local_path(next) or HOME, 303)
    keep_session(going, Session(role, tidy(name)), keys, https=request.url.scheme == "https")
    return going


@router.post(SIGN_OUT)
def sign_out() -> Response:
    """End the session of this browser."""
    going = RedirectResponse(SIGN_IN, 303)
    forget(going)
    return going


@router.post("/studio/name", status_code=204)
def post_name(request: Request, name: Annotated[str, Form(max_length=MAX_NAME)]) -> Response:
    """Keep in this browser the name under which judgements are kept, where nobody signs in."""
    if not tidy(name):
        raise HTTPException(422, "name: say one, of letters that can be seen")
    kept = Response(status_code=204)
    keep_name(kept, tidy(name), https=request.url.scheme == "https")
    return kept


def _page(request: Request, next: str, *, name: str = "", refused: HTTPException | None = None) -> Response:
    known = {"section": "", "next": local_path(next), "name": tidy(name), "action": SIGN_IN}
    shown = rendered(
        request,
        "sign_in.html",
        status=refused.status_code if refused else 200,
        wrong=refused.detail if refused else "",
        **known,
    )
    shown.headers.update(refused.headers or {} if refused else {})
    return shown
