"""Every error that `iwr` raises on purpose. Each names its boundary: who failed.

    IwrError
    ├── ConfigError        a setting is wrong, or two settings contradict each other
    ├── DataError          a data set, task, recording or record on disk is not valid
    ├── StaleRunError      the run folder holds results made under other settings
    ├── ServerError        the model server did not start, died, or does not answer
    │   ├── RequestError   the server refused one request; asking again would not help
    │   └── AuditError     the engine did not show the model the frames that were asked for
    ├── GenerationError    a reply cannot be turned into a page
    ├── PageError          the page under test cannot do what was asked of it (the model's failure)
    │   └── ActionError    the element cannot be acted on: covered, disabled, no such option
    ├── BrowserError       the browser itself failed (ours, never the model's)
    ├── JudgeError         the judge gave no usable answer (never counted as a pass or a fail)
    └── MetricError        a metric cannot run: missing weights, unreadable image

Third-party exceptions are translated into these at the edge where they enter. Command-line exit
codes are fixed here as well: see `exit_code`.
"""

EXIT_OK = 0
EXIT_INCOMPLETE = 1  # the command ended, but something failed or could not be scored
EXIT_USAGE = 2  # wrong settings or wrong data
EXIT_INFRASTRUCTURE = 3  # server, browser or metric could not run
EXIT_INTERNAL = 4  # a fault of iwr itself
EXIT_NOT_MET = 5  # a comparison: worse than the baseline, or a required score is not reached
EXIT_INTERRUPTED = 130
EXIT_PIPE = 141  # whoever read the output has closed it: what a shell reports for SIGPIPE


class IwrError(Exception):
    """The base of all errors. `hint` says what the user can do next."""

    def __init__(self, message: str, *, hint: str | None = None):
        super().__init__(message)
        self.hint = hint


class ConfigError(IwrError):
    """A setting is wrong, or two settings contradict each other."""


class DataError(IwrError):
    """A data set, task, recording or record on disk is not valid."""


class StaleRunError(IwrError):
    """The run folder holds results made under other settings."""


class ServerError(IwrError):
    """The model server did not start, died, or does not answer."""


class RequestError(ServerError):
    """The server refused one request (HTTP 4xx): asking again would not help."""


class AuditError(ServerError):
    """The engine did not show the model the frames asked for: nothing is known about the model."""


class GenerationError(IwrError):
    """A reply cannot be turned into a page."""


class PageError(IwrError):
    """The page under test cannot do what was asked of it: the model's failure, not a crash."""


class ActionError(PageError):
    """The page works, but a person could not do this to it.

    The element is covered, disabled or not visible, or takes no text.
    """


class BrowserError(IwrError):
    """The browser failed: infrastructure, never counted for or against the model."""


class JudgeError(IwrError):
    """The judge gave no usable answer: the step is unscored."""


class MetricError(IwrError):
    """A metric cannot run, so its value is None with this reason."""


def exit_code(error: BaseException) -> int:
    """Return the process exit code for an error that ended a command."""
    if isinstance(error, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    if isinstance(error, ConfigError | DataError | StaleRunError):
        return EXIT_USAGE
    return EXIT_INFRASTRUCTURE
