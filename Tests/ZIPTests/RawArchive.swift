/// An archive built byte by byte (APPNOTE.TXT), for what no honest program would write.
struct RawArchive {
    struct Entry {
        var name: [UInt8]
        var data: [UInt8] = Array("x".utf8)
        /// The Unix mode; 0 for an archive of another system.
        var mode: UInt32 = 0o100644
        var flags: UInt16 = 0
        var declaredSize: UInt32?
    }

    var entries: [Entry]

    init(names: String...) { entries = names.map { Entry(name: Array($0.utf8)) } }
    init(_ entries: Entry...) { self.entries = entries }

    var bytes: [UInt8] {
        var body: [UInt8] = []
        var directory: [UInt8] = []
        for entry in entries {
            let offset = UInt32(body.count)
            let common =
                little(entry.flags) + little(UInt16(0)) + little(UInt32(0x5A21_6000)) + little(crc32(entry.data))
                + little(UInt32(entry.data.count)) + little(entry.declaredSize ?? UInt32(entry.data.count))
                + little(UInt16(entry.name.count)) + little(UInt16(0))
            body += little(UInt32(0x0403_4B50)) + little(UInt16(20)) + common + entry.name + entry.data
            let system: UInt16 = entry.mode == 0 ? 0 : 3 << 8
            directory += little(UInt32(0x0201_4B50)) + little(system | 20) + little(UInt16(20)) + common
            directory += little(UInt16(0)) + little(UInt16(0)) + little(UInt16(0)) + little(entry.mode << 16)
            directory += little(offset) + entry.name
        }
        let end =
            little(UInt32(0x0605_4B50)) + little(UInt32(0)) + little(UInt16(entries.count))
            + little(UInt16(entries.count)) + little(UInt32(directory.count)) + little(UInt32(body.count))
            + little(UInt16(0))
        return body + directory + end
    }

    private func little(_ number: some FixedWidthInteger) -> [UInt8] {
        (0..<number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }

    private func crc32(_ bytes: [UInt8]) -> UInt32 {
        var value = ~UInt32(0)
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = (value & 1) == 1 ? (value >> 1) ^ 0xEDB8_8320 : value >> 1 }
        }
        return ~value
    }
}
