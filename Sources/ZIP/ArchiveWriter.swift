import CLibZip
import Glibc
import LinuxSystem

/// Writes a ZIP archive that is in its place completely or not at all.
///
/// Entries are collected by the `add` calls, which verify them, and are read and compressed by `finish`, in a temporary
/// file beside the destination. Without `finish`, or when it fails, the destination stays as it was. Memory is bounded
/// by the number of entries and by the bytes given to `add(name:bytes:…)`, not by the size of files. Not thread-safe:
/// one owner at a time.
package final class ArchiveWriter {
    package enum Compression: Sendable {
        /// Stored where the suffix says that the bytes are compressed already, else deflate.
        case automatic
        case deflate
        case stored
    }

    package let destination: String
    private let temporary: String
    /// zip_t; nil once it is closed.
    private var archive: OpaquePointer?
    private var names = NameRegister()
    private var isEmpty = true
    private let failures = SourceFailures()

    /// - Parameter destination: the archive's path; its directory must exist and be writable.
    /// - Throws: `ArchiveError`.
    package init(destination: String) throws(ArchiveError) {
        self.destination = destination
        let parent = FileSystem.parent(of: destination)
        // libzip makes files only when it closes: find out now, not after the work.
        guard access(parent.isEmpty ? "." : parent, W_OK | X_OK) == 0 else {
            throw ArchiveError(SystemError("write into", path: parent), path: destination)
        }
        if FileSystem.isDirectory(destination) {
            throw ArchiveError(.system, "is a directory", path: destination, systemCode: EISDIR)
        }
        let random = Host.randomHex(4)
        temporary = "\(destination).tmp-\(getpid())-\(random)"
        var code: Int32 = 0
        archive = zip_open(temporary, ZIP_CREATE | ZIP_EXCL, &code)
        if archive == nil { throw ArchiveError(openCode: code, path: destination) }
    }

    deinit { discard() }

    /// Gives up: nothing is written. Without effect after `finish`.
    package func discard() {
        guard let archive else { return }
        zip_discard(archive)
        self.archive = nil
        unlink(temporary)
    }

    /// Adds an entry for a directory, mode 0755. Files need none for the directories above them.
    /// - Parameters:
    ///   - name: relative, with or without a `/` at its end.
    ///   - modificationTime: seconds since 1970.
    package func addDirectory(_ name: String, modificationTime: Int64) throws(ArchiveError) {
        let name = name.hasSuffix("/") ? name : "\(name)/"
        try register(name)
        let index = try require(zip_dir_add(open, name, zip_flags_t(ZIP_FL_ENC_UTF_8)))
        try describe(index, mode: S_IFDIR | 0o755, modificationTime)
    }

    /// Adds the first `length` bytes of a file, which may grow meanwhile: what it holds beyond them is never read.
    /// - Parameters:
    ///   - name: the entry's relative name.
    ///   - path: a regular file; it must stay until `finish`.
    ///   - length: nil for all that the file holds now.
    ///   - isExecutable: mode 0755 instead of 0644.
    /// - Throws: `ArchiveError` with `.source` when the file is not there, is a link or no file, or is shorter.
    package func add(
        name: String, path: String, length: Int64? = nil, isExecutable: Bool = false,
        compression: Compression = .automatic
    ) throws(ArchiveError) {
        precondition(length ?? 0 >= 0, "a negative length")
        let source = try FileSource(path: path, length: length, failures: failures)
        try register(name)
        let index = try add(name, source.makeSource(for: open), compression)
        try describe(index, mode: S_IFREG | (isExecutable ? 0o755 : 0o644), source.modificationTime)
    }

    /// Adds bytes, which are copied and kept until `finish`.
    package func add(
        name: String, bytes: [UInt8], modificationTime: Int64, compression: Compression = .automatic
    ) throws(ArchiveError) {
        try register(name)
        let index = try add(name, bufferSource(bytes), compression)
        try describe(index, mode: S_IFREG | 0o644, modificationTime)
    }

    /// Compresses everything, waits until it is on the medium and puts it in the place of the destination. The writer
    /// is used up, also when this throws.
    /// - Parameters:
    ///   - progress: called now and then with a fraction from 0 to 1, at last with 1 when the archive is in its place.
    ///   - isCancelled: asked often; true ends the work with `.cancelled`.
    /// - Throws: `ArchiveError`; the destination is then what it was before.
    package func finish(
        progress: ((Double) -> Void)? = nil, isCancelled: (() -> Bool)? = nil
    ) throws(ArchiveError) {
        precondition(archive != nil, "the archive is finished")
        do throws(ArchiveError) {
            if isEmpty { try writeEmpty() } else { try close(progress, isCancelled) }
            try putInPlace()
            progress?(1)
        } catch {
            discard()
            unlink(temporary)
            throw error
        }
    }

    // MARK: Adding

    private var open: OpaquePointer {
        guard let archive else { preconditionFailure("the archive is finished") }
        return archive
    }

    private func register(_ name: String) throws(ArchiveError) {
        guard let problem = EntryName.problem(name) ?? names.add(name) else { return }
        throw ArchiveError(.name, "refuses the entry \"\(name)\": \(problem)", path: destination)
    }

    /// libzip owns the source once it is added, and not before (zip_file_add(3)).
    private func add(
        _ name: String, _ source: OpaquePointer?, _ compression: Compression
    ) throws(ArchiveError) -> UInt64 {
        guard let source else { throw failure() }
        let index = zip_file_add(open, name, source, zip_flags_t(ZIP_FL_ENC_UTF_8))
        if index < 0 {
            let error = failure()
            zip_source_free(source)
            throw error
        }
        let isStored = compression == .stored || compression == .automatic && Self.isCompressed(name)
        try require(zip_set_file_compression(open, UInt64(index), isStored ? ZIP_CM_STORE : ZIP_CM_DEFLATE, 0))
        return UInt64(index)
    }

    /// A copy that libzip frees; it wants memory of malloc(3).
    private func bufferSource(_ bytes: [UInt8]) -> OpaquePointer? {
        guard let copy = malloc(max(1, bytes.count)) else { return nil }
        bytes.withUnsafeBytes { if let base = $0.baseAddress { copy.copyMemory(from: base, byteCount: bytes.count) } }
        let source = zip_source_buffer(open, copy, UInt64(bytes.count), 1)
        if source == nil { free(copy) }
        return source
    }

    /// Suffixes of formats that deflate cannot make smaller.
    private static func isCompressed(_ name: String) -> Bool {
        let suffixes = [".zip", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".png", ".jpg", ".jpeg", ".mp4", ".webp", ".npz"]
        let lower = name.lowercased()
        return suffixes.contains { lower.hasSuffix($0) }
    }

    /// Unix mode and time. The time of the ZIP format itself is local, in steps of two seconds; the extended timestamp
    /// (extra field 0x5455, "UT") beside it holds seconds in UTC.
    private func describe(_ index: UInt64, mode: UInt32, _ time: Int64) throws(ArchiveError) {
        isEmpty = false
        let directoryFlag: UInt32 = mode & S_IFMT == S_IFDIR ? 0x10 : 0
        let attributes = mode << 16 | directoryFlag
        try require(zip_file_set_external_attributes(open, index, 0, UInt8(ZIP_OPSYS_UNIX), attributes))
        try require(zip_file_set_mtime(open, index, time_t(time), 0))
        guard let field = ExtendedTimestamp.encode(time) else { return }
        let flags = zip_flags_t(ZIP_FL_LOCAL | ZIP_FL_CENTRAL)
        try require(
            zip_file_extra_field_set(
                open, index, ExtendedTimestamp.id, UInt16(ZIP_EXTRA_FIELD_NEW), field, UInt16(field.count), flags))
    }

    @discardableResult
    private func require(_ result: some SignedInteger) throws(ArchiveError) -> UInt64 {
        if result < 0 { throw failure() }
        return UInt64(result)
    }

    /// What failed: a source where one has said so, else what libzip knows.
    private func failure() -> ArchiveError { failures.first ?? ArchiveError(zip_get_error(open), path: destination) }

    // MARK: Finishing

    private func close(_ progress: ((Double) -> Void)?, _ isCancelled: (() -> Bool)?) throws(ArchiveError) {
        if let progress { try registerProgress(progress) }
        if let isCancelled { try registerCancellation(isCancelled) }
        guard zip_close(open) == 0 else { throw failure() }
        archive = nil
    }

    /// libzip makes no file for an archive without entries: the end record alone is one (APPNOTE.TXT 4.3.16).
    private func writeEmpty() throws(ArchiveError) {
        discard()
        let endRecord: [UInt8] = [0x50, 0x4B, 0x05, 0x06] + [UInt8](repeating: 0, count: 18)
        do throws(SystemError) {
            try File(path: temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o666).write(endRecord, at: 0)
        } catch {
            throw ArchiveError(error, path: destination)
        }
    }

    /// libzip does not sync: without it a power cut could leave an empty file under the destination's name.
    private func putInPlace() throws(ArchiveError) {
        do throws(SystemError) {
            try File(path: temporary, O_RDONLY).sync()
            try FileSystem.rename(temporary, to: destination)
        } catch {
            throw ArchiveError(error, path: destination)
        }
    }

    private func registerProgress(_ body: @escaping (Double) -> Void) throws(ArchiveError) {
        let box = Unmanaged.passRetained(Box(body)).toOpaque()
        // Origin of 0.005: steps finer than what a progress bar of 100 columns can show are not worth a call.
        let code = zip_register_progress_callback_with_state(
            open, 0.005, { _, fraction, box in Unmanaged<Box<(Double) -> Void>>.of(box).value(fraction) },
            { Unmanaged<Box<(Double) -> Void>>.fromOpaque($0!).release() }, box)
        try require(code)
    }

    private func registerCancellation(_ body: @escaping () -> Bool) throws(ArchiveError) {
        let box = Unmanaged.passRetained(Box(body)).toOpaque()
        let code = zip_register_cancel_callback_with_state(
            open, { _, box in Unmanaged<Box<() -> Bool>>.of(box).value() ? 1 : 0 },
            { Unmanaged<Box<() -> Bool>>.fromOpaque($0!).release() }, box)
        try require(code)
    }
}

/// A closure on the heap, which libzip keeps and gives back to its callbacks.
private final class Box<Value> {
    let value: Value
    init(_ value: Value) { self.value = value }
}

extension Unmanaged {
    fileprivate static func of(_ pointer: UnsafeMutableRawPointer?) -> Instance {
        fromOpaque(pointer!).takeUnretainedValue()
    }
}
