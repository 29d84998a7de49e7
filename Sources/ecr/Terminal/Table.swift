/// Columns that line up, two spaces apart; the last one is not padded.
struct Table {
    private var rows: [[String]] = []
    /// Longer cells push what is behind them aside in their own row only.
    private let widest: Int

    init(_ header: [String]? = nil, widest: Int = .max) {
        self.widest = widest
        if let header { rows.append(header) }
    }

    var isEmpty: Bool { rows.isEmpty }

    /// Adds a row; its cells are made safe for the terminal.
    mutating func add(_ cells: [String]) { rows.append(cells.map(SafeText.line)) }

    /// - Parameter indent: blanks before each line.
    func text(indent: Int = 0) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { $0.count > column ? $0[column].unicodeScalars.count : 0 }.filter { $0 <= widest }.max() ?? 0
        }
        let margin = String(repeating: " ", count: indent)
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                column == row.count - 1 ? cell : Table.pad(cell, widths[column])
            }
            let line = margin + cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }

    private static func pad(_ cell: String, _ width: Int) -> String {
        cell + String(repeating: " ", count: max(0, width - cell.unicodeScalars.count))
    }
}
