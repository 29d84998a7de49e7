import Glibc

/// Gathers bytes to blocks that can be written past the page cache: large files should not push everything else out of
/// it, nor be copied to it only to be written from there.
final class DirectBlock {
    /// Bytes. Origin: what a disk takes at once; smaller ones wait for it more often.
    static let size = 1 << 20
    /// Origin: the largest block of any disk; a smaller one divides it (open(2), O_DIRECT).
    private static let alignment = 4096

    private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: alignment)
    private var count = 0

    deinit { memory.deallocate() }

    /// Takes as many bytes as there is room for.
    /// - Returns: how many.
    func fill(_ bytes: UnsafeRawBufferPointer) -> Int {
        let taken = min(bytes.count, Self.size - count)
        UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(
            from: UnsafeRawBufferPointer(rebasing: bytes[..<taken]))
        count += taken
        return taken
    }

    var isFull: Bool { count == Self.size }

    /// What is in it; valid until it is filled again.
    func takeOut() -> UnsafeRawBufferPointer {
        defer { count = 0 }
        return UnsafeRawBufferPointer(rebasing: memory[..<count])
    }
}
