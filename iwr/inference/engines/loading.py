"""Load the weights of a model into this process, as each interface of transformers wants it."""

from __future__ import annotations

from typing import Any


def _load_for_processor(path: str, **options: Any) -> Any:
    """Load a model that is spoken to with AutoProcessor and `generate`."""
    from transformers import AutoModelForImageTextToText

    return AutoModelForImageTextToText.from_pretrained(path, **options)


def _load_for_chat(
    path: str, *, revision: str | None, trust_remote_code: bool, **options: Any
) -> Any:
    """Load a model that has a `chat` of its own, from its authors' code where it brings some."""
    from transformers import AutoConfig, AutoModel
    from transformers.dynamic_module_utils import get_class_from_dynamic_module

    source = {"revision": revision, "trust_remote_code": trust_remote_code}
    config = AutoConfig.from_pretrained(path, **source)
    classes = getattr(config, "auto_map", None) or {}
    own = classes.get("AutoModel")
    if own is None or not trust_remote_code:
        return AutoModel.from_pretrained(path, **source, **options)
    network = get_class_from_dynamic_module(own, path, revision=revision)
    completed = _completed(network)
    return completed.from_pretrained(path, config=config, revision=revision, **options)


def _completed(network: Any) -> Any:
    """Return a class of a model's authors that transformers 5 can load.

    Code for transformers 4 often lacks the call of `post_init` that loading depends on now.
    """

    class Completed(network):  # type: ignore[misc]
        """The authors' class, with what newer releases of transformers ask of it."""

        def __init__(self, config: Any, *arguments: Any, **options: Any):
            super().__init__(config, *arguments, **options)
            if not hasattr(self, "all_tied_weights_keys"):
                self.post_init()

    return Completed


LOADERS = {"processor": _load_for_processor, "chat": _load_for_chat}
"""How a model is loaded, by `model.interface`."""
