"""Who asks Earth Engine: found in the environment, never shown.

Looked for in this order:

1. `EARTHENGINE_KEY_FILE`: key of a service account (JSON), for Earth Engine alone;
2. `GOOGLE_APPLICATION_CREDENTIALS`: key of a service account, or other Google credentials (JSON);
3. `EARTHENGINE_TOKEN`: what `earthengine authenticate` wrote, as text, for machines without a browser;
4. `~/.config/earthengine/credentials`: what `earthengine authenticate` wrote;
5. application default credentials: what `gcloud auth application-default login` wrote.

The Cloud project that is billed: `project` of the configuration, `EARTHENGINE_PROJECT`, `GOOGLE_CLOUD_PROJECT`, or the
project that the credentials name.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from download.errors import DownloadError

KEY_FILE = "EARTHENGINE_KEY_FILE"
GOOGLE_FILE = "GOOGLE_APPLICATION_CREDENTIALS"
TOKEN = "EARTHENGINE_TOKEN"  # noqa: S105 - name of a variable
PROJECTS = ("EARTHENGINE_PROJECT", "GOOGLE_CLOUD_PROJECT")
USER_FILE = "~/.config/earthengine/credentials"
GCLOUD_FOLDER = "CLOUDSDK_CONFIG"
GCLOUD_FILE = "application_default_credentials.json"
SCOPES = ("https://www.googleapis.com/auth/earthengine", "https://www.googleapis.com/auth/cloud-platform")

KINDS = {
    "service_account": "service account",
    "authorized_user": "user account",
    "external_account": "external account",
    "impersonated_service_account": "impersonated service account",
}


@dataclass(frozen=True, slots=True)
class Found:
    """Credentials that were found.

    Attributes:
        where: variable or file they come from.
        kind: whose they are, for people.
        content: the secret itself.
    """

    where: str
    kind: str
    content: Mapping[str, Any] = field(repr=False)

    @property
    def project(self) -> str | None:
        """The Cloud project they name, if any."""
        names = (self.content.get(key) for key in ("quota_project_id", "project", "project_id"))
        return next((str(name) for name in names if name), None)


def credentials_found() -> str | None:
    """Which credentials an Earth Engine run would use, for people; without the secret, without network.

    Raises:
        DownloadError: a file that the environment names is missing or no credentials.
    """
    credentials = find()
    return f"{credentials.kind} ({credentials.where})" if credentials else None


def find() -> Found | None:
    """The first credentials in the order above.

    Raises:
        DownloadError: a file that the environment names is missing or no credentials.
    """
    return next((_parsed(where, text) for where, text in _texts()), None)


def project_for(named: str | None, credentials: Found | None) -> str | None:
    """The Cloud project that is billed, if it is known."""
    in_environment = (os.environ.get(name) for name in PROJECTS)
    candidates = (named, *in_environment, credentials.project if credentials else None)
    return next((project for project in candidates if project), None)


def is_local(url: str) -> bool:
    """Whether an address is on this machine, where a stand-in may be asked without credentials."""
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


def needed_for(url: str) -> Found | None:
    """Credentials for an address; None (anonymous) for this machine, unless `EARTHENGINE_KEY_FILE` names some.

    Raises:
        DownloadError: there are none, or a file is missing or no credentials.
    """
    if is_local(url) and not os.environ.get(KEY_FILE):
        return None
    if urlsplit(url).scheme != "https" and not is_local(url):
        raise DownloadError("samples.imagery.url has to start with https:// since credentials are sent there.")
    found = find()
    if found is None:
        raise DownloadError(
            "No Earth Engine credentials. Run `earthengine authenticate`, "
            f"or set {KEY_FILE} or {GOOGLE_FILE} to the key file of a service account."
        )
    return found


def google_credentials(found: Found | None) -> Any:
    """As Google's libraries want them.

    Raises:
        DownloadError: a part is missing.
    """
    from google.auth.credentials import AnonymousCredentials
    from google.auth.exceptions import GoogleAuthError

    if found is None:
        return AnonymousCredentials()  # type: ignore[no-untyped-call]
    try:
        return _loaded(found.content)
    except (GoogleAuthError, ValueError, KeyError):
        raise DownloadError(
            f"The credentials in {found.where} are of no known kind, or not complete. Make or download them again."
        ) from None


def _loaded(content: Mapping[str, Any]) -> Any:
    from google.auth import identity_pool, impersonated_credentials
    from google.oauth2 import credentials, service_account

    loaders: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
        "service_account": partial(service_account.Credentials.from_service_account_info, scopes=SCOPES),
        "authorized_user": credentials.Credentials.from_authorized_user_info,
        "external_account": partial(identity_pool.Credentials.from_info, scopes=SCOPES),
        "impersonated_service_account": partial(
            impersonated_credentials.Credentials.from_impersonated_service_account_info, scopes=SCOPES
        ),
    }
    return loaders[content["type"]](content) if "type" in content else _of_user(content)


def _of_user(content: Mapping[str, Any]) -> Any:
    """From what `earthengine authenticate` writes; it leaves out what its own library knows."""
    from ee import oauth
    from google.oauth2.credentials import Credentials

    return Credentials(  # type: ignore[no-untyped-call]
        None,
        token_uri=oauth.TOKEN_URI,
        refresh_token=content["refresh_token"],
        client_id=content.get("client_id", oauth.CLIENT_ID),
        client_secret=content.get("client_secret", oauth.CLIENT_SECRET),
        scopes=content.get("scopes", oauth.SCOPES),
    )


def _texts() -> Iterator[tuple[str, str]]:
    """Where credentials stand, and what stands there."""
    for variable in (KEY_FILE, GOOGLE_FILE):
        if named := os.environ.get(variable):
            yield variable, _read(variable, Path(named).expanduser())
    if token := os.environ.get(TOKEN):
        yield TOKEN, token
    gcloud = Path(os.environ.get(GCLOUD_FOLDER) or "~/.config/gcloud") / GCLOUD_FILE
    for file in (Path(USER_FILE), gcloud):
        if file.expanduser().exists():
            yield str(file), _read(str(file), file.expanduser())


def _read(where: str, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise DownloadError(f"{where}: the credentials file cannot be read. Correct the path, or unset it.") from None


def _parsed(where: str, text: str) -> Found:
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict) or not ("type" in content or content.get("refresh_token")):
        raise DownloadError(f"{where} holds no Google credentials. Make or download them again.")
    kind = str(content.get("type", "authorized_user"))
    return Found(where, KINDS.get(kind, kind), content)
