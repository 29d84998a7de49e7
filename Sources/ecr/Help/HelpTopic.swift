import ECRCore
import EventLog
import Profiles
import RunStore

/// What `ecr help` explains beside the commands. Each text comes from the table that the code itself goes by.
enum HelpTopic: String, CaseIterable {
    case exitCodes = "exit-codes"
    case environment
    case profile
    case samplers
    case events
    case runDirectory = "run-directory"

    var abstract: String {
        switch self {
        case .exitCodes: "what the exit codes mean"
        case .environment: "the variables that ecr reads, and that commands find"
        case .profile: "every key of a profile, with its type and default"
        case .samplers: "the samplers that ecr brings along, with their fields"
        case .events: "every type of event, with its fields"
        case .runDirectory: "the files of a run"
        }
    }

    /// All topics, a line each.
    static var list: HelpText.Part { .list(allCases.map { ($0.rawValue, $0.abstract) }) }

    var text: HelpText {
        switch self {
        case .exitCodes: HelpText([.heading("EXIT CODES"), Self.exitCodeList])
        case .environment: HelpText(Self.environmentParts)
        case .profile: HelpText(Self.profileParts)
        case .samplers: HelpText(Self.samplerParts)
        case .events: HelpText(Self.eventParts)
        case .runDirectory: HelpText(Self.runDirectoryParts)
        }
    }

    static var exitCodeList: HelpText.Part {
        .list(ECRCore.ExitCode.allCases.map { (String($0.rawValue), $0.meaning) })
    }

    // MARK: samplers

    private static var samplerParts: [HelpText.Part] {
        let introduction = """
            Used by `background_collectors: {NAME: {builtin: cpu, interval: 1s}}`. A field that the target does not have stays \
            empty. Rules name a field as NAME.FIELD. What is "in the log" differs from target to target: it stands with \
            its sample in logs/collectors/NAME.log and in the events, not in the table, and no rule can name it.
            """
        return [.paragraph(introduction)]
            + BuiltinSampler.all.flatMap { sampler -> [HelpText.Part] in
                let fields = sampler.fields.map { field in
                    (field.name, "\(field.unit.map { "\($0), " } ?? "")\(field.meaning)")
                }
                return [.heading(sampler.name.uppercased()), .paragraph(sampler.meaning), .list(fields)]
            }
    }

    // MARK: environment

    /// What ecr reads; an empty variable counts as unset.
    static let variables: [(term: String, text: String)] = [
        ("ECR_RUN", "the run to act on, where --run is not given"),
        ("ECR_RUNS_DIR", "the directory that holds the runs, where --runs-dir is not given"),
        ("ECR_PROFILES_DIR", "where to look for profiles by name, after --profiles-dir"),
        ("ECR_AUTHOR", "the author that a new run records, before that of ecr.yaml"),
        ("ECR_LICENCE", "the licence that a new run records, before that of ecr.yaml"),
        ("XDG_CONFIG_HOME", "where ecr/config.yaml is, your own settings, in place of ~/.config"),
        ("ECR_SSH_CONFIG", "the file to read in place of ~/.ssh/config, where the profile names none"),
        ("NO_COLOR", "no colours, as with --no-color"),
        ("TERM", "`dumb`: no colours, nothing drawn over"),
        ("CI", "where it is set, SIGTERM to a waiting command aborts the run"),
        ("SSH_AUTH_SOCK", "where the ssh-agent is asked for keys"),
        ("HOME", "what ~ stands for"),
    ]

    private static var environmentParts: [HelpText.Part] {
        [
            .heading("ON THIS MACHINE"), .list(variables), .heading("IN COMMANDS ON THE TARGET"),
            .list([
                ("ECR_RUN", "the run's id"),
                ("ECR_JOB", "the job's id"),
                ("ECR_ACTION", "the action's name; only in actions"),
                ("ECR_OUT", "a fresh folder of the job; every file in it becomes an artifact. Only in actions"),
                ("ECR_PARAM_NAME", "the value of the parameter `name`"),
            ]),
            .paragraph("Beside these a command finds the login environment of the target, and `env:` of the profile."),
            .heading("IN THE COMMAND OF NOTIFY"),
            .list([
                ("ECR_EVENT", "the type of the event, whose line is on stdin"),
                ("ECR_SEQ", "its number"),
                ("ECR_RUN", "the run's id"),
                ("ECR_RUN_DIR", "the run's directory"),
                ("ECR_RUNS_DIR", "the directory that holds it, so that an `ecr` in the command means this run"),
            ]),
        ]
    }

    // MARK: profile

    /// A small one that holds a bit of everything.
    static let exampleProfile = """
        name: board
        connection: {host: 192.168.1.100, user: root}
        parameters:
          size: {type: int, default: 16, min: 1, max: 1024}
        setup: [describe]
        actions:
          describe: {commands: ["uname -a"]}
          measure:
            commands: ["/opt/app/benchmark --mib {size} > $ECR_OUT/result.csv"]
            metrics:
              score: {regex: 'score: ([0-9.]+)', unit: MiB/s}
              round: {from: $ECR_OUT/result.csv, csv: seconds, unit: s}
            timeout: 5m
        background_collectors:
          load:
            command: "cat /proc/loadavg"
            interval: 1s
            parse: {csv: [one, five, fifteen, _, _], separator: blanks}
        """

    private static var profileParts: [HelpText.Part] {
        let sections = ProfileSection.all.flatMap { section -> [HelpText.Part] in
            let title = section.path.isEmpty ? [] : [HelpText.Part.heading(section.path)]
            let introduction = section.introduction.isEmpty ? [] : [HelpText.Part.paragraph(section.introduction)]
            return title + introduction + [.list(section.keys.map { ($0.name, "\($0.meaning) (\($0.type))") })]
        }
        let rules = """
            Durations are a number of seconds, or 500ms, 60s, 5m, 2h. Names are 1 to 64 letters, digits, _, . and -, \
            the first a letter or digit. Unknown and duplicate keys are errors. `ecr profile validate FILE` checks a \
            profile without its target; `ecr profile --help` lists the commands.
            """
        return [.heading("PROFILE")] + sections
            + [.heading("RULES"), .paragraph(rules), .heading("EXAMPLE"), .verbatim(indented(exampleProfile))]
    }

    // MARK: events

    private static var eventParts: [HelpText.Part] {
        let line = """
              {"seq":12,"time":"2026-01-27T14:30:52.123456Z","boottime_ns":81234567890,
               "boot":"…","type":"note","data":{"text":"…"},"prev":"…"}
            """
        return [
            .heading("EVENTS"),
            .paragraph("events.jsonl has one JSON object a line, written to disk before anybody is told of it:"),
            .verbatim(line),
            .list([
                ("seq", "counts from 0 without gaps"),
                ("time", "the controller's clock, in UTC, at the time of writing"),
                ("boottime_ns", "the same by the controller's CLOCK_BOOTTIME, comparable within one boot"),
                ("boot", "the controller's boot id"),
                ("type", "what has happened, see below"),
                ("data", "the fields of the type"),
                ("prev", "the SHA-256 of the line before without its newline; 64 zeros in the first"),
            ]),
            .heading("TYPES AND THEIR FIELDS"),
            .paragraph(
                """
                A field with ? is not always there; of a|b there is one. started_target and ended_target are seconds \
                of the target's uptime, so a duration does not depend on the link.
                """),
            .list(
                EventType.specification.map { row in
                    (row.type.rawValue, row.meaning + "\n" + row.fields.map(\.notation).joined(separator: " "))
                }),
        ]
    }

    // MARK: run-directory

    private static var runDirectoryParts: [HelpText.Part] {
        [
            .heading("THE DIRECTORY OF A RUN"),
            .paragraph(
                """
                Below the directory for runs each run has one of its own, named by the time of its making in UTC and \
                its name; _2, _3, … if that is taken:
                """),
            .verbatim("  runs/2026-01-27_143052_my-experiment/"),
            .list(RunDirectory.reference.map { ($0.path, $0.meaning) }),
            .paragraph("`ecr run export` writes all but the last two and SHA256SUMS into one ZIP."),
        ]
    }

    private static func indented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { "  " + $0 }.joined(separator: "\n")
    }
}
