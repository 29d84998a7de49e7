extension RunDirectory {
    /// Every file that may stand in a run's directory, `*` for what differs, and what it is.
    package static let reference: [(path: String, meaning: String)] = [
        ("events.jsonl", "the record; everything else but the files that it names can be rebuilt from it"),
        ("manifest.json", "a summary, renewed now and then"),
        ("profile_snapshot.yaml", "the profile, byte for byte"),
        ("profile_resolved.json", "the profile as it was understood, defaults filled in"),
        ("artifacts/JOB/*", "files that were fetched from the target; a second one of a name gets _2"),
        ("artifacts/pulled/N/*", "files that `ecr run pull` has fetched, a folder for each time"),
        ("artifacts/pulled/%part/*", "what has not come whole yet, as in artifacts/JOB/%part; gone at the run's end"),
        ("artifacts/attachments/SEQ-*", "files that belong to the note with that number"),
        ("logs/actions/JOB.stdout", "what a job wrote, byte for byte"),
        ("logs/actions/JOB.stderr", "its errors"),
        ("logs/collectors/NAME.csv", "a collector's samples, a row each: \(columns)"),
        ("logs/collectors/NAME.log", "the same as it came from the target, with ecr's marks between the samples"),
        ("logs/supervisor.log", "what the run's background process had to say; mostly empty"),
        ("events.jsonl.torn-*", "a last line that a crash has cut; the event log_recovered tells of it"),
        ("control.sock", "where commands reach the run's background process, while it lives"),
        (".reserve", "space that is given back when the disk is full"),
    ]

    private static let columns = """
        time and target_time (UTC by the controller's and by the target's clock, computed from the target's uptime), \
        boottime_s (seconds of the target's uptime), tick (from 0; one that is missing was skipped or lost, as the events \
        say), exit (not of a stream), and a column for each field of parse:, else text (stdout and stderr together); quoted \
        as in RFC 4180
        """
}
