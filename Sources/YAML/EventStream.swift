import CLibYAML

/// What libyaml saw next, in Swift's words.
struct YAMLEvent {
    enum Kind {
        case streamStart, streamEnd, documentStart, documentEnd
        case alias(String)
        case scalar(Scalar, anchor: String?)
        case sequenceStart(anchor: String?)
        case mappingStart(anchor: String?)
        case collectionEnd
        case unknown
    }

    let kind: Kind
    /// A tag that this parser does not take; nil where there is none or a harmless one.
    let foreignTag: String?
    let start: Position
    let end: Position
}

/// A place as libyaml counts it.
struct Position {
    let mark: Mark
    /// Characters before it in the file.
    let index: Int

    init(_ mark: yaml_mark_t) {
        self.mark = Mark(line: mark.line + 1, column: mark.column + 1)
        index = mark.index
    }
}

/// Why libyaml stopped.
struct SyntaxProblem: Error {
    let message: String
    let mark: Mark
}

/// Owns a libyaml parser (`yaml_parser_t`) over bytes that outlive it. Belongs to one thread.
struct EventStream: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>

    /// - Parameter bytes: valid UTF-8 without a byte order mark.
    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        // On the heap, because libyaml stores the parser's own address as the argument of its read handler.
        parser = .allocate(capacity: 1)
        // Fails only without memory, and then nothing else could be said either.
        guard yaml_parser_initialize(parser) == 1 else { fatalError("no memory for a YAML parser") }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    /// Reads one event (`yaml_parser_parse`). Must not be called again after it threw or gave `.streamEnd`.
    mutating func next() throws(SyntaxProblem) -> YAMLEvent {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw problem() }
        defer { yaml_event_delete(&event) }
        let (kind, tag) = EventStream.read(event)
        return YAMLEvent(
            kind: kind, foreignTag: tag, start: Position(event.start_mark), end: Position(event.end_mark))
    }

    private static func read(_ event: yaml_event_t) -> (YAMLEvent.Kind, foreignTag: String?) {
        switch event.type {
        case YAML_STREAM_START_EVENT: return (.streamStart, nil)
        case YAML_STREAM_END_EVENT: return (.streamEnd, nil)
        case YAML_DOCUMENT_START_EVENT: return (.documentStart, nil)
        case YAML_DOCUMENT_END_EVENT: return (.documentEnd, nil)
        case YAML_ALIAS_EVENT: return (.alias(string(event.data.alias.anchor) ?? ""), nil)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: return (.collectionEnd, nil)
        case YAML_SEQUENCE_START_EVENT:
            let data = event.data.sequence_start
            return (.sequenceStart(anchor: string(data.anchor)), foreign(string(data.tag)))
        case YAML_MAPPING_START_EVENT:
            let data = event.data.mapping_start
            return (.mappingStart(anchor: string(data.anchor)), foreign(string(data.tag)))
        case YAML_SCALAR_EVENT:
            let data = event.data.scalar
            let tag = string(data.tag)
            let bytes = UnsafeBufferPointer(start: data.value, count: data.length)
            let scalar = Scalar(
                text: String(decoding: bytes, as: UTF8.self), style: style(data.style), isTaggedText: tag != nil)
            return (.scalar(scalar, anchor: string(data.anchor)), foreign(tag))
        default: return (.unknown, nil)
        }
    }

    private static func string(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        pointer.map { String(cString: $0) }
    }

    /// `!` and `!!str` only say "this is text"; every other tag would need a meaning.
    private static func foreign(_ tag: String?) -> String? {
        tag == "!" || tag == YAML_STR_TAG ? nil : tag
    }

    private static func style(_ style: yaml_scalar_style_t) -> Scalar.Style {
        switch style {
        case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
        case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
        case YAML_LITERAL_SCALAR_STYLE: .literal
        case YAML_FOLDED_SCALAR_STYLE: .folded
        default: .plain
        }
    }

    private func problem() -> SyntaxProblem {
        let words = parser.pointee.problem.map { String(cString: $0) } ?? "this is not YAML"
        return SyntaxProblem(
            message: SyntaxAdvice.message(for: words), mark: Position(parser.pointee.problem_mark).mark)
    }
}

/// libyaml's problems in words that say what to write instead.
private enum SyntaxAdvice {
    /// The text of libyaml 0.2.5's `scanner.c` and `parser.c`, and what helps.
    private static let table: [(problem: String, advice: String)] = [
        ("mapping values are not allowed in this context", "unexpected ':'; put text that contains ': ' in quotes"),
        (
            "found character that cannot start any token",
            "a value cannot start with this character; indent with spaces, not tabs, and put such text in quotes"
        ),
        ("found unknown escape character", "unknown escape in double quotes; write '\\\\', or use single quotes"),
        ("could not find expected ':'", "a key needs ': ' behind it; put text of several lines in quotes"),
        ("found unexpected end of stream", "a quote is opened but never closed; close it"),
        ("did not find expected key", "expected a key here; check the indentation, or close the quotes before it"),
        ("did not find expected '-' indicator", "expected '- ' here; check the indentation of the list"),
        ("did not find expected ',' or ']'", "expected ',' or ']'; close the list, or put text with commas in quotes"),
        ("did not find expected ',' or '}'", "expected ',' or '}'; close the mapping, or put such text in quotes"),
        ("did not find expected <document start>", "unexpected text behind the end of the document; remove it"),
        ("found a tab character where an indentation space is expected", "indent with spaces, not with tabs"),
        ("found a tab character that violates indentation", "indent with spaces, not with tabs"),
        ("found unexpected ':'", "unexpected ':'; write a blank behind it, or put the text in quotes"),
        ("found undefined tag handle", "tags are not supported; put text that starts with '!' in quotes"),
    ]

    static func message(for problem: String) -> String {
        table.first { $0.problem == problem }?.advice ?? "\(problem); check the YAML around this place"
    }
}
