"""What Graph's debug_token says of an access token, in one sentence for people.

Facts: Meta's access token pages (2026). An expiry of 0 means never; access to data can lapse
while the token stays valid.
"""

import datetime as dt

import msgspec

from trackai.destinations.port import TokenHealth, TokenState

# Either lets a token send events.
_SCOPES = frozenset(("ads_management", "business_management"))
_WARN_BEFORE = dt.timedelta(days=7)
_OK = 200
_NOT_THERE = (100, 33)
_TOKEN_REFUSED = frozenset((102, 104, 190))


class _Granular(msgspec.Struct):
    scope: str
    target_ids: list[str] | None = None


class _Data(msgspec.Struct):
    is_valid: bool = False
    expires_at: int = 0
    data_access_expires_at: int = 0
    scopes: list[str] = []
    granular_scopes: list[_Granular] = []


class _Error(msgspec.Struct):
    code: int
    error_subcode: int | None = None


class _Body(msgspec.Struct):
    data: _Data | None = None
    error: _Error | None = None


_BODY = msgspec.json.Decoder(_Body, strict=False)


def health_of(
    status: int, body: bytes, now: dt.datetime, *, reaches: bool | None = None
) -> TokenHealth:
    """Return what an answer of debug_token says of the token.

    `reaches`: whether the token's owner has the pixel; None where that is not known.
    """
    found = _decoded(body)
    if found.data is not None:
        return _health(found.data, now, reaches=reaches)
    if found.error is not None and found.error.code in _TOKEN_REFUSED:
        return TokenHealth(TokenState.REFUSED, valid=False, found="Meta does not accept the token.")
    code = f", code {found.error.code}" if found.error else ""
    return TokenHealth(
        TokenState.NOT_SAID,
        valid=None,
        found=f"Meta did not say whether the token is valid (HTTP {status}{code}).",
    )


def names_pixel(body: bytes, pixel_id: str) -> bool:
    """Tell whether the scopes name the pixel, or reach whatever their owner does.

    What they list may also be ad accounts or businesses that have the pixel: then it has to be
    asked for.
    """
    data = _decoded(body).data or _Data()
    targets = [one.target_ids for one in data.granular_scopes if one.scope in _SCOPES]
    return not targets or any(not ids or pixel_id in ids for ids in targets)


def reaches_pixel(status: int, body: bytes) -> bool | None:
    """Return what an answer about the pixel says; None when it could not be told."""
    if status == _OK:
        return True
    error = _decoded(body).error
    # "Does not exist, or cannot be loaded due to missing permissions."
    missing = error is not None and (error.code, error.error_subcode) == _NOT_THERE
    return False if missing else None


def _decoded(body: bytes) -> _Body:
    try:
        return _BODY.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Body()


def _health(data: _Data, now: dt.datetime, *, reaches: bool | None) -> TokenHealth:
    ends = [_time(at) for at in (data.expires_at, data.data_access_expires_at) if at > 0]
    expires_at = min((end for end in ends if end is not None), default=None)
    scopes = tuple(sorted(data.scopes))
    if not data.is_valid or (expires_at is not None and expires_at <= now):
        return TokenHealth(
            TokenState.ENDED,
            valid=False,
            found="The token is expired or withdrawn.",
            expires_at=expires_at,
            scopes=scopes,
        )
    if reaches is False:
        return TokenHealth(
            TokenState.NOT_ASSIGNED,
            valid=False,
            found="The token is not assigned to this pixel. Assign the pixel to the token's system "
            "user in Business settings, or make a token in this pixel's Events Manager.",
            expires_at=expires_at,
            scopes=scopes,
        )
    notes = [
        f"expires {expires_at:%Y-%m-%d}" if expires_at else "does not expire",
        *_warnings(data, expires_at, now),
        *(["whether it may use this pixel could not be told"] if reaches is None else []),
    ]
    return TokenHealth(
        TokenState.VALID,
        valid=True,
        found=f"The token is valid: {'; '.join(notes)}.",
        expires_at=expires_at,
        scopes=scopes,
    )


def _warnings(data: _Data, expires_at: dt.datetime | None, now: dt.datetime) -> list[str]:
    found = []
    if expires_at is not None and expires_at - now < _WARN_BEFORE:
        found.append("that is soon")
    if not _SCOPES.intersection(data.scopes):
        found.append("it lacks ads_management, so it works only if made in Events Manager")
    return found


def _time(seconds: int) -> dt.datetime | None:
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (OverflowError, OSError, ValueError):
        return None
