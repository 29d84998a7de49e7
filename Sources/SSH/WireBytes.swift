/// Puts a packet's fields together: big-endian numbers, strings with their length before them (RFC 4251, section 5).
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    mutating func uint8(_ value: UInt8) { bytes.append(value) }

    mutating func uint32(_ value: UInt32) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func uint64(_ value: UInt64) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func string(_ value: some Collection<UInt8>) {
        uint32(UInt32(value.count))
        bytes += value
    }

    /// Writes into the first four bytes how many there are behind them.
    mutating func putLengthFirst() {
        withUnsafeBytes(of: UInt32(bytes.count - 4).bigEndian) { bytes.replaceSubrange(0..<4, with: $0) }
    }
}

/// Takes a packet's fields apart. Every length is checked against what is there.
struct WireReader {
    private var rest: ArraySlice<UInt8>
    /// Who sent it, for messages.
    private let sender: String

    init(_ bytes: ArraySlice<UInt8>, from sender: String) {
        rest = bytes
        self.sender = sender
    }

    var isAtEnd: Bool { rest.isEmpty }

    /// All that is left.
    mutating func takeRest() -> [UInt8] {
        defer { rest = [] }
        return Array(rest)
    }

    mutating func uint8() throws(SSHError) -> UInt8 { try take(1).first! }

    mutating func uint32() throws(SSHError) -> UInt32 {
        try take(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    mutating func uint64() throws(SSHError) -> UInt64 {
        try take(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func string() throws(SSHError) -> [UInt8] { Array(try take(Int(try uint32()))) }

    private mutating func take(_ count: Int) throws(SSHError) -> ArraySlice<UInt8> {
        guard count <= rest.count else {
            throw SSHError(.protocolViolation, "\(sender) has sent a packet that ends too early")
        }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}
