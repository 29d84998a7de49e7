"""What must hold of a run after any fault, checked from its files alone, without ECR's own code."""

import collections
import hashlib
import json
import os

ENDS = {"action_completed", "action_failed", "action_cancelled", "action_unknown"}


class Record:
    """The events of a run directory, its raw logs, and what the jobs themselves left behind on the target.

    `witness` is a folder of the target: each job appends its id to `starts` there, and copies its output to `copy.<job>`.
    """

    def __init__(self, run, witness):
        self.run, self.witness = run, witness
        self.losses, self.doubles = [], []
        self.events = []
        self._read()

    def _read(self):
        previous = "0" * 64
        with open(os.path.join(self.run, "events.jsonl"), "rb") as file:
            data = file.read()
        lines = data.split(b"\n")
        if lines.pop():
            self.losses.append("the last line is torn")
        for number, line in enumerate(lines):
            try:
                event = json.loads(line)
            except ValueError:
                self.losses.append(f"line {number + 1} is not JSON")
                return
            if event["seq"] != number or event["prev"] != previous:
                self.losses.append(f"line {number + 1} does not follow the one before it")
                return
            previous = hashlib.sha256(line).hexdigest()
            self.events.append(event)

    def of(self, *types):
        return [event for event in self.events if event["type"] in types]

    def started(self):
        return [event["data"]["job"] for event in self.of("action_started")]

    def open_jobs(self):
        ended = {event["data"]["job"] for event in self.of(*ENDS)}
        return [job for job in self.started() if job not in ended]

    def check(self, notes):
        """Fills `losses` and `doubles`. `notes`: the sequence number that was printed for each text."""
        self._check_notes(notes)
        self._check_starts()
        for job in self.started():
            self._check_output(job)
        self._check_artifacts()
        self._check_samples()
        self._check_ledger()
        return self

    def _check_notes(self, notes):
        for text, seq in notes.items():
            if seq >= len(self.events) or self.events[seq]["data"].get("text") != text:
                self.losses.append(f"the note {text!r} is not event {seq}")
        for text, count in collections.Counter(e["data"]["text"] for e in self.of("note")).items():
            if count > 1:
                self.doubles.append(f"the note {text!r} is there {count} times")

    def _check_starts(self):
        try:
            with open(os.path.join(self.witness, "starts")) as file:
                starts = file.read().split()
        except FileNotFoundError:
            starts = []
        for job, count in collections.Counter(starts).items():
            if count > 1:
                self.doubles.append(f"{job} ran {count} times")
            if job not in self.started():
                self.losses.append(f"{job} ran without an event of its start")
        for job, count in collections.Counter(self.started()).items():
            if count > 1:
                self.doubles.append(f"{job} has {count} starts on record")
        ends = collections.Counter(event["data"]["job"] for event in self.of(*ENDS))
        for job, count in ends.items():
            if count > 1:
                self.doubles.append(f"{job} has {count} ends on record")
        for event in self.of("action_completed"):
            if event["data"]["job"] not in starts:
                self.losses.append(f"{event['data']['job']} completed without having run")
        for event in self.of("action_unknown"):
            self.losses.append(f"{event['data']['job']} is unknown: {event['data'].get('reason')}")
        lines = collections.Counter(
            (event["data"]["job"], event["data"]["index"], event["type"])
            for event in self.of("command_started", "command_completed", "command_failed"))
        for (job, index, kind), count in lines.items():
            if count > 1:
                self.doubles.append(f"{job} has {count} {kind} of command {index}")

    def _check_output(self, job):
        offset = 0
        with open(os.path.join(self.run, "logs/actions", f"{job}.stdout"), "rb") as file:
            raw = file.read()
        for event in self.of("command_output"):
            data = event["data"]
            if data["job"] != job or data["stream"] != "stdout":
                continue
            if data["offset"] != offset:
                self.losses.append(f"{job}: output at {data['offset']} follows {offset}")
            if "text" in data and data["text"].encode() != raw[offset : offset + data["length"]]:
                self.losses.append(f"{job}: the event at {offset} is not what the log has")
            offset += data["length"]
        with open(os.path.join(self.witness, f"copy.{job}"), "rb") as file:
            copy = file.read()
        if raw != copy or offset != len(copy):
            self.losses.append(f"{job}: {len(copy)} bytes were written, {offset} are recorded, {len(raw)} in the log")

    def _check_artifacts(self):
        paths = collections.Counter(event["data"]["path"] for event in self.of("artifact_pulled"))
        for path, count in paths.items():
            if count > 1:
                self.doubles.append(f"{path} was pulled {count} times")
        for event in self.of("artifact_pulled"):
            with open(os.path.join(self.run, event["data"]["path"]), "rb") as file:
                if hashlib.sha256(file.read()).hexdigest() != event["data"]["sha256"]:
                    self.losses.append(f"{event['data']['path']} is not what was recorded")
        pulled = {path.split("/")[1] for path in paths}
        for event in self.of("action_completed"):
            if event["data"]["job"] not in pulled:
                self.losses.append(f"{event['data']['job']} completed without its artifact")

    def _check_samples(self):
        ticks = collections.defaultdict(list)
        for event in self.of("collector_output"):
            ticks[event["data"]["job"]] += [row["tick"] for row in event["data"]["rows"]]
        for job, list_of_ticks in ticks.items():
            if list_of_ticks != sorted(set(list_of_ticks)):
                self.doubles.append(f"{job} has ticks twice, or not in their order")

    def _check_ledger(self):
        ledgers = self.of("ledger")
        if not self.of("run_completed"):
            return
        if not ledgers or not ledgers[-1]["data"]["complete"]:
            missing = ledgers[-1]["data"]["missing"] if ledgers else "no ledger"
            self.losses.append(f"the ledger is not whole: {missing}")
        if self.open_jobs():
            self.losses.append(f"completed with open jobs: {self.open_jobs()}")
