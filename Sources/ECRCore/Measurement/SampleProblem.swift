import JSON
import Profiles
import RemoteJobs

/// What is wrong with a sample, for `collector_error`: said once for a collector and reason, however often it happens.
enum SampleProblem {
    /// - Parameters:
    ///   - reading: what the collector's format has found.
    ///   - timeout: of a sample, as the target keeps it.
    static func reasons(
        _ sample: Sample, _ reading: SampleReading?, _ collector: Collector, _ timeout: SampleTimeout?
    ) -> [String] {
        if let limit = collector.maxSampleBytes, sample.text.count > limit {
            return ["cut off: it has more than \(limit) bytes (max_sample_bytes)"]
        }
        if let status = sample.status, status != 0 { return [reason(status, timeout)] }
        return reading?.problems ?? []
    }

    private static func reason(_ status: Int64, _ timeout: SampleTimeout?) -> String {
        if let timeout, timeoutStatuses.contains(status) {
            return "timed out after \(JSON.double(timeout.seconds).text) s"
        }
        switch status {
        case 126: return "the command cannot be run (exit 126)"
        case 127: return "command not found (exit 127)"
        case 129...: return "killed by signal \(status - 128)"
        default: return "exit \(status)"
        }
    }

    /// Of GNU's timeout(1), and of BusyBox's, whose command is told to have been terminated.
    private static let timeoutStatuses: Set<Int64> = [124, 143]

    /// The beginning of the sample, for whoever looks for the mistake.
    static func excerpt(_ sample: Sample) -> JSON {
        .string(String(decoding: sample.text.prefix(excerptBytes), as: UTF8.self))
    }

    /// Origin: two lines of a terminal.
    private static let excerptBytes = 160
}
