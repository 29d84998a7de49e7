/// The background process that owns one started run.
package enum Supervisor {
    /// Runs until the run is over.
    /// - Parameters:
    ///   - directory: the absolute path of the run.
    ///   - resume: whether the run was interrupted, else it has only been created.
    /// - Returns: the exit code of the process.
    package static func run(directory: String, resume: Bool) async -> Int32 { ExitCode.bug.rawValue }
}
