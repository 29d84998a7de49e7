import Glibc
import LinuxSystem

/// The version of a Debian package, in Debian's order (Debian Policy, section 5.6.12).
struct DebianVersion: Comparable, CustomStringConvertible {
    let description: String

    init(_ text: some StringProtocol) { description = String(text) }

    /// The installed version of a package, as dpkg has it on record; nil where there is none, or no dpkg.
    static func installed(_ package: String, status path: String = "/var/lib/dpkg/status") -> DebianVersion? {
        guard let bytes = try? FileSystem.read(path) else { return nil }
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        let name = Array("Package: \(package)".utf8)
        guard let start = lines.firstIndex(where: { $0.elementsEqual(name) }) else { return nil }
        let stanza = lines[start...].prefix { !$0.isEmpty }.map { String(decoding: $0, as: UTF8.self) }
        guard stanza.contains("Status: install ok installed") else { return nil }
        return stanza.first { $0.hasPrefix("Version: ") }.map { DebianVersion($0.dropFirst("Version: ".count)) }
    }

    static func < (left: DebianVersion, right: DebianVersion) -> Bool { left.order(right) < 0 }
    static func == (left: DebianVersion, right: DebianVersion) -> Bool { left.order(right) == 0 }

    private func order(_ other: DebianVersion) -> Int {
        let (mine, theirs) = (parts, other.parts)
        if mine.epoch != theirs.epoch { return mine.epoch - theirs.epoch }
        let upstream = Self.order(mine.upstream, theirs.upstream)
        return upstream != 0 ? upstream : Self.order(mine.revision, theirs.revision)
    }

    private var parts: (epoch: Int, upstream: String, revision: String) {
        var rest = description[...]
        var epoch = 0
        if let colon = rest.firstIndex(of: ":") {
            epoch = Int(rest[..<colon]) ?? 0
            rest = rest[rest.index(after: colon)...]
        }
        guard let dash = rest.lastIndex(of: "-") else { return (epoch, String(rest), "") }
        return (epoch, String(rest[..<dash]), String(rest[rest.index(after: dash)...]))
    }

    /// Compares stretches of non-digits and of digits in turn.
    private static func order(_ left: String, _ right: String) -> Int {
        var (left, right) = (Array(left.utf8)[...], Array(right.utf8)[...])
        while !left.isEmpty || !right.isEmpty {
            while isText(left.first) || isText(right.first) {
                let (a, b) = (weight(left.first), weight(right.first))
                if a != b { return a - b }
                left = left.dropFirst()
                right = right.dropFirst()
            }
            let (a, b) = (number(&left), number(&right))
            if a != b { return a < b ? -1 : 1 }
        }
        return 0
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isText(_ byte: UInt8?) -> Bool { byte.map { !isDigit($0) } ?? false }

    /// A tilde sorts before the end, letters before everything else.
    private static func weight(_ byte: UInt8?) -> Int {
        guard let byte, !isDigit(byte) else { return 0 }
        if byte == UInt8(ascii: "~") { return -1 }
        return isalpha(Int32(byte)) != 0 ? Int(byte) : Int(byte) + 256
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) -> UInt64 {
        let digits = rest.prefix(while: isDigit)
        rest = rest.dropFirst(digits.count)
        return digits.isEmpty ? 0 : UInt64(String(decoding: digits, as: UTF8.self)) ?? .max
    }
}
