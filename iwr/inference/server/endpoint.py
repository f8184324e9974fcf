"""The address of a model server, and how a server that iwr did not start is found."""

from __future__ import annotations

from typing import Any, NamedTuple

from iwr.config import ModelConfig, ServerConfig
from iwr.errors import ConfigError, ServerError


class Endpoint(NamedTuple):
    """All that a client needs to talk to a server."""

    url: str  # ends in /v1
    model: str
    key: str | None = None
    context: int | None = None  # longest prompt and answer together, tokens, where the server tells
    vllm: bool = False  # it understands what only vLLM understands

    @property
    def headers(self) -> dict[str, str]:
        return headers(self.key)


def headers(key: str | None) -> dict[str, str]:
    """Return the HTTP headers that carry `key`."""
    if not key:
        return {}
    return {"Authorization": f"Bearer {key}"}


def external(model: ModelConfig, server: ServerConfig, key: str | None) -> Endpoint:
    """Return the endpoint of `model` on the server at `server.url`.

    Raise ConfigError when there is no address or another model; ServerError when nothing answers.
    """
    if not server.url:
        raise ConfigError(
            "server=external needs server.url",
            hint="for example server.url=http://host:8000/v1",
        )
    url = server.url.rstrip("/")
    entries = _models(url, key)
    name = _name_of(model, list(entries))
    if name is None:
        choices = ", ".join(entries) or "no model"
        raise ConfigError(
            f"{server.url} serves {choices}, not {model.path}",
            hint="set model.path to one of them",
        )
    entry = entries[name]
    return Endpoint(
        url=url,
        model=name,
        key=key,
        context=entry.get("max_model_len"),
        vllm=entry.get("owned_by") == "vllm",
    )


def _models(url: str, key: str | None) -> dict[str, dict[str, Any]]:
    """Return the models of a server by name, as it describes them."""
    import httpx

    try:
        response = httpx.get(f"{url}/models", headers=headers(key), timeout=30)
        response.raise_for_status()
        return {entry["id"]: entry for entry in response.json()["data"]}
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise ServerError(
            f"{url} does not answer as an OpenAI-compatible server: {error}",
            hint="check server.url",
        ) from error


def _name_of(model: ModelConfig, names: list[str]) -> str | None:
    """Return the name of `model` on the server: a server of one model needs no matching name."""
    for name in names:
        if name in (model.path, model.name) or len(names) == 1:
            return name
    return None
