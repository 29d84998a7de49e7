import Glibc

/// One of the addresses of a host name (getaddrinfo(3)).
struct SocketAddress: Sendable {
    let family: Int32
    /// The address in numbers, without the port.
    let numeric: String
    /// The bytes of a `sockaddr`.
    private let bytes: [UInt8]

    /// Every address of a name, in the order of preference that the system gives (RFC 6724).
    static func resolve(_ host: String, port: Int, place: String) throws(SSHError) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else {
            let isUnknown = code == EAI_NONAME || code == -5  // EAI_NODATA, which Swift's Glibc module lacks
            let reason = isUnknown ? "name not known" : String(cString: gai_strerror(code))
            throw SSHError(.unreachable, "cannot reach \(place): \(reason)")
        }
        defer { freeaddrinfo(list) }
        return sequence(first: list!, next: { $0.pointee.ai_next }).map { SocketAddress($0.pointee) }
    }

    private init(_ info: addrinfo) {
        family = info.ai_family
        bytes = Array(UnsafeRawBufferPointer(start: info.ai_addr, count: Int(info.ai_addrlen)))
        var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = getnameinfo(
            info.ai_addr, info.ai_addrlen, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST)
        numeric = code == 0 ? name.withUnsafeBufferPointer { String(cString: $0.baseAddress!) } : "?"
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        bytes.withUnsafeBytes { buffer in
            body(buffer.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(buffer.count))
        }
    }
}
