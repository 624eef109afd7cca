"""SPEC.md section 14, the directory: paths of documents."""

from . import limits

LINE_BREAKS = "\n\v\f\r\x85\u2028\u2029"


def is_path(path):
    """1 to 512 bytes, no NUL or line break, no slash at an end, no empty, `.` or `..` part."""
    if not 1 <= len(path.encode()) <= limits.PATH:
        return False
    if any(mark in path for mark in "\0" + LINE_BREAKS):
        return False
    return not any(part in ("", ".", "..") for part in path.split("/"))


def paths(document):
    """path -> document id, of the directory's map."""
    values = document.values()
    found = {}
    others = []
    for path in sorted(values, key=str.encode):
        # A document that is named twice is there once.
        named = list(dict.fromkeys(value for _, value in values[path] if len(value) == 32))
        if not is_path(path) or not named:
            continue
        found[path] = named[0]
        others += [(path, value) for value in named[1:]]
    for path, value in others:
        number = 2
        while f"{path}~{number}" in found:
            number += 1
        found[f"{path}~{number}"] = value
    return found
