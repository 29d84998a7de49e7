/// Makes a tar stream (POSIX.1-2017 pax, "ustar Interchange Format"; longer names and larger numbers as GNU's tar and
/// BusyBox's read them). Owner and times are left out: what is unpacked belongs to whoever unpacks it.
struct TarWriter {
    private static let block = 512
    /// Of a header's field for the name.
    private static let longestName = 100
    /// Origin: eleven octal digits.
    private static let mostOctal: UInt64 = 0o777_7777_7777

    /// What stands before a file's content. Every name goes behind `./`, so that none is taken for an option.
    static func header(_ name: [UInt8], size: Int64, permissions: UInt32) -> [UInt8] {
        let path = Array("./".utf8) + name
        let header = block(path, size: UInt64(size), permissions, type: UInt8(ascii: "0"))
        guard path.count > longestName else { return header }
        let long = path + [0]
        return block(Array("././@LongLink".utf8), size: UInt64(long.count), 0o644, type: UInt8(ascii: "L"))
            + long + padding(Int64(long.count)) + header
    }

    /// What stands behind a content of so many bytes.
    static func padding(_ size: Int64) -> [UInt8] { [UInt8](repeating: 0, count: Int(paddedSize(size) - size)) }

    /// A content with what stands behind it.
    static func paddedSize(_ size: Int64) -> Int64 { (size + Int64(block) - 1) / Int64(block) * Int64(block) }

    /// Bytes of a header.
    static func headerSize(_ name: [UInt8]) -> Int64 {
        let path = name.count + "./".utf8.count
        return Int64(block) + (path > longestName ? Int64(block) + paddedSize(Int64(path + 1)) : 0)
    }

    /// What stands at the end.
    static let end = [UInt8](repeating: 0, count: 2 * block)

    private static func block(_ name: [UInt8], size: UInt64, _ permissions: UInt32, type: UInt8) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: block)
        func put(_ field: [UInt8], at offset: Int) { bytes.replaceSubrange(offset..<offset + field.count, with: field) }
        put(Array(name.prefix(longestName)), at: 0)
        put(octal(UInt64(permissions), digits: 7), at: 100)
        put(octal(0, digits: 7), at: 108)
        put(octal(0, digits: 7), at: 116)
        put(size <= mostOctal ? octal(size, digits: 11) : binary(size), at: 124)
        put(octal(0, digits: 11), at: 136)
        put([UInt8](repeating: UInt8(ascii: " "), count: 8), at: 148)
        bytes[156] = type
        // GNU's magic: with it "L" and binary numbers are as they should be.
        put(Array("ustar  \0".utf8), at: 257)
        let sum = bytes.reduce(0) { $0 + UInt64($1) }
        put(octal(sum, digits: 6) + [UInt8(ascii: " ")], at: 148)
        return bytes
    }

    private static func octal(_ number: UInt64, digits: Int) -> [UInt8] {
        let text = String(number, radix: 8)
        return Array((String(repeating: "0", count: max(0, digits - text.count)) + text).utf8) + [0]
    }

    /// Twelve bytes, the highest bit set.
    private static func binary(_ number: UInt64) -> [UInt8] {
        [0x80, 0, 0, 0] + (0..<8).reversed().map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
}
