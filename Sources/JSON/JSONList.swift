/// JSON values that are kept as their texts: for lists that grow with the length of a run, of which a value costs its
/// text and not ten times as much.
package struct JSONList: Sendable, Equatable, Sequence {
    /// Lines, a text each. A copy shares all chunks but the one that it adds to.
    private var chunks: [[UInt8]] = []
    package private(set) var count = 0

    /// Bytes. Origin: what a copy costs that is added to.
    private static let chunkSize = 64 << 10

    package init() {}

    package var isEmpty: Bool { count == 0 }

    package mutating func append(_ value: JSON) { append(line: value.bytes) }

    /// - Parameter line: a JSON text without a line feed.
    mutating func append(line: some Collection<UInt8>) {
        if chunks.isEmpty || chunks[chunks.count - 1].count + line.count > Self.chunkSize {
            chunks.append([])
            chunks[chunks.count - 1].reserveCapacity(Self.chunkSize)
        }
        chunks[chunks.count - 1] += line
        chunks[chunks.count - 1].append(0x0A)
        count += 1
    }

    package struct Iterator: IteratorProtocol {
        fileprivate var lines: Lines

        package mutating func next() -> JSON? {
            while let line = lines.next() {
                if let value = try? JSON(parsing: line) { return value }
            }
            return nil
        }
    }

    package func makeIterator() -> Iterator { Iterator(lines: Lines(chunks: chunks)) }

    /// The texts, one after the other.
    package var lines: some Sequence<ArraySlice<UInt8>> { IteratorSequence(Lines(chunks: chunks)) }

    /// The objects that have a string member at their top. Only texts that hold its value are parsed, however they are
    /// laid out.
    /// - Parameter value: without characters that other programs write as escapes.
    package func values(with key: String, _ value: String) -> [JSON] {
        let text = JSON.string(value).bytes
        return lines.compactMap { line in
            guard line.holds(text), let json = try? JSON(parsing: line), json[key]?.string == value else {
                return nil
            }
            return json
        }
    }

    /// The last value whose text holds these bytes; looks at no more than the texts behind it.
    package func last(holding text: String) -> JSON? {
        let bytes = Array(text.utf8)
        for chunk in chunks.reversed() {
            let found = IteratorSequence(Lines(chunks: [chunk])).filter { $0.holds(bytes) }.last
            if let found { return try? JSON(parsing: found) }
        }
        return nil
    }

    fileprivate struct Lines: IteratorProtocol {
        let chunks: [[UInt8]]
        var chunk = 0
        var position = 0

        mutating func next() -> ArraySlice<UInt8>? {
            while chunk < chunks.count {
                let rest = chunks[chunk][position...]
                if let end = rest.firstIndex(of: 0x0A) {
                    position = end + 1
                    return rest[..<end]
                }
                chunk += 1
                position = 0
            }
            return nil
        }
    }
}

extension ArraySlice<UInt8> {
    fileprivate func holds(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.first, count >= bytes.count else { return false }
        return withUnsafeBufferPointer { own in
            (0...(own.count - bytes.count)).contains { start in
                own[start] == first && own[start..<start + bytes.count].elementsEqual(bytes)
            }
        }
    }
}
