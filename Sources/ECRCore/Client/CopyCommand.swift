import JSON
import LinuxSystem
import Profiles
package import RunStore

/// The command that copies something from a run's target by hand, by OpenSSH's `scp`: it reaches the target as the run does,
/// by the profile first, then by ssh_config.
package struct CopyCommand {
    private let connection: Connection?
    /// Of relative names in the profile.
    private let folder: String
    private let state: RunState

    package init(of run: RunDirectory, _ state: RunState) {
        connection = (try? ProfileFile(snapshotOf: run))?.profile.connection
        folder = FileSystem.parent(of: state.profileFile)
        self.state = state
    }

    /// - Parameter remote: a folder of the target, which comes into the working directory.
    package func text(_ remote: String) -> String {
        (["scp -r"] + options + [shellWord("\(address):\(remote)"), "."]).joined(separator: " ")
    }

    private var options: [String] {
        var words: [String] = []
        // By itself `scp` asks for SFTP.
        if state.facts["sftp"]?.bool == false { words.append("-O") }
        if let file = connection?.sshConfig ?? Host.environment("ECR_SSH_CONFIG") {
            words.append("-F \(file == "none" ? file : path(file))")
        }
        if let file = connection?.keyFile { words.append("-i \(path(file)) -o IdentitiesOnly=yes") }
        if let file = connection?.knownHosts {
            // The option is a list of files.
            let name = Connection.path(file, in: folder)
            words.append("-o \(shellWord("UserKnownHostsFile=\"\(name)\""))")
        }
        for (name, list) in algorithms { words.append("-o \(shellWord("\(name)=\(list.joined(separator: ","))"))") }
        if let jump = connection?.jump {
            words.append("-J \(jump.isEmpty ? "none" : shellWord(jump.joined(separator: ",")))")
        }
        if let port = state.connection["port"]?.int, port != 22 || connection?.port != nil {
            words.append("-P \(port)")
        }
        return words
    }

    private var algorithms: [(name: String, list: [String])] {
        let given = connection?.algorithms
        let lists = [
            ("KexAlgorithms", given?.kex), ("Ciphers", given?.ciphers), ("HostKeyAlgorithms", given?.hostkeys),
            ("MACs", given?.macs), ("PubkeyAcceptedAlgorithms", given?.pubkeys),
        ]
        return lists.compactMap { name, list in list.map { (name, $0) } }
    }

    private func path(_ text: String) -> String { shellWord(Connection.path(text, in: folder)) }

    /// The host as the profile names it, which ssh_config may know, unless it has moved.
    private var address: String {
        let reached = state.connection["host"]?.string ?? "?"
        let host = state.movedHost?.host ?? connection?.host ?? reached
        let user = state.connection["user"]?.string.map { "\($0)@" } ?? ""
        return "\(user)\(host.contains(":") ? "[\(host)]" : host)"
    }
}
