"""The scaffold of `lic-bench new`: the example package `examples/my-codec` under another name.

The example works as it stands. Only its name is replaced, in three spellings, and `constraints.txt` is added.
"""

from __future__ import annotations

import json
import keyword
import re
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from lic_bench.assets import resources
from lic_bench.assets.files import draft_folder_beside
from lic_bench.errors import RequestError
from lic_bench.registry import codecs
from lic_bench.registry.adapters import kebab_case

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
"""The files of the example; others beside them, such as trained weights, are not copied."""

CONSTRAINTS = "constraints.txt"
PINNED = ("torch", "torchvision", "compressai", "constriction", "numpy", "scipy", "pillow", "scikit-image")
"""Packages whose version can change bits and decibels."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_COMMANDS = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Names:
    """One name as a distribution and codec ("my-codec"), as a module ("my_codec") and as a class ("MyCodec")."""

    codec: str

    @property
    def module(self) -> str:
        """The name as a module."""
        return self.codec.replace("-", "_")

    @property
    def cls(self) -> str:
        """The name as a class."""
        return "".join(word.capitalize() for word in self.codec.split("-"))

    def put_into(self, text: str) -> str:
        """A text or path of the example with this name in place of the example's."""
        example = Names(EXAMPLE)
        spellings = ((example.codec, self.codec), (example.module, self.module), (example.cls, self.cls))
        for before, after in spellings:
            text = text.replace(before, after)
        return text


def names(name: str) -> Names:
    """The spellings of a new package's name. RequestError for one that is malformed or taken."""
    if not _NAME.fullmatch(name):
        better = kebab_case(name)
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
    """Write the package into the folder `into`/`name`; returns the folder, and its files relative to it.

    Raises RequestError for a name that is malformed or taken, a folder that exists, and one that cannot be written.
    """
    chosen = names(name)
    folder = into.expanduser() / name
    if folder.exists():
        raise RequestError(f"{folder} is there already and is left as it is; choose another name, or --into another.")
    texts = {chosen.put_into(path): chosen.put_into(resources.text("example", path)) for path in FILES}
    texts[CONSTRAINTS] = constraints()
    try:
        with draft_folder_beside(folder) as draft:
            for path, text in texts.items():
                (draft / path).parent.mkdir(parents=True, exist_ok=True)
                (draft / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise RequestError(f"{folder} cannot be written: {error.strerror}.") from error
    return folder, tuple(sorted(map(Path, texts)))


def commands(readme: str) -> str:
    """The first block of shell commands of a README. ValueError where it has none."""
    found = _COMMANDS.search(readme)
    if found is None:
        raise ValueError("there is no block of shell commands")
    return found.group(1)


def constraints() -> str:
    """The text of `constraints.txt`: the versions that are installed here, as `pip install -c` takes them."""
    lines = [
        "# The versions that baseline.json is made with: another one may move bits and decibels.",
        requirement(distribution("lic-bench")),
        *(f"{name}=={found.version.partition('+')[0]}" for name in PINNED if (found := _installed(name)) is not None),
    ]
    if "file://" in lines[1]:
        lines.insert(1, "# The next line is a place on this machine: name one that others can reach before they do.")
    return "\n".join(lines) + "\n"


def requirement(found: Distribution) -> str:
    """The requirement that installs a distribution from where it came: its version, or its address (PEP 610)."""
    name = found.metadata["Name"]
    origin = json.loads(found.read_text("direct_url.json") or "{}")
    url = origin.get("url", "")
    if "vcs_info" in origin:
        url = f"{origin['vcs_info']['vcs']}+{url}@{origin['vcs_info']['commit_id']}"
    elif url.startswith("file:") and not Path(url2pathname(urlsplit(url).path)).exists():
        return f"{name}=={found.version}"  # a wheel that was built, installed and removed
    if "subdirectory" in origin:
        url += f"#subdirectory={origin['subdirectory']}"
    return f"{name} @ {url}" if url else f"{name}=={found.version}"


def _installed(name: str) -> Distribution | None:
    """An installed distribution, or None."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None
