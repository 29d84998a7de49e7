import CPCRE2

/// Why a pattern could not be compiled, or a match with it was given up. Match on `code`, never on the text.
package struct PatternError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// The pattern is none.
        case invalid
        /// It would have tried more than the limits allow: whether it matches is not known.
        case cutOff
        /// Anything else that PCRE2 says.
        case other
    }

    package let code: Code
    package let message: String
    /// Where in the pattern's UTF-8 the problem is; 0 where it is in no place.
    package let offset: Int

    package var description: String { message }

    /// Copies PCRE2's text for one of its codes (pcre2_get_error_message(3)).
    init(pcre code: Int32, offset: Int = 0, isCompilation: Bool) {
        // Origin of 256: the manual calls 120 more than enough.
        var text = [UInt8](repeating: 0, count: 256)
        let length = pcre2_get_error_message_8(code, &text, text.count)
        let said = length > 0 ? String(decoding: text.prefix(Int(length)), as: UTF8.self) : "PCRE2 error \(code)"
        self.offset = offset
        guard !isCompilation else {
            (self.code, message) = (.invalid, said)
            return
        }
        let isLimit = Self.limits.contains(code)
        self.code = isLimit ? .cutOff : .other
        message = isLimit ? "the pattern was cut off: it would have tried too much" : said
    }

    init(tooLong length: Int) {
        (code, offset) = (.invalid, 0)
        message = "the pattern has \(length) bytes, \(Pattern.longest) are allowed"
    }

    private static let limits: Set<Int32> = [
        PCRE2_ERROR_MATCHLIMIT, PCRE2_ERROR_DEPTHLIMIT, PCRE2_ERROR_HEAPLIMIT, PCRE2_ERROR_JIT_STACKLIMIT,
        PCRE2_ERROR_NOMEMORY,
    ]
}
