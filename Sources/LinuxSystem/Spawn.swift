import CLinux
import Glibc

/// A child in a session of its own, which outlives its parent.
package enum Spawn {
    /// Starts `executable` with setsid, stdout and stderr to `log`, `ready` as descriptor 3 and no other descriptor
    /// (posix_spawn(3)).
    /// - Parameters:
    ///   - directory: where it starts; nil for the working directory.
    ///   - environment: variables that are added to the inherited ones, or replace them.
    ///   - input: its stdin, from the descriptor's position on; nil for /dev/null.
    /// - Returns: the child's pid; the caller reaps it or leaves that to init.
    package static func detached(
        executable: String, arguments: [String], directory: String? = nil, environment: [String: String] = [:],
        input: File? = nil, log: File, ready: Int32 = -1
    ) throws(SystemError) -> Int32 {
        let argv = CStrings([executable] + arguments)
        let added = CStrings(environment.map { "\($0.key)=\($0.value)" })
        defer { withExtendedLifetime((argv, added)) {} }
        let envp = inherited(without: Set(environment.keys)) + added.pointers
        return try check("start", path: executable) {
            clinux_spawn_detached(
                executable, argv.pointers, envp, directory, input?.descriptor ?? -1, log.descriptor, log.descriptor,
                ready)
        }
    }

    /// Our own variables as they are, whatever bytes they hold.
    private static func inherited(without names: Set<String>) -> [UnsafeMutablePointer<CChar>?] {
        var kept: [UnsafeMutablePointer<CChar>?] = []
        var next = environ
        while let variable = next.pointee {
            if !names.contains(String(String(cString: variable).prefix { $0 != "=" })) { kept.append(variable) }
            next += 1
        }
        return kept
    }
}

/// An array of C strings that ends with NULL, freed with its last reference.
private final class CStrings {
    let pointers: [UnsafeMutablePointer<CChar>?]

    init(_ strings: [String]) { pointers = strings.map { strdup($0) } + [nil] }

    deinit { pointers.forEach { free($0) } }
}
