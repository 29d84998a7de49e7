/// One raw log or table as the events tell it, piece after piece.
struct RecordedLog {
    /// What the record keeps of a piece's bytes.
    enum Content {
        case bytes([UInt8])
        case sha256(String)
        /// Nothing but their number.
        case nothing
    }

    let path: String
    /// The length of all pieces so far.
    private(set) var length: Int64 = 0
    /// Nothing is appended any more: every job that writes to it has an end on record.
    var isFinal = false
    private var refusal: CheckedFiles.Refusal?
    /// The first piece that is not as it was recorded, and how many there are.
    private var change: String?
    private var changes = 0

    init(_ path: String) { self.path = path }

    /// Compares the next piece.
    /// - Returns: a word about the record itself, where the piece does not follow the one before.
    mutating func compare(
        _ files: CheckedFiles, from start: Int64, count: Int64, _ content: Content
    ) -> String? {
        guard start >= 0, count >= 0, count <= Int64.max - start else {
            return "a piece of \(path) at \(start) with \(count) bytes is impossible"
        }
        let gap =
            start == length ? nil : "a piece of \(path) begins at \(start), but \(length) bytes are recorded so far"
        length = start + count
        guard refusal == nil, count > 0 else { return gap }
        do throws(CheckedFiles.Refusal) {
            if try !isEqual(files, start, count, content) { noteChange(start, count) }
        } catch { refusal = error }
        return gap
    }

    private func isEqual(
        _ files: CheckedFiles, _ start: Int64, _ count: Int64, _ content: Content
    ) throws(CheckedFiles.Refusal) -> Bool {
        switch content {
        case .bytes(let bytes):
            guard bytes.count == count else { return false }
            return try files.holds(path, at: start, bytes)
        case .sha256(let hash): return try files.hash(path, from: start, count: count) == hash
        case .nothing: return try files.size(of: path) >= start + count
        }
    }

    private mutating func noteChange(_ start: Int64, _ count: Int64) {
        changes += 1
        if change == nil { change = "the bytes \(start) to \(start + count - 1) are not those that were recorded" }
    }

    /// What is wrong with the file, in one sentence that begins with its name.
    func damage(_ files: CheckedFiles) -> String? {
        if let refusal { return "\(refusal.message); \(length) bytes are recorded" }
        // Of a job that wrote nothing there may be no file.
        guard let size = try? files.size(of: path) else { return nil }
        if size < length { return "has \(size) bytes, \(length) are recorded" }
        if let change { return changes == 1 ? change : "\(change), nor are those of \(changes - 1) more pieces" }
        return isFinal && size > length ? "has \(size) bytes, \(length) are recorded" : nil
    }

    /// Bytes behind those that are recorded, where they are no damage: a crash may have left them.
    func surplus(_ files: CheckedFiles) -> Int64 {
        guard !isFinal, let size = try? files.size(of: path) else { return 0 }
        return max(0, size - length)
    }
}
