"""Memory that this process may still take."""

import os
from pathlib import Path

#: What systems that tell nothing are taken to have.
UNKNOWN = 8 * 2.0**30
#: What is less is there.
NO_MATTER = 2.0**28
_PROC, _CGROUP = Path("/proc"), Path("/sys/fs/cgroup")


def require_bytes(needed: float, what: str, cure: str) -> None:
    """Raise a ValueError if something needs more memory than there is; little is not looked at.

    Examples
    --------
    >>> require_bytes(1e6, "a table", "use fewer sources")
    >>> require_bytes(1e20, "a table", "use fewer sources")
    Traceback (most recent call last):
        ...
    ValueError: a table needs about 9.31e+10 GiB, and ... GiB are free; use fewer sources
    """
    if needed < NO_MATTER:
        return
    available = available_bytes()
    if needed > available:
        raise ValueError(
            f"{what} needs about {needed / 2**30:.3g} GiB, and {available / 2**30:.3g} GiB are "
            f"free; {cure}"
        )


def available_bytes() -> float:
    """The least of what is free, what a control group leaves, and what the process may address."""
    limits = [_free(), *_left_by_cgroups(), *_left_by_ulimit()]
    return max(min(limits), 0.0)


def _free() -> float:
    """Free memory and what caches would give back; where that is not told, all of the machine's."""
    try:
        for line in (_PROC / "meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return float(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    for pages in ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES"):
        try:
            return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf(pages))
        except (AttributeError, OSError, ValueError):
            continue
    return UNKNOWN


def _left_by_cgroups() -> list[float]:
    """Limit less usage of this process's control groups and their parents, versions 1 and 2."""
    try:
        lines = (_PROC / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return []
    left = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            root, limit, usage = _CGROUP, "memory.max", "memory.current"
        elif "memory" in controllers.split(","):
            root = _CGROUP / "memory"
            limit, usage = "memory.limit_in_bytes", "memory.usage_in_bytes"
        else:
            continue
        folder = root / path.lstrip("/")
        # Inside a container the path is that of the host: then only the root is there.
        for group in (folder, *folder.parents):
            left += _left(group / limit, group / usage, group / "memory.stat")
            if group == root:
                break
    return left


def _left(limit: Path, usage: Path, statistics: Path) -> list[float]:
    try:
        most, used = float(limit.read_text()), float(usage.read_text())
    except (OSError, ValueError):  # not there, or "max"
        return []
    try:
        # Pages of files count as used, and are given back when memory is short.
        for line in statistics.read_text().splitlines():
            if line.startswith(("inactive_file ", "total_inactive_file ")):
                used -= float(line.split()[1])
                break
    except (OSError, ValueError):
        pass
    return [most - used]


def _left_by_ulimit() -> list[float]:
    """Address space that ``ulimit -v`` leaves."""
    try:
        import resource

        most = resource.getrlimit(resource.RLIMIT_AS)[0]
        if most == resource.RLIM_INFINITY:
            return []
        pages = int((_PROC / "self" / "statm").read_text().split()[0])
        return [float(most - pages * os.sysconf("SC_PAGE_SIZE"))]
    except (ImportError, OSError, ValueError, AttributeError):
        return []
