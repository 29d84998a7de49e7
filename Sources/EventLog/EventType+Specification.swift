/// What one type of event says, and the members of its `data`.
package struct EventSpecification: Sendable {
    package let type: EventType
    package let meaning: String
    package let fields: [Field]

    /// One member of `data`.
    package struct Field: Sendable {
        /// Several where an event has one or the other.
        package let names: [String]
        package let isOptional: Bool

        init(_ notation: Substring) {
            isOptional = notation.hasSuffix("?")
            names = notation.dropLast(isOptional ? 1 : 0).split(separator: "|").map(String.init)
        }

        /// As in the table: `exit?`, `text|base64`.
        package var notation: String { names.joined(separator: "|") + (isOptional ? "?" : "") }
    }

    /// - Parameter fields: names divided by blanks; `?` behind one that is not always there, `|` between alternatives.
    init(_ type: EventType, _ meaning: String, _ fields: String) {
        self.type = type
        self.meaning = meaning
        self.fields = fields.split(separator: " ").map(Field.init)
    }
}

extension EventType {
    /// Every type that is recorded, in the order in which a run meets them: a new one is a new row.
    package static let specification: [EventSpecification] = [
        row(
            .runCreated, "the run was made; format is 1",
            """
            format uuid short_id name profile profile_file tags author? licence? notify? parameters ecr controller \
            profile_sha256 resolved_sha256
            """),
        row(
            .runStarted,
            "the target is connected and the run begins; with or from whom it was got, where another controller had it",
            "target spool ecr shared_with? taken_from?"),
        row(
            .runInterrupted, "the supervisor was gone; written by whoever takes the run up afterwards",
            "last_event_time"),
        row(
            .runPaused,
            "nothing new starts from here on; running: the jobs that go on, collectors: those that stop until it goes on",
            "reason? running collectors?"),
        row(.runResumed, "a paused run goes on, or an interrupted one was taken up again", "from state"),
        row(
            .runCompleted, "the run has ended; complete: whether nothing is missing",
            "complete without_target? finally_skipped?"),
        row(.runAborted, "the run was given up", "reason? unfinished? offline?"),
        row(.stageStarted, "the actions of a stage begin", "target stage actions"),
        row(.stageCompleted, "all of them have completed", "target stage jobs"),
        row(.stageFailed, "one has not, and the rest was not begun", "target stage jobs? reason not_run?"),
        row(
            .actionStarted,
            """
            an attempt of an action is about to be launched; invocation: action, exec, setup or finally. attached: without \
            a spool; masked: the commands hold a secret, which is replaced; uploads: what goes to the target before, each \
            with local and remote
            """,
            """
            target stage? action job invocation attempt parameters commands masked? sudo? attached? timeout_s? \
            stop_if_unreachable_s? workdir? uploads? artifacts? spool target_boot
            """),
        row(.actionCompleted, "all of its commands have exited 0", actionEnd),
        row(
            .actionFailed,
            """
            it has failed; reason: exit, timeout, unreachable, artifact, metric (a required one was not found), or what \
            let nothing begin: sudo, upload (a file could not be sent), disk (the \
            target's is full)
            """, actionEnd
        ),
        row(.actionCancelled, "it was cancelled", actionEnd),
        row(
            .actionUnknown,
            """
            nobody knows how it ended: do not take it for failed. Where a drain of the run finds out, another end follows, \
            and counts
            """,
            "target? stage? action job invocation? attempt? reason stdout_bytes? stderr_bytes? last_seen? outcome?"),
        row(
            .actionRetry, "another attempt will be made; job: the one that failed, attempt: the next",
            "target stage? action job attempt reason"),
        row(
            .commandStarted, "one command of a job; these three are written together at the job's end",
            "target job index command started_target?"),
        row(.commandCompleted, "the command has exited 0", commandEnd),
        row(.commandFailed, "the command has failed", commandEnd),
        row(
            .commandOutput,
            "a piece of a job's output; base64 if it is not UTF-8, beyond 1 MiB of a stream sha256 without the bytes",
            "target job stream offset length masked? text|base64|sha256"),
        row(
            .artifactPullStarted,
            "files are about to be fetched; entry: what was asked for, files and bytes: what that names now",
            "target job? action? attempt? entry files bytes"),
        row(
            .artifactPulled,
            """
            a file is in the run; path is relative to the run's directory. remote_sha256: by the target itself; where it \
            cannot tell, the file is unverified. method: sftp, tar (duration_s is that of the whole archive), exec, scp; \
            unchanged and known for content that was here already. resumed_at: the byte at which an earlier attempt was \
            cut; changed: it grew, was written to, replaced or removed while it was read; version: boot, device, inode and times, \
            where they tell it from any other content
            """,
            """
            target job? action? attempt? remote|remote_base64 path size mtime mode sha256 remote_sha256? unverified? method \
            duration_s resumed_at? changed? version?
            """),
        row(
            .artifactPullFailed,
            """
            a file is missing, stale or not readable, or there is too much; cancelled: what is not on record of it did not \
            come; only_copy: it is what a job has left in $ECR_OUT, so that the spool stays; false: the target does not have it any more; limit: the key below `transfers:` that \
            has refused it
            """,
            "target job? action? attempt? remote|remote_base64 reason limit? required only_copy?"),
        row(
            .outputsFetched, "what a job has left in $ECR_OUT, and had not come, was fetched: all of it is here",
            "target job action attempt"),
        row(
            .uploadStarted,
            "files are about to be sent; local and remote: of the file or the directory, files and bytes: what it holds",
            "target job? action? attempt? local|local_base64 remote|remote_base64 files bytes"),
        row(
            .uploaded,
            """
            a file is on the target, or was there already; local: what was asked for, path: the file below it, where that \
            is a directory. remote_sha256: by the target itself; where it cannot tell, the file is unverified. method: \
            sftp, tar (duration_s is that of the whole archive), exec, scp; unchanged for content that was there. \
            resumed_at: the byte at which an earlier attempt was cut. unsynced: the target could not be told to write it \
            to its disk, so that a power cut may take it away. dropped_mode: the setuid, setgid and sticky bits of the local \
            file, which it does not get there; replaced_link: a link was there, and what that leads to is as it was
            """,
            """
            target job? action? attempt? local|local_base64 path|path_base64? remote|remote_base64 size mode sha256 \
            remote_sha256? unverified? unsynced? dropped_mode? replaced_link? method duration_s resumed_at?
            """),
        row(
            .uploadFailed,
            """
            a file is not on the target; what was there under its name still is. Only where the link was lost while it took \
            its place nobody knows, and the reason says so. unsent: how many other files of the directory were not sent. \
            cancelled, and not tried after an earlier one has failed: what is not on record of it was not sent
            """,
            "target job? action? attempt? local|local_base64 path|path_base64? remote|remote_base64 reason unsent?"),
        row(
            .collectorStarted,
            """
            a collector is about to be launched; kind: interval or stream; fields: of its samples, each with name, unit? and \
            type?
            """, "target collector job kind command interval_s? fields? spool target_boot"),
        row(
            .collectorOutput,
            """
            samples; a row has tick, time?, boottime_s, exit? and text, or base64, or beyond 16 KiB length, and values?, an \
            object by field, or a list of them where a sample has several rows. unparsed: how many have none. offset, length \
            and sha256: of a piece of the job's spool, log_bytes: the length of the collector's log behind it, table_bytes: \
            the length of its table behind the last row, table_length and table_sha256: of what came to the table. skipped: \
            [first, last] of ticks that were left out because the sample before still ran, unfinished_tick: the sample that \
            was being taken when the sampler was stopped, unfinished_since: the uptime of its beginning
            """,
            """
            target collector job rows unparsed? skipped? unfinished_tick? unfinished_since? offset length sha256 log_bytes \
            table_bytes table_length? table_sha256? masked?
            """),
        row(
            .collectorGap,
            """
            from one time to another a collector should have sampled, and nothing of it is in the record; job: the one \
            behind whose last sample it begins, samples: how many are missing, if that is known. With first_tick and \
            last_tick the sampler had numbered them, and they were lost; else none were taken
            """, "target collector job from to reason samples? first_tick? last_tick?"),
        row(
            .collectorStopped,
            "a collector has ended; outcome: stopped, or unknown, behind which a drain may write what it has found out",
            """
            target? collector job outcome bytes? reason? exit? started_target? ended_target? duration_s?
            """),
        row(
            .collectorError,
            """
            a collector's sampler has ended by itself, or was killed, or has died so often that it is not started again, or \
            cannot sample as it should; with a tick: the sample of that number is not as it should be, and text is its \
            beginning, which is said once for a collector and reason
            """, "target collector job reason exit? tick? text?"),
        row(
            .collectorRetry,
            """
            a sampler that nobody has stopped will be started again; job: the one that died, attempt: how many starts have \
            followed one another, this one included
            """, "target collector job attempt reason next_in_s"),
        row(
            .connectionEstablished, "the target is reached",
            "target host port user address host_key host_key_type server kex cipher mac strict_kex? jumps? moved?"),
        row(.connectionLost, "the link is lost; jobs run on", "target reason"),
        row(.connectionRetry, "an attempt to reconnect has failed", "target attempt reason next_in_s"),
        row(
            .targetFacts,
            """
            what was found out about the target. at: connect, with what every connection needs to know; start and end, with \
            the state that explains the numbers between: cpu, memory (KiB), disks (KiB), frequencies (kHz), thermal (degrees), \
            gpus, power_mode, throttled, containers, own (the profile's facts, each with text, exit and truncated?), \
            identifiers (only where the profile asks for them); incomplete: something did not come in time
            """,
            """
            target at boot_id uptime_s kernel kernel_build? os? os_version? l4t? model? dmi? hostname user? tools sftp? cpu? \
            memory? load? clocksource? disks? blocks? frequencies? thermal? throttled? gpus? power_mode? containers? own? \
            identifiers? incomplete?
            """),
        row(.spoolMade, "the spool on the target was lost and made anew", "target spool lost"),
        row(.targetRebooted, "the target has another boot id than before", "target boot_id previous_boot_id"),
        row(
            .clockOffset,
            """
            the target's clock against the controller's, at every connection and once a minute; the truth is within \
            uncertainty_s of offset_s; without an offset it could not be read. resolution_s: the steps in which the target \
            tells it; step_s: by how much it was set since the last comparison. boottime_zero: the controller's time at the \
            uptime 0 of this boot, within boottime_uncertainty_s
            """,
            """
            target offset_s? uncertainty_s rtt_s resolution_s? step_s? target_uptime_s boot_id boottime_zero \
            boottime_uncertainty_s?
            """),
        row(
            .ruleFired,
            """
            a rule of the profile has begun or ended, at a time by the controller's clock, or its hold was released: by \
            somebody, or for max_hold; or nothing is told any more of what its hold waits for (phase silent). values: the \
            numbers that decided
            """, "rule do phase at values? reason? note?"),
        row(
            .intervalMarked, "from one time to another a rule with `do: mark` held: an analysis may leave it out",
            "rule from to note?"),
        row(
            .metric,
            """
            a number that an action has given, or some of a series, of which first is the number of the first one from 0; a \
            number that no double holds is a text of its digits. derivation: see metrics_derived
            """, "target action job name value|values first? unit? derivation"),
        row(
            .metricsDerived,
            """
            the metrics of a job were taken from its files; by: end (of the job) or recompute, with the profile that was used. \
            metrics: for each unit?, is_count?, count, last, mean, min, max, median, p95 and p99; missing: those that were \
            declared and not found, each with name, reason and required. The last derivation of a job counts, and the metric \
            events of its number
            """, "target action job derivation by profile? profile_sha256? metrics missing?"),
        row(
            .actionWindow,
            """
            what the collectors saw while a job ran; from and to: by the controller's clock; fields: for each collector, \
            field, unit?, count, last, mean, min, max, median, p95, p99, and for a power energy_j, its integral, and \
            covered_s, the seconds for which there were samples. The last one of a job counts
            """, "target action job from to duration_s fields"),
        row(
            .ledger,
            """
            the comparison of both ends; compared: whether the target could be asked; complete_percent: of output and \
            samples, null where these are whole and something else is not; missing: the holes, remarks: what is none, failed_artifacts: count, and the first, \
            each with job?, remote or remote_base64, reason and required; jobs: for each stream bytes and sha256 \
            on both ends, and equal; masked: how many bytes stand in the place of secrets; collectors: for each the samples \
            that were expected and received, and the ticks that were skipped (overruns); gaps, reboots, unknown: those of \
            the run
            """,
            "complete compared complete_percent missing remarks failed_artifacts? totals collectors gaps reboots unknown unfetched? jobs"
        ),
        row(.parameterSet, "a parameter holds for what begins from here on", "name value previous?"),
        row(
            .note,
            """
            an observation by a person; at: when it was made, if that was not now; attachments: files of the run that \
            belong to it, each with path, name, size, sha256, and changed where it was written to while it was copied
            """, "text at? attachments?"),
        row(.edit, "what the note seq should have said; the note stays, its last edit counts", "seq text"),
        row(.tagAdded, "the run has a tag more", "tag"),
        row(.tagRemoved, "the run has a tag less", "tag"),
        row(
            .mark,
            """
            whether a job, or all that happened from one time to another, is to be used; verdict: ok or invalid; the last \
            mark of a thing counts
            """, "job? from? to? verdict reason?"),
        row(.observation, "something noticed by a program", "text"),
        row(.exported, "a dataset was written", "file sha256 bytes events"),
        row(
            .clockJump, "the controller's wall clock has stepped, or the controller has slept",
            "step_s? suspended_s?"),
        row(.logRecovered, "a torn last line was put aside", "bytes kept_as"),
        row(
            .storageError, "something could not be recorded, or output on the target is damaged",
            "message target? job? stream?"),
    ]

    private static let actionEnd = """
        target stage? action job invocation attempt reason? exit? stdout_bytes stderr_bytes started_target? \
        ended_target? duration_s? death? warnings?
        """

    private static let commandEnd = "target job index command started_target? exit ended_target?"

    private static func row(_ type: EventType, _ meaning: String, _ fields: String) -> EventSpecification {
        EventSpecification(type, meaning, fields)
    }
}
