import Glibc
import JSON
import LinuxSystem
import RunStore

/// Whether runs can be kept where they would be: tried out in a directory that is removed again.
struct RunsDirectoryFindings {
    private let runs: RunsDirectory

    init(_ runs: RunsDirectory) { self.runs = runs }

    /// Origin: a day of one-second samples of a few collectors is some ten MiB; datasets are written beside them.
    private static let scarceBytes: Int64 = 256 << 20

    var all: [Finding] {
        let base = existing(runs.path)
        let trial = "\(base)/.ecr-doctor-\(Host.randomHex(8))"
        do { try FileSystem.makeDirectory(trial) } catch {
            return [
                Finding(
                    "runs directory", .failed, "\(runs.path) cannot be written: \(error.reason)",
                    hint: "choose another with --runs-dir or $ECR_RUNS_DIR", details: ["path": .string(runs.path)])
            ]
        }
        defer { try? FileSystem.removeTree(trial) }
        return [place(base), locks(trial), sockets(trial), room(base)]
    }

    /// The nearest directory that is there.
    private func existing(_ path: String) -> String {
        FileSystem.exists(path) || path.isEmpty ? path : existing(FileSystem.parent(of: path))
    }

    private func place(_ base: String) -> Finding {
        let text = (try? FileSystem.read("/proc/self/mountinfo")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let table = MountTable(mountinfo: text)
        let path = (try? FileSystem.realPath(base)) ?? base
        let mount = table.mount(of: path)
        let medium = mount.map { " on \($0.type) (\($0.source))" } ?? ""
        let known = runs.runs().count
        let content = base == runs.path ? ", \(known) run\(known == 1 ? "" : "s")" : ", made when it is needed"
        let details: JSONObject = [
            "path": .string(runs.path), "exists": .bool(base == runs.path),
            "file_system": mount.map { .string($0.type) }, "source": mount.map { .string($0.source) },
            "runs": JSON(known),
        ]
        guard table.storage(of: path) == .memory else {
            return Finding("runs directory", .ok, "\(runs.path)\(medium)\(content)", details: details)
        }
        return Finding(
            "runs directory", .warning, "\(runs.path)\(medium) is in RAM: runs are lost at a reboot",
            hint: "choose another with --runs-dir or $ECR_RUNS_DIR", details: details)
    }

    private func locks(_ trial: String) -> Finding {
        do {
            let first = try File(path: "\(trial)/lock", O_RDWR | O_CREAT)
            let second = try File(path: "\(trial)/lock", O_RDWR)
            guard try first.lock(byte: 0), try second.isLocked(byte: 0), try !second.lock(byte: 0) else {
                throw SystemError("exclude a second holder of a lock in", path: runs.path, code: ENOLCK)
            }
            return Finding("locks", .ok, "work there")
        } catch {
            return Finding(
                "locks", .failed, "do not work there: \(error)",
                hint: "choose another file system with --runs-dir; network file systems often have no locks")
        }
    }

    /// Under a name as long as a run's.
    private func sockets(_ trial: String) -> Finding {
        let run = "\(trial)/2026-01-27_143052_a-run-of-some-name"
        do {
            try FileSystem.makeDirectory(run)
            let listener = try UnixSocket.listen(at: "\(run)/control.sock")
            _ = try UnixSocket.connect(to: listener.path)
            return Finding("sockets", .ok, "work there")
        } catch {
            return Finding(
                "sockets", .failed, "do not work there: \(error)",
                hint: "choose another file system with --runs-dir or $ECR_RUNS_DIR")
        }
    }

    private func room(_ base: String) -> Finding {
        guard let bytes = try? FileSystem.freeBytes(base) else {
            return Finding("disk", .warning, "it cannot be seen how much room there is for runs")
        }
        let details: JSONObject = ["free_bytes": .int(bytes)]
        let message = bytes >= 10 << 30 ? "\(bytes >> 30) GiB free for runs" : "\(bytes >> 20) MiB free for runs"
        if bytes >= Self.scarceBytes { return Finding("disk", .ok, message, details: details) }
        return Finding(
            "disk", .warning, message, hint: "make room, or choose another place with --runs-dir", details: details)
    }
}
