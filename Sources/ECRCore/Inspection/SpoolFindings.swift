import JSON
import LinuxSystem
import RemoteJobs

/// Where the spools of a target lie: on what, whose it is, how much room there is.
struct SpoolFindings {
    let place: SpoolPlace
    let mount: MountTable.Mount?
    let storage: Storage
    /// The kernel's name of the block device.
    let block: String?
    let controller: ControllerIdentity
    let reference: String

    /// Origin: a gigabyte an hour is far more than most experiments write; below this a long one is in danger.
    private static let scarceBytes: Int64 = 64 << 20
    /// Below this not even a job's records are sure to fit.
    private static let noBytes: Int64 = 1 << 20
    /// Origin: a job has up to ten files.
    private static let scarceInodes: Int64 = 1000

    var all: [Finding] { [spool, lock, room] }

    static func notWritable(_ places: [SpoolPlace], user: String) -> Finding {
        Finding(
            "spool", .failed, "\(user) can write in none of \(places.map(\.path).joined(separator: ", "))",
            hint: "set `connection: spool_dir:` in the profile to a directory that \(user) can write")
    }

    private var spool: Finding {
        let medium = mount.map { " on \($0.type) (\(block ?? $0.source))" } ?? ""
        let place = "\(self.place.path)\(self.place.exists ? "" : ", made when it is needed,")\(medium)"
        let elsewhere = "set `connection: spool_dir:` in the profile to a place that survives, if reboots may happen"
        let details: JSONObject = [
            "path": .string(self.place.path), "exists": .bool(self.place.exists),
            "file_system": mount.map { .string($0.type) }, "source": mount.map { .string($0.source) },
            "storage": .string(storage.rawValue), "survives_reboot": storage.survivesReboot.map { .bool($0) } ?? .null,
        ]
        switch storage {
        case .memory:
            return Finding("spool", .warning, "\(place): in RAM, lost at a reboot", hint: elsewhere, details: details)
        case .unknown:
            return Finding(
                "spool", .warning, "\(place): it cannot be seen whether it survives a reboot", hint: elsewhere,
                details: details)
        case .flash:
            return Finding(
                "spool", .ok, "\(place): survives a reboot; flash memory, which much output wears", details: details)
        case .disk, .network: return Finding("spool", .ok, "\(place): survives a reboot", details: details)
        }
    }

    private var lock: Finding {
        let runs = "\(place.runs) spool\(place.runs == 1 ? "" : "s")"
        guard let lock = place.lock else {
            guard place.isLockDamaged else {
                let message = place.runs == 0 ? "nobody's" : "nobody's, \(runs) left behind"
                return Finding("spool lock", .ok, message, details: ["holder": .null, "spools": JSON(place.runs)])
            }
            return Finding(
                "spool lock", .failed, "held by a controller whose name cannot be read, with \(runs)",
                hint: "ecr target clean \(reference) --take-over")
        }
        let details: JSONObject = [
            "holder": .string(lock.name), "since": .string(lock.since), "own": .bool(lock.controller == controller.id),
            "spools": JSON(place.runs),
        ]
        if lock.controller == controller.id {
            return Finding("spool lock", .ok, "this controller's, \(lock.holder), \(runs)", details: details)
        }
        return Finding(
            "spool lock", .failed, "held by \(lock.holder), \(runs): no run can start from here",
            hint: "ask them, or work beside them: ecr run start … --share; if it is long over: ecr target clean "
                + "\(reference) --take-over", details: details)
    }

    private var room: Finding {
        let details: JSONObject = [
            "free_bytes": place.freeBytes.map { .int($0) }, "free_inodes": place.freeInodes.map { .int($0) },
        ]
        guard let bytes = place.freeBytes else {
            return Finding("disk", .warning, "the target's df does not say how much room there is", details: details)
        }
        let inodes = place.freeInodes.map { ", \($0) inodes" } ?? ""
        let message = "\(bytes >= 10 << 30 ? "\(bytes >> 30) GiB" : "\(bytes >> 20) MiB")\(inodes) free for spools"
        if bytes < Self.noBytes { return Finding("disk", .failed, message, hint: "make room", details: details) }
        if bytes < Self.scarceBytes || place.freeInodes ?? .max < Self.scarceInodes {
            return Finding(
                "disk", .warning, "\(message): the output of jobs stays there until it is compared",
                hint: "make room, or set `connection: spool_dir:` to another place", details: details)
        }
        return Finding("disk", .ok, message, details: details)
    }
}
