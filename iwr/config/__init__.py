"""Typed settings, composed by Hydra from `configs/`, and the only reader of environment variables.

Imports nothing heavy: `iwr --help` and resume checks go through here.
"""

from iwr.config.command_line import CommandLine, split
from iwr.config.compose import compose_run, load_config, register
from iwr.config.environment import Environment
from iwr.config.schema import (
    GROUPS,
    BrowserConfig,
    ClusterConfig,
    Config,
    DataConfig,
    JudgeConfig,
    ModelConfig,
    ProtocolConfig,
    RunConfig,
    ServerConfig,
)

__all__ = [
    "GROUPS",
    "BrowserConfig",
    "ClusterConfig",
    "CommandLine",
    "Config",
    "DataConfig",
    "Environment",
    "JudgeConfig",
    "ModelConfig",
    "ProtocolConfig",
    "RunConfig",
    "ServerConfig",
    "compose_run",
    "load_config",
    "register",
    "split",
]
