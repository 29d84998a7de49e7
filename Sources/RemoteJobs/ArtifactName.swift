/// Turns names from a target into names in the run: nothing that a target says can leave the artifacts folder.
package enum ArtifactName {
    /// The path below `artifacts/<job>/` for the raw path of a file below its pattern's fixed folder.
    ///
    /// Components that are not printable UTF-8 are percent-encoded byte by byte (`%` itself too), and so are `.` and
    /// `..`; empty ones vanish; each is cut to 255 bytes (NAME_MAX).
    package static func local(for relative: [UInt8]) -> String {
        let components = relative.split(separator: UInt8(ascii: "/")).map { component(Array($0)) }
        return components.isEmpty ? "unnamed" : components.joined(separator: "/")
    }

    private static func component(_ bytes: [UInt8]) -> String {
        if bytes == [0x2E] { return "%2E" }
        if bytes == [0x2E, 0x2E] { return "%2E%2E" }
        var text = ""
        if let valid = String(validating: bytes, as: UTF8.self) {
            for scalar in valid.unicodeScalars {
                if isPlain(scalar) {
                    text.unicodeScalars.append(scalar)
                } else {
                    text += percentEncoded(Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter))
                }
            }
        } else {
            for byte in bytes {
                let scalar = UnicodeScalar(byte)
                if byte < 0x80 && isPlain(scalar) {
                    text.unicodeScalars.append(scalar)
                } else {
                    text += percentEncoded([byte])
                }
            }
        }
        return cut(text)
    }

    /// Printable, no direction control, and no character with a meaning in archives.
    private static func isPlain(_ scalar: UnicodeScalar) -> Bool {
        if scalar == "%" || scalar == "\\" { return false }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: return false
        default: return true
        }
    }

    private static func percentEncoded(_ bytes: [UInt8]) -> String {
        bytes.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
    }

    /// NAME_MAX of Linux's file systems.
    private static let longest = 255

    private static func cut(_ text: String, to length: Int = longest) -> String {
        var text = text
        while text.utf8.count > length { text.removeLast() }
        return text
    }

    /// The name with `_2`, `_3`, … before its suffix, for a second file of that name; cut so that it still fits.
    package static func numbered(_ name: String, _ number: Int) -> String {
        let folderEnd = name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex
        let base = name[folderEnd...]
        let dot = base.lastIndex(of: ".").flatMap { $0 == base.startIndex ? nil : $0 } ?? base.endIndex
        let suffix = "_\(number)\(base[dot...])"
        // A suffix that leaves no room for the name is no suffix that anybody would miss.
        guard suffix.utf8.count < longest else { return "\(name[..<folderEnd])\(cut(String(base), to: 240))_\(number)" }
        return name[..<folderEnd] + cut(String(base[..<dot]), to: longest - suffix.utf8.count) + suffix
    }
}
