import ArgumentParser
import ECRCore
import JSON

/// For commands that send or fetch files.
struct TransferOptions: ParsableArguments {
    enum Method: String, ExpressibleByArgument, CaseIterable { case auto, sftp, tar, exec, scp }

    @Option(
        help: ArgumentHelp(
            "How: sftp, tar (many files in one archive), exec (dd), scp, or auto, the fastest that the target has.",
            valueName: "method"))
    var method = Method.auto
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
                } else {
                    line.take(message)
                }
            }
            Terminal.clearStatus()
            if isJSON { Terminal.result(result.text) }
            return result
        } catch let interrupted as ControlClient.Interrupted {
            Terminal.clearStatus()
            Terminal.say("stopped; what has come is whole and on record, and nothing else has taken a place")
            throw interrupted
        } catch let failure as ECRFailure where failure.exitCode == ExitCode.unknownOutcome.rawValue {
            throw ECRFailure(
                .unknownOutcome, failure.message,
                hint: "ecr run resume, then the same command again: files that are there are left")
        }
    }

    /// Names what failed, and ends the command.
    /// - Parameter name: the member of a failure that says which file.
    static func end(_ result: JSON, of name: String) throws {
        for failure in result["failed"]?.array ?? [] {
            let file = failure[name]?.string ?? "?"
            let place = failure["local"].map {
                "cannot send \($0.string ?? "?") to \(failure["remote"]?.string ?? "?")"
            }
            Terminal.complain(
                "\(place ?? file): \(failure["reason"]?.string ?? "?")", hint: failure["hint"]?.string)
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
