import LinuxSystem
import JSON
import Profiles

/// Replaces known secrets by `*` of equal length, so that offsets stay those of the target: as they are, line by line
/// where they have several, and in base64.
package struct SecretMask: Sendable {
    /// Origin: what is shorter turns up by chance, and masking it would shred the record.
    package static let shortest = 8

    /// Every form of every secret, by its first byte.
    private var forms: [[[UInt8]]] = Array(repeating: [], count: 256)
    /// Whether a form begins with a byte: most bytes need no other look.
    private var begins = Array(repeating: false, count: 256)
    private var longest = 0

    package init() {}

    package init(_ secrets: some Sequence<String>) { for secret in secrets { add(secret) } }

    package var isEmpty: Bool { longest == 0 }

    /// Adds a secret; one that is too short to be masked is left out.
    package mutating func add(_ secret: String) {
        let bytes = Array(secret.utf8)
        var texts = [bytes]
        let lines = bytes.split(separator: 0x0A).map { Array($0.last == 0x0D ? $0.dropLast() : $0) }
        if lines.count > 1 { texts += lines }
        for text in texts where text.count >= Self.shortest {
            add(form: text)
            // As it stands in a command that several words were made into.
            add(form: Array(shellWord(String(decoding: text, as: UTF8.self)).utf8.dropFirst().dropLast()))
            for encoded in Self.base64Forms(of: text) { add(form: encoded) }
        }
    }

    private mutating func add(form: [UInt8]) {
        let first = Int(form[0])
        if forms[first].contains(form) { return }
        begins[first] = true
        forms[first].append(form)
        // The longest is looked for first: a form may begin with another one.
        forms[first].sort { $0.count > $1.count }
        longest = max(longest, form.count)
    }

    /// How base64 shows bytes that stand somewhere in what is encoded: at each of the three places that a byte can have
    /// in a group, the digits that no neighbour has a part in; at the end, the last digit too, and with a line end behind
    /// it. Both alphabets of RFC 4648.
    private static func base64Forms(of bytes: [UInt8]) -> [[UInt8]] {
        var texts: [String] = []
        for lead in 0..<3 {
            let digits = Base64.encode([UInt8](repeating: 0, count: lead) + bytes)
            let whole = (lead + bytes.count) * 8 / 6
            texts.append(String(digits.prefix(whole).dropFirst((lead * 8 + 5) / 6)))
        }
        for end in [bytes, bytes + [0x0A]] { texts.append(String(Base64.encode(end).prefix { $0 != "=" })) }
        let standard = texts.map { Array($0.utf8) }
        return standard
            + standard.map { text in
                text.map {
                    $0 == UInt8(ascii: "+") ? UInt8(ascii: "-") : $0 == UInt8(ascii: "/") ? UInt8(ascii: "_") : $0
                }
            }
    }

    /// The length of the longest form that begins at a place; 0 for none.
    func length(in bytes: [UInt8], at place: Int) -> Int {
        guard begins[Int(bytes[place])] else { return 0 }
        return forms[Int(bytes[place])].first { form in
            bytes.count - place >= form.count && form.indices.allSatisfy { bytes[place + $0] == form[$0] }
        }?.count ?? 0
    }

    /// How many bytes at the end may be the beginning of a secret whose rest has not come; less than the longest form.
    func unfinished(in bytes: [UInt8]) -> Int {
        for place in max(0, bytes.count - longest + 1)..<max(bytes.count, 1) where place < bytes.count {
            let count = bytes.count - place
            let mayBegin = forms[Int(bytes[place])].contains { form in
                form.count > count && (0..<count).allSatisfy { bytes[place + $0] == form[$0] }
            }
            if mayBegin { return count }
        }
        return 0
    }

    /// A text with its secrets replaced.
    package func masked(_ text: String) -> String {
        if isEmpty { return text }
        var stream = MaskedStream()
        let bytes = stream.take(Array(text.utf8), isLast: true, self)
        return stream.maskedBytes == 0 ? text : String(decoding: bytes, as: UTF8.self)
    }
}

/// One stream of bytes from which secrets are taken as it comes, also those that are cut by the end of a piece.
struct MaskedStream: Sendable {
    /// The beginning of what may be a secret.
    private var held: [UInt8] = []
    /// So many of them belong to a secret that was found before.
    private var covered = 0
    /// How many bytes were replaced so far.
    private(set) var maskedBytes: Int64 = 0

    var heldBytes: Int { held.count }

    /// Takes the next bytes; returns what may be recorded now. With `isLast` nothing is held back.
    mutating func take(_ bytes: [UInt8], isLast: Bool, _ mask: SecretMask) -> [UInt8] {
        if mask.isEmpty && held.isEmpty { return bytes }
        let bytes = held + bytes
        let count = bytes.count - (isLast ? 0 : mask.unfinished(in: bytes))
        var result = Array(bytes.prefix(count))
        // Secrets may overlap: whatever one of them covers is replaced.
        var end = covered
        for place in 0..<count {
            end = max(end, place + mask.length(in: bytes, at: place))
            guard place < end else { continue }
            result[place] = UInt8(ascii: "*")
            maskedBytes += 1
        }
        held = Array(bytes.dropFirst(count))
        covered = max(0, end - count)
        return result
    }
}
