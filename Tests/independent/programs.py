"""The real programs: a relay on a free port, and devices that run `sennit`."""

import json
import os
import pty
import re
import select
import subprocess
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
BINARIES = os.environ.get("SENNIT_BIN") or os.path.join(FOLDER, "..", "..", ".build", "release")
PATIENCE = 60


class Relay:
    def __init__(self, directory):
        self.directory = directory
        self.url = None
        self.process = None

    def start(self):
        listen = self.url[len("ws://"):] if self.url else "127.0.0.1:0"
        self.process = subprocess.Popen(
            [os.path.join(BINARIES, "sennit-relay"), "serve", "--data", self.directory,
             "--listen", listen, "--log-level", "error"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        self.url = re.search(r"listening on (ws://\S+)", line)[1]

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(PATIENCE)
            self.process.stdout.close()
            self.process = None


class Device:
    """A profile, and the verbs its owner runs."""

    def __init__(self, name, profile):
        self.name = name
        self.profile = profile

    def run(self, *arguments, text="", is_offline=False):
        command = [os.path.join(BINARIES, "sennit"), *arguments]
        if is_offline:
            command.append("--offline")
        return subprocess.run(
            command, input=text.encode(), env=self.environment, check=True, timeout=PATIENCE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout.decode()

    @property
    def environment(self):
        return {
            **os.environ, "SENNIT_PROFILE": self.profile, "SENNIT_WAIT": "30",
            "TERM": "xterm-256color",
        }

    def json(self, *arguments, is_offline=False):
        text = self.run(*arguments, "--json", is_offline=is_offline)
        return [json.loads(line) for line in text.split("\n") if line]

    def type(self, path, keys, is_offline=False):
        editor = Editor(self, path, is_offline)
        editor.press(keys)
        editor.leave()


class Editor:
    """Sennit's editor in a terminal of its own."""

    def __init__(self, device, path, is_offline=False):
        command = [os.path.join(BINARIES, "sennit"), "edit", path]
        if is_offline:
            command.append("--offline")
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.execve(command[0], command, device.environment)
        self._await(os.path.basename(path).encode())

    def press(self, keys):
        for key in keys:
            os.write(self.terminal, key.encode())
            self._drain(0.01)

    def leave(self):
        os.write(self.terminal, b"\x11")
        try:
            self._await(None)
        finally:
            os.close(self.terminal)
            os.waitpid(self.process, 0)

    def _drain(self, seconds):
        while select.select([self.terminal], [], [], seconds)[0]:
            os.read(self.terminal, 65536)

    def _await(self, wanted):
        """Reads until the editor shows `wanted`, or, for None, until it is gone."""
        seen, end = b"", time.monotonic() + PATIENCE
        while wanted is None or wanted not in seen:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.terminal], [], [], left)[0]:
                raise TimeoutError(f"the editor didn't answer: {seen[-200:]!r}")
            try:
                data = os.read(self.terminal, 65536)
            except OSError:  # That is how a terminal says that nobody is left.
                data = b""
            if not data and wanted is None:
                return
            if not data:
                raise EOFError(f"the editor ended: {seen[-200:]!r}")
            seen += data
