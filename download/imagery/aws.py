"""As much of Amazon S3 as reading takes: addresses, and signed requests for buckets whose readers pay."""

import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, unquote, urlsplit

from download.errors import DownloadError

NO_BODY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Credentials:
    """Of an AWS account; never shown."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    session: str = field(default="", repr=False)


def credentials() -> Credentials:
    """What the environment says.

    Raises:
        DownloadError: it says nothing.
    """
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if not key or not secret:
        raise DownloadError(
            "requester_pays needs an AWS account. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
            "(and AWS_SESSION_TOKEN, if yours has one) in the environment."
        )
    return Credentials(key, secret, os.environ.get("AWS_SESSION_TOKEN", ""))


def https(href: str, region: str) -> str:
    """The address of an `s3://bucket/key` on the web, other addresses as they are; AWS_ENDPOINT_URL is respected."""
    parts = urlsplit(href)
    if parts.scheme != "s3":
        return href
    bucket, key = parts.netloc, quote(unquote(parts.path), safe="/-_.~")
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        return f"{endpoint.rstrip('/')}/{bucket}{key}"
    if "." in bucket:  # a certificate does not cover two levels
        return f"https://s3.{region}.amazonaws.com/{bucket}{key}"
    return f"https://{bucket}.s3.{region}.amazonaws.com{key}"


def signed(url: str, headers: Mapping[str, str], region: str, account: Credentials, now: datetime) -> dict[str, str]:
    """The headers of a GET request with its signature, after AWS Signature Version 4.

    Follows https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html.

    Args:
        url: address without a query.
        headers: that are sent along.
        region: of the bucket.
        account: who asks.
        now: in UTC.
    """
    parts, moment = urlsplit(url), now.strftime("%Y%m%dT%H%M%SZ")
    sent = {**headers, "x-amz-content-sha256": NO_BODY, "x-amz-date": moment}
    if account.session:
        sent["x-amz-security-token"] = account.session
    covered = {"host": parts.netloc.rpartition("@")[2], **{name.lower(): value.strip() for name, value in sent.items()}}
    # Proxies may rewrite what was accepted, so it is sent but not covered.
    covered.pop("accept-encoding", None)
    names = ";".join(sorted(covered))
    lines = "".join(f"{name}:{covered[name]}\n" for name in sorted(covered))
    canonical = "\n".join(("GET", parts.path or "/", parts.query, lines, names, NO_BODY))
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{account.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    authorization = f"AWS4-HMAC-SHA256 Credential={account.key}/{scope},SignedHeaders={names},Signature={signature}"
    return {**sent, "Authorization": authorization}
