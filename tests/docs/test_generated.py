"""What the docs generate from the code is fresh, and what the README prints works."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT, Running


def test_generated_parts_are_fresh() -> None:
    subprocess.run([sys.executable, "-m", "docs.generate", "--check"], cwd=ROOT, check=True)


def readme_block(language: str, holding: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    return next(block for block in blocks if holding in block)


def test_the_curl_of_the_readme_works_as_printed(gateway: Running) -> None:
    script = readme_block("sh", "curl").replace("http://127.0.0.1:8808", gateway.url)
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0
    assert '"state":"open"' in done.stdout


def test_the_python_of_the_readme_works_as_printed(gateway: Running) -> None:
    script = readme_block("python", "openai").replace("http://127.0.0.1:8808", gateway.url)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("open")


def test_the_example_runs(gateway: Running, tmp_path: Path) -> None:
    script = (ROOT / "examples" / "openai_python.py").read_text("utf-8").replace("http://127.0.0.1:8808", gateway.url)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert "state: open" in done.stdout, done.stderr


def test_every_link_of_the_docs_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
