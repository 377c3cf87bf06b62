"""What the `openai` engine says of its settings before anything is sent."""

from typing import Any

import pytest
from pydantic import ValidationError

from annotation.engines.openai import OpenAiEngine
from annotation.errors import AnnotationError

KEY = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def engine(*urls: str, **changes: Any) -> OpenAiEngine:
    return OpenAiEngine.model_validate({"model": "toy", "base_urls": urls, **changes})


@pytest.mark.parametrize("key", [f"{KEY}\nHost: elsewhere", f"{KEY} x", f"{KEY}€"])
def test_a_key_that_is_no_key_is_told_but_not_shown(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(AnnotationError, match="the key in OPENAI_API_KEY holds blanks") as caught:
        engine("http://localhost/v1").check()
    assert KEY not in str(caught.value)


def test_a_missing_key_is_told_before_anything_is_sent() -> None:
    with pytest.raises(AnnotationError, match=r"api\.example\.com wants a key.*OPENAI_API_KEY.*api_key_env: ''"):
        engine("https://api.example.com/v1").check()
    engine("https://api.example.com/v1", api_key_env="").check()


@pytest.mark.parametrize(
    "url",
    ["http://localhost:8000/v1", "http://127.0.0.1/v1", "http://[::1]:9/v1", "http://10.1.2.3/v1", "http://gpu7/v1"],
)
def test_servers_in_this_network_need_no_key(url: str) -> None:
    engine(url).check()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("localhost:8000/v1", "has to look like http://localhost:8000/v1"),
        ("", "has to look like"),
        ("ftp://localhost/v1", "has to look like"),
        ("http:///v1", "has to look like"),
        ("http://localhost:port/v1", "the port is no number up to 65535"),
        ("http://localhost:99999/v1", "the port is no number up to 65535"),
        (f"http://me:{KEY}", "the port is no number up to 65535"),
        ("http://[::1/v1", "the brackets of its address"),
        (f"http://me:{KEY}@localhost/v1", "a key belongs into the environment"),
        (f"http://localhost/v1?key={KEY}", "a key belongs into the environment"),
        ("http://localhost/v1/chat/completions", "only the part before /chat/completions"),
    ],
)
def test_malformed_addresses_are_told(url: str, told: str) -> None:
    with pytest.raises(AnnotationError) as caught:
        engine("http://localhost/v1", url).check()
    assert told in str(caught.value)
    assert str(caught.value).startswith("engine toy: base_urls.1: ")
    assert KEY not in str(caught.value)


def test_one_address_or_several() -> None:
    one = OpenAiEngine.model_validate({"kind": "openai", "model": "m", "base_url": "http://localhost/v1"})
    assert one.base_urls == ("http://localhost/v1",)
    assert (one.name, one.cpus, one.gpus) == ("m", 0.5, 0)
    assert OpenAiEngine.model_validate(one.model_dump()) == one
    with pytest.raises(ValidationError, match="base_url and base_urls say the same"):
        engine("http://localhost/v1", base_url="http://localhost/v1")
    with pytest.raises(ValidationError, match="base_urls"):
        engine()


@pytest.mark.parametrize("field", ["model", "messages", "n", "stream", "max_tokens", "max_completion_tokens"])
def test_fields_with_a_place_of_their_own_are_refused(field: str) -> None:
    with pytest.raises(ValidationError, match=rf"extra\.{field} "):
        engine("http://localhost/v1", extra={field: 1})
