"""Links and names of files in the documentation lead somewhere, without the site being built."""

import re
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
PAGES = [page for page in PAGES if not {"_build", "gallery"} & set(page.relative_to(ROOT).parts)]
CODE = [
    path for folder in ("src", "studies", "benchmarks") for path in (ROOT / folder).rglob("*.py")
]
#: Made when the site is built.
GENERATED = ("_static/imports.png", "_static/measures/", "gallery/", "reference/")


def prose(page):
    """Text without blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def slug(heading):
    """Anchor of a heading, as GitHub and the site make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def fault(page, target):
    """What is wrong with a link of a page, or None."""
    url = urlsplit(target)
    if url.scheme:
        return None if url.scheme in ("https", "mailto") and " " not in target else "no https"
    if any(part in target for part in GENERATED):
        return None
    path = (page.parent / url.path) if url.path else page
    if not path.exists():
        return "no such file"
    if not url.fragment:
        return None
    anchors = {slug(heading) for heading in re.findall(r"^#+ (.*)$", prose(path), re.M)}
    return None if url.fragment in anchors else "no such heading"


def test_links_of_pages():
    links = [
        (page, target)
        for page in PAGES
        for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", prose(page))
    ]
    assert len(links) > 100
    faults = {f"{page.relative_to(ROOT)}: {link}": fault(page, link) for page, link in links}
    assert not {link: why for link, why in faults.items() if why}


def test_faults_are_found():
    page = ROOT / "docs" / "index.md"
    assert fault(page, "start/choose.md") is None
    assert fault(page, "start/chose.md") == "no such file"
    assert fault(page, "start/table.md#in-python") is None
    assert fault(page, "start/table.md#in-cobol") == "no such heading"
    assert fault(page, "http://example.org") == "no https"


def test_files_that_texts_name():
    missing = set()
    for path in PAGES + CODE:
        text = path.read_text(encoding="utf-8")
        named = re.findall(r"(?<![\w/])(?:benchmarks|docs|studies|examples)/[\w/-]+\.\w+", text)
        named += [
            module.replace(".", "/") + ".py"
            for module in re.findall(r"-m (studies\.\w+)", text)
            if not (ROOT / module.replace(".", "/") / "__main__.py").exists()
        ]
        missing |= {(path.name, name) for name in named if not (ROOT / name).exists()}
    assert not missing
