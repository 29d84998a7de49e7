/// Who speaks: the same words stand in `--version`, in `run_created` and in the first line of the control protocol.
package enum ECRVersion {
    package static let current = "0.1.0"
    /// Of that version, for the man page.
    package static let date = "2026-11-27"
    /// The version of the control protocol between a client and a supervisor.
    package static let `protocol`: Int64 = 1
}
