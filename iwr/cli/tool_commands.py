"""Commands that look at this machine and at the settings. Each returns an exit code.

Heavy modules are imported inside the functions.
"""

from __future__ import annotations

import sys
from argparse import Namespace

from iwr.cli.arguments import print_result
from iwr.errors import EXIT_INCOMPLETE, EXIT_OK


def doctor(options: Namespace) -> int:
    """Check what the settings need of this machine."""
    from iwr.config import load_config
    from iwr.doctor import examine, lines

    config, models = load_config(options.settings)
    results = list(examine(config, models))
    print_result(options, [result._asdict() for result in results], lines(results))
    for result in results:
        if result.status == "fail":
            return EXIT_INCOMPLETE
    return EXIT_OK


def prefetch(options: Namespace) -> int:
    """Fetch the data set and weights, after naming their sizes."""
    from iwr.config import load_config
    from iwr.doctor import prefetch

    config, models = load_config(options.settings)
    needs = prefetch.needs(config, models)
    sizes = []
    for requirement in needs:
        size = requirement.size()
        if size is not None:
            sizes.append(size)
            print(prefetch.download_line(requirement, size), file=sys.stderr)
    prefetch.check_room(sizes)
    paths = prefetch.fetch(needs)
    print_result(options, paths, [f"{name}  {path}" for name, path in paths.items()])
    return EXIT_OK


def config(options: Namespace) -> int:
    """Print every setting and its value."""
    from dataclasses import asdict

    import yaml

    from iwr.config import load_config

    config, models = load_config(options.settings)
    settings = asdict(config) | {"model": asdict(models[0])}
    text = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
    print_result(options, settings, text.splitlines())
    return EXIT_OK


def completion(options: Namespace) -> int:
    """Print the script that makes the Tab key complete commands and settings."""
    from iwr.cli.completion import script

    print(script(" ".join(options.settings)))
    return EXIT_OK
