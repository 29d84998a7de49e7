import Glibc
import JSON
import LinuxSystem
import RemoteJobs
import RunStore

/// What has stayed in the runs directory although nobody works on it any more.
struct LeftBehind {
    private let runs: RunsDirectory

    init(_ runs: RunsDirectory) { self.runs = runs }

    var all: [Finding] {
        let resting = runs.runs().filter { !$0.hasSupervisor() }
        var interrupted: [String] = []
        var unreadable: [String] = []
        // What a resume goes on with, and what nobody will.
        var cut: [String] = []
        var parts: [String] = []
        for run in resting {
            parts += Self.temporaries(below: run.path)
            guard let state = try? run.state() else {
                unreadable.append(run.id)
                continue
            }
            if RunCondition.word(state, hasSupervisor: false) == "interrupted" {
                interrupted.append(run.id)
                if !run.partsFolders.isEmpty { cut.append(run.id) }
            } else if state.openJobs.isEmpty {
                parts += run.partsFolders
            }
        }
        let sockets = resting.map(\.socket).filter { FileSystem.exists($0) }
        let findings = [
            Self.finding("interrupted", interrupted, "interrupted") {
                "ecr run resume --run \($0[0]), or ecr run abort --run \($0[0])"
            },
            Self.finding("damaged", unreadable, "not to be read") { "ecr run show \($0[0])" },
            Self.finding("sockets left", sockets, "without a supervisor", remedy: Self.removal),
            Self.finding("cut transfers", cut, "with files that have not come whole") {
                "ecr run resume --run \($0[0]) goes on with them, ecr run abort --run \($0[0]) removes them"
            },
            Self.finding("partial files", parts, "from a transfer that was cut", remedy: Self.removal),
        ].compactMap { $0 }
        return findings.isEmpty ? [Finding("left behind", .ok, "nothing in the runs directory")] : findings
    }

    private static func finding(
        _ check: String, _ names: [String], _ what: String, remedy: ([String]) -> String
    ) -> Finding? {
        guard let first = names.first else { return nil }
        let more = names.count > 1 ? " and \(names.count - 1) more" : ""
        return Finding(
            check, .warning, "\(first)\(more) \(what)", hint: remedy(names), details: ["names": JSON(strings: names)])
    }

    /// Origin of 8: what still is a command to be copied.
    private static func removal(_ files: [String]) -> String {
        let files = files.prefix(8)
        let command = files.contains { FileSystem.isDirectory($0) } ? "rm -r " : "rm "
        return command + files.map(shellWord).joined(separator: " ")
    }

    /// What the replacement of a file leaves when the process is killed in the middle of it.
    private static func temporaries(below directory: String) -> [String] {
        ((try? FileSystem.list(directory)) ?? []).flatMap { name -> [String] in
            let path = "\(directory)/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0 else { return [] }
            if status.st_mode & S_IFMT == S_IFDIR { return temporaries(below: path) }
            return FileSystem.isTemporary(name) ? [path] : []
        }
    }
}
