/// Bytes of which no two pieces of a file's blocks or of a channel's packets are the same: what is lost, repeated or swapped shows.
///
/// They are put together from copies: made one by one, 40 MB take seconds without optimisation.
package func testBytes(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + block.count)
    while bytes.count < count {
        // Each copy begins with its number.
        let number = UInt32(bytes.count / block.count)
        bytes += block
        withUnsafeBytes(of: number) {
            bytes.replaceSubrange((bytes.count - block.count)..<(bytes.count - block.count + 4), with: $0)
        }
    }
    bytes.removeLast(bytes.count - count)
    return bytes
}

/// Its length is a prime, so that it fits no block size.
private let block: [UInt8] = (0..<65_521).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 11) }
