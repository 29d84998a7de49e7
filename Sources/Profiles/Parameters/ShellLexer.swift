/// Follows a POSIX shell through a command, to know how it reads each placeholder.
///
/// Only what decides about quoting is followed: quotes, `$(…)`, `${…}`, `$((…))`, backticks, here-documents and comments
/// (POSIX.1-2017, Shell Command Language, sections 2.2, 2.3, 2.6 and 2.7.4). dash, BusyBox ash and bash must read the
/// same; at the first spot at which they might not, the lexer gives up, and refuses every placeholder from there on.
/// The stack is explicit, because a profile may nest deeper than a thread's stack.
struct ShellLexer {
    enum Verdict: Sendable, Equatable {
        case allowed(Template.Quoting, standsAlone: Bool, interpreter: String?)
        case refused(Refusal)
    }

    enum Refusal: Sendable, Equatable {
        case singleQuotes, dollarQuotes, hereDocument, backticks, arithmetic, comment, expansion
        case afterBackslash, afterDollar, subscripted, doubt
    }

    enum Symbol: Equatable {
        case byte(UInt8)
        case placeholder
    }

    enum Context {
        case command(CommandContext)
        case doubleQuotes
        /// `${…}`; `quoted` where it stands in double quotes, in which shells disagree about quotes within it.
        case expansion(quoted: Bool)
        /// `$((…))` or `((…))` with the open parentheses within it.
        case arithmetic(depth: Int)
    }

    struct HereDocument {
        let delimiter: [UInt8]
        let stripsTabs: Bool
        let isQuoted: Bool
        /// The size of the stack where it was announced.
        let level: Int
    }

    let symbols: [Symbol]
    var position = 0
    var stack: [Context] = [.command(CommandContext(isNested: false))]
    var pending: [HereDocument] = []
    var verdicts: [Verdict] = []
    var isInDoubt = false

    /// - Returns: one verdict for each placeholder among the pieces, in order.
    static func verdicts(for pieces: [Template.Piece]) -> [Verdict] {
        var symbols: [Symbol] = []
        for piece in pieces {
            switch piece {
            case .literal(let bytes): symbols += bytes.lazy.map { .byte($0) }
            case .placeholder: symbols.append(.placeholder)
            }
        }
        var lexer = ShellLexer(symbols: symbols)
        lexer.run()
        return lexer.verdicts
    }

    private init(symbols: [Symbol]) { self.symbols = symbols }

    private mutating func run() {
        while !isInDoubt, let symbol = take() {
            switch stack[stack.count - 1] {
            case .command: inCommand(symbol)
            case .doubleQuotes: inDoubleQuotes(symbol)
            case .expansion(let quoted): inExpansion(symbol, quoted: quoted)
            case .arithmetic(let depth): inArithmetic(symbol, depth: depth)
            }
        }
        while let symbol = take() {
            if symbol == .placeholder { refuse(.doubt) }
        }
    }

    // MARK: Reading

    mutating func take() -> Symbol? {
        guard position < symbols.count else { return nil }
        defer { position += 1 }
        return symbols[position]
    }

    func peek(_ ahead: Int = 0) -> Symbol? {
        position + ahead < symbols.count ? symbols[position + ahead] : nil
    }

    func nextIs(_ character: Unicode.Scalar, ahead: Int = 0) -> Bool {
        peek(ahead) == .byte(UInt8(ascii: character))
    }

    /// Line continuations vanish before the shell forms its tokens, so one may split an operator.
    var continuationFollows: Bool { nextIs("\\") && nextIs("\n", ahead: 1) }

    mutating func refuse(_ reason: Refusal) { verdicts.append(.refused(reason)) }

    /// A line that ends inside quotes before an announced here-document has begun: shells disagree where it begins.
    mutating func noteInnerLineEnd(_ symbol: Symbol) {
        if symbol == .byte(UInt8(ascii: "\n")), !pending.isEmpty { isInDoubt = true }
    }

    /// Changes the innermost command that the current spot belongs to.
    mutating func withCommand(_ change: (inout CommandContext) -> Void) {
        for index in stack.indices.reversed() {
            guard case .command(var command) = stack[index] else { continue }
            // Gives up the stack's hold on the command, so that its arrays change in place: a word may be long.
            stack[index] = .doubleQuotes
            change(&command)
            stack[index] = .command(command)
            return
        }
    }

    mutating func addToWord(_ byte: UInt8) { withCommand { $0.addToWord(byte) } }

    // MARK: Placeholders

    mutating func placeholder(_ quoting: Template.Quoting) {
        for context in stack {
            switch context {
            case .arithmetic: return refuse(.arithmetic)
            case .expansion: return refuse(.expansion)
            case .command(let command) where command.isInSubscript: return refuse(.subscripted)
            case .command, .doubleQuotes: break
            }
        }
        var standsAlone = false
        var interpreter: String?
        for (index, context) in stack.enumerated() {
            guard case .command(let command) = context else { continue }
            let isInnermost = index == stack.count - 1
            let isWholeWord = isInnermost && !command.wordStarted && wordEndsHere
            standsAlone = isWholeWord && !command.isRedirecting
            interpreter = interpreter ?? command.interpreter(isWholeWord: isWholeWord)
        }
        verdicts.append(.allowed(quoting, standsAlone: standsAlone, interpreter: interpreter))
        withCommand { $0.wordStarted = true }
    }

    private var wordEndsHere: Bool {
        switch peek() {
        case nil: true
        case .byte(let byte)?: CommandContext.endsWord(byte)
        case .placeholder?: false
        }
    }
}
