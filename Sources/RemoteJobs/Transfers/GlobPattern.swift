import LinuxSystem
import Glibc

/// The pattern that names this path and no other.
package func globLiteral(_ path: String) -> String {
    String(decoding: GlobPattern.escaped(Array(path.utf8)), as: UTF8.self)
}

/// The folder in which to look for what a pattern names: what stands before its first wildcard, for a relative one from
/// `.` on.
package func globFolder(_ pattern: String) -> String {
    let folder = String(decoding: GlobPattern(pattern, base: "/", home: "/").fixedFolder, as: UTF8.self)
    if !pattern.hasPrefix("/") { return ".\(folder)" }
    return folder.isEmpty ? "/" : folder
}

/// An absolute pattern for names on the target (glob(7)): `*`, `?` and `[…]` within a component, `**` for any number of
/// folders, `\` before a literal character. A name that begins with a dot is matched by name only.
struct GlobPattern: Sendable {
    /// Between the slashes, escapes included; `.` and empty ones left out.
    let components: [[UInt8]]

    /// - Parameters:
    ///   - base: an absolute folder, literal, for a pattern that is relative.
    ///   - home: such a folder for one that is `~` or begins with `~/`.
    init(_ pattern: String, base: String, home: String) {
        let isOfHome = pattern == "~" || pattern.hasPrefix("~/")
        self.init(isOfHome ? ".\(pattern.dropFirst())" : pattern, base: isOfHome ? home : base)
    }

    /// - Parameter base: an absolute folder, literal, for a pattern that is relative.
    init(_ pattern: String, base: String) {
        let literal = pattern.hasPrefix("/") ? [] : Self.split(base).map(Self.escaped)
        components = literal + Self.split(pattern)
    }

    /// A path without wildcards.
    init(literal path: [UInt8]) {
        components = path.split(separator: UInt8(ascii: "/")).map { Self.escaped(Array($0)) }
    }

    private static func split(_ text: String) -> [[UInt8]] {
        text.utf8.split(separator: UInt8(ascii: "/")).map { Array($0) }.filter { $0 != [UInt8(ascii: ".")] }
    }

    /// The path, where nothing in it is a wildcard; `/` for no components.
    var literal: [UInt8]? {
        guard fixedCount == components.count else { return nil }
        return components.isEmpty ? [UInt8(ascii: "/")] : Self.join(components.map(Self.unescaped))
    }

    /// Components before the first with a wildcard.
    private var fixedCount: Int { components.prefix { !Self.isGlob($0) }.count }

    /// What stands before the first wildcard, without a slash at its end; the parent of a literal path. Empty for `/`.
    var fixedFolder: [UInt8] {
        Self.join(components.prefix(max(0, min(fixedCount, components.count - 1))).map(Self.unescaped))
    }

    /// Whether it begins at `/` with no folder named: it means, or may mean, the whole system.
    var isOfWholeSystem: Bool { components.first.map(Self.isGlob) ?? true }

    /// How many components stand before `**`; all, where there is none.
    var shallowCount: Int { components.firstIndex(of: Self.anyFolders) ?? components.count }

    /// Whether the components before `**` are what the user named, and not what a wildcard has found.
    var isNamed: Bool { fixedCount >= shallowCount }

    /// How many components are folders on the way, and not what is meant: all before the last, or before `**`.
    private var folderCount: Int { deep.isEmpty ? shallowCount - 1 : shallowCount }

    /// Whether a wildcard finds some of them.
    var findsFolders: Bool { fixedCount < folderCount }

    /// Whether a path is one of them by its length.
    func isOnTheWay(_ path: [UInt8]) -> Bool { path.count { $0 == UInt8(ascii: "/") } <= folderCount }

    /// What is behind them: whoever walks the folders matches it himself.
    var deep: ArraySlice<[UInt8]> { components[shallowCount...] }

    private static let anyFolders = Array("**".utf8)

    /// Whether a path is below one that the pattern means: a folder stands for all that is in it.
    /// - Parameter path: absolute, and below what the components before `**` have matched.
    func matchesBelow(_ path: [UInt8]) -> Bool {
        Self.matches(path.split(separator: UInt8(ascii: "/")).dropFirst(shallowCount).map { Array($0) }, Array(deep))
    }

    /// Whether a path is one that the pattern means, or below one.
    func means(_ path: [UInt8]) -> Bool {
        let names = path.split(separator: UInt8(ascii: "/")).map { Array($0) }
        guard names.count >= shallowCount, zip(names, components.prefix(shallowCount)).allSatisfy(Self.matches)
        else { return false }
        // Two asterisks alone mean all that is in the folder before them.
        let isAll = deep.elementsEqual([Self.anyFolders]) && names.count == shallowCount
        return deep.isEmpty || isAll || matchesBelow(path)
    }

    /// Follows all the ways at once in which the names may match: one by one they would be without number.
    private static func matches(_ names: [[UInt8]], _ pattern: [[UInt8]]) -> Bool {
        // Components that the next name may be matched with; the place behind the last stands for all of them.
        var places: Set = [0]
        for name in names {
            places = skipped(places, pattern)
            if places.contains(pattern.count) { return true }
            let isPlain = name.first != UInt8(ascii: ".")
            places = places.reduce(into: []) { next, place in
                if pattern[place] != anyFolders {
                    if matches(name, pattern[place]) { next.insert(place + 1) }
                } else if isPlain {
                    // At the end it wants one name, and what is below that is in it.
                    next.insert(place == pattern.count - 1 ? pattern.count : place)
                }
            }
            if places.isEmpty { return false }
        }
        return skipped(places, pattern).contains(pattern.count)
    }

    /// With what follows `**`, which may be no folder at all.
    private static func skipped(_ places: Set<Int>, _ pattern: [[UInt8]]) -> Set<Int> {
        places.reduce(into: places) { all, place in
            let rest = pattern[place...].prefix { $0 == anyFolders }
            for next in rest.indices where next + 1 < pattern.count { all.insert(next + 1) }
        }
    }

    /// Shell text that becomes the paths of the components before `**`; a shell leaves what matches nothing as it is.
    /// Folders that a wildcard has found have a slash at their end.
    var shellWords: [UInt8] {
        let shallow = components.prefix(shallowCount)
        let words = shallow.reduce(into: []) { $0 += [UInt8(ascii: "/")] + Self.shellGlob($1) }
        return shallow.isEmpty || !deep.isEmpty && findsFolders ? words + [UInt8(ascii: "/")] : words
    }

    /// A component in which nothing but the wildcards means anything to a shell.
    private static func shellGlob(_ component: [UInt8]) -> [UInt8] {
        guard isGlob(component) else { return shellWord(unescaped(component)) }
        var word: [UInt8] = []
        var place = component.startIndex
        while place < component.endIndex {
            let byte = component[place]
            switch byte {
            case UInt8(ascii: "*"), UInt8(ascii: "?"): word.append(byte)
            case UInt8(ascii: "["):
                if let end = bracketEnd(component, place) {
                    word += shellBracket(component[place...end])
                    place = end
                } else {
                    word += shellWord([byte])
                }
            case UInt8(ascii: "\\") where place + 1 < component.endIndex:
                place += 1
                word += shellWord([component[place]])
            default: word += shellWord([byte])
            }
            place += 1
        }
        return word
    }

    /// With `!` for a `^`, in which not every shell sees a negation.
    private static func shellBracket(_ bracket: ArraySlice<UInt8>) -> [UInt8] {
        var rest = bracket.dropFirst()
        var word = [UInt8(ascii: "[")]
        if isNegation(rest.first) {
            word.append(UInt8(ascii: "!"))
            rest = rest.dropFirst()
        }
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), let literal = rest.popFirst() {
                word += shellWord([literal])
            } else {
                word += isPlainInBracket(byte) ? [byte] : shellWord([byte])
            }
        }
        return word
    }

    private static func isNegation(_ byte: UInt8?) -> Bool {
        byte == UInt8(ascii: "!") || byte == UInt8(ascii: "^")
    }

    /// The place of the `]` that belongs to a `[`; one that comes first, or behind `\`, stands for itself, and a class has
    /// its own.
    private static func bracketEnd(_ component: [UInt8], _ start: Int) -> Int? {
        var rest = component[(start + 1)...]
        if isNegation(rest.first) { rest = rest.dropFirst() }
        let first = rest.startIndex
        while let byte = rest.first {
            if byte == UInt8(ascii: "]"), rest.startIndex > first { return rest.startIndex }
            rest = rest.dropFirst(byte == UInt8(ascii: "\\") ? 2 : max(1, classLength(rest)))
        }
        return nil
    }

    /// Bytes of a class that begins here, such as `[:alpha:]`; 0 where there is none.
    private static func classLength(_ text: ArraySlice<UInt8>) -> Int {
        guard text.starts(with: "[:".utf8) else { return 0 }
        let name = text.dropFirst(2).prefix { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
        return text.dropFirst(2 + name.count).starts(with: ":]".utf8) ? name.count + 4 : 0
    }

    private static func isPlainInBracket(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "[]!^-:._".utf8.contains(byte)
        }
    }

    // MARK: Components

    static func join(_ components: some Sequence<[UInt8]>) -> [UInt8] {
        components.reduce(into: []) { $0 += [UInt8(ascii: "/")] + $1 }
    }

    static func isGlob(_ component: [UInt8]) -> Bool {
        var isEscaped = false
        for byte in component {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if [UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "[")].contains(byte) {
                return true
            }
        }
        return false
    }

    static func unescaped(_ component: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var isEscaped = false
        for byte in component {
            if !isEscaped && byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                isEscaped = false
                result.append(byte)
            }
        }
        return result
    }

    fileprivate static func escaped(_ component: [UInt8]) -> [UInt8] {
        component.flatMap { #"*?[\"#.utf8.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }
    }

    static func matches(_ name: [UInt8], _ pattern: [UInt8]) -> Bool {
        let name = name.map { CChar(bitPattern: $0) } + [0]
        let pattern = pattern.map { CChar(bitPattern: $0) } + [0]
        return fnmatch(pattern, name, FNM_PERIOD) == 0
    }
}
