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

    func perform(_ request: JSON) throws -> JSON {
        let interrupt = try InterruptSignal()
        var line = WaitingLine(nil)
        do {
            let result = try run.request(request, interrupt: interrupt, onTick: { line.draw() }) { message in
                if isJSON, let json = message.transferJSON {
                    Terminal.result(json.text)
                } else if case .progress(let text) = message {
                    Terminal.warn(text)
                } else {
                    line.take(message)
                }
            }
            Terminal.clearStatus()
            if isJSON { Terminal.result(result.text) }
            return result
        } catch let interrupted as ControlClient.Interrupted {
            Terminal.clearStatus()
            Terminal.say(
                "stopped; what has come is whole and on record, and nothing else has taken a place; the same command goes on"
            )
            throw interrupted
        } catch let failure as ECRFailure where failure.exitCode == ExitCode.unknownOutcome.rawValue {
            throw ECRFailure(
                .unknownOutcome, failure.message,
                hint: "ecr run resume, then the same command again: a file that was cut goes on where it was")
        }
    }

    /// Names what failed, and ends the command.
    /// - Parameter name: the member of a failure that says which file.
    static func end(_ result: JSON, of name: String) throws {
        let failures = result["failed"]?.array ?? []
        for (number, failure) in failures.enumerated() {
            let file = failure[name]?.string ?? "?"
            let place = failure["local"].map {
                "cannot send \($0.string ?? "?") to \(failure["remote"]?.string ?? "?")"
            }
            // What helps against several in a row stands below the last of them.
            let isLast = number == failures.count - 1 || failures[number + 1]["hint"] != failure["hint"]
            Terminal.complain(
                "\(place ?? file): \(failure["reason"]?.string ?? "?")",
                hint: isLast ? failure["hint"]?.string : nil)
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
