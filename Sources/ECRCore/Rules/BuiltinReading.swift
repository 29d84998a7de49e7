import JSON
import Profiles

/// The fields of a sample of a sampler that ecr brings along: `field=value`, divided by white space.
struct BuiltinReading {
    let values: JSONObject

    init(_ text: [UInt8], _ sampler: BuiltinSampler) {
        var found = JSONObject()
        for word in text.split(whereSeparator: { $0 <= 0x20 }) {
            guard let equals = word.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = String(decoding: word[..<equals], as: UTF8.self)
            guard sampler.fields.contains(where: { $0.name == name }),
                let number = Double(String(decoding: word[(equals + 1)...], as: UTF8.self)), number.isFinite
            else { continue }
            found[name] = .double(number)
        }
        values = found
    }
}
