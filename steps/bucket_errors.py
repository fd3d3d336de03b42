"""What S3 and its client say when something is wrong, as one line with the way out."""

from __future__ import annotations

import errno

LATER = "it kept failing through all attempts; try again later"
ACCOUNT = (
    "see that AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the role of this machine, are of this bucket's account"
)
RENEW = "the credentials have expired; get new ones and set AWS_SESSION_TOKEN with the two keys that belong to it"
NEEDS = "GetObject, PutObject, DeleteObject and ListBucket on it (docs/operations.md has the policy)"
DENIED = f"no permission; the credentials need {NEEDS}"
NO_BUCKET = "there is no such bucket; create it, or correct RUSHES_STORE"
REGION = "the bucket is in another region; set AWS_REGION to it"
ENDPOINT = "see that AWS_ENDPOINT_URL_S3 is right and that the endpoint is up"
NONE = (
    "no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN), or AWS_PROFILE, or give "
    "this machine a role"
)
CLOCK = "this machine's clock is wrong; set it"
FULL = "no space left in the bucket; free some or point RUSHES_STORE elsewhere"
ANSWERS = {
    "AccessDenied": DENIED,
    "AllAccessDisabled": DENIED,
    "403": DENIED,
    "ExpiredToken": RENEW,
    "ExpiredTokenException": RENEW,
    "TokenRefreshRequired": RENEW,
    "InvalidToken": RENEW,
    "InvalidAccessKeyId": f"the key is unknown there; {ACCOUNT}",
    "SignatureDoesNotMatch": f"the secret key does not fit the key; {ACCOUNT}",
    "400": f"it was refused; perhaps {RENEW}",
    "NoSuchBucket": NO_BUCKET,
    "InvalidBucketName": NO_BUCKET,
    "PermanentRedirect": REGION,
    "301": REGION,
    "AuthorizationHeaderMalformed": REGION,
    "IllegalLocationConstraintException": REGION,
    "RequestTimeTooSkewed": CLOCK,
    "QuotaExceeded": FULL,
    "XMinioStorageFull": FULL,
    "507": FULL,
    "SlowDown": LATER,
    "ServiceUnavailable": LATER,
    "InternalError": LATER,
    "500": LATER,
    "502": LATER,
    "503": LATER,
    "504": LATER,
}


def code_of(error: BaseException) -> str:
    """The code with which S3 refused a request; "" if it was not S3 that did."""
    answer = getattr(error, "response", None) or getattr(error.__cause__, "response", None) or {}
    return str(answer.get("Error", {}).get("Code", ""))


def reason(error: Exception) -> str | None:
    """What went wrong, with the way out; None if neither S3 nor its client is to blame."""
    from botocore.exceptions import BotoCoreError, ClientError

    if said := ANSWERS.get(code_of(error)):
        return said
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "no space left on this machine's device for a copy; free some or point TMPDIR elsewhere"
    if isinstance(error, BotoCoreError):
        return _of_client(error)
    return _line(error) if isinstance(error, OSError | ClientError) else None


def _of_client(error: Exception) -> str:
    """What botocore said before S3 said anything."""
    from botocore import exceptions as botocore

    if isinstance(error, botocore.NoCredentialsError | botocore.PartialCredentialsError):
        return NONE
    if isinstance(error, botocore.ParamValidationError):
        return NO_BUCKET
    # connections that are refused, time out or break
    if isinstance(error, botocore.ConnectionError | botocore.HTTPClientError):
        return f"{_line(error)}; {ENDPOINT}"
    return f"{_line(error)}; see the AWS_* variables and ~/.aws"


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
