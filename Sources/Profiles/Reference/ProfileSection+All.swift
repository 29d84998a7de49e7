extension ProfileSection {
    /// Every mapping of a profile, from the outside in.
    package static let all = [
        profile, connection, reconnect, algorithms, parameter, action, artifact, upload, metric, collector, parse,
        stage, notify,
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
            ProfileKey("notify", "mapping", "a command on this machine that is told of events"),
        ])

    static let notify = ProfileSection(
        "notify",
        """
        The command finds the type in $ECR_EVENT, the run in $ECR_RUN, $ECR_RUN_DIR and $ECR_SEQ, and the event's line on \
        stdin. It starts in the profile's folder, and never holds up the run.
        """,
        [
            ProfileKey("on", "list of event types, required", "which events; `ecr help events` lists them"),
            ProfileKey("run", "text, required", "shell text for this machine, such as ./ping.sh"),
        ])

    static let connection = ProfileSection(
        "connection", "",
        [
            ProfileKey("host", "text, required", "a name or an address; ~/.ssh/config is not read"),
            ProfileKey("port", "1 to 65535, default 22", "the SSH server's port"),
            ProfileKey("user", "text, default your own user name", "who to log in as"),
            ProfileKey(
                "key_file", "path",
                "the only key to offer; ~ is your home, a relative path starts at the profile's folder"),
            ProfileKey("timeout", "duration, default 30", "how long making a connection may take"),
            ProfileKey("known_hosts", "path, default ~/.ssh/known_hosts", "where host keys are looked up"),
            ProfileKey("host_key", "SHA256:…", "accept exactly this key and ask no known_hosts file"),
            ProfileKey("jump", "text", "a host to go through", feature: .jump),
            ProfileKey("algorithms", "mapping", "the methods that SSH may use", feature: .algorithms),
            ProfileKey(
                "keepalive", "duration, default 3s",
                "the interval of the link's sign of life; after three silent ones it counts as lost"),
            ProfileKey(
                "spool_dir", "absolute path, default /var/tmp/ecr-UID, else below $TMPDIR or /tmp",
                "where the target keeps what jobs write until it is fetched"),
            ProfileKey("env", "mapping of texts", "environment of every command; no name that begins with ECR_"),
            ProfileKey("reconnect", "mapping", "what to do about a lost link"),
        ])

    static let reconnect = ProfileSection(
        "connection.reconnect", "",
        [ProfileKey("give_up_after", "duration or never, default never", "how long a lost link is tried again")])

    static let algorithms = ProfileSection(
        "connection.algorithms", "Lists of SSH's names for methods.",
        [
            ProfileKey("kex", "list of texts", "key exchange"), ProfileKey("ciphers", "list of texts", "encryption"),
            ProfileKey("hostkeys", "list of texts", "host keys"), ProfileKey("macs", "list of texts", "authentication"),
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
            ProfileKey("env", "mapping of texts", "environment; values may have placeholders"),
            ProfileKey("sudo", "true or false, default false", "run as root", feature: .sudo),
            ProfileKey(
                "spool", "true or false, default true", "false for an attached command without the promises of a job",
                feature: .unspooled),
            ProfileKey(
                "stop_if_unreachable", "duration, at least 5s",
                "a dead man's switch that the target keeps: it ends the action after this long without contact"),
            ProfileKey("upload", "list", "files that go to the target first", feature: .upload),
            ProfileKey(
                "artifacts", "list of paths or mappings",
                """
                files to fetch afterwards, also after a failure; *, ? and […] are patterns, a directory means all in \
                it. Every file in the job's own folder $ECR_OUT is fetched without being named
                """),
            ProfileKey("metrics", "mapping of names", "numbers to take from the output", feature: .metrics),
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
        ])

    static let upload = ProfileSection(
        "actions.NAME.upload[]", "",
        [
            ProfileKey("from", "path, required", "a file, from the profile's folder on"),
            ProfileKey("to", "path, required", "its place on the target"),
        ])

    static let metric = ProfileSection(
        "actions.NAME.metrics.NAME", "Either regex or json.",
        [
            ProfileKey("regex", "text", "a regular expression whose first group is the number"),
            ProfileKey("json", "text", "a key of a JSON document"),
            ProfileKey("from", "path, default stdout", "where to look"),
            ProfileKey("unit", "text", "the number's unit"),
        ])

    static let collector = ProfileSection(
        "background_collectors.NAME", "Either command with interval, or stream.",
        [
            ProfileKey("description", "text", "what it is, for people"),
            ProfileKey("command", "text", "repeated every interval; its output is one sample"),
            ProfileKey(
                "interval", "duration, required with command", "a tick is skipped while the one before still runs"),
            ProfileKey(
                "timeout", "duration", "for one sample, in whole seconds, where the target has timeout(1)"),
            ProfileKey("stream", "text", "one long command; each line of its output is a sample"),
            ProfileKey("parse", "mapping", "how to take columns out of a sample", feature: .parse),
            ProfileKey("start", "auto or manual, default auto", "with the run, or by `ecr run collector start`"),
            ProfileKey(
                "while_paused", "true or false, default true", "false to hold it while the run is paused",
                feature: .whilePaused),
            ProfileKey("env", "mapping of texts", "as for actions"),
        ])

    static let parse = ProfileSection(
        "background_collectors.NAME.parse", "",
        [ProfileKey("regex", "text, required", "a regular expression whose named groups are the columns")])

    static let stage = ProfileSection(
        "stages[]", "",
        [
            ProfileKey("name", "text, required", "the stage's name"),
            ProfileKey("actions", "list of actions, required", "in their order"),
        ])
}
