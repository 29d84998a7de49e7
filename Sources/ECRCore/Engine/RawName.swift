package import JSON

/// A raw name as it stands in events: as text where it is UTF-8, else in base64.
package struct RawName {
    let json: JSONObject

    /// - Parameter key: of the text; that of the base64 has `_base64` behind it.
    init(_ path: [UInt8], as key: String = "remote") {
        if let text = String(validating: path, as: UTF8.self) {
            json = [key: .string(text)]
        } else {
            json = ["\(key)_base64": .string(Base64.encode(path))]
        }
    }

    /// The name under a key of an event's data, for people: what is no UTF-8 is replaced in it.
    package static func text(_ key: String, of data: JSON) -> String {
        let raw = data["\(key)_base64"]?.string.flatMap { Base64.decode($0) }
        return raw.map { String(decoding: $0, as: UTF8.self) } ?? data[key]?.string ?? "?"
    }
}
