"""The examples on the API's page work, as far as their languages are installed here."""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.e2e.conftest import Product

EXAMPLE = re.compile(r'<pre tabindex="0" aria-label="Example for ([^"]+)"><code>(.*?)</code></pre>', re.DOTALL)


@pytest.fixture(scope="module")
def examples(product: Product) -> dict[str, str]:
    with urllib.request.urlopen(f"{product.demo['api_url']}/docs") as answer:
        page = answer.read().decode()
    return {name: html.unescape(code) for name, code in EXAMPLE.findall(page)}


def run(product: Product, *words: str, folder: Path | None = None) -> str:
    environment = {"API_KEY": product.demo["api_keys"]["normal"], "TEMPLATE_ID": product.demo["templates"]["sms"]}
    done = subprocess.run(
        words, env=os.environ | environment, cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_is_one_for_each_official_client(examples: dict[str, str], product: Product) -> None:
    assert list(examples) == ["curl", "Python", "Node.js", "Ruby", "PHP", "Java", ".NET"]
    for name, code in examples.items():
        assert product.demo["api_url"] in code, name
        assert "API_KEY" in code
        assert "TEMPLATE_ID" in code
        assert "07900900123" in code


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl(examples: dict[str, str], product: Product) -> None:
    assert '"Hello Amala, see you on Monday.' in run(product, "sh", "-c", f"{examples['curl']} --silent --fail")


def test_python(examples: dict[str, str], product: Product) -> None:
    assert run(product, sys.executable, "-c", examples["Python"]).strip() in ("created", "sending", "delivered")


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_node(examples: dict[str, str], product: Product, tmp_path: Path) -> None:
    """With the official client where NODE_PATH has it; else its form is checked."""
    file = tmp_path / "first.cjs"
    file.write_text(examples["Node.js"])
    if (Path(os.environ.get("NODE_PATH", "")) / "notifications-node-client").exists():
        assert run(product, "node", str(file)).strip() in ("created", "sending", "delivered")
    else:
        run(product, "node", "--check", str(file))


@pytest.mark.parametrize(
    ("name", "words", "file"), [("Ruby", ["ruby", "-c"], "first.rb"), ("PHP", ["php", "-l"], "first.php")]
)
def test_the_form_of_others(
    name: str, words: list[str], file: str, examples: dict[str, str], product: Product, tmp_path: Path
) -> None:
    """Their clients are not installed here, so that they are only parsed."""
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    (tmp_path / file).write_text(examples[name])
    run(product, *words, str(tmp_path / file))
