import CPCRE2

/// A regular expression that somebody has written, in PCRE2's syntax (pcre2pattern(3)): compiled once, matched with limits,
/// so that one which backtracks without end is cut off.
///
/// Subjects are bytes: of those that are not UTF-8 none is matched by anything, and the search goes on behind them. `^` and
/// `$` match at every line, `.` stops at its end; `(?s)` and the like change that.
///
/// Sendable because compiled code is not changed by matching, and is "thread-safe" (pcre2api(3), "Multithreading").
package final class Pattern: @unchecked Sendable {
    /// As it was written.
    package let source: String
    /// The names of its groups in the order of their numbers.
    package let groups: [(name: String, number: Int)]
    /// How many groups it has, those without a name included.
    package let groupCount: Int
    private let code: OpaquePointer
    /// The limits; never changed after the beginning, so that many threads may read them.
    private let limits: OpaquePointer
    private let isCompiledToMachineCode: Bool

    /// Origin: ten times what a person writes.
    static let longest = 16_384
    /// Internal calls of match(), counted as pcre2_set_match_limit(3) does. Origin: a sample of 64 KiB with a handful of
    /// groups takes some ten thousand; a million are at most some tens of milliseconds.
    private static let matchLimit: UInt32 = 1_000_000
    private static let depthLimit: UInt32 = 10_000
    /// KiB.
    private static let heapLimit: UInt32 = 16_384

    /// - Throws: `.invalid`, with the offset of the mistake.
    package init(_ source: String) throws(PatternError) {
        let bytes = Array(source.utf8)
        guard bytes.count <= Self.longest else { throw PatternError(tooLong: bytes.count) }
        var (problem, offset): (Int32, Int) = (0, 0)
        let options = UInt32(PCRE2_UTF) | PCRE2_MATCH_INVALID_UTF | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C
        guard let code = pcre2_compile_8(bytes, bytes.count, options, &problem, &offset, nil) else {
            throw PatternError(pcre: problem, offset: min(offset, bytes.count), isCompilation: true)
        }
        guard let limits = pcre2_match_context_create_8(nil) else { fatalError("out of memory") }
        pcre2_set_match_limit_8(limits, Self.matchLimit)
        pcre2_set_depth_limit_8(limits, Self.depthLimit)
        pcre2_set_heap_limit_8(limits, Self.heapLimit)
        // Where it cannot be had (memory that may not be executed), matching is slower and no different.
        isCompiledToMachineCode = pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE)) == 0
        self.source = source
        self.code = code
        self.limits = limits
        groups = Self.names(of: code)
        groupCount = Int(Self.information(PCRE2_INFO_CAPTURECOUNT, of: code, as: UInt32.self))
    }

    deinit {
        pcre2_match_context_free_8(limits)
        pcre2_code_free_8(code)
    }

    /// The number of a named group.
    package func group(named name: String) -> Int? { groups.first { $0.name == name }?.number }

    /// The first match that begins at `start` or behind it; nil where there is none.
    /// - Throws: `.cutOff` beyond the limits.
    package func firstMatch(in bytes: [UInt8], from start: Int = 0) throws(PatternError) -> Match? {
        guard start <= bytes.count else { return nil }
        guard let data = pcre2_match_data_create_from_pattern_8(code, nil) else { fatalError("out of memory") }
        defer { pcre2_match_data_free_8(data) }
        var result = match(bytes, start, 0, data)
        // The small stack of machine code is full: without it the heap is used, up to its limit.
        if result == PCRE2_ERROR_JIT_STACKLIMIT { result = match(bytes, start, UInt32(PCRE2_NO_JIT), data) }
        if result == PCRE2_ERROR_NOMATCH { return nil }
        guard result > 0 else { throw PatternError(pcre: result, isCompilation: false) }
        return Match(data, groups: groupCount)
    }

    private func match(_ bytes: [UInt8], _ start: Int, _ options: UInt32, _ data: OpaquePointer) -> Int32 {
        pcre2_match_8(code, bytes, bytes.count, start, options, data, limits)
    }

    /// A table of entries, each the group's number in two bytes and its name (pcre2api(3), PCRE2_INFO_NAMETABLE).
    private static func names(of code: OpaquePointer) -> [(name: String, number: Int)] {
        let count = Int(information(PCRE2_INFO_NAMECOUNT, of: code, as: UInt32.self))
        guard count > 0 else { return [] }
        let size = Int(information(PCRE2_INFO_NAMEENTRYSIZE, of: code, as: UInt32.self))
        guard let table = information(PCRE2_INFO_NAMETABLE, of: code, as: UnsafePointer<UInt8>?.self) else { return [] }
        return (0..<count).map { index in
            let entry = UnsafeBufferPointer(start: table + index * size, count: size)
            let name = entry.dropFirst(2).prefix { $0 != 0 }
            return (String(decoding: name, as: UTF8.self), Int(entry[0]) << 8 | Int(entry[1]))
        }.sorted { $0.number < $1.number }
    }

    private static func information<Value>(_ what: Int32, of code: OpaquePointer, as type: Value.Type) -> Value {
        withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { place in
            precondition(pcre2_pattern_info_8(code, UInt32(what), place.baseAddress) == 0, "pcre2_pattern_info failed")
            return place[0]
        }
    }
}

/// Where a pattern has matched, in bytes of the subject.
package struct Match: Sendable, Equatable {
    /// The whole match at 0, then the groups by their numbers; nil for one that took no part.
    package let ranges: [Range<Int>?]

    /// Copies the offsets: they live in memory of the match.
    init(_ data: OpaquePointer, groups: Int) {
        guard let offsets = pcre2_get_ovector_pointer_8(data) else { preconditionFailure("a match has offsets") }
        ranges = (0...groups).map { group in
            let (start, end) = (offsets[2 * group], offsets[2 * group + 1])
            // A group that took no part has PCRE2_UNSET, here -1; \K in a lookahead can put the end before the start.
            return start >= 0 && start <= end ? start..<end : nil
        }
    }

    package var whole: Range<Int> { ranges[0] ?? 0..<0 }
}
