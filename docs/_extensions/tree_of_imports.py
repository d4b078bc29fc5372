"""A picture of the architecture, drawn from the imports of the package itself."""

import ast
from pathlib import Path
from statistics import mean

import matplotlib.pyplot as plt
from sphinx.application import Sphinx

import minsyn

PACKAGE = Path(minsyn.__file__).parent


def imports() -> dict[str, set[str]]:
    """Folder -> folders that its files import."""
    found: dict[str, set[str]] = {}
    for file in PACKAGE.rglob("*.py"):
        folder = file.relative_to(PACKAGE).parts[0]
        if folder.endswith(".py"):
            continue
        found.setdefault(folder, set())
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("minsyn."):
                found[folder].add(node.module.split(".")[1])
    return {
        folder: {other for other in others if other != folder and (PACKAGE / other).is_dir()}
        for folder, others in found.items()
    }


def layers(graph: dict[str, set[str]]) -> dict[str, int]:
    """Longest way from each folder down to one that imports nothing."""
    depth: dict[str, int] = {}

    def below(folder: str) -> int:
        if folder not in depth:
            depth[folder] = 1 + max((below(other) for other in graph[folder]), default=-1)
        return depth[folder]

    for folder in graph:
        below(folder)
    return depth


def needed(graph: dict[str, set[str]]) -> set[tuple[str, str]]:
    """Arrows that do not follow from others."""

    def reach(folder: str) -> set[str]:
        return graph[folder] | {far for other in graph[folder] for far in reach(other)}

    return {
        (folder, other)
        for folder, others in graph.items()
        for other in others
        if not any(other in reach(between) for between in others - {other})
    }


def draw(target: Path) -> None:
    """Draw folders in layers; an arrow runs from a folder to one that it imports."""
    graph = imports()
    depth = layers(graph)
    arrows = needed(graph)
    place: dict[str, tuple[float, float]] = {}
    n_rows = 1 + max(depth.values())
    for level in range(n_rows):
        row = [folder for folder in sorted(graph) if depth[folder] == level]
        wanted = {
            folder: mean([place[end][0] / 6 for start, end in arrows if start == folder] or [0.5])
            for folder in row
        }
        top = {
            folder: max((depth[start] for start, end in arrows if end == folder), default=0)
            for folder in row
        }
        row.sort(key=lambda folder: (wanted[folder], top[folder]))
        x = [(i + 0.5) / len(row) for i in range(len(row))] if len(row) > 1 else [wanted[row[0]]]
        place |= {folder: (at * 6, float(level)) for folder, at in zip(row, x, strict=True)}
    figure, axes = plt.subplots(figsize=(6.4, 0.75 * n_rows + 0.4))
    axes.set(xlim=(0, 6), ylim=(-0.5, n_rows - 0.5))
    axes.axis("off")
    boxes = {
        folder: axes.text(
            x, y, f"{folder}/", ha="center", va="center", family="monospace", fontsize=10,
            bbox={"boxstyle": "round,pad=0.4", "fc": "#eef3fb", "ec": "#4c72b0"},
        )
        for folder, (x, y) in place.items()
    }  # fmt: skip
    for start, end in arrows:
        axes.annotate(
            "", place[end], place[start], zorder=5,  # after the boxes: it ends at their borders
            arrowprops={
                "arrowstyle": "-|>", "color": "#777777", "lw": 0.9, "mutation_scale": 11,
                "patchA": boxes[start].get_bbox_patch(), "patchB": boxes[end].get_bbox_patch(),
                "shrinkA": 1, "shrinkB": 2,
            },
        )  # fmt: skip
    target.parent.mkdir(exist_ok=True, parents=True)
    figure.savefig(target, bbox_inches="tight", dpi=160)
    plt.close(figure)


def setup(app: Sphinx) -> dict[str, bool]:
    """Draw the picture before Sphinx looks for it."""
    app.connect("config-inited", lambda app, _: draw(Path(app.srcdir) / "_static" / "imports.png"))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
