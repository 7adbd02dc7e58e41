"""Rebuild the vendored browser module from npm's pinned packages: `python vendor/rebuild.py [--check]` (needs Node)."""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent / "src" / "quitbutton" / "gateway" / "web" / "vendor"
BUNDLED = ("dompurify", "htm", "marked", "preact")
INSTALL = "npm ci --ignore-scripts --no-audit --no-fund"
BUNDLE = (
    "node_modules/.bin/esbuild entry.js --bundle --format=esm --minify --charset=utf8 --target=es2022 "
    "--legal-comments=eof --outfile=vendor.js"
)
LICENCE_NAMES = ("LICENSE", "LICENSE.md", "LICENSE.txt", "license")


def build(work: Path) -> dict[str, bytes]:
    """Install the locked packages without their scripts and bundle them into one ES module."""
    for name in ("package.json", "package-lock.json", ".npmrc", "entry.js"):
        shutil.copy(HERE / name, work / name)
    for command in (INSTALL, BUNDLE):
        subprocess.run(command.split(), cwd=work, check=True)  # noqa: S603 - the two lines above
    return {"vendor.js": (work / "vendor.js").read_bytes(), "LICENSES.txt": licences(work).encode()}


def licences(work: Path) -> str:
    """The licence text of every bundled package, under its name and version."""
    parts = []
    for name in BUNDLED:
        folder = work / "node_modules" / name
        meta = json.loads((folder / "package.json").read_text())
        text = next((folder / n).read_text() for n in LICENCE_NAMES if (folder / n).is_file())
        parts.append(f"{'=' * 100}\n{name} {meta['version']} ({meta['license']})\n{'=' * 100}\n\n{text.strip()}\n")
    return "\n".join(parts)


def manifest(files: dict[str, bytes]) -> str:
    """vendor.toml: what is inside, from where, and the digest of each file that we ship."""
    lock = json.loads((HERE / "package-lock.json").read_text())["packages"]
    lines = ["# Third-party code in the pages. Written by vendor/rebuild.py; a test re-hashes the files.", ""]
    for name, content in files.items():
        lines += ["[[file]]", f'path = "src/quitbutton/gateway/web/vendor/{name}"']
        lines += [f'sha256 = "{hashlib.sha256(content).hexdigest()}"', ""]
    for name in BUNDLED:
        entry = lock[f"node_modules/{name}"]
        lines += ["[[package]]", f'name = "{name}"', f'version = "{entry["version"]}"']
        lines += [f'licence = "{entry["license"]}"', f'integrity = "{entry["integrity"]}"', ""]
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Write the files, or with --check only say whether they are what npm's packages give."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as work:
        files = build(Path(work))
    wanted = {TARGET / name: content for name, content in files.items()}
    wanted[HERE / "vendor.toml"] = manifest(files).encode()
    if check:
        stale = [path.name for path, content in wanted.items() if not path.is_file() or path.read_bytes() != content]
        print("stale: " + ", ".join(stale) if stale else "vendored files are what the packages give")
        return 1 if stale else 0
    TARGET.mkdir(parents=True, exist_ok=True)
    for path, content in wanted.items():
        path.write_bytes(content)
        print(f"wrote {path.relative_to(HERE.parent)} ({len(content):,} bytes)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
