import LinuxSystem

/// The `SHA256SUMS` of an unpacked dataset.
struct ChecksumList {
    static let name = "SHA256SUMS"
    private(set) var sums: [(path: String, sha256: String)] = []
    /// The first line that is none of sha256sum(1)'s, from 1.
    private(set) var badLine: Int?

    init(_ bytes: [UInt8]) {
        for (index, line) in bytes.split(separator: 0x0A).enumerated() {
            // Its binary mode has an asterisk in place of the second blank.
            let mark = Array(line.dropFirst(64).prefix(2))
            guard line.count > 66, line.prefix(64).allSatisfy(Self.isHexDigit),
                mark == [0x20, 0x20] || mark == [0x20, 0x2A],
                let path = String(validating: line.dropFirst(66), as: UTF8.self)
            else {
                badLine = badLine ?? index + 1
                continue
            }
            sums.append((path, String(decoding: line.prefix(64), as: UTF8.self).lowercased()))
        }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
    }
}
