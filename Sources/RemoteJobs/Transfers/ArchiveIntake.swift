import Glibc
import LinuxSystem

/// Writes the files of an `ArchiveTransfer` to their parts. Touched by one worker only.
final class ArchiveIntake: @unchecked Sendable {
    // @unchecked because only the jobs of one `Worker`, which run one after the other, touch it.
    struct State: Sendable {
        /// False once the stream makes no sense any more.
        let isSound: Bool
        /// What has come whole and was not taken out yet.
        let files: Int
        let bytes: Int64
    }

    private let files: [RemoteFile]
    private let parts: [String]
    private let places: [[UInt8]: Int]
    private var frames: ArchiveFrames
    private var current: (place: Int, file: PartFile)?
    private var waiting: [ArchiveTransfer.Arrived] = []
    private var waitingBytes: Int64 = 0
    private var isClosed = false
    /// By the files' places; a second one of the name is none of ours.
    private var hasCome: [Bool]
    /// What the target has said of files that have not come yet, by their places.
    private var hashes: [Int: String] = [:]
    /// The place behind the last one that the target has told a hash of.
    private var firstUnhashed = 0
    /// That have come whole, and bytes that have come at all.
    private(set) var count = 0
    private(set) var bytes: Int64 = 0

    init(_ files: [RemoteFile], parts: [String], marker: String) {
        self.files = files
        self.parts = parts
        frames = ArchiveFrames(marker: marker)
        hasCome = [Bool](repeating: false, count: files.count)
        var places: [[UInt8]: Int] = [:]
        for (place, file) in files.enumerated() { places[Self.plain(file.path)] = place }
        self.places = places
    }

    private static func plain(_ name: [UInt8]) -> [UInt8] { Array(name.drop { $0 == UInt8(ascii: "/") }) }

    func take(_ piece: [UInt8]) throws(SystemError) -> State {
        if isClosed { return State(isSound: false, files: 0, bytes: 0) }
        var found: [ArchiveFrames.Frame] = []
        var isSound = true
        do throws(TarReader.Malformed) { found = try frames.take(piece) } catch { isSound = false }
        for frame in found {
            switch frame {
            case .hashes(let text): note(text)
            case .part(.entry(let entry)): try begin(entry)
            case .part(.content(let content)):
                try current?.file.append(content)
                bytes += Int64(content.count)
            case .part(.end): try end()
            }
        }
        return State(isSound: isSound, files: waiting.count, bytes: waitingBytes)
    }

    private func note(_ text: [UInt8]) {
        let first = firstUnhashed
        for (place, hash) in RemoteHashes.match(files[first...].lazy.map(\.path), text) {
            hashes[first + place] = hash
            firstUnhashed = first + place + 1
        }
    }

    private func begin(_ entry: TarReader.Entry) throws(SystemError) {
        guard let place = places[Self.plain(entry.name)], !hasCome[place] else { return }
        switch entry.kind {
        case .regular:
            // What has grown is left to whoever takes it as long as it was; else it might never end.
            if entry.size <= files[place].size { current = (place, try make(parts[place])) }
        case .hardLink(let name):
            // What was taken out may have left its part.
            let other = places[Self.plain(name)].flatMap { other in waiting.last { $0.place == other } }
            guard let other else { return }
            try FileSystem.makeDirectories(FileSystem.parent(of: parts[place]))
            unlink(parts[place])
            try check("link", path: parts[place]) { link(other.file.part, parts[place]) }
            add(place, size: other.file.size, sha256: other.file.sha256)
        case .other: break
        }
    }

    /// Folders are made when the first file comes into them.
    private func make(_ part: String) throws(SystemError) -> PartFile {
        do { return try PartFile(part) } catch {
            guard error.code == ENOENT else { throw error }
            try FileSystem.makeDirectories(FileSystem.parent(of: part))
            return try PartFile(part)
        }
    }

    private func end() throws(SystemError) {
        guard let (place, file) = current else { return }
        current = nil
        try file.finish(isExecutable: files[place].permissions & 0o100 != 0, isSynced: false)
        add(place, size: file.size, sha256: file.sha256)
    }

    private func add(_ place: Int, size: Int64, sha256: String) {
        let received = ReceivedFile(part: parts[place], size: size, sha256: sha256, method: .tar)
        waiting.append(
            ArchiveTransfer.Arrived(place: place, file: received, remoteSHA256: hashes.removeValue(forKey: place)))
        waitingBytes += size
        hasCome[place] = true
        count += 1
    }

    /// What has come whole since the last time.
    func takeOut() -> [ArchiveTransfer.Arrived] {
        defer { (waiting, waitingBytes) = ([], 0) }
        return waiting
    }

    /// What was cut stays for whoever fetches its file alone. Nothing is written afterwards.
    func close() {
        current = nil
        isClosed = true
    }
}
