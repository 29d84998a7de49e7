/// Amounts of bytes for people.
package enum ByteCount {
    /// `512 B`, `1.5 KiB`, `3.0 MiB`.
    package static func text(_ count: Int64) -> String {
        var value = Double(count)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1024 || unit == "GiB" {
                return unit == "B" ? "\(count) B" : "\(tenths(value)) \(unit)"
            }
            value /= 1024
        }
        return "\(count) B"
    }

    private static func tenths(_ value: Double) -> String {
        let scaled = Int((value * 10).rounded())
        return "\(scaled / 10).\(scaled % 10)"
    }
}
