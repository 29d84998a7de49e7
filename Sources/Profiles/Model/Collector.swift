/// Commands on the target that sample until they are stopped.
package struct Collector: Sendable {
    package enum Kind: Sendable {
        /// Run again and again; `interval` and `timeout` in seconds.
        case command(Template, interval: Double, timeout: Double?)
        /// Run once; every line is a sample.
        case stream(Template)
        /// One that ecr brings along, every `interval` seconds.
        case builtin(BuiltinSampler, interval: Double)
    }

    package enum Start: String, Sendable, CaseIterable {
        /// With the run.
        case auto
        /// When an operator asks for it.
        case manual
    }

    package var name: String
    package var description: String?
    package var kind: Kind
    package var start: Start
    /// False to hold it while the run is paused.
    package var whilePaused: Bool
    package var env: [EnvironmentEntry]
    /// How the columns of a sample are found; nil for its text as it is.
    package var parse: SampleFormat?
    /// Bytes of one sample beyond which the target cuts it; nil for any length.
    package var maxSampleBytes: Int?

    /// Origin: ten thousand lines of text. One sample a second of it fills a gigabyte in a quarter of an hour.
    package static let defaultMaxSampleBytes = 1 << 20

    /// The user's text; nil for a sampler that ecr brings along.
    package var command: Template? {
        switch kind {
        case .command(let template, _, _), .stream(let template): template
        case .builtin: nil
        }
    }

    /// What it does, in one line.
    package var summary: String {
        if case .builtin(let sampler, _) = kind { "builtin: \(sampler.name)" } else { command?.text ?? "" }
    }

    /// The fields of its samples; nil where they have none.
    package var fieldNames: [String]? { parse?.fields.map(\.name) }

    /// Seconds for one sample.
    package var timeout: Double? { if case .command(_, _, let timeout) = kind { timeout } else { nil } }

    /// Seconds between two samples; nil for a stream.
    package var interval: Double? {
        switch kind {
        case .command(_, let interval, _): interval
        case .stream: nil
        case .builtin(let sampler, let interval): sampler.isStream ? nil : interval
        }
    }
}
