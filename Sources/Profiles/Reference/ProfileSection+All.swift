extension ProfileSection {
    /// Every mapping of a profile, from the outside in.
    package static let all = [
        profile, connection, reconnect, algorithms, parameter, action, artifact, upload, metric, collector, parse,
        stage, rule, facts, transfers, notify, secret,
    ]

    static let profile = ProfileSection(
        "", "A profile is a YAML file. It names the target, what to run on it and what to sample meanwhile.",
        [
            ProfileKey("name", "text, required", "the profile's name, and a run's unless --name is given"),
            ProfileKey("description", "text", "what it is, for people"),
            ProfileKey("connection", "mapping, required", "how the target is reached"),
            ProfileKey("parameters", "mapping of names", "what -p may set"),
            ProfileKey("setup", "list of actions", "run once at the start; one that fails aborts the run"),
            ProfileKey("actions", "mapping of names", "this or background_collectors must have an entry"),
            ProfileKey("stages", "list", "named lists of actions, run by `ecr run stage`"),
            ProfileKey("background_collectors", "mapping of names", "what is sampled while the run goes on"),
            ProfileKey("finally", "list of actions", "run at complete, and at abort while the target is connected"),
            ProfileKey("rules", "list", "what is done when numbers of collectors or actions are wrong"),
            ProfileKey("facts", "mapping of names", "what is taken down of the target at the start and at the end"),
            ProfileKey("transfers", "mapping", "how files travel, and how much at most"),
            ProfileKey("notify", "mapping", "a command of this machine that is told of events"),
        ])

    static let connection = ProfileSection(
        "connection", "",
        [
            ProfileKey("host", "text, required", "a name, an address, or a Host alias of ~/.ssh/config"),
            ProfileKey("port", "1 to 65535, default 22", "the SSH server's port"),
            ProfileKey("user", "text, default your own user name", "who to log in as"),
            ProfileKey(
                "key_file", "path",
                "the only key to offer; ~ is your home, a relative path starts at the profile's folder"),
            ProfileKey("timeout", "duration, default 30", "how long making a connection may take"),
            ProfileKey("known_hosts", "path, default ~/.ssh/known_hosts", "where host keys are looked up"),
            ProfileKey("host_key", "SHA256:…", "accept exactly this key and ask no known_hosts file"),
            ProfileKey(
                "ssh_config", "path or none, default ~/.ssh/config and the system's",
                "the file to read instead; what the profile says goes before it"),
            ProfileKey(
                "jump", "text or list, as [user@]host[:port], or none", "the hosts to go through, the nearest first"),
            ProfileKey("algorithms", "mapping", "the methods that SSH may use"),
            ProfileKey(
                "keepalive", "duration, default 3s",
                "the interval of the link's sign of life; after three silent ones it counts as lost"),
            ProfileKey(
                "clock_interval", "duration of at least 1s, default 60s",
                "how often the target's clock is compared with this machine's"),
            ProfileKey(
                "spool_dir", "absolute path, default /var/tmp/ecr-UID, else below $TMPDIR or /tmp",
                "where the target keeps what jobs write until it is fetched"),
            ProfileKey(
                "env", "mapping of texts or secrets", "environment of every command; no name that begins with ECR_"),
            ProfileKey("password", "secret", "the login password, used before anybody is asked; never a text"),
            ProfileKey(
                "sudo_password", "secret", "the password that sudo wants, used before anybody is asked; never a text"),
            ProfileKey("reconnect", "mapping", "what to do about a lost link"),
        ])

    static let reconnect = ProfileSection(
        "connection.reconnect", "",
        [ProfileKey("give_up_after", "duration or never, default never", "how long a lost link is tried again")])

    static let algorithms = ProfileSection(
        "connection.algorithms",
        "SSH's names for methods, one text or a list. +, - or ^ before the first changes the defaults, else they are replaced.",
        [
            ProfileKey("kex", "list of texts", "key exchange"), ProfileKey("ciphers", "list of texts", "encryption"),
            ProfileKey("hostkeys", "list of texts", "host keys"), ProfileKey("macs", "list of texts", "authentication"),
            ProfileKey("pubkeys", "list of texts", "with which your own keys sign"),
        ])

    static let parameter = ProfileSection(
        "parameters.NAME",
        """
        Declarations are optional: a placeholder without one takes any text, and must be given. In a command, workdir, \
        env or path {NAME} is replaced by the value, always as one literal word. Commands also find it in the variable \
        ECR_PARAM_ and the name in capitals.
        """,
        [
            ProfileKey(
                "type", "string, int, float, bool, path or words, default string",
                "what a value must be; words are several, divided at blanks"),
            ProfileKey("default", "value", "without one the parameter must be given"),
            ProfileKey("choices", "list", "the values that are allowed"),
            ProfileKey("min", "number", "for int and float"), ProfileKey("max", "number", "for int and float"),
            ProfileKey("pattern", "text", "refused by this version of ecr; write choices"),
            ProfileKey(
                "allow", "list of newline, leading_dash",
                "line breaks, or values that begin with -, are refused otherwise"),
            ProfileKey("description", "text", "what it is, for people"),
        ])

    static let action = ProfileSection(
        "actions.NAME", "Commands on the target that end.",
        [
            ProfileKey("description", "text", "what it is, for people"),
            ProfileKey(
                "commands", "list of texts, required", "run in order, each in a fresh sh, until one fails"),
            ProfileKey("workdir", "path, default the login directory", "where the commands run"),
            ProfileKey("env", "mapping of texts or secrets", "environment; texts may have placeholders"),
            ProfileKey(
                "sudo", "true or false, default false",
                """
                run as root, by the target's sudo; a password is asked for at the terminal, or is sudo_password. What \
                root leaves in $ECR_OUT is given to the login user
                """),
            ProfileKey(
                "spool", "true or false, default true",
                """
                false for output that has no room on the target: it comes over a channel of its own as it is written, \
                and when the link breaks the rest of it is lost (79). timeout is kept by the target all the same
                """),
            ProfileKey(
                "stop_if_unreachable", "duration, at least 5s",
                "a dead man's switch that the target keeps: it ends the action after this long without contact"),
            ProfileKey(
                "upload", "list of mappings",
                """
                files and directories that go to the target before the commands, which never run where one fails; what is \
                there already is left
                """),
            ProfileKey(
                "artifacts", "list of paths or mappings",
                """
                files to fetch afterwards, also after a failure; *, ?, […] and ** are patterns, a directory means all \
                in it. Every file in the job's own folder $ECR_OUT is fetched without being named
                """),
            ProfileKey("metrics", "mapping of names", "numbers to take from the output or from files"),
            ProfileKey(
                "timeout", "duration",
                "kept by the target, link or not: TERM to the process group, KILL five seconds later"),
            ProfileKey("retries", "0 to 1000, default 0", "attempts beyond the first"),
            ProfileKey(
                "retry_on", "list of failed, timeout, unknown, default [failed, timeout]",
                "when another attempt is made"),
        ])

    static let artifact = ProfileSection(
        "actions.NAME.artifacts[]", "A path alone, or:",
        [
            ProfileKey("path", "path, required", "a file, a directory or a pattern"),
            ProfileKey("allow_old", "true or false, default false", "fetch it even if it is older than the job"),
            ProfileKey("required", "true or false, default false", "without it the action has failed"),
            ProfileKey("method", "as transfers.method", "the way for these files alone"),
        ])

    static let transfers = ProfileSection(
        "transfers", "Without it, files go the fastest way that the target has.",
        [
            ProfileKey(
                "method", "auto, sftp, tar, exec or scp, default auto",
                """
                sftp: the server's SFTP; tar: many files in one archive; exec: dd, or else tail or cat; scp: the old \
                protocol, which cannot go on where it was cut. auto: tar for many small files, else sftp, else exec, else \
                scp. One that the target does not have is refused
                """),
            ProfileKey(
                "max_bytes", "size, as 500MB or 2GiB",
                """
                of all files at an action's end, or of one `ecr run pull`. They are counted before the first one comes; an \
                entry with which it would be more is refused as a whole
                """),
            ProfileKey("max_files", "1 or more", "as max_bytes, for their number (100000)"),
            ProfileKey(
                "min_free_disk", "size, default 100MB",
                """
                as max_bytes, for what all of them would leave on this machine's disk; files that are attached to a note \
                are refused as well
                """),
        ])

    static let upload = ProfileSection(
        "actions.NAME.upload[]", "",
        [
            ProfileKey("from", "path, required", "a file or a directory, from the profile's folder on"),
            ProfileKey(
                "to", "path, required",
                """
                its place on the target, from workdir on. With a slash at its end it is a directory into which it goes; \
                so is what is one already, where a file is sent. A directory without that slash becomes this one
                """),
        ])

    static let metric = ProfileSection(
        "actions.NAME.metrics.NAME",
        """
        One of regex, json and csv says where the number stands; several numbers are a series. `ecr run metrics` shows them, \
        `ecr run metrics recompute` takes them again after a change.
        """,
        [
            ProfileKey(
                "regex", "text",
                """
                a regular expression (PCRE2) that is looked for in each line; every match gives the number in its group \
                `value`, else in its first group
                """),
            ProfileKey(
                "json", "path",
                "within a JSON document, or each line that is one: accuracy, results[0].ms, results[*].ms, [\"a key\"]"),
            ProfileKey("csv", "text", "a column, by its name in the first line"),
            ProfileKey(
                "separator", "one of , ; | :, tab or blanks, default found in the first line", "of the columns of csv"),
            ProfileKey(
                "from", "stdout, stderr or path, default stdout",
                "where to look; a file is fetched as an artifact, below $ECR_OUT/ it is one already"),
            ProfileKey("unit", "text", "the number's unit"),
            ProfileKey("required", "true or false, default false", "without it the action has failed"),
            ProfileKey(
                "count", "true or false, default true for a metric named count",
                "how many things the action did: energy is also told for each of them"),
        ])

    static let collector = ProfileSection(
        "background_collectors.NAME", "Either command with interval, or stream, or builtin.",
        [
            ProfileKey("description", "text", "what it is, for people"),
            ProfileKey("command", "text", "repeated every interval; its output is one sample"),
            ProfileKey(
                "interval", "duration, required with command",
                """
                a tick is skipped while the one before still runs; rounded up to whole seconds where the target's sleep \
                knows no others
                """),
            ProfileKey(
                "timeout", "duration",
                """
                for one sample: TERM to all that it has started, KILL two seconds later. Rounded up to whole seconds where \
                the target's sleep knows no others; where it lacks setsid timeout(1) is used, which reaches the command alone
                """),
            ProfileKey(
                "builtin", BuiltinSampler.all.map(\.name).joined(separator: ", "),
                "a sampler that ecr brings along; `ecr help samplers` tells its fields. interval is 1s unless it is written"
            ),
            ProfileKey(
                "stream", "text",
                """
                one long command; each line of its output is a sample, without its NUL bytes. It may end by itself; killed by \
                a signal it is started again, and so it is where a line without an end (a progress bar) fills the shell's memory
                """),
            ProfileKey("parse", "mapping", "how to take fields out of a sample: each is a column of its table"),
            ProfileKey(
                "max_sample_bytes", "1 to 67108864 or none, default 1048576",
                """
                more of one sample, or of one line of a stream, is cut off on the target, and said; none saves a slow target \
                three processes a sample
                """),
            ProfileKey("start", "auto or manual, default auto", "with the run, or by `ecr run collector start`"),
            ProfileKey(
                "while_paused", "true or false, default true",
                "false to stop it when the run is paused, and to start it again when it goes on"),
            ProfileKey("env", "mapping of texts or secrets", "as for actions"),
        ])

    static let parse = ProfileSection(
        "background_collectors.NAME.parse",
        """
        One of regex, json, csv and key_value. A value is a number where it reads as one. A sample of which nothing can be \
        taken has a row without values, is counted, and its reason is said once.
        """,
        [
            ProfileKey("regex", "text", "a regular expression (PCRE2); its named groups are the fields"),
            ProfileKey("json", "mapping of fields to paths", "the sample is a JSON document: {cpu: temps[0].c}"),
            ProfileKey("csv", "list of fields", "the sample's columns, a row a line; _ leaves one out"),
            ProfileKey("separator", "one of , ; | :, tab or blanks, default ,", "of the columns of csv"),
            ProfileKey(
                "key_value", "list of keys, or mapping of fields to keys",
                "key=value or key: value, several a line or one: {free: MemFree}"),
            ProfileKey("units", "mapping of fields to texts", "energy is computed for W and mW"),
            ProfileKey(
                "types", "mapping of fields to number or text", "a value that is no number is left out, and said"),
        ])

    static let stage = ProfileSection(
        "stages[]", "",
        [
            ProfileKey("name", "text, required", "the stage's name"),
            ProfileKey("actions", "list of actions, required", "in their order"),
        ])

    static let rule = ProfileSection(
        "rules[]",
        """
        A condition is COLLECTOR.FIELD or ACTION.METRIC, one of < <= > >= == !=, and a number; several are joined by `and` \
        and `or`. Samples count by their times, also those that come late. A metric is taken from stdout or stderr line by \
        line while its action runs, and forgotten with the action's end; `== nan` is true of one that is no number any more.
        """,
        [
            ProfileKey("when", "condition, required", "what begins it"),
            ProfileKey("for", "duration, default 0", "how long the condition must hold before it begins"),
            ProfileKey(
                "do", "mark, hold, pause, cancel or abort, default mark",
                """
                mark: record the time, so that an analysis can leave it out; hold: the next action waits until it is over; \
                pause: the run, until somebody resumes it; cancel: the actions that run, of a condition on metrics only theirs; \
                abort: the run
                """),
            ProfileKey("until", "condition, default that when does not hold", "what ends it"),
            ProfileKey("max_hold", "duration, default without end", "when a hold is given up"),
            ProfileKey("name", "text, default the condition", "the rule's name in the record"),
            ProfileKey("note", "text", "recorded with it"),
        ])

    static let facts = ProfileSection(
        "facts",
        """
        Kernel, model, CPU, memory, disks, clocks, temperatures, GPUs and the tools of the target are taken down without \
        being named. Any other key is the name of a fact of your own, and its text a command on the target.
        """,
        [
            ProfileKey(
                "identifiers", "true or false, default false", "also serial numbers, MAC addresses and the SSID"),
            ProfileKey(
                "NAME", "text",
                "a command whose output is the fact, in up to 10 s and 4096 bytes; its failure is a fact, too"),
        ])

    static let secret = ProfileSection(
        "….env.NAME, connection.password, connection.sudo_password",
        """
        A value that must stand in no file is taken from the environment of the command that starts or resumes the run. \
        It is masked by * of equal length in whatever is recorded, but not in files that are fetched.
        """,
        [
            ProfileKey(
                "secret", "env:NAME, required",
                "the variable; a value of less than 8 characters is refused, a password is taken but not masked then")
        ])

    static let notify = ProfileSection(
        "notify",
        """
        The command runs beside the run, one event after the other, for up to 60 s each; what it prints goes to \
        logs/supervisor.log. It finds $ECR_EVENT, $ECR_SEQ, $ECR_RUN, $ECR_RUN_DIR and $ECR_RUNS_DIR, and the event's line \
        on its stdin.
        """,
        [
            ProfileKey("on", "list of types of events, required", "`ecr help events` lists them"),
            ProfileKey("run", "text, required", "a command of this machine's shell, run in the profile's folder"),
        ])
}
