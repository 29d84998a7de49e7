/// A number as its digits say it, for comparing two spellings of one: `1.50` and `15e-1` are equal, and no rounding makes
/// others so.
struct DecimalNumber: Equatable {
    private var isNegative = false
    /// Without zeros at either end; empty for 0.
    private var digits: [UInt8] = []
    /// The power of ten of the last digit.
    private var exponent = 0

    /// Nil for a text that is no decimal number: an optional sign, digits with at most one point, an optional exponent.
    init?(_ text: some Sequence<UInt8>) {
        var bytes = Array(text)[...]
        if let sign = bytes.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            bytes.removeFirst()
        }
        let whole = bytes.prefix(while: Self.isDigit)
        bytes = bytes[whole.endIndex...]
        digits = Array(whole)
        if bytes.first == UInt8(ascii: ".") {
            let fraction = bytes.dropFirst().prefix(while: Self.isDigit)
            bytes = bytes[fraction.endIndex...]
            digits += fraction
            exponent = -fraction.count
        }
        if digits.isEmpty { return nil }
        if bytes.first == UInt8(ascii: "e") || bytes.first == UInt8(ascii: "E") {
            let power = bytes.dropFirst()
            // No digits are no exponent; one that does not fit belongs to no number that anybody has measured.
            guard power.last.map(Self.isDigit) == true, let shift = Int32(String(decoding: power, as: UTF8.self)) else {
                return nil
            }
            exponent += Int(shift)
        } else if !bytes.isEmpty {
            return nil
        }
        normalise()
    }

    private mutating func normalise() {
        while digits.last == UInt8(ascii: "0") {
            digits.removeLast()
            exponent += 1
        }
        digits = Array(digits.drop { $0 == UInt8(ascii: "0") })
        if digits.isEmpty { (exponent, isNegative) = (0, false) }
    }

    /// Whether a double that is printed like this is read back as the same one: a fraction of no more than 17 digits.
    var identifiesDouble: Bool { exponent < 0 && digits.count <= 17 }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}

extension JSON {
    /// The number that a text is, exactly: one that neither an `Int64` nor a `Double` can have been becomes a string of its
    /// digits. Nil for a text that is no decimal number.
    package init?(number text: String) {
        guard let decimal = DecimalNumber(text.utf8) else { return nil }
        if let value = Int64(text) {
            self = .int(value)
        } else if let value = Double(text), value.isNormal && decimal.identifiesDouble || value.equals(decimal) {
            self = .double(value)
        } else {
            self = .string(text)
        }
    }

    /// The nearest `Double` of a number that `init(number:)` has made; nil for all else, and beyond a `Double`'s range.
    package var measure: Double? {
        guard case .string(let text) = self else { return double }
        guard DecimalNumber(text.utf8) != nil, let value = Double(text), value.isFinite else { return nil }
        return value
    }
}

extension Double {
    fileprivate func equals(_ decimal: DecimalNumber) -> Bool {
        isFinite && DecimalNumber("\(self)".utf8) == decimal
    }
}
