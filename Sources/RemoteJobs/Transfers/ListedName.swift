import Glibc

/// What a target says of a name, without following it if it is a link.
struct ListedName: Sendable, Equatable {
    enum Kind: Sendable, Equatable { case regular, directory, link, other }

    let path: [UInt8]
    let kind: Kind
    let size: UInt64
    let modificationTime: UInt32
    let permissions: UInt32
    /// See `RemoteFile`.
    let version: String?
    let boot: String?
}

extension ListedName {
    /// - Parameters:
    ///   - words: mode, size, time of content, time of status, device and inode: as `stat` prints them, or the mode as
    ///     `ls` does, with the last two unknown.
    ///   - moment: when that was.
    init?(_ words: [Substring], path: [UInt8], at moment: ListingMoment? = nil) {
        guard words.count == 5, let mode = Mode(words[0]) else { return nil }
        self.path = path
        kind = mode.kind
        permissions = mode.permissions
        // A device has no size in `ls`, but two numbers.
        size = UInt64(words[1]) ?? 0
        guard let time = Int64(words[2].prefix { $0 != "." }) else { return nil }
        modificationTime = UInt32(clamping: time)
        version = words[3].contains(".") ? "\(words[4]):\(words[2]):\(words[3])" : nil
        boot = moment.flatMap { $0.isAfter(change: words[3]) ? $0.boot : nil }
    }

    private struct Mode {
        let kind: Kind
        let permissions: UInt32

        init?(_ text: Substring) {
            if let number = UInt32(text, radix: 16), text.first != "d" || text.count < 10 {
                permissions = number & 0o7777
                kind =
                    switch number & 0o170000 {
                    case 0o100000: .regular
                    case 0o040000: .directory
                    case 0o120000: .link
                    default: .other
                    }
                return
            }
            guard text.utf8.count >= 10 else { return nil }
            kind =
                switch text.first {
                case "-": .regular
                case "d": .directory
                case "l": .link
                default: .other
                }
            permissions = Self.permissions(of: Array(text.utf8.dropFirst().prefix(9)))
        }

        /// Of `rwxr-x--x`; s and t stand for an x with a further bit.
        private static func permissions(of letters: [UInt8]) -> UInt32 {
            var bits: UInt32 = 0
            for (place, letter) in letters.enumerated() {
                let isSpecial = "sStT".utf8.contains(letter)
                if letter != UInt8(ascii: "-") && !"ST".utf8.contains(letter) { bits |= 0o400 >> UInt32(place) }
                if isSpecial { bits |= 0o4000 >> UInt32(place / 3) }
            }
            return bits
        }
    }
}

/// When the target was asked for what it has, by its own clock, and in which boot.
struct ListingMoment: Sendable, Equatable {
    /// Since 1970.
    private let nanoseconds: Int64
    /// Eight digits of the boot's id.
    let boot: String

    /// Nanoseconds. Origin: ten ticks of the slowest clock that Linux gives files their times by (CONFIG_HZ=100).
    private static let rest: Int64 = 100_000_000

    /// - Parameter line: of the script: the time as `date +%s.%N` prints it, and the boot's id.
    init?(_ line: some StringProtocol) {
        let words = line.split(separator: " ")
        guard words.count == 2, let time = Self.nanoseconds(words[0]), words[1].utf8.count >= 8 else { return nil }
        nanoseconds = time
        boot = String(words[1].prefix(8))
    }

    /// Whether a file that was changed then, and is changed again after this moment, gets another time of change.
    ///
    /// That needs a file system that keeps parts of a second: FAT, exFAT, ext3, jffs2 and ext4 with small inodes don't,
    /// and their files have none. And it needs that the clock's tick in which it was changed is over.
    func isAfter(change: Substring) -> Bool {
        guard let time = Self.nanoseconds(change), time % 1_000_000_000 != 0 else { return false }
        return time < nanoseconds - Self.rest
    }

    /// Of `seconds.nanoseconds`.
    private static func nanoseconds(_ text: some StringProtocol) -> Int64? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].utf8.count == 9, let seconds = Int64(parts[0]), let fraction = Int64(parts[1]),
            // Origin: as many as an Int64 holds in nanoseconds; nothing is changed before 1970 or after 2255.
            (0..<9_000_000_000).contains(seconds), fraction >= 0
        else { return nil }
        return seconds * 1_000_000_000 + fraction
    }
}

/// Reads what `ShellListing`'s scripts print: batches of names, each name ended by NUL, the batch by another one, and
/// behind them a text, ended by NUL, too: a line with the moment, and a line for each name that is still there. A batch
/// of nothing is the end; without it something is missing.
struct ListingParser {
    private enum Part { case names, status }

    private var part = Part.names
    private var names: [[UInt8]] = []
    private var field: [UInt8] = []
    /// Whether the end has come, and nothing behind it.
    private(set) var isWhole = false

    /// Whether it waits for the end of what no target can mean. Origin: `xargs` passes on 2 MiB of names at most.
    var isExcessive: Bool { field.count > 16 << 20 || names.count > 4_000_000 }

    /// Adds bytes and returns the names that they complete.
    mutating func take(_ bytes: [UInt8]) -> [ListedName] {
        var listed: [ListedName] = []
        for piece in bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast() {
            field += piece
            listed += endField()
        }
        field += bytes.suffix(from: bytes.lastIndex(of: 0).map { $0 + 1 } ?? 0)
        return listed
    }

    private mutating func endField() -> [ListedName] {
        defer { field = [] }
        isWhole = part == .status && names.isEmpty && field.isEmpty
        switch part {
        case .names where field.isEmpty: part = .status
        case .names: names.append(field)
        case .status:
            defer {
                names = []
                part = .names
            }
            return Self.match(names, field)
        }
        return []
    }

    private static func match(_ names: [[UInt8]], _ text: [UInt8]) -> [ListedName] {
        let first = text.prefix { $0 != 0x0A }
        let moment = ListingMoment(String(decoding: first, as: UTF8.self))
        return ListedName.all(names, in: text.dropFirst(first.count + 1), at: moment).map(\.status)
    }
}

extension ListedName {
    /// Reads a line for each of some names that is there: five words as of `init`, and the name. They come in the names'
    /// order, and a name may hold newlines: each line is looked for where it must stand.
    /// - Returns: what is there, with the places of the names.
    static func all(
        _ names: [[UInt8]], in text: ArraySlice<UInt8>, at moment: ListingMoment? = nil
    ) -> [(place: Int, status: ListedName)] {
        var rest = text
        var listed: [(place: Int, status: ListedName)] = []
        for (place, name) in names.enumerated() {
            let words = rest.split(separator: UInt8(ascii: " "), maxSplits: 5, omittingEmptySubsequences: false)
            guard words.count == 6, words[5].starts(with: name + [0x0A]) else { continue }
            let fields = words.prefix(5).map { Substring(decoding: $0, as: UTF8.self) }
            if let status = ListedName(fields, path: name, at: moment) { listed.append((place, status)) }
            rest = words[5].dropFirst(name.count + 1)
        }
        return listed
    }
}

extension [UInt8] {
    /// In the order of the bytes. Paths begin alike: whole words are compared at a time.
    func precedes(_ other: [UInt8]) -> Bool {
        let order = withUnsafeBytes { left in
            other.withUnsafeBytes { right in
                left.isEmpty || right.isEmpty
                    ? 0 : memcmp(left.baseAddress!, right.baseAddress!, Swift.min(left.count, right.count))
            }
        }
        return order == 0 ? count < other.count : order < 0
    }
}
