"""Records a space: a relay, three people, several devices' worth of trouble.

    python3 recording.py FOLDER     records one, as Tests/Vectors/spaces has them

What the programs say of it in the end is kept beside the relay's files, in expected.json.
"""

import json
import os
import shutil
import sys
import tempfile

from programs import Device, Editor, Relay
from reader.profile import device_seed, epoch_secrets

BACKSPACE, LEFT = "\x7f", "\x1b[D"
LETTER = "letters/first.md"


class Recording:
    def __init__(self, folder):
        self.folder = folder
        self.relay = Relay(os.path.join(folder, "relay"))
        self.devices = [
            Device(name, os.path.join(folder, name.lower())) for name in ("Anna", "Bob", "Chiyo")
        ]

    def record(self):
        anna, bob, chiyo = self.devices
        self.relay.start()
        try:
            self.begin(anna, bob, chiyo)
            self.write_together(anna, bob)
            self.write_live(anna, bob)
            self.relay.stop()
            self.write_apart(anna, bob)
            self.relay.start()
            for device in (anna, bob, anna, bob, chiyo):
                device.run("status")
            self.settle(anna, bob, chiyo)
            return self.expectations()
        finally:
            self.relay.stop()

    def begin(self, anna, bob, chiyo):
        anna.run("new", "Notes", "--as", anna.name, "--relay", self.relay.url)
        anna.run("write", LETTER, text="Liebe Freunde 🌿,\n\nwir schreiben zusammen.\n")
        anna.run("write", "lists/shopping", text="milk\nbread 🥐\n")
        self.join(anna, bob, "writer")
        bob.run("append", LETTER, text="和田さん、こんにちは。👩‍👩‍👧 e\u0301\n")
        self.join(anna, chiyo, "reader")

    @staticmethod
    def join(owner, device, role):
        link = owner.run("invite", "--role", role)
        device.run("join", "--as", device.name, text=link)

    @staticmethod
    def write_together(anna, bob):
        bob.type(LETTER, ["Hallo!", " x", BACKSPACE, BACKSPACE, "\r", "zwei", LEFT, LEFT, "🙂"])
        anna.type(LETTER, ["abcdef", *[BACKSPACE] * 4, "\r"])
        anna.run("mv", "lists/shopping", "shopping")
        anna.run("write", "live.md", text="\n")
        bob.run("status")

    @staticmethod
    def write_live(anna, bob):
        """Two editors in one document: so many entries that a log has a second full context."""
        editors = [Editor(device, "live.md") for device in (anna, bob)]
        for place in range(300):
            editors[0].press([" " if place % 7 == 6 else chr(ord("a") + place % 26)])
            if place % 5 == 0:
                editors[1].press(["語" if place % 3 else BACKSPACE])
        for editor in editors:
            editor.leave()

    @staticmethod
    def write_apart(anna, bob):
        """Both change the same lines, the same paths and the same places, and neither knows."""
        def off(device, *arguments, text=""):
            device.run(*arguments, text=text, is_offline=True)

        for device, word in ((anna, "Anna 漢"), (bob, "Bob 🚲")):
            device.type(LETTER, [*word, "\r", *word, *[BACKSPACE] * 2, "!"], is_offline=True)
            off(device, "append", LETTER, text=f"{word} was here\n")
            off(device, "write", "both.md", text=f"{word} began this\n")
            off(device, "write", "left.md", text=f"{word}, left\n")
            off(device, "append", "shopping", text=f"for {word}\n")
        off(anna, "write", LETTER, text="Kurz.\n和田さん、こんばんは。\n")
        off(bob, "write", LETTER, text="Lang 🦒🦒🦒.\n\n和田さん。\nSchluss\n")
        off(anna, "mv", "left.md", "right.md")
        off(bob, "rm", "left.md")
        off(anna, "rm", "shopping")
        off(bob, "mv", "shopping", "deep/er/shopping")

    @staticmethod
    def settle(anna, bob, chiyo):
        for count in range(4):
            anna.run("append", "both.md", text=f"a{count}\n")
            bob.run("append", "both.md", text=f"b{count}\n")
        anna.run("write", "gone.md", text="soon away\n")
        anna.run("rm", "gone.md")
        for device in (anna, bob, chiyo):
            device.run("status")

    def expectations(self):
        anna, bob, _ = self.devices
        space = anna.json("status")[0]["space"]
        views = [self.view(device) for device in self.devices]
        entries = [self.entries(device) for device in self.devices]
        if entries[1:] != entries[:-1]:
            raise AssertionError("the devices tell different stories")
        secrets = epoch_secrets(bob.profile, bytes.fromhex(space))
        return {
            "space": space,
            "keys": {
                "Anna": {"device seed": device_seed(anna.profile).hex()},
                "Bob": {
                    "device seed": device_seed(bob.profile).hex(),
                    "epoch secrets": [each.hex() for each in secrets],
                },
            },
            "devices": views,
            "entries": entries[0],
        }

    @staticmethod
    def view(device):
        paths = [each["path"] for each in device.json("ls")]
        cat = {path: device.json("cat", path)[0] for path in paths}
        status = device.json("status")[0]
        logs = [
            {key: log[key] for key in ("log", "device", "author", "applied", "byteCount")}
            for log in status["logs"]
        ]
        return {
            "name": device.name,
            "role": status["role"],
            "findings": status["findings"],
            "documents": {
                path: {"document": each["document"], "text": each["text"]}
                for path, each in cat.items()
            },
            "logs": sorted(logs, key=lambda log: log["log"]),
        }

    @staticmethod
    def entries(device):
        """Every entry: log, offset, type, whether it has an effect."""
        return sorted(
            [each["log"], each["offset"], each["type"], each["isEffective"]]
            for each in device.json("log"))


def keep(recording, expected, folder):
    """A recorded space as a fixture: the relay's used segments, and what must come out."""
    os.makedirs(os.path.join(folder, "relay"))
    for name in sorted(os.listdir(recording.relay.directory)):
        path = os.path.join(recording.relay.directory, name)
        with open(path, "rb") as file:
            is_used = name.endswith(".segment") and any(file.read(8192))
        if is_used:
            shutil.copy(path, os.path.join(folder, "relay", name))
    with open(os.path.join(folder, "expected.json"), "w", encoding="utf-8") as file:
        entries = ",\n".join(json.dumps(each) for each in expected["entries"])
        rest = {key: value for key, value in expected.items() if key != "entries"}
        text = json.dumps(rest, ensure_ascii=False, indent=1)
        file.write(f'{text[:-2]},\n "entries": [\n{entries}\n]}}\n')


def main():
    with tempfile.TemporaryDirectory(prefix="sennit-recording-") as folder:
        recording = Recording(folder)
        keep(recording, recording.record(), sys.argv[1])


if __name__ == "__main__":
    main()
