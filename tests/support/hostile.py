"""Files of an attacker, each small, which would take much memory or time, or read other files.

`write_all` writes them to a folder. As a program, it reads them with a limit of memory, and prints
what each of them gives: ``python hostile.py FOLDER``.
"""

import io
import json
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
#: Bytes that reading a file may take, beside those of its data: docs/project/trust.md.
BOUND = 2**30


def _book(path, sheet=None, strings=None, **parts):
    """A workbook of openpyxl with other XML in some of its parts."""
    import openpyxl

    book = openpyxl.Workbook()
    for row in (["a", "b"], [1, 2], [3, 5], [4, 1]):
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    new = {"xl/worksheets/sheet1.xml": sheet, "xl/sharedStrings.xml": strings, **parts}
    with (
        zipfile.ZipFile(content) as old,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in old.namelist():
            found = new.pop(name, None)
            archive.writestr(name, old.read(name) if found is None else found)
        for name, found in new.items():
            if found is not None:
                archive.writestr(name, found)


def _sheet(rows, before=""):
    return f'{before}<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def _cell(place, value=1):
    number = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return f'<row r="{number}"><c r="{place}"><v>{value}</v></c></row>'


LAUGHS = "<!DOCTYPE x [<!ENTITY l0 'lol'>" + "".join(
    f"<!ENTITY l{i + 1} '{f'&l{i};' * 10}'>" for i in range(9)
)
SECRET = "<!DOCTYPE x [<!ENTITY secret SYSTEM 'file:///etc/passwd'>]>"

#: Excel files by name: their sheet, and their shared strings.
BOOKS = {
    "sound": (None, None),
    "laughs": (_sheet(_cell("A1", "&l9;"), LAUGHS + "]>"), None),
    "entity of a file": (_sheet(_cell("A1", "&secret;"), SECRET), None),
    "zeros": (" " * 6 * 2**20 + _sheet(""), None),
    "strings": (None, f'<sst xmlns="{MAIN}">' + "<si/>" * 20_000 + "</sst>"),
    "elements": (_sheet("<x/>" * 20_000), None),
    "far row": (_sheet(_cell("A99999999999")), None),
    "no index": (_sheet('<row r="1"><c r="A1" t="s"><v>10000000000</v></c></row>'), None),
    "long number": (_sheet('<row r="1"><c r="A1"><v>' + "1" * 5000 + "</v></c></row>"), None),
}


def _frames(file, n_names, n_rows):
    import h5py

    for frame, n in (("var", n_names), ("obs", n_rows)):
        file.create_group(frame).attrs["_index"] = "_index"
        names = np.array([f"c{i}" for i in range(n)], dtype=h5py.string_dtype())
        file[frame]["_index"] = names


def _matrix(file, encoding="csr_matrix", shape=(3, 2), indices=(0, 1, 0), indptr=(0, 1, 2, 3)):
    group = file.create_group("X")
    group.attrs.update({"encoding-type": encoding, "shape": np.array(shape)})
    group["data"] = np.ones(len(indices))
    group["indices"], group["indptr"] = np.array(indices), np.array(indptr)


def _bomb(file, chunk=1000):
    """A chunk that unpacks to 1.5 GiB instead of 16 kB."""
    data = file.create_dataset("X", (chunk, 2), "f8", chunks=(chunk, 2), compression="gzip")
    packing = zlib.compressobj(9)
    start = packing.compress(bytes(2**20)) + packing.flush(zlib.Z_FULL_FLUSH)
    again = packing.compress(bytes(2**20)) + packing.flush(zlib.Z_FULL_FLUSH)
    data.id.write_direct_chunk((0, 0), start + 1500 * again)


def _links(h5py, other):
    def linked(link):
        return lambda file: file.__setitem__("X", link)

    def virtual(file):
        layout = h5py.VirtualLayout((3, 2), "f8")
        layout[:] = h5py.VirtualSource(other, "X", (3, 2))
        file.create_virtual_dataset("X", layout)

    def external(file):
        file.create_dataset("X", (3, 2), "f8", external=[(str(other), 0, 48)])

    return {
        "external link": linked(h5py.ExternalLink(str(other), "/X")),
        "circle": linked(h5py.SoftLink("/X")),
        "soft link": linked(h5py.SoftLink("/var/_index")),
        "virtual": virtual,
        "external data": external,
    }


def write_all(folder):
    """Write the files."""
    for name, (sheet, strings) in BOOKS.items():
        _book(folder / f"{name}.xlsx", sheet, strings)
    import h5py

    other = folder / "secret.h5"
    with h5py.File(other, "w") as file:
        file["X"] = np.full((3, 2), 42.0)
    files = {
        "sound": lambda file: file.__setitem__("X", np.eye(3)[:, :2]),
        **_links(h5py, other),
        "unpacks": lambda file: _bomb(file),
        "large chunk": lambda file: file.create_dataset(
            "X", (2**28, 2), "f8", chunks=(2**25, 2), compression="gzip"
        ).id.write_direct_chunk((0, 0), bytes(100)),
        "nothing": lambda file: file.create_dataset("X", (2**40, 2), "f8", chunks=(100, 2)),
        "beyond": lambda file: _matrix(file, indices=(0, 10**8, 0)),
        "negative": lambda file: _matrix(file, indices=(0, -(10**8), 0)),
        "beyond csc": lambda file: _matrix(
            file, "csc_matrix", indices=(0, 10**8, 0), indptr=(0, 2, 3)
        ),
        "backwards": lambda file: _matrix(file, indptr=(0, 3, 1, 3)),
        "far ends": lambda file: _matrix(file, indptr=(0, 10**12, 2 * 10**12, 3 * 10**12)),
        "rows": lambda file: _matrix(file, shape=(10**15, 2)),
        "columns": lambda file: _matrix(file, shape=(3, 10**15)),
        "references": lambda file: file.create_dataset(
            "X", data=np.array([[file["var"].ref] * 2] * 3, dtype=h5py.ref_dtype)
        ),
    }
    for name, write in files.items():
        with h5py.File(folder / f"{name}.h5ad", "w") as file:
            _frames(file, 2, 3)
            write(file)
    head = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**12, 1000)}
    np.lib.format.write_array_header_1_0(head, header)
    (folder / "claims.npy").write_bytes(head.getvalue() + bytes(8))
    with zipfile.ZipFile(folder / "claims.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", head.getvalue() + bytes(8))


def main(folder):
    """Read all files of a folder, with little more memory than the imports have taken."""
    from minsyn.data import as_samples

    names = sorted(path.name for path in folder.iterdir() if path.suffix != ".h5")
    for name in ("sound.xlsx", "sound.h5ad"):  # with them come the imports
        assert len(next(as_samples(folder / name).blocks())) == 3
    _limit_memory(BOUND)
    found = {}
    for name in names:
        try:
            found[name] = sum(len(x) for x in as_samples(folder / name).blocks(missing=True))
        except Exception as error:
            found[name] = f"{type(error).__name__}: {error}"
    print(json.dumps(found))


def _limit_memory(n_bytes):
    """Refuse this process more memory than it has and so many bytes, where the system can."""
    if not sys.platform.startswith("linux"):
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + n_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
