/// What a plain scalar stands for in the core schema of YAML 1.2 (section 10.3.2). So `yes`, `no` and `on` are text.
package enum CoreValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case int(Int)
    case float(Double)
    /// Everything else; the text itself is the scalar's.
    case text

    init(plain text: String) {
        switch text {
        case "", "~", "null", "Null", "NULL": self = .null
        case "true", "True", "TRUE": self = .bool(true)
        case "false", "False", "FALSE": self = .bool(false)
        case ".nan", ".NaN", ".NAN": self = .float(.nan)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": self = .float(.infinity)
        case "-.inf", "-.Inf", "-.INF": self = .float(-.infinity)
        default: self = CoreValue.number(text)
        }
    }

    private static func number(_ text: String) -> CoreValue {
        if text.hasPrefix("0o") { return Int(text.dropFirst(2), radix: 8).map { unsigned($0, text) } ?? .text }
        if text.hasPrefix("0x") { return Int(text.dropFirst(2), radix: 16).map { unsigned($0, text) } ?? .text }
        guard let form = DecimalForm(text) else { return .text }
        if form == .integer, let value = Int(text) { return .int(value) }
        return Double(text).map { .float($0) } ?? .text
    }

    /// `Int(_:radix:)` would also take a sign behind the `0x`.
    private static func unsigned(_ value: Int, _ text: String) -> CoreValue {
        let third = text.utf8.dropFirst(2).first
        return third == UInt8(ascii: "-") || third == UInt8(ascii: "+") ? .text : .int(value)
    }
}

/// The spelling of a decimal number: `[-+]?[0-9]+`, or with a fraction or an exponent. `Double(_:)` alone would also
/// take `infinity` and hexadecimal floats.
package enum DecimalForm: Sendable {
    case integer
    case float

    package init?(_ text: String) {
        var rest = text.utf8[...]
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        let whole = DecimalForm.takeDigits(&rest)
        if rest.isEmpty {
            guard whole > 0 else { return nil }
            self = .integer
            return
        }
        var fraction = 0
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            fraction = DecimalForm.takeDigits(&rest)
        }
        guard whole + fraction > 0 else { return nil }
        if let mark = rest.first, mark | 0x20 == UInt8(ascii: "e") {
            rest.removeFirst()
            if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
            guard DecimalForm.takeDigits(&rest) > 0 else { return nil }
        }
        guard rest.isEmpty else { return nil }
        self = .float
    }

    private static func takeDigits(_ rest: inout Substring.UTF8View) -> Int {
        let count = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.count
        rest = rest.dropFirst(count)
        return count
    }
}
