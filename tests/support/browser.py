"""Pages in a headless browser: a script acts on each as a reader would, and says what it sees."""

import json
import re
import shutil
import subprocess
from html import unescape

import pytest

_OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
]
#: Each page stands in a frame; what its script finds goes to the page around it.
_BEFORE = """<script>
window.faults = [];
addEventListener("error", (event) => faults.push(String(event.message)));
addEventListener("securitypolicyviolation", (event) => faults.push(event.violatedDirective));
for (const kind of ["error", "warn"]) console[kind] = (...words) => faults.push(words.join(" "));
</script>"""
_AFTER = """<script>
addEventListener("load", () => setTimeout(() => {
  const move = (input, value) => {
    input.value = value;
    input.dispatchEvent(new Event(input.tagName === "SELECT" ? "change" : "input"));
  };
  const pixels = (canvas) => [...canvas.getContext("2d")
    .getImageData(0, 0, canvas.width, canvas.height).data].filter((_, i) => i % 4 !== 3);
  const find = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  let found;
  try { found = (() => { SCRIPT })(); } catch (error) { faults.push(String(error)); }
  const wide = document.documentElement.scrollWidth > innerWidth;
  parent.postMessage({ name: NAME, found, faults, wide }, "*");
}, 50));
</script>"""
_AROUND = """<!DOCTYPE html><meta charset="utf-8"><pre></pre><script>
const said = {};
addEventListener("message", ({ data }) => {
  said[data.name] = data;
  document.querySelector("pre").textContent = JSON.stringify(said);
});
</script>"""


def visit(folder, pages, width=390):
    """What scripts find on pages: a dict of names to `found`, `faults` and `wide`.

    `pages` maps names to HTML and to a script, which has `find`, `all`, `move(input, value)` and
    `pixels(canvas)`, and returns what it found. `wide` is whether the page is wider than its frame.
    """
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("pages are tried in Chromium, which is not installed (Debian: chromium)")
    around = _AROUND
    for name, (html, script) in pages.items():
        after = _AFTER.replace("SCRIPT", script).replace("NAME", json.dumps(name))
        html = html.replace("<style>", _BEFORE + "<style>", 1).replace("</body>", after + "</body>")
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
        around += f'<iframe src="{name}.html" width="{width}" height="900"></iframe>'
    (folder / "around.html").write_text(around, encoding="utf-8")
    profile = f"--user-data-dir={folder / 'profile'}"
    dump = ["--virtual-time-budget=5000", "--dump-dom", (folder / "around.html").as_uri()]
    done = subprocess.run(
        [browser, *_OPTIONS, profile, *dump], capture_output=True, text=True, timeout=100
    )
    written = re.search(r"<pre>(.*?)</pre>", done.stdout, re.DOTALL)
    assert written and written[1], done.stderr[-2000:]
    return json.loads(unescape(written[1]))
