import ArgumentParser
import Datasets
import ECRCore

/// The end of a command that has said all it had to say, with the exit code of what it did.
struct Exit: Error {
    let code: Int32

    /// Prints an error, if there is something to print, and finds the exit code: the one place for both.
    static func report(_ error: any Error) -> Int32 {
        switch error {
        case let exit as Exit: return exit.code
        case let interrupted as ControlClient.Interrupted: return interrupted.exitCode.rawValue
        case let failure as ECRFailure: return report(failure)
        case let error as DatasetError:
            return report(ECRFailure(error.code == .source ? .notFound : .storage, error.message))
        default: break
        }
        let code = ECR.exitCode(for: error)
        guard code.isSuccess || code == .validationFailure else { return report(ECRFailure(error)) }
        if !code.isSuccess {
            do throws(ECRFailure) { try CommandPath.check(Array(CommandLine.arguments.dropFirst())) } catch {
                return report(error)
            }
        }
        // What the parser says of a wrong option may quote what was typed; a help text is our own.
        let message = ECR.fullMessage(for: error)
        if code.isSuccess { Terminal.result(message) } else { Terminal.say(message) }
        return code.rawValue
    }

    private static func report(_ failure: ECRFailure) -> Int32 {
        if failure.isLabelled {
            Terminal.say(failure.message)
        } else {
            Terminal.complain(failure.message, hint: failure.hint)
        }
        return failure.exitCode
    }
}
