/// What each byte means in each context.
extension ShellLexer {
    mutating func inCommand(_ symbol: Symbol) {
        guard case .byte(let byte) = symbol else { return placeholder(.bare) }
        switch byte {
        case UInt8(ascii: "'"): skipSingleQuotes()
        case UInt8(ascii: "\""):
            withCommand { $0.wordStarted = true }
            stack.append(.doubleQuotes)
        case UInt8(ascii: "\\"): backslash()
        case UInt8(ascii: "$"): dollar()
        case UInt8(ascii: "`"): skipBackticks()
        case UInt8(ascii: "#"): hash()
        case UInt8(ascii: "\n"): lineEnd()
        case UInt8(ascii: " "), UInt8(ascii: "\t"): endWord()
        case UInt8(ascii: "("): openParenthesis()
        case UInt8(ascii: ")"): closeParenthesis()
        case UInt8(ascii: "<"), UInt8(ascii: ">"): redirection(byte)
        case UInt8(ascii: ";"), UInt8(ascii: "&"), UInt8(ascii: "|"):
            endWord()
            withCommand { $0.startCommand() }
        default: addToWord(byte)
        }
    }

    mutating func inDoubleQuotes(_ symbol: Symbol) {
        guard case .byte(let byte) = symbol else { return placeholder(.doubleQuoted) }
        noteInnerLineEnd(symbol)
        switch byte {
        case UInt8(ascii: "\""): stack.removeLast()
        case UInt8(ascii: "\\"): backslash()
        case UInt8(ascii: "$"): dollar()
        case UInt8(ascii: "`"): skipBackticks()
        default: addToWord(byte)
        }
    }

    mutating func inExpansion(_ symbol: Symbol, quoted: Bool) {
        guard case .byte(let byte) = symbol else { return refuse(.expansion) }
        noteInnerLineEnd(symbol)
        switch byte {
        case UInt8(ascii: "}"): stack.removeLast()
        case UInt8(ascii: "\\"): backslash()
        case UInt8(ascii: "$"): dollar()
        case UInt8(ascii: "`"): skipBackticks()
        // Within double quotes, shells disagree whether quotes in ${…} quote; bash counts braces where dash does not.
        case UInt8(ascii: "'") where !quoted: skipSingleQuotes()
        case UInt8(ascii: "\"") where !quoted: stack.append(.doubleQuotes)
        case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "{"): isInDoubt = true
        default: break
        }
    }

    mutating func inArithmetic(_ symbol: Symbol, depth: Int) {
        guard case .byte(let byte) = symbol else { return refuse(.arithmetic) }
        noteInnerLineEnd(symbol)
        switch byte {
        case UInt8(ascii: "("): stack[stack.count - 1] = .arithmetic(depth: depth + 1)
        case UInt8(ascii: ")") where depth > 0: stack[stack.count - 1] = .arithmetic(depth: depth - 1)
        case UInt8(ascii: ")"):
            // A single one ends two subshells that only looked like arithmetic: `$((a); b)`.
            guard nextIs(")") else { return isInDoubt = true }
            position += 1
            stack.removeLast()
        case UInt8(ascii: "$"): dollar()
        case UInt8(ascii: "`"): skipBackticks()
        case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "\\"): isInDoubt = true
        default: break
        }
    }

    // MARK: Escapes and dollars

    private mutating func backslash() {
        switch take() {
        case nil: break
        case .placeholder?:
            // The backslash would take away the meaning of the quote that the value brings along.
            refuse(.afterBackslash)
            withCommand { $0.wordStarted = true }
        case .byte(UInt8(ascii: "\n"))?: noteInnerLineEnd(.byte(UInt8(ascii: "\n")))
        case .byte(let byte)?: addToWord(byte)
        }
    }

    /// Reads what follows a `$`; a quote or a letter after it is left to the context.
    private mutating func dollar() {
        addToWord(UInt8(ascii: "$"))
        if continuationFollows || nextIs("[") { return isInDoubt = true }
        switch peek() {
        case .placeholder?:
            position += 1
            refuse(.afterDollar)
        case .byte(UInt8(ascii: "("))?:
            position += 1
            if continuationFollows { return isInDoubt = true }
            guard nextIs("(") else { return stack.append(.command(CommandContext(isNested: true))) }
            position += 1
            stack.append(.arithmetic(depth: 0))
        case .byte(UInt8(ascii: "{"))?:
            position += 1
            stack.append(.expansion(quoted: isQuoted))
        case .byte(UInt8(ascii: "'"))?, .byte(UInt8(ascii: "\""))?: dollarQuote()
        case .byte(let byte)? where "$#?!@*-0123456789".utf8.contains(byte): position += 1
        case .byte?, nil: break
        }
    }

    /// True where the context reads as if in double quotes.
    private var isQuoted: Bool {
        switch stack[stack.count - 1] {
        case .command: false
        case .doubleQuotes, .arithmetic: true
        case .expansion(let quoted): quoted
        }
    }

    private mutating func dollarQuote() {
        switch stack[stack.count - 1] {
        case .doubleQuotes: break
        case .command where nextIs("'"):
            position += 1
            skipDollarQuotes()
        case .command, .expansion, .arithmetic: isInDoubt = true
        }
    }

    // MARK: Stretches without structure

    private mutating func skipSingleQuotes() {
        withCommand { $0.wordStarted = true }
        while let symbol = take() {
            noteInnerLineEnd(symbol)
            switch symbol {
            case .placeholder: refuse(.singleQuotes)
            case .byte(UInt8(ascii: "'")): return
            case .byte(let byte): addToWord(byte)
            }
        }
    }

    /// `$'…'`: with escapes in bash, without them in older shells. A `\'` would end it in one of them only.
    private mutating func skipDollarQuotes() {
        while let symbol = take() {
            noteInnerLineEnd(symbol)
            switch symbol {
            case .placeholder: refuse(.dollarQuotes)
            case .byte(UInt8(ascii: "\\")):
                guard let escaped = take() else { return }
                if escaped == .placeholder { refuse(.dollarQuotes) }
                if [.byte(UInt8(ascii: "'")), .byte(UInt8(ascii: "\\"))].contains(escaped) { return isInDoubt = true }
            case .byte(UInt8(ascii: "'")): return
            case .byte: break
            }
        }
    }

    /// Backticks end at the next one without a backslash. Where quotes within do not close, shells differ.
    private mutating func skipBackticks() {
        addToWord(UInt8(ascii: "`"))
        var quotes = 0
        while let symbol = take() {
            noteInnerLineEnd(symbol)
            switch symbol {
            case .placeholder: refuse(.backticks)
            case .byte(UInt8(ascii: "\\")):
                if take() == .placeholder { refuse(.backticks) }
            case .byte(UInt8(ascii: "'")), .byte(UInt8(ascii: "\"")): quotes += 1
            case .byte(UInt8(ascii: "`")):
                if quotes % 2 == 1 { isInDoubt = true }
                return
            case .byte: break
            }
        }
    }

    private mutating func hash() {
        guard case .command(let command) = stack[stack.count - 1], !command.wordStarted else {
            return addToWord(UInt8(ascii: "#"))
        }
        while let symbol = peek(), symbol != .byte(UInt8(ascii: "\n")) {
            if symbol == .placeholder { refuse(.comment) }
            position += 1
        }
        // Older shells look for the `)` of a `$(` within comments too.
        if command.isNested { isInDoubt = true }
    }

    // MARK: Operators

    private mutating func endWord() {
        // The patterns of a `case` have a `)` of their own, which here could be taken for the end of the `$(`.
        if case .command(let command) = stack[stack.count - 1], command.isNested,
            command.word.elementsEqual("case".utf8)
        {
            isInDoubt = true
        }
        withCommand { $0.endWord() }
    }

    private mutating func openParenthesis() {
        endWord()
        if continuationFollows { return isInDoubt = true }
        if nextIs("(") {
            position += 1
            return stack.append(.arithmetic(depth: 0))
        }
        withCommand {
            $0.parentheses += 1
            $0.startCommand()
        }
    }

    private mutating func closeParenthesis() {
        endWord()
        guard case .command(let command) = stack[stack.count - 1] else { return }
        if command.parentheses == 0, command.isNested {
            if pending.contains(where: { $0.level == stack.count }) { return isInDoubt = true }
            stack.removeLast()
            return withCommand { $0.wordStarted = true }
        }
        withCommand {
            $0.parentheses = max(0, $0.parentheses - 1)
            $0.startCommand()
        }
    }

    private mutating func redirection(_ byte: UInt8) {
        endWord()
        if continuationFollows { return isInDoubt = true }
        if byte == UInt8(ascii: "<"), nextIs("<") {
            position += 1
            if continuationFollows { return isInDoubt = true }
            guard nextIs("<") else { return announceHereDocument() }
            position += 1
        } else if nextIs("&") || nextIs(">") || nextIs("|") {
            position += 1
        }
        withCommand { $0.isRedirecting = true }
    }

    private mutating func lineEnd() {
        endWord()
        withCommand { $0.startCommand() }
        guard !pending.isEmpty else { return }
        guard pending.allSatisfy({ $0.level == stack.count }) else { return isInDoubt = true }
        readHereDocuments()
    }
}
