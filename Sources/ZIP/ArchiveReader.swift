import CLibZip
import Glibc
import LinuxSystem

/// One entry as the archive's directory describes it. Nothing of it can be trusted before `problem` is nil.
package struct ArchiveEntry: Sendable, Equatable {
    /// The entry's place in the archive, from 0.
    package let index: Int
    /// The raw name; bytes that are not UTF-8 are replaced, and `problem` says so.
    package let name: String
    /// Bytes after and before compression, as declared: reading never gives more than `size`.
    package let size: Int64
    package let compressedSize: Int64
    package let crc32: UInt32
    /// Seconds since 1970.
    package let modificationTime: Int64
    /// Permission bits where the archive was made on a Unix, else nil.
    package let mode: UInt32?
    package let isDirectory: Bool
    package let isSymlink: Bool
    /// Why the entry must not be unpacked: a name that leads outside or stands twice, a link, a device, a password;
    /// nil for a good one. Names that differ by case only are fine here: Linux keeps them apart.
    package let problem: String?

    package var isSafe: Bool { problem == nil }
}

/// Reads a ZIP archive. Not thread-safe: one owner at a time.
package final class ArchiveReader {
    package let path: String
    /// All entries in the archive's order.
    package let entries: [ArchiveEntry]
    private let archive: OpaquePointer

    /// Opens an archive and reads its directory.
    /// - Throws: `ArchiveError`: `.notAnArchive`, `.damaged`, `.system`.
    package init(path: String) throws(ArchiveError) {
        var code: Int32 = 0
        guard let archive = zip_open(path, ZIP_RDONLY, &code) else { throw ArchiveError(openCode: code, path: path) }
        do throws(ArchiveError) {
            entries = try Directory(archive, path).entries()
        } catch {
            zip_discard(archive)
            throw error
        }
        self.archive = archive
        self.path = path
    }

    deinit { zip_discard(archive) }

    /// The first entry of exactly this name, byte by byte.
    package func entry(named name: String) -> ArchiveEntry? {
        entries.first { $0.name.utf8.elementsEqual(name.utf8) }
    }

    /// Gives the bytes of an entry in pieces of at most 64 KiB; the checksum is verified at the end.
    /// - Throws: `ArchiveError`, or what `body` throws.
    package func read(_ entry: ArchiveEntry, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard let file = zip_fopen_index(archive, UInt64(entry.index), 0) else {
            throw ArchiveError(zip_get_error(archive), path: "\(path): \(entry.name)")
        }
        defer { zip_fclose(file) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
        defer { buffer.deallocate() }
        var total: Int64 = 0
        while true {
            let count = zip_fread(file, buffer.baseAddress!, UInt64(buffer.count))
            if count < 0 { throw ArchiveError(zip_file_get_error(file), path: "\(path): \(entry.name)") }
            if count == 0 { break }
            total += count
            guard total <= entry.size else { throw damaged(entry, "is longer than the \(entry.size) bytes declared") }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)]))
        }
        guard total == entry.size else { throw damaged(entry, "has \(total) bytes, not the \(entry.size) declared") }
    }

    /// The whole of an entry.
    /// - Throws: `ArchiveError`; `.limit` where the entry declares more than `limit` bytes.
    package func read(_ entry: ArchiveEntry, limit: Int64) throws(ArchiveError) -> [UInt8] {
        guard entry.size <= limit else {
            throw ArchiveError(.limit, "has \(entry.size) bytes, more than \(limit)", path: "\(path): \(entry.name)")
        }
        var bytes: [UInt8] = []
        do {
            try read(entry) { bytes.append(contentsOf: $0) }
        } catch let error as ArchiveError {
            throw error
        } catch {
            preconditionFailure("an error of an unknown type: \(error)")
        }
        return bytes
    }

    private func damaged(_ entry: ArchiveEntry, _ message: String) -> ArchiveError {
        ArchiveError(.damaged, message, path: "\(path): \(entry.name)")
    }
}

/// The central directory of an open archive.
private struct Directory {
    let archive: OpaquePointer
    let path: String

    init(_ archive: OpaquePointer, _ path: String) {
        self.archive = archive
        self.path = path
    }

    func entries() throws(ArchiveError) -> [ArchiveEntry] {
        let count = zip_get_num_entries(archive, 0)
        var names = NameRegister()
        var entries: [ArchiveEntry] = []
        for index in 0..<max(0, count) { entries.append(try entry(UInt64(index), &names)) }
        return entries
    }

    private func entry(_ index: UInt64, _ names: inout NameRegister) throws(ArchiveError) -> ArchiveEntry {
        var status = zip_stat_t()
        guard zip_stat_index(archive, index, 0, &status) == 0,
            let rawName = zip_get_name(archive, index, zip_flags_t(ZIP_FL_ENC_RAW))
        else { throw ArchiveError(zip_get_error(archive), path: path) }
        let nameBytes = UnsafeRawBufferPointer(start: rawName, count: strlen(rawName))
        let validName = String(validating: nameBytes, as: UTF8.self)
        let name = validName ?? String(decoding: nameBytes, as: UTF8.self)
        let mode = unixMode(index)
        let kind = (mode ?? 0) & S_IFMT
        let isDirectory = name.utf8.last == UInt8(ascii: "/")
        return ArchiveEntry(
            index: Int(index), name: name, size: Int64(clamping: status.size),
            compressedSize: Int64(clamping: status.comp_size), crc32: status.crc,
            modificationTime: extendedTime(index) ?? Int64(status.mtime), mode: mode.map { $0 & 0o7777 },
            isDirectory: isDirectory, isSymlink: kind == S_IFLNK,
            problem: (validName == nil ? "a name that is not UTF-8" : nil) ?? EntryName.problem(name)
                ?? names.add(name) ?? problem(kind: kind, isDirectory: isDirectory)
                ?? (status.encryption_method == ZIP_EM_NONE ? nil : "an encrypted entry"))
    }

    private func problem(kind: UInt32, isDirectory: Bool) -> String? {
        switch kind {
        case S_IFLNK: "a symbolic link"
        case 0: nil
        case S_IFDIR: isDirectory ? nil : "a directory under a file's name"
        case S_IFREG: isDirectory ? "a file under a directory's name" : nil
        default: "a device, a pipe or a socket"
        }
    }

    private func unixMode(_ index: UInt64) -> UInt32? {
        var system: UInt8 = 0
        var attributes: UInt32 = 0
        guard zip_file_get_external_attributes(archive, index, 0, &system, &attributes) == 0,
            Int32(system) == ZIP_OPSYS_UNIX, attributes >> 16 != 0
        else { return nil }
        return attributes >> 16
    }

    private func extendedTime(_ index: UInt64) -> Int64? {
        var length: UInt16 = 0
        let flags = zip_flags_t(ZIP_FL_CENTRAL)
        guard let field = zip_file_extra_field_get_by_id(archive, index, ExtendedTimestamp.id, 0, &length, flags)
        else { return nil }
        return ExtendedTimestamp.decode(UnsafeBufferPointer(start: field, count: Int(length)))
    }
}
