"""Measures Sennit and the peers on the same traces in one run, and prints them side by side.

Called by `run`, which has installed the peers. Each measurement of a peer is a process of its own with a
limit of CPU seconds; what does not end in time, fails, or ends in another text is "not obtained", and
why is said below the table.

diamond-types is no wheel. Its figures are those of reference.json, measured beside loro and pycrdt on
another machine, multiplied by the machine factor: the geometric mean, over the measurements that both
runs have, of a peer's time now divided by its time there. Opening is left out of the factor for loro,
which reads nothing then.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = ["pycrdt", "loro"]
CALIBRATION = "Tests/Traces/friendsforever.json.gz"
DEFAULTS = [
    CALIBRATION,
    "../shared/traces/automerge-paper.json.gz",
    "../shared/traces/git-makefile.json.gz",
]
MEMORY_LIMIT = 6 << 30


def name_of(path):
    name = os.path.basename(path)
    for ending in (".gz", ".json"):
        name = name.removesuffix(ending)
    return name


def say(text):
    print(text, file=sys.stderr, flush=True)


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))


def cpu_seconds(pid):
    """What a process has used, user and system. proc(5): fields 14 and 15 of stat."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Run:
    def __init__(self, options):
        self.options, self.lines, self.missing = options, [], []

    def add(self, line):
        self.lines.append(line)
        if self.options.json:
            print(json.dumps(line), flush=True)

    def find(self, **wanted):
        for line in self.lines:
            if all(line.get(key) == value for key, value in wanted.items()):
                return line
        return None

    def measure(self, work, peer, about, *rest):
        """Runs measure.py; returns its lines, or says why there are none."""
        say(f"{peer}: {about}: {work} …")
        command = [sys.executable, os.path.join(HERE, "measure.py"), work, peer, *map(str, rest)]
        with tempfile.TemporaryFile() as output_file, tempfile.TemporaryFile() as error_file:
            process = subprocess.Popen(
                command, stdout=output_file, stderr=error_file, preexec_fn=limit_memory
            )
            reason = self.wait(process)
            output, errors = (
                (file.seek(0), file.read().decode(errors="replace"))[1]
                for file in (output_file, error_file)
            )
        if reason is None and process.returncode != 0:
            reason = (errors.strip().splitlines() or ["no reason given"])[-1]
        found = []
        for text in output.splitlines():
            line = json.loads(text)
            if line.pop("ok"):
                found.append(line)
            else:
                reason = "it ends in another text"
        if reason:
            self.missing.append(f"{peer}, {about}, {work}: {reason}")
        return found

    def wait(self, process):
        """Waits for the process or ends it; returns why it was ended.

        Not by RLIMIT_CPU: under that limit Linux counts a process's CPU time in ticks of the clock,
        and a short measurement takes nothing.
        """
        begin, limit = time.monotonic(), self.options.limit
        while True:
            try:
                process.wait(timeout=0.2)
                return None
            except subprocess.TimeoutExpired:
                pass
            reason = None
            if cpu_seconds(process.pid) > limit:
                reason = f"over {limit} s of CPU time"
            elif time.monotonic() - begin > 5 * limit:
                reason = f"over {5 * limit} s"
            if reason:
                process.kill()
                process.wait()
                return reason

    def peer_on_trace(self, peer, path):
        name = name_of(path)
        folder = os.path.join(self.options.folder, f"{peer}-{name}-{os.getpid()}")
        os.makedirs(folder, exist_ok=True)
        try:
            for work in ["build", "merge", "live", "open", "local"]:
                for line in self.measure(work, peer, name, folder, path):
                    if work == "local" and "ms" not in line:
                        continue
                    self.add({"trace": name, "peer": peer, "work": work, **line})
                if work == "build" and not self.find(trace=name, peer=peer, work="build"):
                    break
        finally:
            for file in os.listdir(folder):
                os.remove(os.path.join(folder, file))
            os.rmdir(folder)

    def peer_offline(self, peer, count):
        for line in self.measure("offline", peer, f"{count} edits", count):
            self.add({"offline": count, "peer": peer, "work": "offline", **line})

    def sennit(self, *arguments):
        done = subprocess.run(
            [self.options.bench, *arguments, "--json"], stdout=subprocess.PIPE, text=True
        )
        for text in done.stdout.splitlines():
            self.add({"peer": "sennit", **json.loads(text)})
        return done.returncode


def machine_factor(run, reference):
    """The factor and the pairs it is made of."""
    pairs = []
    for row in reference:
        work, peer = row["work"], row["peer"]
        if peer == "diamond-types" or (peer, work) == ("loro", "open"):
            continue
        now = run.find(trace=row["trace"], peer=peer, work=work)
        if now is None:
            continue
        time_now = now.get("median_bare_ms", now.get("median_ms"))
        pairs.append((peer, work, row["trace"], time_now, row["ms"]))
    if not pairs:
        return None, []
    logarithms = [math.log(now / then) for *_, now, then in pairs]
    return math.exp(sum(logarithms) / len(logarithms)), pairs


def milliseconds(value):
    return f"{value:.3f} ms" if value < 10 else f"{value:,.0f} ms" if value > 1000 else f"{value:.1f} ms"


def microseconds(value):
    return f"{value:.2f} µs" if value < 100 else f"{value:,.0f} µs"


def plain_bytes(value):
    return f"{value:,.0f} B"


class Report:
    def __init__(self, run, reference, factor):
        self.run, self.reference, self.factor, self.rows = run, reference, factor, []

    def diamond(self, field, **wanted):
        """A figure of diamond-types as this machine would show it."""
        for row in self.reference:
            if row["peer"] == "diamond-types" and field in row:
                if all(row.get(key) == value for key, value in wanted.items()):
                    if field == "bytes":
                        return row[field]
                    return row[field] * self.factor if self.factor else None
        return None

    def add(self, what, form, ours, pycrdt, loro, diamond):
        cells = [ours, pycrdt, loro, diamond]
        best = min((value for value in cells[1:] if value is not None), default=None)
        ratio = f"{ours / best:.2f}" if ours is not None and best else ""
        self.rows.append([what, *(form(v) if v is not None else "–" for v in cells), ratio])

    def trace(self, name):
        run = self.run
        ours = run.find(trace=name, peer="sennit")

        def our(field):
            return ours.get(field) if ours else None

        def peer(peer, work, field, scale=1.0, per=None):
            line = run.find(trace=name, peer=peer, work=work)
            if line is None or field not in line:
                return None
            return line[field] * scale / (line[per] if per else 1)

        def both(work, field, **more):
            return [peer(name, work, field, **more) for name in PEERS]

        self.rows.append([name])
        sequential = ours is None or ours["kind"] == "sequential"
        self.add(
            "local" if sequential else "local, at parents",
            milliseconds, our("local_ms"), *both("local", "ms"),
            self.diamond("ms", work="local", trace=name),
        )
        self.add(
            "merge", milliseconds, our("merge_ms"), *both("merge", "ms"),
            self.diamond("ms", work="merge", trace=name),
        )
        self.add(
            "live, each", microseconds, our("live_mean_us"),
            *both("live", "ms", scale=1000.0, per="updates"),
            self.diamond("us", work="live", trace=name),
        )
        self.add(
            "open to text", milliseconds, our("open_text_ms"), *both("open", "ms"),
            self.diamond("ms", work="merge", trace=name),
        )
        self.add(
            "open to first edit", milliseconds, our("open_edit_ms"), *both("open", "edit_ms"),
            self.diamond("ms", work="merge", trace=name),
        )
        self.add(
            "stored", plain_bytes, our("encoded_bytes"), *both("build", "snapshot_bytes"),
            self.diamond("bytes", work="merge", trace=name),
        )
        self.add(
            "exchanged", plain_bytes, our("exchange_bytes"), *both("build", "update_bytes"),
            self.diamond("bytes", work="merge", trace=name),
        )

    def offline(self, count):
        ours = self.run.find(offline=count, peer="sennit") or {}
        self.rows.append([f"offline {count}"])

        def both(way, field, scale=1.0, per=None):
            lines = [self.run.find(offline=count, peer=name, way=way) for name in PEERS]
            return [
                line[field] * scale / (line[per] if per else 1) if line and field in line else None
                for line in lines
            ]

        self.add(
            "one by one, each", microseconds, ours.get("one_by_one_us_per_update"),
            *both("one_by_one", "ms", 1000.0, "updates"),
            self.diamond("us", work="offline", way="one_by_one", count=count),
        )
        self.add(
            "as one", milliseconds, ours.get("as_one_ms"), *both("as_one", "ms"),
            self.diamond("ms", work="offline", way="as_one", count=count),
        )

    def print(self):
        head = ["", "sennit", "pycrdt", "loro", "diamond-types*", "to best peer"]
        table = [head] + self.rows
        widths = [max(len(row[i]) for row in table if len(row) > 1) for i in range(len(head))]
        for row in table:
            if len(row) == 1:
                print("\n" + row[0])
            else:
                first = ("  " + row[0]).ljust(widths[0] + 2)
                rest = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))
                print(first + "  " + "  ".join(rest))


def main():
    parser = argparse.ArgumentParser(prog="run", description=__doc__.split("\n\n")[0])
    parser.add_argument("--bench", help=argparse.SUPPRESS, required=True)
    parser.add_argument("--folder", help=argparse.SUPPRESS, required=True)
    parser.add_argument("--json", action="store_true", help="JSON lines instead of a table")
    parser.add_argument(
        "--limit", type=int, default=90, help="CPU seconds for one measurement of a peer (90)"
    )
    parser.add_argument(
        "--offline", type=int, action="append", metavar="N", help="offline edits (1500 and 6000)"
    )
    parser.add_argument("traces", nargs="*", metavar="TRACE", help="trace files")
    options = parser.parse_args()
    if options.limit < 1:
        parser.error("--limit is at least 1")
    counts = options.offline or [1500, 6000]
    traces = options.traces or [path for path in DEFAULTS if os.path.exists(path)]
    for path in traces:
        if not os.path.isfile(path):
            say(f"peers: error: {path}: no such file")
            return 2
    begin, run = time.time(), Run(options)
    with open(os.path.join(HERE, "reference.json")) as file:
        reference = json.load(file)["rows"]
    peers = [peer for peer in PEERS if has(peer)]
    calibration = [CALIBRATION] if peers and os.path.exists(CALIBRATION) else []
    names = {name_of(path) for path in traces}
    for path in [path for path in calibration if name_of(path) not in names] + traces:
        for peer in peers:
            run.peer_on_trace(peer, path)
    for count in counts:
        for peer in peers:
            run.peer_offline(peer, count)
    status = run.sennit("trace", *traces)
    for count in counts:
        status = max(status, run.sennit("offline", str(count)))

    factor, pairs = machine_factor(run, reference)
    if options.json:
        print(json.dumps({"machine_factor": factor, "pairs": len(pairs), "missing": run.missing}))
        return status
    report = Report(run, reference, factor)
    for path in traces:
        report.trace(name_of(path))
    for count in counts:
        report.offline(count)
    report.print()
    print("\nCPU time, least of several runs. The last column: sennit divided by the best of the others.")
    if factor:
        print(f"* from reference.json, times multiplied by the machine factor {factor:.2f}:")
        for peer, work, name, now, then in pairs:
            print(f"    {peer}, {name}, {work}: {now:.2f} ms now, {then:.2f} ms there: {now / then:.2f}")
    else:
        print("* no machine factor: no peer ran a trace that is in reference.json")
    if not peers:
        print("the peers are not installed: sennit alone")
    for text in run.missing:
        print(f"not obtained: {text}")
    say(f"peers: {time.time() - begin:.0f} s")
    return status


def has(peer):
    """Whether the peer is installed."""
    done = subprocess.run(
        [sys.executable, "-c", f"import {peer}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
