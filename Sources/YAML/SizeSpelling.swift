/// Sizes as people write them: `500MB`, `2 GiB`, `10k`.
enum SizeSpelling {
    private static let units: [(name: String, bytes: Int)] = [
        ("b", 1), ("k", 1000), ("kb", 1000), ("kib", 1 << 10), ("m", 1_000_000), ("mb", 1_000_000), ("mib", 1 << 20),
        ("g", 1_000_000_000), ("gb", 1_000_000_000), ("gib", 1 << 30), ("t", 1_000_000_000_000),
        ("tb", 1_000_000_000_000), ("tib", 1 << 40),
    ]

    /// Bytes; nil for what is no size, or more than an `Int` holds.
    static func bytes(_ text: String) -> Int? {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(number.count).drop { $0 == " " }.lowercased()
        guard let factor = units.first(where: { $0.name == unit })?.bytes else { return nil }
        if let whole = Int(number) {
            let (bytes, isTooLarge) = whole.multipliedReportingOverflow(by: factor)
            return isTooLarge ? nil : bytes
        }
        guard let value = Double(number) else { return nil }
        return Int(exactly: (value * Double(factor)).rounded())
    }
}
