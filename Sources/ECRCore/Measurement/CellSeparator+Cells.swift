import Profiles

extension CellSeparator {
    /// The cells of one line without its end; of a blank line none. A quote that begins a cell is one of RFC 4180.
    func cells(of line: some Collection<UInt8>) -> [String] {
        var bytes = Array(line)
        while bytes.last == 0x0D || bytes.last == 0x0A { bytes.removeLast() }
        guard bytes.contains(where: { $0 != 0x20 && $0 != 0x09 }) else { return [] }
        switch self {
        case .blanks:
            return bytes.split { $0 == 0x20 || $0 == 0x09 }.map { String(decoding: $0, as: UTF8.self) }
        case .byte(let separator): return Self.quotedCells(bytes, separator)
        }
    }

    private static func quotedCells(_ bytes: [UInt8], _ separator: UInt8) -> [String] {
        let quote = UInt8(ascii: "\"")
        var (cells, cell): ([String], [UInt8]) = ([], [])
        var isQuoted = false
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if isQuoted {
                if byte != quote {
                    cell.append(byte)
                } else if index < bytes.count, bytes[index] == quote {
                    cell.append(quote)
                    index += 1
                } else {
                    isQuoted = false
                }
            } else if byte == separator {
                cells.append(String(decoding: cell, as: UTF8.self))
                cell = []
            } else if byte == quote, cell.allSatisfy({ $0 == 0x20 }) {
                isQuoted = true
                cell = []
            } else {
                cell.append(byte)
            }
        }
        return cells + [String(decoding: cell, as: UTF8.self)]
    }
}
