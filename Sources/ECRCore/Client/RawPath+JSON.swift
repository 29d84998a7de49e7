package import JSON
package import LinuxSystem

/// As in the control protocol: a text, or `{"base64": …}` where it is no UTF-8.
extension RawPath {
    package var json: JSON {
        String(validating: bytes, as: UTF8.self).map { .string($0) } ?? ["base64": .string(Base64.encode(bytes))]
    }

    package init?(json: JSON) {
        if let text = json.string {
            self.init(text)
        } else if let bytes = json["base64"]?.string.flatMap({ Base64.decode($0) }), !bytes.isEmpty, !bytes.contains(0)
        {
            self.init(bytes)
        } else {
            return nil
        }
    }
}
