import CLibSSH

/// The libssh that this process has loaded.
package enum SSHLibrary {
    /// For example `0.10.6`. What Debian has mended in it is not in the number.
    package static var version: String {
        let text = ssh_version(0).map { String(cString: $0) } ?? "unknown"
        return String(text.prefix { $0 != "/" })
    }
}
