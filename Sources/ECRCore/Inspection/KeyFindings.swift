import Glibc
import JSON
import LinuxSystem

/// `~/.ssh`: what ecr would refuse there, before it does.
struct KeyFindings {
    let directory: String

    /// Origin: the files that are tried where no other key is named.
    private static let keys = ["id_ed25519", "id_ecdsa", "id_rsa"]

    var all: [Finding] {
        guard let mode = mode(of: directory) else {
            return [
                Finding(
                    "ssh keys", .ok,
                    "there is no \(directory) yet: ssh-keygen makes a key, ecr target trust remembers hosts")
            ]
        }
        var problems: [(String, String)] = []
        if mode & 0o022 != 0 {
            problems.append(("\(directory) can be written by others", "chmod 700 '\(directory)'"))
        }
        let there = Self.keys.filter { self.mode(of: "\(directory)/\($0)") != nil }
        for key in there where (self.mode(of: "\(directory)/\(key)") ?? 0) & 0o077 != 0 {
            let path = "\(directory)/\(key)"
            problems.append(("\(path) can be read by others, so it is not used", "chmod 600 '\(path)'"))
        }
        let hosts = "\(directory)/known_hosts"
        if FileSystem.exists(hosts), access(hosts, R_OK) != 0 {
            problems.append(("\(hosts) cannot be read", "chmod 600 '\(hosts)'"))
        }
        if problems.isEmpty {
            let names = there.isEmpty ? "no key of a usual name" : there.joined(separator: ", ")
            return [Finding("ssh keys", .ok, "\(names) in \(directory)", details: ["keys": JSON(strings: there)])]
        }
        return problems.map { Finding("ssh keys", .warning, $0.0, hint: $0.1) }
    }

    private func mode(of path: String) -> UInt32? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
    }
}
