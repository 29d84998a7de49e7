/// Here-documents (POSIX.1-2017, section 2.7.4): announced on one line, read from the next on.
extension ShellLexer {
    /// Reads the delimiter behind `<<`.
    mutating func announceHereDocument() {
        var stripsTabs = false
        if nextIs("-") {
            position += 1
            stripsTabs = true
        }
        while nextIs(" ") || nextIs("\t") { position += 1 }
        var delimiter: [UInt8] = []
        var isQuoted = false
        reading: while !isInDoubt, let symbol = peek() {
            switch symbol {
            case .placeholder:
                refuse(.hereDocument)
                position += 1
                isInDoubt = true
            case .byte(UInt8(ascii: "'")), .byte(UInt8(ascii: "\"")):
                isQuoted = true
                readQuotedDelimiter(into: &delimiter)
            case .byte(UInt8(ascii: "\\")), .byte(UInt8(ascii: "$")), .byte(UInt8(ascii: "`")): isInDoubt = true
            case .byte(let byte):
                if CommandContext.endsWord(byte) { break reading }
                delimiter.append(byte)
                position += 1
            }
        }
        if delimiter.isEmpty { isInDoubt = true }
        pending.append(
            HereDocument(delimiter: delimiter, stripsTabs: stripsTabs, isQuoted: isQuoted, level: stack.count))
    }

    private mutating func readQuotedDelimiter(into delimiter: inout [UInt8]) {
        let quote = take()
        while let symbol = take(), symbol != quote {
            guard case .byte(let byte) = symbol, !"\n\\$`".utf8.contains(byte) else {
                if symbol == .placeholder { refuse(.hereDocument) }
                return isInDoubt = true
            }
            delimiter.append(byte)
        }
    }

    mutating func readHereDocuments() {
        let announced = pending
        pending = []
        for document in announced {
            while !isInDoubt, let line = takeHereLine(document), line != document.delimiter {
                if !document.isQuoted, HereLine(bytes: line).mightGoOn { isInDoubt = true }
            }
        }
    }

    /// The next line without its end; nil at the end of the command. Its placeholders are refused.
    private mutating func takeHereLine(_ document: HereDocument) -> [UInt8]? {
        guard peek() != nil else { return nil }
        var line: [UInt8] = []
        while let symbol = take(), symbol != .byte(UInt8(ascii: "\n")) {
            if case .byte(let byte) = symbol { line.append(byte) } else { refuse(.hereDocument) }
        }
        return document.stripsTabs ? Array(line.drop { $0 == UInt8(ascii: "\t") }) : line
    }
}

/// A line of a here-document in which substitutions work.
private struct HereLine {
    let bytes: [UInt8]

    /// True where a shell might read on into the next line, and so might not see a delimiter there: a backslash at the
    /// end, or a substitution that is not evidently closed.
    var mightGoOn: Bool {
        if bytes.last == UInt8(ascii: "\\") { return true }
        let opens = zip(bytes, bytes.dropFirst()).contains {
            $0 == UInt8(ascii: "$") && ($1 == UInt8(ascii: "(") || $1 == UInt8(ascii: "{"))
        }
        guard opens || count("`") > 0 else { return false }
        let isIntricate = count("'") + count("\"") + count("\\") > 0
        return isIntricate || count("`") % 2 == 1 || count("(") != count(")") || count("{") != count("}")
    }

    private func count(_ character: Unicode.Scalar) -> Int {
        bytes.count { $0 == UInt8(ascii: character) }
    }
}
