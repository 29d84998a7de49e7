/// Turns events into a tree without recursion, so that the depth cap is enforced before libyaml goes on reading.
struct TreeBuilder {
    let source: SourceText
    private(set) var root: Node?
    private(set) var problems: [Diagnostic] = []
    private var open: [Frame] = []
    private var anchors: [String: Counted] = [:]
    private var documents = 0
    private var nodes = 0

    init(source: SourceText) { self.source = source }

    /// A finished node with its size, aliases followed.
    private struct Counted {
        let node: Node
        var count = 1
        var height = 1
    }

    /// A collection whose end has not been seen.
    private struct Frame {
        let isMapping: Bool
        let anchor: String?
        let start: Position
        var items: [Node] = []
        var members: [Node.Member] = []
        var names: Set<String> = []
        /// The key whose value comes next; `name` is nil for a key that was refused.
        var key: (name: String?, mark: Mark)?
        var count = 1
        var height = 0
    }

    mutating func run(_ bytes: UnsafeBufferPointer<UInt8>) throws(Diagnostics) {
        var stream = EventStream(bytes)
        while true {
            let event: YAMLEvent
            do {
                event = try stream.next()
            } catch {
                throw stopped(error.message, at: error.mark)
            }
            if case .streamEnd = event.kind { return }
            try take(event)
        }
    }

    private mutating func take(_ event: YAMLEvent) throws(Diagnostics) {
        if let tag = event.foreignTag {
            report("the tag '\(tag)' is not supported; remove it", at: event.start.mark)
        }
        switch event.kind {
        case .documentStart:
            documents += 1
            guard documents == 1 else { throw stopped("a second document starts here; use one file each", at: event) }
        case .scalar(let scalar, let anchor):
            if scalar.text.utf8.contains(0) {
                report("text must not contain NUL; remove the \\0", at: event.start.mark)
            }
            let extent = event.start.index..<event.end.index
            let node = Node(content: .scalar(scalar), mark: event.start.mark, extent: extent)
            try add(Counted(node: node), anchor: anchor, at: event)
        case .sequenceStart(let anchor):
            try push(Frame(isMapping: false, anchor: anchor, start: event.start), at: event)
        case .mappingStart(let anchor):
            try push(Frame(isMapping: true, anchor: anchor, start: event.start), at: event)
        case .collectionEnd:
            try close(at: event)
        case .alias(let name):
            guard let target = anchors[name] else {
                throw stopped("'*\(name)' names nothing; put '&\(name)' before a value above this line", at: event)
            }
            try add(target, anchor: nil, at: event)
        case .streamStart, .streamEnd, .documentEnd, .unknown: break
        }
    }

    private mutating func push(_ frame: Frame, at event: YAMLEvent) throws(Diagnostics) {
        guard open.count < Document.maximumDepth else { throw tooDeep(event) }
        open.append(frame)
    }

    private mutating func close(at event: YAMLEvent) throws(Diagnostics) {
        guard let frame = open.popLast() else { return }
        let content: Node.Content = frame.isMapping ? .mapping(frame.members) : .sequence(frame.items)
        let node = Node(content: content, mark: frame.start.mark, extent: frame.start.index..<event.end.index)
        try add(
            Counted(node: node, count: frame.count, height: frame.height + 1), anchor: frame.anchor, at: event,
            isNew: false)
    }

    /// Puts a finished node where it belongs.
    /// - Parameter isNew: false for a collection, whose content has been counted as it came.
    private mutating func add(
        _ item: Counted, anchor: String?, at event: YAMLEvent, isNew: Bool = true
    ) throws(Diagnostics) {
        nodes += isNew ? item.count : 1
        guard nodes <= Document.maximumNodes else {
            throw stopped("more than \(Document.maximumNodes) values, aliases followed; use fewer aliases", at: event)
        }
        guard open.count + item.height <= Document.maximumDepth + 1 else { throw tooDeep(event) }
        if let anchor { anchors[anchor] = item }
        guard !open.isEmpty else {
            root = item.node
            return
        }
        let last = open.count - 1
        open[last].count += item.count
        open[last].height = max(open[last].height, item.height)
        if !open[last].isMapping {
            open[last].items.append(item.node)
        } else if let key = open[last].key {
            open[last].key = nil
            guard let name = key.name else { return }
            open[last].members.append(Node.Member(name: name, mark: key.mark, value: item.node))
        } else {
            let mark = isNew ? event.start.mark : item.node.mark
            open[last].key = (acceptedKey(item.node, at: mark), mark)
        }
    }

    /// The key's text, or nil after reporting why it cannot be one.
    private mutating func acceptedKey(_ node: Node, at mark: Mark) -> String? {
        guard let name = node.scalar?.text, !name.isEmpty else {
            report("a key must be text; write it before ': '", at: mark)
            return nil
        }
        guard open[open.count - 1].names.insert(name).inserted else {
            report("the key '\(name)' occurs twice; remove one of the two", at: mark)
            return nil
        }
        return name
    }

    private mutating func report(_ message: String, at mark: Mark) {
        problems.append(Diagnostic(.error, message, at: mark, in: source))
    }

    private func tooDeep(_ event: YAMLEvent) -> Diagnostics {
        stopped("nested more than \(Document.maximumDepth) levels deep; use fewer brackets", at: event)
    }

    private func stopped(_ message: String, at event: YAMLEvent) -> Diagnostics {
        stopped(message, at: event.start.mark)
    }

    /// What was found so far, and the reason for reading no further.
    private func stopped(_ message: String, at mark: Mark) -> Diagnostics {
        Diagnostics(problems + [Diagnostic(.error, message, at: mark, in: source)])
    }
}
