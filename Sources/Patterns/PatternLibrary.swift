import CPCRE2

/// The PCRE2 that this process has loaded.
package enum PatternLibrary {
    /// For example `10.42`.
    package static var version: String {
        // Origin of 64: the manual asks for 24.
        var text = [UInt8](repeating: 0, count: 64)
        pcre2_config_8(UInt32(PCRE2_CONFIG_VERSION), &text)
        return String(decoding: text.prefix { $0 != 0 && $0 != UInt8(ascii: " ") }, as: UTF8.self)
    }
}
