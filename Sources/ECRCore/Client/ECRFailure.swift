import EventLog
import Glibc
package import JSON
import LinuxSystem
import Profiles
import RunStore
import SSH
package import YAML

/// What a command prints when it cannot do what it was asked for: the one error type of the command line.
package struct ECRFailure: Error, Sendable, Equatable {
    package let exitCode: Int32
    /// Lower case: what happened, and where. May hold text of a target: escape it before it reaches a terminal.
    package let message: String
    /// The next command to type.
    package let hint: String?
    /// What is wrong in a file, problem by problem; the message then is lines like a compiler's, each with a label of
    /// its own.
    package let problems: [Diagnostic]

    package var isLabelled: Bool { !problems.isEmpty }

    package init(_ code: ExitCode, _ message: String, hint: String? = nil) {
        self.init(code.rawValue, message, hint: hint)
    }

    init(_ exitCode: Int32, _ message: String, hint: String?) {
        self.exitCode = exitCode
        self.message = message
        self.hint = hint
        problems = []
    }

    /// What is wrong in a file of settings.
    init(settings diagnostics: Diagnostics) { self.init(diagnostics, .configuration) }

    private init(_ diagnostics: Diagnostics, _ code: ExitCode) {
        exitCode = code.rawValue
        message = diagnostics.description
        hint = nil
        problems = diagnostics.all
    }

    /// The supervisor's `error` object.
    package init(json: JSON) {
        exitCode = json["exit"]?.int.flatMap { Int32(exactly: $0) } ?? ExitCode.bug.rawValue
        message = json["message"]?.string ?? "the supervisor gave no reason"
        hint = json["hint"]?.string
        problems = []
    }

    /// Finds the exit code for an error of a lower room.
    package init(_ error: any Error) {
        switch error {
        case let failure as ECRFailure: self = failure
        case let error as SystemError:
            self.init(
                [ENOENT, ENOTDIR].contains(error.code) ? .notFound : .storage, error.description,
                hint: error.isStorageFailure ? Self.roomHint : nil)
        case let error as RunStoreError: self.init(error)
        case let error as EventLogError: self.init(error)
        case let error as Diagnostics: self.init(error, .invalidInput)
        case let error as ParameterError: self.init(.usage, error.message)
        case let error as SSHError: self.init(error)
        default: self.init(.bug, "\(error)")
        }
    }

    /// A run whose disk has failed reads as interrupted; its status says how to go on.
    private static let roomHint = "see to the disk (df -h), then ecr run status"

    private init(_ error: RunStoreError) {
        switch error.code {
        case .noSuchRun: self.init(.notFound, error.message)
        case .ambiguous, .invalidName: self.init(.usage, error.message)
        case .inUse: self.init(.busy, error.message)
        case .storage: self.init(.storage, error.message)
        }
    }

    private init(_ error: EventLogError) {
        switch error.code {
        case .badLine, .damaged: self.init(.damaged, error.message)
        case .storage: self.init(.storage, error.message, hint: Self.roomHint)
        case .locked: self.init(.busy, error.message, hint: "type the command again")
        case .unavailable: self.init(.notFound, error.message)
        }
    }

    /// Runs a body and turns whatever it throws into a failure.
    package static func catching<Value>(_ body: () throws -> Value) throws(ECRFailure) -> Value {
        do { return try body() } catch { throw ECRFailure(error) }
    }
}
