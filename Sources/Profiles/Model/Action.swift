package import JSON
package import Patterns

/// Commands on the target that end, with what goes in and what comes out.
package struct Action: Sendable {
    package var name: String
    package var description: String?
    /// Shell text; each runs in a fresh `sh`, in order, until one fails.
    package var commands: [Template]
    package var workdir: Template?
    package var env: [EnvironmentEntry]
    package var sudo: Bool
    /// False for a plain attached exec without the promises of a job.
    package var spool: Bool
    /// Seconds without contact after which the target stops the action by itself.
    package var stopIfUnreachable: Double?
    package var upload: [Upload]
    package var artifacts: [ArtifactEntry]
    package var metrics: [Metric]
    /// Seconds, kept by the target.
    package var timeout: Double?
    /// Attempts beyond the first.
    package var retries: Int
    package var retryOn: [RetryReason]
}

/// The outcomes after which another attempt may be made.
package enum RetryReason: String, Sendable, CaseIterable { case failed, timeout, unknown }

/// `NAME: value` for one action or collector, or for all that runs on a target.
package struct EnvironmentEntry: Sendable {
    package enum Value: Sendable {
        /// May have placeholders; those of a connection have none.
        case text(Template)
        case secret(Secret)
    }

    package var name: String
    package var value: Value

    /// The text that may have placeholders.
    var template: Template? { if case .text(let template) = value { template } else { nil } }
}

/// A file that goes to the target before the commands run.
package struct Upload: Sendable {
    /// Relative to the profile's file.
    package var from: Template
    package var to: Template
}

/// Files that are pulled from the target after the commands have run.
package struct ArtifactEntry: Sendable {
    /// A path or a pattern: `*`, `?`, `[…]`, `**`.
    package var path: Template
    /// Pull it even if it is older than the job.
    package var allowOld: Bool
    /// Fail the action where it is missing, stale or cannot be pulled.
    package var required: Bool
    /// The way for these files; nil for the profile's.
    package var method: TransferSettings.Method?
}

/// Numbers to be taken from the output or from a file.
package struct Metric: Sendable {
    package enum Source: Sendable {
        /// Each match is a value: its group `value`, else its first one.
        case regex(Pattern, group: Int)
        /// The ways within a JSON document, or within each line that is one.
        case json(JSONPath)
        /// The name of a column, as the first line has it; `nil` stands for a separator that is to be found there.
        case csv(column: String, CellSeparator?)
    }

    package enum Place: Sendable {
        case stdout
        case stderr
        /// A file on the target.
        case file(Template)
    }

    package var name: String
    package var source: Source
    package var from: Place
    package var unit: String?
    /// Fail the action where it is not found.
    package var required: Bool
    /// How many things the action did: energy is also told for each of them.
    package var isCount: Bool

    /// The text that may have placeholders.
    var template: Template? { if case .file(let template) = from { template } else { nil } }
}
