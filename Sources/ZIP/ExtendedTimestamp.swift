/// Info-ZIP's extended timestamp: one byte that says which times follow (1: the modification time), then each as 32
/// signed bits, little-endian, seconds since 1970 UTC (extrafld.txt of Info-ZIP).
enum ExtendedTimestamp {
    static let id: UInt16 = 0x5455

    /// nil for a time beyond 32 bits.
    static func encode(_ time: Int64) -> [UInt8]? {
        guard let seconds = Int32(exactly: time) else { return nil }
        let bits = UInt32(bitPattern: seconds)
        return [1] + (0..<4).map { UInt8(truncatingIfNeeded: bits >> ($0 * 8)) }
    }

    /// The modification time; nil where the field has none.
    static func decode(_ field: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard field.count >= 5, field[0] & 1 == 1 else { return nil }
        let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(field[$1 + 1]) << UInt32($1 * 8) }
        return Int64(Int32(bitPattern: bits))
    }
}
