import ArgumentParser
import ECRCore
import JSON
import LinuxSystem
import RunStore

/// What every command understands.
struct CommonOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The directory that holds the runs (default: $ECR_RUNS_DIR, else of ecr.yaml, else ./runs).",
            valueName: "dir")
    )
    var runsDir: String?

    @Flag(help: "No colours, also on a terminal (as with $NO_COLOR).") var noColor = false

    @Flag(help: "Ask nothing: refuse what would need an answer.") var noInput = false

    @Flag(help: "Explain on stderr what is done.") var debug = false

    /// Where the runs are. The files of settings are not read where they would not count.
    var runs: RunsDirectory {
        get throws(ECRFailure) {
            if let path = runsDir ?? Host.environment("ECR_RUNS_DIR") { return RunsDirectory(path: path) }
            return RunsDirectory(path: try Settings.load().runsDirectory(option: nil).content)
        }
    }

    func explain(_ text: @autoclosure () -> String) { if debug { Terminal.say("debug: \(text())") } }
}

/// For commands that act on one run.
struct RunOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The run (default: $ECR_RUN, else the current run).", valueName: "run"))
    var run: String?

    @OptionGroup var common: CommonOptions
}

/// For commands whose result a program may want to read.
struct JSONOption: ParsableArguments {
    @Flag(help: "Print the result as JSON, and nothing else on stdout.") var json = false
}

/// For commands that make a run out of a profile.
struct NewRunOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The run's name (default: the profile's).", valueName: "name")) var name: String?

    @Option(help: ArgumentHelp("A tag; may be repeated.", valueName: "tag")) var tag: [String] = []

    @OptionGroup var parameters: ParameterOptions

    @OptionGroup var profiles: ProfileOptions

    func make(_ profile: String, in runs: RunsDirectory) throws(ECRFailure) -> RunDirectory {
        let file = try ProfileFile(profile, directory: profiles.profilesDir)
        let settings = try Settings.load()
        file.warnings.forEach { Terminal.say($0) }
        settings.warnings.forEach { Terminal.warn($0) }
        let creation = try RunCreation(
            file, name: name, tags: tag, parameters: parameters.pairs, settings: settings)
        return try creation.make(in: runs)
    }

    var isGiven: Bool { name != nil || !tag.isEmpty || !parameters.param.isEmpty }
}

struct ProfileOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where to look for profiles by name (also: $ECR_PROFILES_DIR, ecr.yaml, ./profiles, ./Profiles).",
            valueName: "dir"))
    var profilesDir: String?
}

struct ParameterOptions: ParsableArguments {
    @Option(
        name: [.customShort("p"), .long],
        help: ArgumentHelp("A value for a parameter of the profile; may be repeated.", valueName: "name=value"))
    var param: [ParameterArgument] = []

    var pairs: [(String, String)] { param.map { ($0.name, $0.value) } }

    /// As the control protocol has them.
    var json: JSON { .array(pairs.map { JSON(strings: [$0.0, $0.1]) }) }
}

/// For commands that wait for a job.
struct InterruptOptions: ParsableArguments {
    /// What Ctrl-C or SIGTERM means for what is waited for.
    enum Choice: String, ExpressibleByArgument, CaseIterable {
        /// It is cancelled.
        case cancel
        /// It goes on.
        case detach
        /// The run is aborted, with its `finally:` actions.
        case abort
    }

    @Option(
        help: ArgumentHelp(
            "On Ctrl-C or SIGTERM: cancel the job, detach from it, or abort the run. By default Ctrl-C asks at a "
                + "terminal; else the run is aborted where $CI is set, and the job goes on everywhere else.",
            valueName: "choice"))
    var onInterrupt: Choice?

    /// - Returns: nil where the person is to be asked.
    func choice(on code: ECRCore.ExitCode, mayAsk: Bool) -> Choice? {
        onInterrupt ?? InterruptDefault(code, mayAsk: mayAsk).choice(.abort, .detach)
    }
}

/// As `InterruptOptions`, for the command that waits for a run to be set up.
struct StartInterruptOptions: ParsableArguments {
    /// What Ctrl-C or SIGTERM means for a run whose setup runs.
    enum Choice: String, ExpressibleByArgument, CaseIterable {
        /// It is aborted, with its `finally:` actions.
        case abort
        /// It goes on in the background.
        case detach
    }

    @Option(
        help: ArgumentHelp(
            "On Ctrl-C or SIGTERM while the setup actions run: abort the run, or detach from it. By default Ctrl-C asks "
                + "at a terminal; else the run is aborted where $CI is set, and goes on everywhere else. Before the target "
                + "is connected nothing is left of the run.", valueName: "choice"))
    var onInterrupt: Choice?

    /// - Returns: nil where the person is to be asked.
    func choice(on code: ECRCore.ExitCode, mayAsk: Bool) -> Choice? {
        onInterrupt ?? InterruptDefault(code, mayAsk: mayAsk).choice(.abort, .detach)
    }
}

/// What a signal means where nothing was chosen: a runner of CI jobs that stops one, by whichever signal, wants nothing
/// left running; everybody else may come back.
private struct InterruptDefault {
    private let isAsked: Bool
    private let isAbort: Bool

    init(_ code: ECRCore.ExitCode, mayAsk: Bool) {
        isAsked = mayAsk && code == .interrupted
        isAbort = Host.environment("CI") != nil
    }

    func choice<Choice>(_ abort: Choice, _ detach: Choice) -> Choice? { isAsked ? nil : isAbort ? abort : detach }
}

/// For commands that take turns with actions.
struct TurnOptions: ParsableArguments {
    @Flag(help: "Exit 75 at once if another action runs, instead of waiting for its end.") var noWait = false
}

/// `name=value`; the value may be empty and may hold more equals signs.
struct ParameterArgument: ExpressibleByArgument {
    let name: String
    let value: String

    init?(argument: String) {
        // A value may begin with a combining mark, which would make another character of the sign.
        let scalars = argument.unicodeScalars
        guard let equals = scalars.firstIndex(of: "="), equals != scalars.startIndex else { return nil }
        name = String(scalars[..<equals])
        value = String(scalars[scalars.index(after: equals)...])
    }
}
