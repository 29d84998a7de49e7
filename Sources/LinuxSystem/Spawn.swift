import CLinux
import Glibc

/// A child in a session of its own, which outlives its parent.
package enum Spawn {
    /// Starts `executable` with setsid, stdin from /dev/null, stdout and stderr to `log`, `ready` as descriptor 3 and no
    /// other descriptor (posix_spawn(3)). The environment is inherited.
    /// - Returns: the child's pid; the caller reaps it or leaves that to init.
    package static func detached(
        executable: String, arguments: [String], log: File, ready: Int32
    ) throws(SystemError) -> Int32 {
        var argv: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) }
        argv.append(nil)
        defer { argv.forEach { free($0) } }
        return try check("start", path: executable) {
            clinux_spawn_detached(executable, argv, environ, log.descriptor, log.descriptor, ready)
        }
    }
}
