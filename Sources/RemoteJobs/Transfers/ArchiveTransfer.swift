import Glibc
package import LinuxSystem
package import SSH

/// Fetches many files in one stream of the target's `tar`, in bounded memory. Runs on the SSH loop.
///
/// What does not come, or not whole, must be fetched by itself: `tar` cannot tell its reasons file by file.
@SSHActor package struct ArchiveTransfer {
    private let line: TransferLine
    private let worker: Worker

    package init(over line: TransferLine, worker: Worker) {
        self.line = line
        self.worker = worker
    }

    /// - Parameters:
    ///   - part: where a file's bytes go.
    ///   - progress: files and bytes that are here.
    /// - Returns: what has come whole, by the files' places in the list. None of it is synced.
    /// - Throws: `SSHError` where the link fails, `SystemError` from the local disk.
    package func fetch(
        _ files: [RemoteFile], to part: (RemoteFile) -> String,
        progress: @escaping @Sendable (Int, Int64) -> Void = { _, _ in }
    ) async throws -> [Int: ReceivedFile] {
        let intake = ArchiveIntake(files, parts: files.map(part))
        let text = "export LC_ALL=C; exec xargs -0 tar -cf - -C / -- 2>/dev/null"
        let script = try await line.start(Array(text.utf8))
        defer { script.close() }
        // Written and read side by side: neither waits for the other's buffers.
        let writer = Task { try? await Self.writeNames(of: files, to: script) }
        while let bytes = try await script.read() {
            try Task.checkCancellation()
            let isSound = try await worker.run {
                let isSound = try intake.take(bytes)
                progress(intake.received.count, intake.bytes)
                return isSound
            }
            if !isSound { break }
        }
        script.close()
        await writer.value
        if let failure = line.session.isConnected ? nil : SSHError(.connectionLost, "the link was lost") {
            throw failure
        }
        return try await worker.run {
            intake.close()
            return intake.received
        }
    }

    /// Names go without their first slash, on which `tar -C /` would only remark.
    private static func writeNames(of files: [RemoteFile], to script: RemoteScript) async throws(SSHError) {
        var batch: [UInt8] = []
        for file in files {
            batch += file.path.dropFirst() + [0]
            if batch.count > 64 << 10 {
                try await script.write(batch)
                batch = []
            }
        }
        try await script.write(batch)
        script.endInput()
    }
}

/// Writes the entries of an archive to part files. Touched by one worker only.
private final class ArchiveIntake: @unchecked Sendable {
    // @unchecked because only the jobs of one `Worker`, which run one after the other, touch it.
    private let files: [RemoteFile]
    private let parts: [String]
    private let places: [[UInt8]: Int]
    private var reader = TarReader()
    private var current: (place: Int, file: PartFile)?
    private(set) var received: [Int: ReceivedFile] = [:]
    private(set) var bytes: Int64 = 0

    init(_ files: [RemoteFile], parts: [String]) {
        self.files = files
        self.parts = parts
        var places: [[UInt8]: Int] = [:]
        for (place, file) in files.enumerated() { places[Self.plain(file.path)] = place }
        self.places = places
    }

    private static func plain(_ name: [UInt8]) -> [UInt8] { Array(name.drop { $0 == UInt8(ascii: "/") }) }

    /// False once the stream makes no sense any more.
    func take(_ piece: [UInt8]) throws(SystemError) -> Bool {
        let found: [TarReader.Part]
        do throws(TarReader.Malformed) { found = try reader.take(piece) } catch { return false }
        for part in found {
            switch part {
            case .entry(let entry): try begin(entry)
            case .content(let content):
                try current?.file.append(content)
                bytes += Int64(content.count)
            case .end: try end()
            }
        }
        return true
    }

    private func begin(_ entry: TarReader.Entry) throws(SystemError) {
        guard let place = places[Self.plain(entry.name)], received[place] == nil else { return }
        switch entry.kind {
        case .regular:
            // What has grown is left to whoever takes it as long as it was; else it might never end.
            if entry.size <= files[place].size { current = (place, try PartFile(parts[place])) }
        case .hardLink(let name):
            guard let other = places[Self.plain(name)].flatMap({ received[$0] }) else { return }
            unlink(parts[place])
            try check("link", path: parts[place]) { link(other.part, parts[place]) }
            received[place] = ReceivedFile(
                part: parts[place], size: other.size, sha256: other.sha256, method: .tar)
        case .other: break
        }
    }

    private func end() throws(SystemError) {
        guard let (place, file) = current else { return }
        current = nil
        try file.finish(isExecutable: files[place].permissions & 0o100 != 0, isSynced: false)
        received[place] = ReceivedFile(part: parts[place], size: file.size, sha256: file.sha256, method: .tar)
    }

    /// A part that was cut stays for whoever fetches its file alone.
    func close() { current = nil }
}
