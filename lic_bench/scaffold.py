"""A package to begin with: the example in `examples/my-codec`, under another name.

The example is a package that works as it stands; nothing in it is filled in but its name, in its three spellings, and
`constraints.txt`, which is made here.
"""

from __future__ import annotations

import json
import keyword
import re
import shutil
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from lic_bench.errors import RequestError
from lic_bench.registry import codecs
from lic_bench.registry.adapters import tidy

EXAMPLE = "my-codec"
FILES = (
    ".github/workflows/lic-bench.yml",
    ".gitignore",
    "README.md",
    "limits.toml",
    "pyproject.toml",
    "src/my_codec/__init__.py",
    "src/my_codec/model.py",
    "src/my_codec/train.py",
    "tests/test_my_codec.py",
)
"""Every file of the example, by name: what somebody's trial left beside them is not copied."""

CONSTRAINTS = "constraints.txt"
PINNED = ("torch", "torchvision", "compressai", "constriction", "numpy", "scipy", "pillow", "scikit-image")
"""What changes bits and decibels when its version changes."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_COMMANDS = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Names:
    """One name as a distribution and codec ("my-codec"), as a module ("my_codec") and as a class ("MyCodec")."""

    codec: str

    @property
    def module(self) -> str:
        """As a module."""
        return self.codec.replace("-", "_")

    @property
    def cls(self) -> str:
        """As a class."""
        return "".join(word.capitalize() for word in self.codec.split("-"))

    def put_into(self, text: str) -> str:
        """The example's text, or a path in it, under this name."""
        example = Names(EXAMPLE)
        spellings = ((example.codec, self.codec), (example.module, self.module), (example.cls, self.cls))
        for theirs, ours in spellings:
            text = text.replace(theirs, ours)
        return text


def names(name: str) -> Names:
    """A name that a new package can have. RequestError for one that is malformed or taken."""
    if not _NAME.fullmatch(name):
        better = tidy(name)
        hint = f" Did you mean {better}?" if _NAME.fullmatch(better) else ""
        raise RequestError(
            f"{name!r} cannot be a name: those are lower-case letters, digits and single hyphens, a letter first.{hint}"
        )
    chosen = Names(name)
    if name in codecs.names():
        where = codecs.CODECS.entry(name).reference
        raise RequestError(f"There is a codec called {name!r} already ({where}); choose another name.")
    if keyword.iskeyword(chosen.module):
        raise RequestError(f"{name!r} is a word of the Python language, so no module can have it; choose another name.")
    if find_spec(chosen.module) is not None or _installed(name) is not None:
        raise RequestError(f"Something called {name!r} is installed here already; choose another name.")
    return chosen


def write(name: str, into: Path = Path()) -> tuple[Path, tuple[Path, ...]]:
    """Write the package as the folder `into`/`name`; the folder, and its files as they lie in it.

    Raises RequestError for a name that cannot be had, a folder that is there, and one that cannot be written.
    """
    chosen = names(name)
    folder = into.expanduser() / name
    if folder.exists():
        raise RequestError(f"{folder} is there already and is left as it is; choose another name, or --into another.")
    texts = {chosen.put_into(path): chosen.put_into(_example(path).read_text(encoding="utf-8")) for path in FILES}
    texts[CONSTRAINTS] = constraints()
    draft = folder.with_name(f".{name}.draft")
    try:
        shutil.rmtree(draft, ignore_errors=True)  # left by one that was stopped
        for path, text in texts.items():
            (draft / path).parent.mkdir(parents=True, exist_ok=True)
            (draft / path).write_text(text, encoding="utf-8")
        draft.rename(folder)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise RequestError(f"{folder} cannot be written: {error.strerror}.") from error
    return folder, tuple(sorted(map(Path, texts)))


def commands(readme: str) -> str:
    """The first block of shell commands of a README."""
    found = _COMMANDS.search(readme)
    if found is None:
        raise ValueError("there is no block of shell commands")
    return found.group(1)


def constraints() -> str:
    """The versions that are installed here, as `pip install -c` takes them."""
    lines = [
        "# The versions that baseline.json is made with: another one may move bits and decibels.",
        requirement(distribution("lic-bench")),
        *(f"{name}=={found.version.partition('+')[0]}" for name in PINNED if (found := _installed(name)) is not None),
    ]
    if "file://" in lines[1]:
        lines.insert(1, "# The next line is a place on this machine: name one that others can reach before they do.")
    return "\n".join(lines) + "\n"


def requirement(found: Distribution) -> str:
    """How to install a distribution from where it was installed: its version, or its address (PEP 610)."""
    name = found.metadata["Name"]
    told = json.loads(found.read_text("direct_url.json") or "{}")
    url = told.get("url", "")
    if "vcs_info" in told:
        url = f"{told['vcs_info']['vcs']}+{url}@{told['vcs_info']['commit_id']}"
    elif url.startswith("file:") and not Path(url2pathname(urlsplit(url).path)).exists():
        return f"{name}=={found.version}"  # a wheel that was built, installed and removed
    if "subdirectory" in told:
        url += f"#subdirectory={told['subdirectory']}"
    return f"{name} @ {url}" if url else f"{name}=={found.version}"


def _example(path: str) -> Traversable:
    """A file of the example: beside the package in a checkout, else inside the installed package."""
    checkout = Path(__file__).resolve().parent.parent
    beside = checkout / "examples" / EXAMPLE / path
    if (checkout / "pyproject.toml").exists() and beside.exists():
        return beside
    return files("lic_bench._data.example").joinpath(path)


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None
