import LinuxSystem

/// A user's certificate from a `-cert.pub` file (OpenSSH's PROTOCOL.certkeys).
struct Certificate {
    let path: String
    /// The certificate in its wire format.
    let blob: [UInt8]
    /// The public key that it certifies, in its own wire format.
    let keyBlob: [UInt8]
    /// Seconds since 1970.
    let validAfter: UInt64
    let validBefore: UInt64

    /// Reads the file; nil where it is missing or holds no user certificate.
    init?(path: String) {
        guard let bytes = try? FileSystem.read(path, limit: 1 << 16) else { return nil }
        let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.count >= 2, let blob = Base64.decode(words[1]), let fields = try? Fields(blob) else { return nil }
        self.path = path
        self.blob = blob
        keyBlob = fields.keyBlob
        validAfter = fields.validAfter
        validBefore = fields.validBefore
    }

    /// The plain public key of a blob that is a certificate; nil for any other.
    static func keyBlob(in blob: [UInt8]) -> [UInt8]? { (try? Fields(blob))?.keyBlob }

    /// Why a server will refuse it, as far as the clock tells.
    var problem: String? {
        let now = UInt64(max(0, Clock.wallMicroseconds() / 1_000_000))
        if now >= validBefore { return "it ended at \(Certificate.time(validBefore))" }
        if now < validAfter { return "it begins at \(Certificate.time(validAfter))" }
        return nil
    }

    private static func time(_ seconds: UInt64) -> String {
        // The year 9999 is enough; "forever" is the largest number of all.
        Clock.iso8601(microseconds: Int64(min(seconds, 253_402_300_799)) * 1_000_000).prefix(19) + "Z"
    }

    private struct Fields {
        let keyBlob: [UInt8]
        let validAfter: UInt64
        let validBefore: UInt64

        init(_ blob: [UInt8]) throws(SSHError) {
            var reader = WireReader(blob[...], from: "the certificate")
            let type = String(decoding: try reader.string(), as: UTF8.self)
            guard let suffix = type.firstRange(of: "-cert-v01@openssh.com"), suffix.upperBound == type.endIndex else {
                throw SSHError(.keyUnusable, "not a certificate")
            }
            _ = try reader.string()  // the nonce
            let plainType = String(type[..<suffix.lowerBound])
            var key = WireWriter()
            // An application's name follows the key of a hardware token.
            let isToken = plainType.hasPrefix("sk-")
            key.string(Array((isToken ? plainType + "@openssh.com" : plainType).utf8))
            let count = (plainType == "ssh-ed25519" || plainType == "sk-ssh-ed25519" ? 1 : 2) + (isToken ? 1 : 0)
            for _ in 0..<(plainType == "ssh-dss" ? 4 : count) { key.string(try reader.string()) }
            keyBlob = key.bytes
            _ = try reader.uint64()  // the serial number
            guard try reader.uint32() == Fields.userType else { throw SSHError(.keyUnusable, "a host's certificate") }
            _ = try reader.string()  // the key's id
            _ = try reader.string()  // the principals
            validAfter = try reader.uint64()
            validBefore = try reader.uint64()
        }

        /// Origin: SSH_CERT_TYPE_USER in PROTOCOL.certkeys.
        private static let userType: UInt32 = 1
    }
}
