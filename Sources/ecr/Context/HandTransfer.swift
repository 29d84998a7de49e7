import ArgumentParser
import ECRCore
import JSON
import LinuxSystem
import Profiles

/// For commands that send or fetch files.
struct TransferOptions: ParsableArguments {
    enum Method: String, ExpressibleByArgument, CaseIterable { case auto, sftp, tar, exec, scp }

    @Option(
        help: ArgumentHelp(
            "How: sftp, tar (many files in one archive), exec (dd, tail or cat), scp, or auto, the fastest that the target "
                + "has. By default what the profile says.",
            valueName: "method"))
    var method: Method?
}

/// Files on their way because somebody has typed so: how it goes, then the result.
struct HandTransfer {
    let run: ChosenRun
    /// Every message is a line of JSON on stdout, and the result the last.
    let isJSON: Bool

    /// A first signal stops it and waits for what has come of it, a second one leaves at once.
    /// - Returns: the supervisor's result; where a signal came its exit code is that of the signal.
    func perform(_ request: JSON) throws -> JSON {
        let interrupt = try InterruptSignal()
        var line = WaitingLine(nil)
        var signal: ECRCore.ExitCode?
        let stop: (ECRCore.ExitCode) -> Void = { code in
            signal = code
            Terminal.clearStatus()
            Terminal.say("stopping; Ctrl-C again leaves at once")
        }
        do {
            var result = try run.request(
                request, interrupt: interrupt, onInterrupt: stop, onTick: { line.draw() }
            ) { message in
                if isJSON, let json = message.transferJSON {
                    Terminal.result(json.text)
                } else if case .progress(let text) = message {
                    Terminal.warn(text)
                } else {
                    line.take(message)
                }
            }
            Terminal.clearStatus()
            if let signal, var members = result.object {
                members["exit_code"] = .int(Int64(signal.rawValue))
                result = .object(members)
                if members["cancelled"] == nil { Terminal.say("it had ended before it could be stopped") }
            }
            if isJSON { Terminal.result(result.text) }
            return result
        } catch let interrupted as ControlClient.Interrupted {
            Terminal.clearStatus()
            Terminal.say(
                "left before it had stopped: what was just taking its place may still do so, and is on record then; "
                    + "typed again, it brings the rest")
            throw interrupted
        } catch let failure as ECRFailure where failure.exitCode == ExitCode.unknownOutcome.rawValue {
            throw ECRFailure(
                .unknownOutcome, failure.message,
                hint: "ecr run resume, then the same command again: by sftp and exec it goes on where it was")
        }
    }

    /// Origin: names that fit into two lines.
    private static let mostUntried = 5

    /// Names what failed, and ends the command.
    /// - Parameter name: the member of a failure that says which file.
    static func end(_ result: JSON, of name: String) throws {
        let all = result["failed"]?.array ?? []
        let failures = all.filter { $0["outcome"] != "untried" && $0["outcome"] != "cancelled" }
        for (number, failure) in failures.enumerated() {
            let file = failure[name]?.string ?? "?"
            let place = failure["local"].map {
                "cannot send \($0.string ?? "?") to \(failure["remote"]?.string ?? "?")"
            }
            // What helps against several in a row stands below the last of them.
            let isLast = number == failures.count - 1 || failures[number + 1]["hint"] != failure["hint"]
            let folder = FileSystem.parent(of: failure["remote"]?.string ?? file)
            let hint = failure["hint"]?.string ?? "ecr run exec -- ls -la \(shellWord(folder))"
            let rest = failure["unsent"]?.int.map { "; files that were not sent with it: \($0)" } ?? ""
            Terminal.complain(
                "\(place ?? file): \(failure["reason"]?.string ?? "?")\(rest)", hint: isLast ? hint : nil)
        }
        let untried = all.filter { $0["outcome"] == "untried" }.map { $0[name]?.string ?? "?" }
        if !untried.isEmpty {
            let rest = untried.count > mostUntried ? " and \(untried.count - mostUntried) more" : ""
            Terminal.say("not tried: " + SafeText.line(untried.prefix(mostUntried).joined(separator: ", ")) + rest)
        }
        let code = result["exit_code"]?.int.flatMap { Int32(exactly: $0) } ?? 0
        if code != 0 { throw Exit(code: code) }
    }
}

extension ControlClient.Message {
    /// As in the control protocol; nil for what is no progress of files.
    fileprivate var transferJSON: JSON? {
        switch self {
        case .transferring(let news): ["transferring": news.json]
        case .transferred(let path, let size): ["transferred": ["path": .string(path), "size": .int(size)]]
        default: nil
        }
    }
}
