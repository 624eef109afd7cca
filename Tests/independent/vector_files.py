"""The files of Tests/Vectors: lines of `key: value`, and `#` before a comment."""

import gzip
import json
import os

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Vectors")
OWN = ("body", "entry", "head", "join", "link", "presence", "record")


class Vector:
    def __init__(self, path):
        self.path = path
        self.fields = {}
        with open(path, encoding="utf-8") as file:
            for line in file.read().splitlines():
                if line and not line.startswith("#"):
                    key, _, value = line.partition(": ")
                    self.fields[key.rstrip(":")] = value

    def __contains__(self, key):
        return key in self.fields

    def text(self, key):
        return self.fields[key]

    def bytes(self, key="bytes"):
        return bytes.fromhex(self.fields[key])

    def number(self, key):
        return int(self.fields[key])


def own(folder):
    directory = os.path.join(FOLDER, folder)
    return [Vector(os.path.join(directory, name)) for name in sorted(os.listdir(directory))]


def packed(name):
    with gzip.open(os.path.join(FOLDER, name)) as file:
        return json.load(file)


def numbers(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("#")]
    return {int(number) for line in lines for number in line.split()}


def worked_example():
    """name -> bytes."""
    values, name = {}, None
    with open(os.path.join(FOLDER, "worked-example.txt"), encoding="utf-8") as file:
        for line in file.read().splitlines():
            if line.startswith("  "):
                values[name] += line.strip()
            else:
                name = line
                values[name] = ""
    return {name: bytes.fromhex(value) for name, value in values.items()}
