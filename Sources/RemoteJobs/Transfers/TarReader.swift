/// Cuts a tar stream into its entries (POSIX.1-2017 pax, "ustar Interchange Format"; GNU's long names and binary numbers).
/// It ends with the archive: with two blocks of zeros.
struct TarReader {
    enum Kind: Sendable, Equatable {
        case regular
        /// The content is that of an entry before it.
        case hardLink([UInt8])
        case other
    }

    struct Entry: Sendable, Equatable {
        var name: [UInt8]
        var kind: Kind
        var size: UInt64
    }

    enum Part: Sendable, Equatable {
        case entry(Entry)
        /// Bytes of the last entry's content.
        case content([UInt8])
        /// The last entry's content is complete.
        case end
    }

    /// What is no tar.
    struct Malformed: Error, Equatable { let reason: String }

    private var buffer: [UInt8] = []
    private var head = 0
    /// Content of the present entry that is still to come, and the padding behind it.
    private var content: UInt64 = 0
    private var padding = 0
    private var isInside = false
    /// What is collected for the entry that follows: GNU's long names, pax records.
    private var extra: (kind: UInt8, bytes: [UInt8])?
    private var longName: [UInt8]?
    private var longLink: [UInt8]?
    private var size: UInt64?

    private static let block = 512
    /// Origin: PATH_MAX is 4096; a pax header holds two of them and some numbers.
    private static let longestExtra: UInt64 = 1 << 20

    /// Blocks of zeros that came last.
    private var zeroBlocks = 0
    /// Whether the archive has ended.
    var isOver: Bool { zeroBlocks == 2 }
    /// What has come behind the archive's end.
    var rest: [UInt8] { isOver ? buffer : [] }

    mutating func take(_ bytes: [UInt8]) throws(Malformed) -> [Part] {
        buffer += bytes
        var parts: [Part] = []
        while try step(&parts) {}
        buffer.removeFirst(head)
        head = 0
        return parts
    }

    /// False when it needs more bytes.
    private mutating func step(_ parts: inout [Part]) throws(Malformed) -> Bool {
        if isOver { return false }
        if isInside { return takeContent(&parts) }
        if padding > 0 {
            let skipped = min(padding, buffer.count - head)
            head += skipped
            padding -= skipped
            return padding == 0
        }
        guard buffer.count - head >= Self.block else { return false }
        let header = buffer[head..<head + Self.block]
        head += Self.block
        if header.allSatisfy({ $0 == 0 }) {
            zeroBlocks += 1
            return true
        }
        zeroBlocks = 0
        try begin(Header(header), &parts)
        return true
    }

    private mutating func begin(_ header: Header, _ parts: inout [Part]) throws(Malformed) {
        content = header.size
        if "LKxg".utf8.contains(header.type) {
            guard content <= Self.longestExtra else { throw Malformed(reason: "a name of \(content) bytes") }
            extra = (header.type, [])
        } else {
            content = size ?? content
            var entry = Entry(name: longName ?? header.name, kind: .other, size: content)
            switch header.type {
            case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): entry.kind = .regular
            case UInt8(ascii: "1"):
                entry.kind = .hardLink(longLink ?? header.link)
                content = 0
                entry.size = 0
            default: break
            }
            (longName, longLink, size) = (nil, nil, nil)
            parts.append(.entry(entry))
        }
        padding = Int((512 - content % 512) % 512)
        isInside = true
    }

    private mutating func takeContent(_ parts: inout [Part]) -> Bool {
        let available = min(UInt64(buffer.count - head), content)
        if available > 0 {
            let bytes = Array(buffer[head..<head + Int(available)])
            head += Int(available)
            content -= available
            if extra != nil { extra?.bytes += bytes } else { parts.append(.content(bytes)) }
        }
        guard content == 0 else { return false }
        isInside = false
        if extra != nil { endExtra() } else { parts.append(.end) }
        return true
    }

    private mutating func endExtra() {
        guard let (kind, bytes) = extra else { return }
        extra = nil
        switch kind {
        case UInt8(ascii: "L"): longName = Array(bytes.prefix { $0 != 0 })
        case UInt8(ascii: "K"): longLink = Array(bytes.prefix { $0 != 0 })
        case UInt8(ascii: "x"): readRecords(bytes)
        default: break
        }
    }

    /// Records are `<length> <key>=<value>\n`, the length being that of the whole record.
    private mutating func readRecords(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while let blank = rest.firstIndex(of: UInt8(ascii: " ")),
            let length = Int(String(decoding: rest[..<blank], as: UTF8.self)), length > blank - rest.startIndex,
            length <= rest.count
        {
            let record = rest[(blank + 1)..<(rest.startIndex + length)].dropLast()
            if let equals = record.firstIndex(of: UInt8(ascii: "=")) {
                let value = Array(record[(equals + 1)...])
                switch String(decoding: record[..<equals], as: UTF8.self) {
                case "path": longName = value
                case "linkpath": longLink = value
                case "size": size = UInt64(String(decoding: value, as: UTF8.self))
                default: break
                }
            }
            rest = rest.dropFirst(length)
        }
    }

    private struct Header {
        let name: [UInt8]
        let size: UInt64
        let type: UInt8
        let link: [UInt8]

        init(_ block: ArraySlice<UInt8>) throws(Malformed) {
            let bytes = Array(block)
            let sum = bytes.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element)) }
            guard Self.number(bytes[148..<156]) == UInt64(sum) else { throw Malformed(reason: "a wrong check sum") }
            guard let size = Self.number(bytes[124..<136]) else { throw Malformed(reason: "a size that is no number") }
            self.size = size
            type = bytes[156]
            link = Array(bytes[157..<257].prefix { $0 != 0 })
            let short = Array(bytes[0..<100].prefix { $0 != 0 })
            // "ustar" and NUL: POSIX. GNU's "ustar  " has other things where the prefix would be.
            let isPOSIX = bytes[257..<263].elementsEqual(Array("ustar\0".utf8))
            let prefix = isPOSIX ? Array(bytes[345..<500].prefix { $0 != 0 }) : []
            name = prefix.isEmpty ? short : prefix + [UInt8(ascii: "/")] + short
        }

        /// Octal digits, or with the highest bit set a binary number, as GNU writes what is too large.
        private static func number(_ field: ArraySlice<UInt8>) -> UInt64? {
            if field.first == 0x80 { return field.dropFirst().suffix(8).reduce(0) { $0 << 8 | UInt64($1) } }
            let digits = field.drop { $0 == UInt8(ascii: " ") }.prefix { $0 != 0 && $0 != UInt8(ascii: " ") }
            return digits.isEmpty ? 0 : UInt64(String(decoding: digits, as: UTF8.self), radix: 8)
        }
    }
}
